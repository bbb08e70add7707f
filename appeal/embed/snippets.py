"""What a host copies into its own pages, one piece for each way of embedding.

The public page "put this appeal on your site" shows them filled in; docs/embedding.md explains them, and a test holds
the two together. Plain text in, plain text out.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from string import Template
from urllib.parse import quote

HEIGHTS = {"top": 144, "article": 384, "end": 560, "paywall": 384}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the pieces are filled with; `pinned` is the script's hashed address and `integrity` its hash."""

    base: str
    slug: str
    title: str
    sentence: str
    placement: str
    theme: str
    lang: str
    site: str
    code: str
    pinned: str
    integrity: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to embed: an id for links, what it is called, when to take it, and what to copy."""

    id: str
    name: str
    when: str
    code: str


_WAYS = (
    (
        "script",
        "Any site",
        (
            "The best of them: it fits in with your page, and readers can close it. The two lines on top go into the "
            "head, once a page; the style sheet keeps the place, so that nothing moves."
        ),
        """<link rel="stylesheet" href="$base/embed/v1/appeal.css">
<script async src="$base/embed/v1/appeal.js"></script>

<appeal-banner appeal="$slug" src-base="$base" placement="$placement"$options>
  <a href="$base/appeals/$slug?src=$site:$placement">$title</a>
</appeal-banner>""",
    ),
    (
        "pinned",
        "Any site, with a fixed version",
        (
            "For sites that load only what they have checked. This address never changes its content; "
            "/embed/v1/manifest.json names the newest."
        ),
        """<script async src="$base$pinned"
  integrity="$integrity" crossorigin="anonymous"></script>""",
    ),
    (
        "frame",
        "A frame",
        (
            "Where no script of ours may run in your page. The second line lets the frame have the height it needs; "
            "leave it out and the frame keeps the height you give it."
        ),
        """<iframe src="$base/embed/$slug/banner?placement=$placement&amp;$frame_options" title="$title"
  width="100%" height="$height" frameborder="0" loading="lazy"></iframe>
<script async src="$base/embed/v1/height.js"></script>""",
    ),
    (
        "wordpress",
        "WordPress",
        (
            "Paste the address on a line of its own; WordPress asks us for the rest. "
            "(With a Custom HTML block you can take the code for any site instead.)"
        ),
        """$base/appeals/$slug?src=$site:$placement""",
    ),
    (
        "drupal",
        "Drupal",
        "In your theme's template of an article, after the two addresses have become a library of the theme.",
        """{{ attach_library('lantern/appeal') }}
<appeal-banner appeal="$slug" src-base="$base" placement="$placement"$options
  page="{{ path('entity.node.canonical', {'node': node.id}) }}">
  <a href="$base/appeals/$slug?src=$site:$placement">$title</a>
</appeal-banner>""",
    ),
    (
        "amp",
        "AMP",
        "With AMP's own frame; it grows and shrinks with the banner.",
        """<amp-iframe src="$base/embed/$slug/banner?placement=$placement&amp;$frame_options" title="$title"
  width="600" height="$height" layout="responsive" resizable frameborder="0"
  sandbox="allow-scripts allow-top-navigation-by-user-activation">
  <div overflow tabindex="0" role="button" aria-label="Show all of it">Show all of it</div>
</amp-iframe>""",
    ),
    (
        "include",
        "Your server puts it in",
        (
            "No script, no frame: your web server asks for a piece of HTML and keeps it for half a minute. "
            "It wears your own styles (.appeal-fragment, .appeal-title, .appeal-bar, ...)."
        ),
        """$base/embed/$slug/fragment?placement=$placement&src=$site:$placement""",
    ),
    (
        "newsletter",
        "A newsletter",
        (
            "A picture of the figure as it is when the letter is opened first. The words beside it are for those who see "
            "no pictures."
        ),
        """<a href="$base/appeals/$slug?src=newsletter-$code">
  <img src="$base/embed/$slug/progress.png?scale=2" width="600" height="220" alt="$sentence">
</a>""",
    ),
    (
        "print",
        "Print",
        "A QR code for each place you print it in; the gifts tell you which of them worked. For print take the SVG.",
        """$base/embed/$slug/qr.svg?src=print-$code""",
    ),
    (
        "feed",
        "A feed",
        "One item that tells of the opening, the last days and the end.",
        """$base/embed/$slug/feed.xml""",
    ),
    ("link", "A link", "It works everywhere.", """$base/appeals/$slug?src=$site:$placement"""),
)


def snippets(choice: Choice) -> list[Snippet]:
    """Return every piece, filled in for a choice."""
    plain = {"wordpress", "include", "print", "feed", "link"}
    return [
        Snippet(way, name, when, Template(code).substitute(_values(choice, markup=way not in plain)))
        for way, name, when, code in _WAYS
    ]


def _values(choice: Choice, *, markup: bool) -> dict[str, object]:
    """Return what stands for each name; inside markup, texts are escaped."""
    write = escape if markup else str
    options = "".join(
        f' {name}="{write(value)}"'
        for name, value in (("theme", choice.theme if choice.theme != "auto" else ""), ("lang", choice.lang))
        if value
    )
    more = {
        "theme": choice.theme if choice.theme != "auto" else "",
        "lang": choice.lang,
        "src": f"{choice.site}:{choice.placement}",
    }
    return {
        "base": choice.base,
        "slug": choice.slug,
        "title": write(choice.title),
        "sentence": write(choice.sentence),
        "placement": choice.placement,
        "site": quote(choice.site, safe=".:-"),
        "code": quote(choice.code, safe=".:-"),
        "pinned": choice.pinned,
        "integrity": choice.integrity,
        "height": HEIGHTS[choice.placement],
        "options": options,
        "frame_options": "&amp;".join(
            f"{name}={quote(value, safe='.:-')}" for name, value in more.items() if value
        ),
    }
