"""Build what other sites load: the script, the style sheet that keeps the place, and their hashes.

The sources lie in `static/embed/`: `appeal.js`, `banner.css` (inside the banner), `appeal.css` (on the host's
page), the words of each language, `frame.js` and `frame.css` (inside the banner's own page) and `height.js` (on
a host's page that shows it in an iframe). Nothing here knows Flask; a door reads the results once at start and
answers with the same bytes from then on.
"""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appeal.embed.minify import minify_script, minify_style

SOURCE = Path(__file__).resolve().parent.parent / "static" / "embed"
MAX_SCRIPT_GZIP_BYTES = 4096
RARE_STATES = ("upcoming", "last_days", "reached")
SCRIPT_TYPE, STYLE_TYPE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
# Nearly all of it runs at once: Chromium then compiles all of it while it loads, beside the page's own thread.
EAGER = "//# allFunctionsCalledOnLoad\n"
LANGUAGES = tuple(sorted(path.stem for path in (SOURCE / "words").glob("*.json")))


@dataclass(frozen=True, slots=True)
class Asset:
    """One file for other sites, with what its addresses and headers need; `version` is what its beacons say."""

    name: str
    media_type: str
    body: bytes
    version: str = ""

    @property
    def digest(self) -> str:
        """Return the first 16 hexadecimal signs of the SHA-256 of the body: the version."""
        return hashlib.sha256(self.body).hexdigest()[:16]

    @property
    def integrity(self) -> str:
        """Return the value of an `integrity` attribute (SHA-384)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.body).digest()).decode()

    @property
    def hashed_name(self) -> str:
        """Return the name that never changes its content, such as `appeal-0123456789abcdef.js`."""
        stem, _, ending = self.name.rpartition(".")
        return f"{stem}-{self.digest}.{ending}"

    @property
    def gzip_bytes(self) -> int:
        """Return how many bytes the body has when compressed with gzip at level 9."""
        return len(gzip.compress(self.body, 9, mtime=0))


def build_script(source: Path = SOURCE) -> Asset:
    """Build the script from its source, the banner's style sheet and the English words."""
    code = EAGER + minify_script((source / "appeal.js").read_text("utf-8"))
    style = minify_style((source / "banner.css").read_text("utf-8") + _own_heights(source))
    # What is seldom said comes with the figure (rare_words); every byte here is loaded on every page.
    spoken = {name: part for name, part in words("en", source).items() if name in {"states", "left", "ui"}}
    for state in RARE_STATES:
        del spoken["states"][state]
    english = json.dumps(spoken, ensure_ascii=False, separators=(",", ":"))
    english = re.sub(r'"(\w+)":', r"\1:", english)
    parts = {'"@css"': json.dumps(style, ensure_ascii=False), '"@words"': english}
    version = hashlib.sha256("".join([code, *parts.values()]).encode()).hexdigest()[:8]
    for mark, value in {**parts, '"@version"': json.dumps(version)}.items():
        code = code.replace(mark, value)
    return Asset("appeal.js", SCRIPT_TYPE, code.encode(), version)


def build_host_style(source: Path = SOURCE) -> Asset:
    """Build the few rules by which a host page keeps the banner's place."""
    style = minify_style((source / "appeal.css").read_text("utf-8"))
    return Asset("appeal.css", STYLE_TYPE, style.encode())


def build_frame_style(source: Path = SOURCE) -> Asset:
    """Build the style of the banner's own page: the banner's, with the page's body as its host.

    It keeps no more place than its frame has: whoever takes a frame without the small script is not to scroll in it.
    """
    heights = re.sub(r"(?<=min-block-size: )[\d.]+em", r"min(\g<0>, 100vh)", _own_heights(source))
    own = (source / "banner.css").read_text("utf-8") + heights
    own = re.sub(r":host\(\[(\w+)(=\w+)?\]\)", r"body[data-\1\2]", own).replace(":host", "body")
    style = minify_style((source / "frame.css").read_text("utf-8") + own)
    return Asset("frame.css", STYLE_TYPE, style.encode())


def build_small_script(name: str, source: Path = SOURCE) -> Asset:
    """Build `frame.js` or `height.js`."""
    return Asset(name, SCRIPT_TYPE, minify_script((source / name).read_text("utf-8")).encode())


def manifest(assets: list[Asset], prefix: str = "/embed/v1/") -> dict[str, dict[str, str]]:
    """Return, by evergreen name, the hashed address and the integrity value of each asset."""
    return {asset.name: {"url": prefix + asset.hashed_name, "integrity": asset.integrity} for asset in assets}


def words(language: str, source: Path = SOURCE) -> dict[str, Any]:
    """Return the banner's default words in a language: `states`, `left` and `ui`; English for any other."""
    known = language if language in LANGUAGES else "en"
    content: dict[str, Any] = json.loads((source / "words" / f"{known}.json").read_text("utf-8"))
    return content


def banner_words(language: str, state: str) -> dict[str, object]:
    """Return what the JSON's `banner` says in a language that the script does not carry: `lang`, `words`, `ui`.

    Empty for English, whose words are in the script. Only the words of the present state are given; the script
    fills in the figures.
    """
    if language == "en" or language not in LANGUAGES:
        return {}
    everything = words(language)
    states = everything["states"]
    now = states["running"] | states.get(state, {})
    wall = now | {"title": everything["left"]}
    top = {name: now[name] for name in ("title", "button")}
    return {
        "lang": language,
        "words": {"top": top, "article": now, "end": now, "paywall": wall},
        "ui": everything["ui"],
    }


def rare_words(language: str, state: str, *, goal: bool, beyond: bool, opens: str = "") -> dict[str, Any]:
    """Return the words of the moments that the script does not know by itself; empty in all others.

    Before opening, in the last days, at the goal and past it, and without a goal, when nothing is still to find.
    `opens` is the opening day as people write it; only before opening is it asked for.
    """
    known = words(language)
    seldom: dict[str, str] = known["states"][state] if state in RARE_STATES else {}
    found: dict[str, Any] = {part: text.replace("{opens}", opens) for part, text in seldom.items()}
    if not goal:
        found |= known["no_goal"].get(state, {})
    return found | (known["beyond"] if state == "reached" and beyond else {})


def for_placement(placement: str, found: dict[str, Any], language: str) -> dict[str, Any]:
    """Fit rare words to a placement: one line has no body, and at the wall the meter speaks."""
    if not found:
        return {}
    if placement == "top":
        return {name: text for name, text in found.items() if name != "body"}
    return found | {"title": words(language)["left"]} if placement == "paywall" else found


def _own_heights(source: Path) -> str:
    """Turn the host's rules into the element's own, so that it keeps the height it was given."""
    host = (source / "appeal.css").read_text("utf-8").partition("/* Text of twice")[0]
    return re.sub(r"appeal-banner(?:\[placement=\"(\w+)\"\])?:not\(:defined\)", _host_selector, host)


def _host_selector(match: re.Match[str]) -> str:
    """Return the selector inside the shadow tree for one of the host's."""
    return f":host([placement={match[1]}])" if match[1] else ":host"
