"""Milestones on the way to an appeal's goal: each is told of once, however often refunds lead back below it.

A row for each appeal and goal keeps the highest milestone passed; whoever raises it tells of it, in one transaction.
Several passed at once are told of as the highest. A goal that staff change begins anew, silently, where it then is.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from appeal import reports
from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Milestone
from appeal.outgoing import events

STEPS = (25, 50, 75, 90, 100)
FURTHER = 25


def passed(percent_tenths: int | None) -> int:
    """Return the highest milestone, in percent, that a share of the goal in tenths of a percent has reached; or 0."""
    percent = (percent_tenths or 0) // 10
    if percent >= STEPS[-1]:
        return percent - percent % FURTHER
    return max((step for step in STEPS if step <= percent), default=0)


def look() -> int:
    """Tell of every milestone newly passed by any public appeal; return how many."""
    figures = [reports.figure(appeal.slug) for appeal in reports.public_appeals()]
    rows = db.session.execute(select(Milestone.mark, Milestone.percent))
    known = {mark: percent for mark, percent in rows}  # noqa: C416 - rows are not quite tuples to mypy
    db.session.rollback()
    return sum(_tell(one) for one in figures if _is_news(one, known))


def _mark(figure: reports.Figure) -> str:
    return f"{figure.facts.appeal.id}:{figure.goal_minor}"


def _is_news(figure: reports.Figure, known: dict[str, int]) -> bool:
    """Say whether there may be something to tell; looking first takes no lock."""
    return bool(figure.goal_minor) and known.get(_mark(figure), -1) < passed(figure.percent_tenths)


def _tell(figure: reports.Figure) -> bool:
    """Raise the mark, and tell of it if this worker was the one to raise it."""
    percent, appeal_id = passed(figure.percent_tenths), figure.facts.appeal.id
    with writing() as session:
        _begin(session, figure, percent)
        raise_it = (
            update(Milestone)
            .where(Milestone.mark == _mark(figure), Milestone.percent < percent)
            .values(percent=percent, reached_at=clock.now())
        )
        done = session.execute(raise_it.execution_options(synchronize_session=False))
        if not done.rowcount:  # type: ignore[attr-defined]
            return False
        content = {
            "appeal": figure.slug,
            "title": figure.title,
            "percent": percent,
            "raised_minor": figure.raised_minor,
            "goal_minor": figure.goal_minor,
            "currency": figure.currency,
            "locale": figure.locale,
            "gift_count": figure.gift_count,
        }
        events.tell_of_milestone(session, appeal_id, f"{_mark(figure)}:{percent}", content)
        return True


def _begin(session: Session, figure: reports.Figure, percent: int) -> None:
    """Make the row of this goal: at nought for an appeal's first one, where it stands for one that staff changed."""
    appeal_id = figure.facts.appeal.id
    changed = session.scalar(
        select(exists().where(Milestone.appeal_id == appeal_id, Milestone.mark != _mark(figure)))
    )
    values = {"mark": _mark(figure), "appeal_id": appeal_id, "percent": percent if changed else 0}
    ledger.insert_once(session, Milestone, values, key="mark", returning="mark")
