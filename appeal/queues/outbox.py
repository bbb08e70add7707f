"""What is to go out: rows written in the transaction that caused them, sent afterwards, each once.

A row is claimed by moving its `try_at` ahead, in a transaction of its own; then it is sent; then it is marked. A
crash in between sends it again later, under the same Message-ID, rather than never.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, OutboxItem

LEASE = timedelta(minutes=2)
BACKOFF_MINUTES = (1, 5, 15, 60, 180, 360, 720, 1440)
Sender = Callable[[OutboxItem], None]

log = structlog.get_logger(__name__)


class NothingToSend(Exception):
    """The item's reason is gone (an erased donor, say): nothing is to be sent."""


def add(
    kind: str,
    dedupe: str,
    *,
    donation: Donation | None = None,
    recipient: str = "",
    content: dict[str, Any] | None = None,
) -> None:
    """Write one item, once for its `dedupe`, in the caller's transaction."""
    with writing() as session:
        now = clock.now()
        values = {
            "kind": kind,
            "dedupe": dedupe,
            "donation_id": donation.id if donation else None,
            "recipient": recipient,
            "content": content or {},
            "state": "waiting",
            "attempts": 0,
            "problem": "",
            "try_at": now,
            "created_at": now,
        }
        ledger.insert_once(session, OutboxItem, values, key="dedupe")


def send_due(senders: dict[str, Sender], *, most: int = 50, stop: threading.Event | None = None) -> int:
    """Send up to `most` items that are due, oldest first, until told to stop; return how many were taken up."""
    taken = 0
    while taken < most and not (stop and stop.is_set()) and (item := _claim(tuple(senders))) is not None:
        _send(item, senders[item.kind])
        taken += 1
    return taken


def _claim(kinds: tuple[str, ...]) -> OutboxItem | None:
    """Take the oldest item that is due; looking first takes no lock on SQLite."""
    due = (OutboxItem.state == "waiting", OutboxItem.try_at <= clock.now(), OutboxItem.kind.in_(kinds))
    anything = db.session.scalar(select(OutboxItem.id).where(*due).limit(1))
    db.session.rollback()
    if anything is None:
        return None
    with writing() as session:
        query = select(OutboxItem).where(*due).order_by(OutboxItem.try_at).limit(1)
        item = session.scalars(query.with_for_update(skip_locked=True)).first()
        if item is not None:
            item.attempts += 1
            item.try_at = clock.now() + LEASE
        return item


def _send(item: OutboxItem, sender: Sender) -> None:
    try:
        sender(item)
    except NothingToSend as reason:
        _mark(item.id, state="ignored", problem=str(reason), done_at=clock.now())
    except Exception as error:  # noqa: BLE001 - whatever a mail server does must not stop the rest of the post
        _put_back(item, error)
    else:
        _mark(item.id, state="done", problem="", done_at=clock.now())


def _put_back(item: OutboxItem, error: Exception) -> None:
    problem = f"{type(error).__name__}: {error}"[:500]
    log.warning(
        "outbox.failed", item=item.id, kind=item.kind, attempts=item.attempts, problem=type(error).__name__
    )
    db.session.rollback()
    if item.attempts > len(BACKOFF_MINUTES):
        _mark(item.id, state="parked", problem=problem)
    else:
        wait = timedelta(minutes=BACKOFF_MINUTES[item.attempts - 1])
        _mark(item.id, problem=problem, try_at=clock.now() + wait)


def _mark(item_id: int, **values: Any) -> None:
    with writing() as session:
        change = update(OutboxItem).where(OutboxItem.id == item_id).values(**values)
        session.execute(change.execution_options(synchronize_session=False))
