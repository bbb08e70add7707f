"""What came in: Stripe's events, stored raw before they are acknowledged and applied once each.

Applying an event and marking it done are one transaction. What fails is tried again with growing pauses and at
last parked, where staff see it; what does not fit the books is parked at once. One bad event holds nothing up.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError, OperationalError

from appeal.books.ledger import insert_once
from appeal.core import clock
from appeal.core.errors import DoesNotFit, DomainError, NotYet
from appeal.database import writing
from appeal.extensions import db
from appeal.models import InboxEvent
from appeal.payments import verified_event
from appeal.queues import events, waiting

# How many events are applied at once when one has brought what others waited for.
AFTER_WAKING = 20
# After such a wait for the database an event is not tried a second time: Stripe waits for an answer, and sends again.
PATIENCE_SECONDS = 5.0
BACKOFF_SECONDS = (1, 5, 30, 120, 600, 3600, 21600)

# What reading raises where an event is not of the shape we know. It would raise the same the next time, and while
# an event waits for long the server says it is not ready: that is for a person to look at.
MISSHAPEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)

log = structlog.get_logger(__name__)


def take(
    body: bytes,
    signature: str,
    secrets: tuple[str, ...],
    *,
    livemode: bool,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Verify an event as it was delivered, store it and apply it: in one transaction where nothing is amiss.

    Otherwise it is stored by itself, which is all that has to succeed, and applied with the care that trouble needs.

    Raises:
        SignatureInvalid: it was not signed with one of the secrets, or is no event.
        DBAPIError: it could not be stored.
    """
    event, began = verified_event(body, signature, secrets), time.monotonic()
    try:
        _store_and_apply(event, body, livemode=livemode)
    except Exception as error:
        waiting.anything_woken()  # whatever it was, it is undone
        if isinstance(error, OperationalError) and time.monotonic() - began > patience_seconds:
            raise
        log.info("inbox.step_by_step", event_id=event["id"], problem=type(error).__name__)
        _step_by_step(event, body, livemode=livemode)
    else:
        _apply_what_was_woken(livemode=livemode)


def _store_and_apply(event: Mapping[str, Any], body: bytes, *, livemode: bool) -> None:
    with writing():
        row_id = accept(event, body, done=True)
        if row_id is not None and not events.apply(event, livemode=livemode):
            db.session.get_one(InboxEvent, row_id).state = "ignored"


def _step_by_step(event: Mapping[str, Any], body: bytes, *, livemode: bool) -> None:
    row_id = accept(event, body)
    if row_id is None:
        return
    try:
        apply(row_id, livemode=livemode)
    except DBAPIError as error:  # stored already: the worker finishes it
        db.session.rollback()
        log.warning("inbox.left_to_the_worker", row=row_id, problem=type(error).__name__)


def _apply_what_was_woken(*, livemode: bool) -> None:
    if not waiting.anything_woken():
        return
    try:
        apply_due(livemode=livemode, most=AFTER_WAKING)
    except DBAPIError as error:
        db.session.rollback()
        log.warning("inbox.left_to_the_worker", problem=type(error).__name__)


def accept(
    event: Mapping[str, Any], body: bytes, *, came_by: str = "webhook", done: bool = False
) -> int | None:
    """Store an event as it was signed and commit; return its row's id, or None when it is known or not of interest.

    `done` marks it as applied: for whoever applies it in the same transaction.
    """
    if event["type"] not in events.HANDLERS:
        return None
    with writing() as session:
        now = clock.now()
        values = {
            "event_id": event["id"],
            "type": event["type"],
            "livemode": event["livemode"],
            "body": body,
            "state": "done" if done else "waiting",
            "done_at": now if done else None,
            "attempts": 0,
            "problem": "",
            "came_by": came_by,
            "try_at": now,
            "received_at": now,
        }
        return insert_once(session, InboxEvent, values, key="event_id")


def apply(row_id: int, *, livemode: bool) -> bool:
    """Apply one stored event, with its mark, in one transaction; return whether it is done now.

    Never raises for what the event holds: such an event is parked or waits for its next try.
    """
    try:
        with writing() as session:
            row = _claim(row_id)
            if row is None:
                return False
            event = json.loads(row.body)
            row.state = "done" if events.apply(event, livemode=livemode) else "ignored"
            row.done_at, row.problem = clock.now(), ""
            row.waits_for = None
            session.flush()
    except NotYet as error:
        return _put_off(row_id, error, waits_for=error.waits_for)
    except DomainError as error:
        _park(row_id, error)
    except DBAPIError as error:
        _put_off(row_id, error)
    except MISSHAPEN as error:
        log.exception("inbox.cannot_be_read", row=row_id)
        _park(row_id, DoesNotFit(f"It cannot be read ({type(error).__name__}: {error})."))
    except Exception as error:
        log.exception("inbox.failed", row=row_id)
        _put_off(row_id, error)
    else:
        if waiting.anything_woken():
            apply_due(livemode=livemode, most=AFTER_WAKING)
        return True
    return False


def apply_due(*, livemode: bool, most: int = 500, stop: threading.Event | None = None) -> int:
    """Apply up to `most` events that are due, oldest first, until told to stop; return how many were taken up."""
    taken = 0
    while taken < most and not (stop and stop.is_set()) and (row_id := _next_due()) is not None:
        apply(row_id, livemode=livemode)
        taken += 1
    return taken


def _claim(row_id: int) -> InboxEvent | None:
    query = select(InboxEvent).where(InboxEvent.id == row_id, InboxEvent.state == "waiting")
    return db.session.scalars(query.with_for_update(skip_locked=True)).first()


def _next_due() -> int | None:
    """Name the oldest event that is due and that nobody is applying; looking takes no lock on SQLite."""
    query = select(InboxEvent.id).where(InboxEvent.state == "waiting", InboxEvent.try_at <= clock.now())
    query = query.order_by(InboxEvent.try_at, InboxEvent.id).limit(1).with_for_update(skip_locked=True)
    row_id = db.session.scalar(query)
    db.session.rollback()
    return row_id


def _park(row_id: int, error: DomainError) -> None:
    log.warning("inbox.parked", row=row_id, problem=error.message)
    with writing() as session:
        change = update(InboxEvent).where(InboxEvent.id == row_id, InboxEvent.state == "waiting")
        session.execute(
            change.values(
                state="parked", problem=error.message[:500], attempts=InboxEvent.attempts + 1
            ).execution_options(synchronize_session=False)
        )


def _put_off(row_id: int, error: Exception, *, waits_for: str | None = None) -> bool:
    with writing():
        row = _claim(row_id)
        if row is None:
            return False
        row.attempts += 1
        row.waits_for = waits_for
        row.problem = (error.message if isinstance(error, NotYet) else f"{type(error).__name__}: {error}")[
            :500
        ]
        if row.attempts > len(BACKOFF_SECONDS):
            row.state = "parked"
        else:
            row.try_at = clock.now() + timedelta(seconds=BACKOFF_SECONDS[row.attempts - 1])
    return False
