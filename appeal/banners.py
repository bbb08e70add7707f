"""What staff change about the banners of an appeal: their own words, and the switch for each placement.

Words are kept by placement and state: `{"end": {"last_days": {"title": "...", "body": "...", "button": "..."}}}`.
They may name the figures as {title}, {raised}, {goal} and {remaining}, and, for the paywall, {left}. What is not
there is said in the words that come with the script.
"""

from __future__ import annotations

import json
import string
import zlib
from collections.abc import Mapping
from typing import Any, get_args

from appeal.appeals import by_slug
from appeal.core import placements, progress, texts
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.office import audit
from appeal.office.audit import Actor

LONGEST = {"title": 60, "body": 140, "button": 28}
FIGURES = frozenset({"title", "raised", "goal", "remaining", "left"})
STATES: tuple[str, ...] = get_args(progress.State)
# The figure with its words has to stay within 700 bytes; the largest figure without any takes about 420 of them.
MOST_WORDS_BYTES = 240

Words = dict[str, dict[str, dict[str, str]]]


class InvalidWords(DomainError):
    """The words cannot be used."""


def set_words(slug: str, given: Mapping[str, Any], by: Actor) -> Words:
    """Replace the banner's words of an appeal; on every page that shows it within a minute.

    Raises:
        InvalidWords: with what is wrong and where.
        NoSuchAppeal: there is none of that name.
    """
    words = checked(given)
    with writing():
        appeal = by_slug(slug)
        audit.write(by, "appeal.banner_words", slug, before=appeal.banner_words, after=words)
        appeal.banner_words = words
        appeal.revision += 1
    return words


def switch(slug: str, placement: str, by: Actor, *, on: bool) -> list[str]:
    """Switch a placement on or off, everywhere, within a minute; return the placements that are off.

    Raises:
        InvalidWords: there is no such placement.
        NoSuchAppeal: there is no such appeal.
    """
    if placement not in placements.BANNER:
        raise InvalidWords(f"There is no placement called {placement}.")
    with writing():
        appeal = by_slug(slug)
        before = list(appeal.banner_off)
        off = [
            one
            for one in placements.BANNER
            if (one in before or one == placement) and not (on and one == placement)
        ]
        audit.write(by, "appeal.banner_switch", slug, before={"off": before}, after={"off": off})
        appeal.banner_off = off
        appeal.revision += 1
    return off


def checked(given: Mapping[str, Any]) -> Words:
    """Hold words to their places, lengths and figures; empty ones are left out.

    Raises:
        InvalidWords: with what is wrong and where.
    """
    words: Words = {}
    for placement, by_state in given.items():
        if placement not in placements.BANNER or not isinstance(by_state, Mapping):
            raise InvalidWords(f"There is no placement called {placement}.")
        for state, parts in by_state.items():
            if state not in STATES or not isinstance(parts, Mapping):
                raise InvalidWords(f"There is no state called {state}.")
            clean = {name: _text(f"{placement}, {state}, {name}", name, text) for name, text in parts.items()}
            if kept := {name: text for name, text in clean.items() if text}:
                words.setdefault(placement, {})[state] = kept
    _refuse_too_much(words)
    return words


def _text(place: str, name: str, text: object) -> str:
    if name not in LONGEST or not isinstance(text, str):
        raise InvalidWords(f"{place}: a banner has a title, a body and a button.")
    if texts.has_control(text):
        raise InvalidWords(f"{place}: please take out the hidden or unusual characters.")
    line = texts.one_line(text)
    if len(line) > LONGEST[name]:
        raise InvalidWords(f"{place}: use at most {LONGEST[name]} characters; these are {len(line)}.")
    try:
        named = {field for _, field, _, _ in string.Formatter().parse(line) if field is not None}
    except ValueError:
        raise InvalidWords(f"{place}: a figure is written like {{raised}}.") from None
    if unknown := named - FIGURES:
        raise InvalidWords(f"{place}: there is no figure called {{{min(unknown)}}}.")
    return line


def _refuse_too_much(words: Words) -> None:
    """Refuse words that would make the answer to every reader too large in one of the states."""
    for state in STATES:
        now = {placement: by_state[state] for placement, by_state in words.items() if state in by_state}
        size = len(zlib.compress(json.dumps(now, ensure_ascii=False).encode(), 9))
        if now and size > MOST_WORDS_BYTES:
            raise InvalidWords(
                f"The words for {state} are too long together: every reader of every page loads them. "
                "Shorten some, or use the same in several places."
            )
