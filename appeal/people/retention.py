"""What is not kept for ever: attempts that came to nothing, messages of appeals long over, complaints long answered.

An attempt to give that nobody completed tells only that somebody thought of it; after thirty days it goes, and with
it the person it was about, if nothing else is known of them. Whatever moved money, or is named by an entry, a note, a
notice or a letter still to be sent, stays. Each batch is one short transaction; doing it twice does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, exists, func, or_, select, update

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import (
    Appeal,
    AppealDonor,
    AppealTotals,
    BalanceMovement,
    CheckoutSlot,
    Complaint,
    Consent,
    CreditPrint,
    Donation,
    Donor,
    DonorLink,
    DonorMerge,
    DonorWord,
    InboxEvent,
    LedgerEntry,
    Note,
    Notice,
    OutboxItem,
    PostLine,
    Promise,
    RecurringGift,
    RefundOrder,
)

KEEP_ATTEMPTS = timedelta(days=30)
KEEP_MESSAGES = timedelta(days=365)
BATCH, MOST_BATCHES = 200, 50
SETTLED = ("done", "ignored")
# What Stripe tells of attempts that brought nothing; its own list of events ends after thirty days as well.
TOLD_OF_ATTEMPTS = ("checkout.session.expired", "checkout.session.async_payment_failed")
POINTS_AT_GIFT = (LedgerEntry, BalanceMovement, CreditPrint, Note, Notice, RefundOrder, PostLine, Promise)
POINTS_AT_DONOR = (AppealDonor, Donation, RecurringGift, Note, Complaint)


def forget() -> int:
    """Do all of it; return how many attempts went."""
    gone = forget_attempts()
    forget_events_of_attempts()
    forget_messages()
    forget_complaints()
    return gone


def forget_attempts() -> int:
    """Delete attempts that ended thirty days ago without money; return how many. What is left goes the next time."""
    before, total = clock.now() - KEEP_ATTEMPTS, 0
    for _ in range(MOST_BATCHES):
        gone = _forget_batch(before)
        total += gone
        if gone < BATCH:
            break
    return total


def _forget_batch(before: datetime) -> int:
    with writing() as session:
        query = select(Donation.id, Donation.donor_id).where(*_came_to_nothing(before))
        locked = query.order_by(Donation.id).limit(BATCH).with_for_update(of=Donation, skip_locked=True)
        found = session.execute(locked).all()
        gifts = [row.id for row in found]
        if gifts:
            _run(delete(CheckoutSlot).where(CheckoutSlot.donation_id.in_(gifts)))
            _run(delete(OutboxItem).where(OutboxItem.donation_id.in_(gifts)))
            _run(delete(Donation).where(Donation.id.in_(gifts)))
            _forget_donors(sorted({row.donor_id for row in found}))
        return len(gifts)


def _came_to_nothing(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say in SQL which donations ended before an instant, never had money, and are named by nothing."""
    unsent = exists().where(OutboxItem.donation_id == Donation.id, OutboxItem.state.not_in(SETTLED))
    return (
        Donation.status.in_(("expired", "failed")),
        Donation.created_at < before,
        func.coalesce(Donation.ended_at, Donation.created_at) < before,
        Donation.source == "online",
        Donation.received_at.is_(None),
        Donation.received_minor == 0,
        Donation.invoice_id.is_(None),
        Donation.recurring_gift_id.is_(None),
        ~exists().where(RecurringGift.begun_by == Donation.public_id),
        *(~exists().where(table.donation_id == Donation.id) for table in POINTS_AT_GIFT),
        ~unsent,
    )


def _forget_donors(people: Sequence[int]) -> None:
    """Delete those of whom nothing else is known. A consent once given is kept: somebody may be written to by it."""
    query = select(Donor.id, Donor.email).where(
        Donor.id.in_(people),
        Donor.erased_at.is_(None),
        Donor.merged_into_id.is_(None),
        Donor.stripe_customer_id.is_(None),
        ~exists().where(Consent.donor_id == Donor.id, Consent.given.is_(True)),
        ~exists().where(or_(DonorMerge.kept_id == Donor.id, DonorMerge.merged_id == Donor.id)),
        *(~exists().where(table.donor_id == Donor.id) for table in POINTS_AT_DONOR),
    )
    found = db.session.execute(query.with_for_update(of=Donor, skip_locked=True)).all()
    nobody = [row.id for row in found]
    for table in (Consent, DonorLink, DonorWord):
        _run(delete(table).where(table.donor_id.in_(nobody)))
    written = OutboxItem.recipient.in_([row.email for row in found if row.email])
    _run(delete(OutboxItem).where(written, OutboxItem.kind == "giving_link"))
    _run(delete(Donor).where(Donor.id.in_(nobody)))


def forget_events_of_attempts() -> int:
    """Empty what Stripe told of attempts that brought nothing: it holds name and address. That it came is kept."""
    with writing():
        old = InboxEvent.received_at < clock.now() - KEEP_ATTEMPTS
        about = (InboxEvent.type.in_(TOLD_OF_ATTEMPTS), InboxEvent.state.in_(SETTLED))
        return _run(update(InboxEvent).where(*about, old, InboxEvent.body != b"{}").values(body=b"{}"))


def forget_messages() -> int:
    """Take out the messages of appeals that ended a year ago; return how many."""
    before = clock.now() - KEEP_MESSAGES
    closed = and_(Appeal.status == "closed", func.coalesce(AppealTotals.as_of, Appeal.created_at) < before)
    over = select(Appeal.id).join(AppealTotals, AppealTotals.appeal_id == Appeal.id)
    over = over.where(or_(Appeal.closes_at < before, closed))
    with writing():
        said = (Donation.appeal_id.in_(over), Donation.message != "")
        return _run(update(Donation).where(*said).values(message="", message_review="none"))


def forget_complaints() -> int:
    """Take out the words of complaints that were answered a year ago; that there was one is kept; return how many."""
    with writing():
        old = (Complaint.answered_at < clock.now() - KEEP_MESSAGES, Complaint.text != "")
        return _run(update(Complaint).where(*old).values(text=""))


def _run(statement: Delete | Update) -> int:
    done: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)
