"""What there is to tell, and the writing of it into the outbox in the transaction that caused it.

Whether anybody listens is asked inside the statement that enters the money (`listeners`), so that a gift costs no
statement more while nobody does, and one more when somebody does, however many endpoints there are. Only the name of
the fact is written here; the message is made of the books when it is sent.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, literal, or_, select
from sqlalchemy.orm import Session

from appeal.core import clock
from appeal.database import dialect_of
from appeal.models import Donation, OutboxItem, OutgoingEndpoint, RecurringGift

EVENT_TYPES = {
    "gift.received": "A gift is received, by card or by post",
    "gift.refunded": "A refund goes back to the donor",
    "gift.refund_failed": "A refund did not arrive; the money is back",
    "gift.disputed": "A dispute takes the money of a gift",
    "gift.dispute_reinstated": "A dispute gives the money of a gift back",
    "gift.corrected": "Staff correct a gift",
    "monthly.cancelled": "A monthly gift ends",
    "milestone.reached": "An appeal passes a milestone",
}
# The ledger's kinds; a fee cover goes with its gift.
TYPE_OF_KIND = {
    "gift": "gift.received",
    "refund": "gift.refunded",
    "refund_reversed": "gift.refund_failed",
    "dispute": "gift.disputed",
    "dispute_reinstated": "gift.dispute_reinstated",
    "correction": "gift.corrected",
}
KIND = "outgoing"
COVER = ":cover"


def listeners() -> ColumnElement[bool]:
    """Return the question whether any webhook is switched on, to be put inside another statement."""
    endpoint = OutgoingEndpoint
    return exists().where(endpoint.state == "on", endpoint.kind == "webhook")


def tell_of_entry(session: Session, donation: Donation, kind: str, fact: str) -> None:
    """Tell of one ledger entry; the two entries of one fact (gift and fee cover) are told of once."""
    event_type = TYPE_OF_KIND.get(kind)
    if event_type is not None:
        subject = fact.removesuffix(COVER)
        _write(session, event_type, subject, appeal_id=donation.appeal_id, donation_id=donation.id)


def tell_of_end(session: Session, gift: RecurringGift) -> None:
    """Tell that a monthly gift has ended."""
    _write(session, "monthly.cancelled", gift.public_id, appeal_id=gift.appeal_id)


def tell_of_milestone(session: Session, appeal_id: int, mark: str, content: dict[str, Any]) -> None:
    """Tell that an appeal has passed a milestone; the figures are kept as they stood."""
    _write(session, "milestone.reached", mark, appeal_id=appeal_id, content=content)


def _write(
    session: Session,
    event_type: str,
    subject: str,
    *,
    appeal_id: int,
    donation_id: int | None = None,
    content: dict[str, Any] | None = None,
) -> None:
    """Write an item for each endpoint that listens, in one statement, once for each event and endpoint."""
    endpoint, columns, now = OutgoingEndpoint, OutboxItem.__table__.c, clock.now()
    number = cast(endpoint.id, String)
    values = {
        "kind": literal(KIND),
        "dedupe": literal("out:") + number + literal(f":{event_type}:{subject}"[:180]),
        "donation_id": literal(donation_id, columns.donation_id.type),
        "recipient": number,
        "content": literal({"type": event_type, "subject": subject, **(content or {})}, columns.content.type),
        "state": literal("waiting"),
        "attempts": literal(0),
        "problem": literal(""),
        "try_at": literal(now, columns.try_at.type),
        "created_at": literal(now, columns.created_at.type),
    }
    listening = select(*values.values()).where(
        endpoint.state == "on",
        endpoint.event_types.contains(f" {event_type} "),
        or_(endpoint.appeal_id.is_(None), endpoint.appeal_id == appeal_id),
    )
    statement = dialect_of(session.connection()).insert(OutboxItem).from_select(list(values), listening)
    with session.no_autoflush:  # what the caller has changed so far would cost a statement of its own
        session.execute(statement.on_conflict_do_nothing(index_elements=["dedupe"]))
