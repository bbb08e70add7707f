"""What a banner says: the words of a language and a state, an appeal's own words over them, the figures in them.

The script does the same sum in the browser (`static/embed/appeal.js`); here it is done for the answers that need
no script, and for the `banner` part of the JSON, which carries whatever the script does not know by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from babel.dates import format_skeleton
from babel.numbers import format_decimal

from appeal import reports
from appeal.core import clock, placements
from appeal.embed.script import banner_words, for_placement, rare_words, words

TALKING = ("title", "body", "button")


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one banner, figures filled in. Without a goal `of_goal` is empty."""

    lang: str
    dir: str
    title: str
    body: str
    button: str
    raised: str
    of_goal: str
    facts: str
    other_amount: str


def say(figure: reports.Figure, placement: str, lang: str, views_left: int | None = None) -> Said:
    """Return what the banner of a placement says now; `views_left` gives the paywall its meter's words."""
    known = words(lang)
    text = known["states"]["running"] | known["states"].get(figure.state, {}) | _rare(figure, lang)
    if placement == "paywall" and views_left is not None:
        text |= {"title": known["left"]}
    text |= _own(figure, placement)
    ui = known["ui"]
    return Said(
        lang=lang,
        dir=ui.get("dir", "ltr"),
        title=_fill(_pick(text["title"], views_left or 0), figure, left=views_left),
        body=_fill(text["body"], figure),
        button=_fill(text["button"], figure),
        raised=figure.formatted.raised,
        of_goal=_fill(ui["raised"], figure) if figure.goal_minor else "",
        facts=" \u00b7 ".join(_facts(figure, ui, lang)),
        other_amount=ui["other"],
    )


def _facts(figure: reports.Figure, ui: dict[str, Any], lang: str) -> list[str]:
    """Return how many gifts there are and, while it is open, how many days are left."""
    counts = [(ui["gifts"], figure.gift_count)]
    if figure.state not in {"upcoming", "ended"} and figure.days_left is not None:
        counts.append((ui["days"], figure.days_left))
    return [
        _fill(_pick(known, count), figure, n=format_decimal(count, locale=lang)) for known, count in counts
    ]


def for_json(figure: reports.Figure, lang: str) -> dict[str, object]:
    """Return the `banner` part of the JSON: what the script needs beyond the figure and its English words."""
    appeal = figure.facts.appeal
    content = banner_words(lang, figure.state)
    said: dict[str, dict[str, object]] = dict(content.get("words") or {})  # type: ignore[call-overload]
    for placement in placements.BANNER:
        more = for_placement(placement, _rare(figure, lang), lang) | _own(figure, placement)
        if more:
            said[placement] = said.get(placement, {}) | more
    if said:
        content["words"] = said
    off = [one for one in placements.BANNER if one in appeal.banner_off]
    return content | ({"off": off} if off else {}) | {"accent": accent(figure)}


def accent(figure: reports.Figure) -> str:
    """Return the appeal's colour as `#rrggbb`; a value that is none gives the house's own."""
    colour = figure.facts.appeal.accent
    return colour if re.fullmatch(r"#[0-9A-Fa-f]{6}", colour) else "#8a1c1c"


def _rare(figure: reports.Figure, lang: str) -> dict[str, Any]:
    beyond = figure.raised_minor > (figure.goal_minor or 0)
    return rare_words(
        lang, figure.state, goal=bool(figure.goal_minor), beyond=beyond, opens=_opening_day(figure, lang)
    )


def _opening_day(figure: reports.Figure, lang: str) -> str:
    """Return the opening day in the appeal's zone, such as "7 December"; empty without one."""
    if figure.opens_at is None:
        return ""
    appeal = figure.facts.appeal
    day = clock.day_of(figure.opens_at, appeal.time_zone)
    return format_skeleton("MMMMd", day, locale=locale_in(lang, appeal.locale))


def locale_in(lang: str, own: str) -> str:
    """Return an appeal's own locale where it speaks the language: days differ between en_GB and en_US."""
    return own if own[:2].lower() == lang else lang


def _own(figure: reports.Figure, placement: str) -> dict[str, Any]:
    """Return the appeal's own words for a placement in the present state."""
    texts = figure.facts.appeal.banner_words.get(placement, {}).get(figure.state, {})
    return {name: texts[name] for name in TALKING if texts.get(name)}


def _pick(known: str | list[str], count: int) -> str:
    """Return the words for a count: the last of a list is for all larger ones."""
    return known if isinstance(known, str) else known[min(count, len(known) - 1)]


def _fill(text: str, figure: reports.Figure, *, left: int | None = None, n: str = "") -> str:
    """Put the figures where the words name them; a name nobody knows stays as it is."""
    formatted = figure.formatted
    values = {
        "title": figure.title,
        "raised": formatted.raised,
        "goal": formatted.goal or "",
        "remaining": formatted.remaining or "",
        "left": "" if left is None else str(left),
        "n": n,
    }
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text)
