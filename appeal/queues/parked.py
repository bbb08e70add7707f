"""What could not be done by itself and waits for a person: events put aside, letters that could not be sent.

Each is tried again, or set aside with a reason; either is in the audit. Nothing is ever thrown away.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, select

from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import InboxEvent, OutboxItem
from appeal.office import audit
from appeal.office.audit import Actor
from appeal.outgoing import events as outgoing

Row = TypeVar("Row", InboxEvent, OutboxItem)


class NotParked(NoSuchThing):
    """That does not wait for anybody any more; somebody else has seen to it."""


def events(*, before_id: int | None = None, most: int = 50) -> tuple[list[InboxEvent], int | None]:
    """List the events put aside, newest first, and the id from which the next page goes on."""
    return _parked(InboxEvent, before_id, most)


def letters(*, before_id: int | None = None, most: int = 50) -> tuple[list[OutboxItem], int | None]:
    """List what could not be sent, newest first, and the id from which the next page goes on.

    Messages to other systems are not among them: each is seen to where its endpoint is.
    """
    return _parked(OutboxItem, before_id, most, OutboxItem.kind != outgoing.KIND)


def _parked(
    table: type[Row], before_id: int | None, most: int, *which: ColumnElement[bool]
) -> tuple[list[Row], int | None]:
    query = select(table).where(table.state == "parked", *which)
    if before_id is not None:
        query = query.where(table.id < before_id)
    found = list(db.session.scalars(query.order_by(table.id.desc()).limit(most + 1)))
    return found[:most], found[most - 1].id if len(found) > most else None


def retry_event(row_id: int, actor: Actor) -> int:
    """Put an event back among those that are due; return its row for whoever applies it at once.

    Raises:
        NotParked: it does not wait.
    """
    return _again(InboxEvent, row_id, actor, "event.retried")


def send_again(item_id: int, actor: Actor) -> int:
    """Put a letter back among those that are due; return its row.

    Raises:
        NotParked: it does not wait.
    """
    return _again(OutboxItem, item_id, actor, "letter.sent_again")


def set_event_aside(row_id: int, actor: Actor, *, reason: str) -> None:
    """Stop waiting for an event; its raw body stays.

    Raises:
        NotParked: it does not wait.
        NotPossible: no reason is given.
    """
    _aside(InboxEvent, row_id, actor, "event.set_aside", reason)


def set_letter_aside(item_id: int, actor: Actor, *, reason: str) -> None:
    """Give a letter up.

    Raises:
        NotParked: it does not wait.
        NotPossible: no reason is given.
    """
    _aside(OutboxItem, item_id, actor, "letter.set_aside", reason)


def _again(table: type[Row], row_id: int, actor: Actor, action: str) -> int:
    with writing():
        row = _locked(table, row_id)
        audit.write(actor, action, _subject(row), before=_before(row))
        row.state, row.attempts, row.try_at = "waiting", 0, clock.now()
        return row.id


def _aside(table: type[Row], row_id: int, actor: Actor, action: str, reason: str) -> None:
    if not reason.strip():
        raise NotPossible("Say why, in a few words.")
    with writing():
        row = _locked(table, row_id)
        audit.write(actor, action, _subject(row), before=_before(row), reason=reason)
        row.state, row.done_at = "ignored", clock.now()


def _subject(row: InboxEvent | OutboxItem) -> str:
    return f"event:{row.event_id}" if isinstance(row, InboxEvent) else f"letter:{row.id}"


def _before(row: InboxEvent | OutboxItem) -> dict[str, str]:
    """Say what an entry of the audit keeps; what a mail server said may hold an address, which the audit does not."""
    return {"problem": row.problem} if isinstance(row, InboxEvent) else {"kind": row.kind}


def _locked(table: type[Row], row_id: int) -> Row:
    query = select(table).where(table.id == row_id, table.state == "parked").with_for_update()
    row = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotParked
    return row
