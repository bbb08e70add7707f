"""What is not kept for ever, and what is kept whatever its age."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, limits
from appeal.models import (
    CheckoutSlot,
    Complaint,
    Consent,
    Donation,
    Donor,
    InboxEvent,
    LedgerEntry,
    Notice,
    OutboxItem,
    ScheduledRun,
)
from appeal.office.audit import Actor
from appeal.people import complaints, notes, retention
from appeal.queues import inbox, jobs, notices
from tests.gateways import FakeGateway
from tests.making import (
    body_of,
    completed,
    event,
    open_appeal,
    received,
    session_object,
    signature,
    started,
    told,
)
from tests.support.settings import WEBHOOK_SECRET

LATER = timedelta(days=31)


def ended(appeal, state="expired", **values) -> Donation:
    """Return an attempt that came to nothing."""
    donation = started(appeal, **values)
    return giving.settle(told(donation, state), livemode=False)


@pytest.fixture
def later(travel):
    """Let time pass."""
    return lambda passed=LATER: travel((clock.now() + passed).isoformat())


def count(table) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("state", ["expired", "failed"])
def test_an_attempt_that_came_to_nothing_goes_after_thirty_days_with_its_donor(session, later, state) -> None:
    ended(open_appeal(), state)
    with writing():
        for letter in db.session.scalars(select(OutboxItem)):
            letter.state = "done"
    later(timedelta(days=29))
    assert retention.forget_attempts() == 0
    later(timedelta(days=2))
    assert retention.forget_attempts() == 1
    assert [count(table) for table in (Donation, Donor, Consent, CheckoutSlot, OutboxItem)] == [0] * 5
    assert retention.forget_attempts() == 0


def test_gifts_and_attempts_that_may_still_be_paid_stay(session, later) -> None:
    appeal = open_appeal()
    received(appeal)
    started(appeal, email="begun@example.org")
    giving.settle(told(started(appeal, email="debit@example.org"), "on_its_way"), livemode=False)
    later()
    assert retention.forget_attempts() == 0
    assert count(Donation) == 3


def test_a_donor_who_gave_stays_when_an_attempt_of_theirs_goes(session, later) -> None:
    appeal = open_appeal()
    received(appeal)
    ended(appeal)
    later()
    assert retention.forget_attempts() == 1
    assert (count(Donor), count(LedgerEntry)) == (1, 1)


def test_whoever_agreed_to_be_written_to_stays_and_what_was_agreed(session, later) -> None:
    ended(open_appeal(), updates=True)
    later()
    assert retention.forget_attempts() == 1
    assert (count(Donor), count(Consent)) == (1, 1)


def test_what_a_note_a_notice_or_an_unsent_letter_names_stays(session, later) -> None:
    appeal = open_appeal()
    noted, noticed, written = (ended(appeal, email=f"{name}@example.org") for name in "abc")
    notes.add(noted.donor, "Rang to say that the card was lost.", Actor("staff@example.org"), donation=noted)
    with writing():
        notices.add("looked_at", "looked_at:1", "Look at this.", donation=noticed)
        db.session.add(
            OutboxItem(
                kind="not_completed",
                dedupe="x",
                donation_id=written.id,
                try_at=clock.now(),
                created_at=clock.now(),
            )
        )
    later()
    assert retention.forget_attempts() == 0
    with writing():
        db.session.delete(db.session.scalars(select(Notice)).one())
    assert retention.forget_attempts() == 1


def test_whoever_complained_stays_though_the_attempt_goes(session, later) -> None:
    donation = ended(open_appeal())
    complaints.receive(donation.donor, "You keep too much.")
    later()
    assert retention.forget_attempts() == 1
    assert (count(Donor), count(Complaint)) == (1, 1)


def test_more_attempts_than_fit_in_a_batch_go_in_one_run(session, later) -> None:
    appeal = open_appeal()
    for number in range(retention.BATCH + 3):
        limits.release(ended(appeal, email=f"d{number}@example.org").id)  # nobody here tries cards
    later()
    assert retention.forget_attempts() == retention.BATCH + 3
    assert count(Donor) == 0


# -- what Stripe still tells of them ------------------------------------------------------------------------------


def take(content) -> InboxEvent:
    """Deliver an event, and return its row."""
    body = body_of(content)
    mark = signature(body, at=clock.now().timestamp())
    inbox.take(body, mark, (WEBHOOK_SECRET,), livemode=False)
    query = select(InboxEvent).where(InboxEvent.event_id == content["id"])
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


@pytest.mark.parametrize(
    ("kind", "values", "state"),
    [
        ("checkout.session.expired", {"status": "expired", "payment_status": "unpaid"}, "ignored"),
        ("checkout.session.async_payment_failed", {"payment_status": "unpaid"}, "ignored"),
        ("checkout.session.completed", {}, "parked"),
    ],
)
def test_late_news_of_a_forgotten_attempt_is_let_go_unless_money_moved(
    session, later, kind, values, state
) -> None:
    donation = ended(open_appeal())
    news = event(kind, session_object(donation, **values))
    later()
    retention.forget_attempts()
    assert take(news).state == state


def test_what_stripe_told_of_an_attempt_is_emptied_but_known(session, later) -> None:
    appeal = open_appeal()
    abandoned, paid = started(appeal), started(appeal, email="paid@example.org")
    news = event("checkout.session.expired", session_object(abandoned, status="expired"))
    take(news)
    gift = take(completed(paid))
    later()
    retention.forget()
    db.session.expire_all()
    assert take(news).body == b"{}"
    assert b"amount_total" in gift.body
    assert count(Donation) == 1


# -- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closing time", "closed by hand"])
def test_messages_go_a_year_after_the_appeal_has_ended(session, later, how) -> None:
    appeal = open_appeal(closes_at=clock.now() + timedelta(days=1) if how == "closing time" else None)
    donation = received(appeal, message="For the local pages.")
    with writing():
        db.session.get_one(type(appeal), appeal.id).status = "open" if how == "closing time" else "closed"
    later(timedelta(days=364))
    assert retention.forget_messages() == 0
    later(timedelta(days=3))
    assert retention.forget_messages() == 1
    db.session.expire_all()
    kept = db.session.get_one(Donation, donation.id)
    assert (kept.message, kept.message_review, kept.received_minor) == ("", "none", 2500)


def test_messages_of_an_appeal_that_still_runs_stay(session, later) -> None:
    received(open_appeal(), message="For the local pages.")
    later(timedelta(days=800))
    assert retention.forget_messages() == 0


def test_the_words_of_a_complaint_go_a_year_after_the_answer(session, later) -> None:
    complaints.receive(started(open_appeal()).donor, "You keep too much.")
    later(timedelta(days=800))
    assert retention.forget_complaints() == 0
    with writing():
        db.session.scalars(select(Complaint)).one().answered_at = clock.now()
    later(timedelta(days=366))
    assert retention.forget_complaints() == 1


def test_an_answer_about_marketing_says_which_wording_was_shown_where_and_when(session) -> None:
    started(open_appeal(), updates=True, updates_wording="News?")
    kept = db.session.scalars(select(Consent)).one()
    assert (kept.purpose, kept.given, kept.wording) == ("updates", True, "News?")
    assert kept.form == "appeal lantern, wording f3505d8e"
    assert clock.now() - kept.answered_at < timedelta(minutes=5)


def test_the_worker_forgets_on_its_own(session, settings) -> None:
    assert "forget_attempts" in jobs.run_scheduled(settings, FakeGateway())
    query = select(ScheduledRun.problem).where(ScheduledRun.name == "forget_attempts")
    assert db.session.scalar(query) == ""
