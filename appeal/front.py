"""What the appeal page shows to everybody alike: the figure's facts and the newest credit lines. Reads only.

Two statements, whatever the number of gifts, and kept until something is written, like the figure itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from appeal import freshness, reports
from appeal.core.errors import NoSuchAppeal
from appeal.extensions import db

CREDITS_ON_PAGE = 8


@dataclass(frozen=True, slots=True)
class Front:
    """What is the same for everybody until something changes."""

    facts: reports.Facts
    credits: list[reports.Credit]
    more_credits: bool


def of(slug: str) -> Front:
    """Return what an appeal's page shows.

    Raises:
        NoSuchAppeal: there is none of that name, or it is a draft.
    """
    found = reader(db.engine)(slug)
    if found is None:
        raise NoSuchAppeal
    return found


def reader(engine: Engine) -> Callable[[str], Front | None]:
    """Return what gives the front of an appeal: the same object for as long as nothing on it changed."""
    return freshness.kept(engine, _read).get


def _read(connection: Connection, slug: str) -> Front | None:
    facts = reports.read_facts(connection, slug)
    if facts is None:
        return None
    shown, following = reports.credits_in(connection, facts.appeal.id, most=CREDITS_ON_PAGE)
    return Front(facts, shown, following is not None)
