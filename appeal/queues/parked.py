"""What could not be done by itself and waits for a person: events put aside, letters that could not be sent.

Each is tried again, or set aside with a reason; either is in the audit. Nothing is ever thrown away.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import select

from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import InboxEvent, OutboxItem
from appeal.office import audit
from appeal.office.audit import Actor

Row = TypeVar("Row", InboxEvent, OutboxItem)


class NotParked(NoSuchThing):
    """That does not wait for anybody any more; somebody else has seen to it."""


def events(*, before_id: int | None = None, most: int = 50) -> tuple[list[InboxEvent], int | None]:
    """List the events put aside, newest first, and the id from which the next page goes on."""
    return _parked(InboxEvent, before_id, most)


def letters(*, before_id: int | None = None, most: int = 50) -> tuple[list[OutboxItem], int | None]:
    """List what could not be sent, newest first, and the id from which the next page goes on."""
    return _parked(OutboxItem, before_id, most)


def _parked(table: type[Row], before_id: int | None, most: int) -> tuple[list[Row], int | None]:
    query = select(table).where(table.state == "parked")
    if before_id is not None:
        query = query.where(table.id < before_id)
    found = list(db.session.scalars(query.order_by(table.id.desc()).limit(most + 1)))
    return found[:most], found[most - 1].id if len(found) > most else None


def retry_event(row_id: int, actor: Actor) -> int:
    """Put an event back among those that are due; return its row for whoever applies it at once.

    Raises:
        NotParked: it does not wait.
    """
    with writing():
        row = _locked(InboxEvent, row_id)
        audit.write(actor, "event.retried", f"event:{row.event_id}", before={"problem": row.problem})
        row.state, row.attempts, row.try_at = "waiting", 0, clock.now()
        return row.id


def set_event_aside(row_id: int, actor: Actor, *, reason: str) -> None:
    """Stop waiting for an event; its raw body stays.

    Raises:
        NotParked: it does not wait.
        NotPossible: no reason is given.
    """
    _say_why(reason)
    with writing():
        row = _locked(InboxEvent, row_id)
        before = {"problem": row.problem}
        audit.write(actor, "event.set_aside", f"event:{row.event_id}", before=before, reason=reason)
        row.state, row.done_at = "ignored", clock.now()


def send_again(item_id: int, actor: Actor) -> None:
    """Put a letter back among those that are due.

    Raises:
        NotParked: it does not wait.
    """
    with writing():
        item = _locked(OutboxItem, item_id)
        audit.write(actor, "letter.sent_again", f"letter:{item.id}", before={"kind": item.kind})
        item.state, item.attempts, item.try_at = "waiting", 0, clock.now()


def set_letter_aside(item_id: int, actor: Actor, *, reason: str) -> None:
    """Give a letter up.

    Raises:
        NotParked: it does not wait.
        NotPossible: no reason is given.
    """
    _say_why(reason)
    with writing():
        item = _locked(OutboxItem, item_id)
        audit.write(actor, "letter.set_aside", f"letter:{item.id}", before={"kind": item.kind}, reason=reason)
        item.state, item.done_at = "ignored", clock.now()


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise NotPossible("Say why, in a few words.")


def _locked(table: type[Row], row_id: int) -> Row:
    query = select(table).where(table.id == row_id, table.state == "parked").with_for_update()
    row = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotParked
    return row
