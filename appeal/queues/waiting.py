"""News that came before what it builds on: it waits in the inbox under a name, and is woken when that name is told.

A refund may be told before its gift, an invoice's payment before the invoice. Nothing is lost and nothing guessed:
`errors.NotYet` names what must come first, the inbox keeps the event waiting with growing pauses, and whoever enters
what was missing calls `wake` in the same transaction.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select, update

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import InboxEvent

WOKEN = "waiting.woken"


def awaited(name: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the question whether any event waits for a name, to be put inside another statement."""
    return exists().where(InboxEvent.waits_for == name, InboxEvent.state.in_(("waiting", "parked")))


def wake(*names: str | None) -> int:
    """Make every event that waits for one of these names due now, parked for it or not; return how many."""
    wanted = [name for name in names if name]
    with writing() as session:
        # An event that somebody is just applying is passed over: its own short pause brings it back.
        waiting = (
            select(InboxEvent.id)
            .where(InboxEvent.waits_for.in_(wanted), InboxEvent.state.in_(("waiting", "parked")))
            .with_for_update(skip_locked=True)
        )
        due = {"state": "waiting", "try_at": clock.now(), "waits_for": None}
        change = update(InboxEvent).where(InboxEvent.id.in_(waiting)).values(**due)
        woken = int(session.execute(change.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
        if woken:
            session.info[WOKEN] = True
        return woken


def anything_woken() -> bool:
    """Say, once, whether this session has woken something since it was last asked."""
    return bool(db.session.info.pop(WOKEN, False))
