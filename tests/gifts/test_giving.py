"""Giving: a gift is begun once a form, and settled by whoever hears first, whatever the order."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from appeal import reports
from appeal.books import ledger, proof
from appeal.core import clock
from appeal.core.errors import AppealNotOpen, DoesNotFit, FormAlreadyUsed, InvalidGift, NoSuchDonation
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import AppealTotals, Consent, Donation, Donor, LedgerEntry, OutboxItem
from tests.making import SLUG, gift, open_appeal, paid, received, started, told, visitor


def count(session, table, *where) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*where))


# -- beginning -------------------------------------------------------------------------------------------------


def test_a_gift_is_kept_before_anyone_is_asked_for_money(session) -> None:
    donation = started(open_appeal(), src="www.example.org:article", page="/news/1")
    session.expire_all()
    kept = giving.by_public_id(donation.public_id)
    assert (kept.status, kept.amount_minor, kept.currency) == ("started", 2500, "gbp")
    assert (kept.placement, kept.src, kept.page) == ("article", "www.example.org:article", "/news/1")
    assert count(session, LedgerEntry) == 0


def test_the_same_form_makes_one_gift(session) -> None:
    appeal = open_appeal()
    first, again = started(appeal, "form-1"), started(appeal, "form-1")
    assert first.public_id == again.public_id
    assert count(session, Donation) == 1


def test_the_same_form_with_another_amount_is_refused(session) -> None:
    appeal = open_appeal()
    started(appeal, "form-1")
    with pytest.raises(FormAlreadyUsed):
        started(appeal, "form-1", amount_minor=5000)
    assert count(session, Donation) == 1


def test_the_same_form_sent_by_eight_at_once_makes_one_gift(app) -> None:
    with app.app_context():
        open_appeal()
    together = threading.Barrier(8)

    def send(_number: int) -> str:
        with app.app_context():
            appeal = reports.appeal_by_slug(SLUG)
            together.wait()
            return giving.start(appeal, gift(), form_id="form-1", visitor=visitor()).public_id

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(send, range(8)))
    with app.app_context():
        assert len(names) == 1
        assert count(db.session, Donation) == 1


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"amount_minor": 199}, "amount", "£2"),
        ({"amount_minor": 1_000_001}, "amount", "£10,000"),
        ({"frequency": "monthly"}, "frequency", "Monthly"),
    ],
)
def test_a_gift_outside_the_appeals_bounds_is_refused_by_field(session, values, field, words) -> None:
    appeal = open_appeal(monthly_offered=False)
    with pytest.raises(InvalidGift, match=words) as refused:
        started(appeal, **values)
    assert refused.value.field == field
    assert count(session, Donation) == 0


@pytest.mark.parametrize("minor", [200, 1_000_000])
def test_the_bounds_themselves_can_be_given(session, minor) -> None:
    assert started(open_appeal(), amount_minor=minor).amount_minor == minor


@pytest.mark.parametrize(
    "values",
    [
        {"status": "closed"},
        {"status": "draft"},
        {"closes_at": clock.now() - timedelta(seconds=1)},
        {"opens_at": clock.now() + timedelta(hours=1)},
    ],
    ids=["closed", "draft", "past", "upcoming"],
)
def test_an_appeal_that_is_not_open_takes_nothing(session, values) -> None:
    appeal = open_appeal(**values)
    with pytest.raises(AppealNotOpen):
        started(appeal)
    assert count(session, Donation) == 0


def test_a_closing_time_is_past_at_its_own_instant(session, travel) -> None:
    closes_at = clock.now().replace(microsecond=0) + timedelta(days=3)
    appeal = open_appeal(closes_at=closes_at)
    assert giving.takes_gifts(appeal, closes_at - timedelta(microseconds=1))
    assert not giving.takes_gifts(appeal, closes_at)


def test_two_ways_of_writing_an_address_are_one_donor(session) -> None:
    appeal = open_appeal()
    started(appeal, email="Mary@Example.org")
    started(appeal, email="mary@example.ORG")
    assert count(session, Donor) == 1


def test_the_answer_about_news_is_kept_with_its_wording_ticked_or_not(session) -> None:
    appeal = open_appeal()
    started(appeal, updates=True, updates_wording="Send me news.")
    started(appeal, updates=False, updates_wording="Send me news.")
    answers = session.scalars(select(Consent).order_by(Consent.id)).all()
    assert [(one.given, one.wording) for one in answers] == [
        (True, "Send me news."),
        (False, "Send me news."),
    ]


def test_covering_the_fee_is_charged_on_top_and_only_where_it_is_offered(session) -> None:
    appeal = open_appeal()
    assert started(appeal, cover_fee=True).charge_minor == 2500 + 59  # 1.5 % of 25.59, and 20p, rounded up
    appeal.cover_offered = False
    session.commit()
    assert started(appeal, cover_fee=True).cover_minor == 0


# -- settling --------------------------------------------------------------------------------------------------


def raised(session) -> tuple[int, int, int]:
    totals = session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()
    return totals.raised_minor, totals.gift_count, totals.donor_count


def test_a_paid_gift_moves_the_total_by_exactly_what_was_given(session) -> None:
    received(open_appeal())
    assert raised(session) == (2500, 1, 1)
    assert proof.differences() == []


def test_a_gift_told_paid_ten_times_is_one_entry_and_one_receipt(session) -> None:
    donation = started(open_appeal())
    for _ in range(10):
        giving.settle(paid(donation), livemode=False)
    assert count(session, LedgerEntry) == 1
    assert count(session, OutboxItem, OutboxItem.kind == "receipt") == 1
    assert raised(session) == (2500, 1, 1)


def test_a_fee_cover_is_an_entry_of_its_own_and_not_part_of_raised(session) -> None:
    donation = received(open_appeal(), cover_fee=True)
    entries = {entry.kind: (entry.amount_minor, entry.counted) for entry in ledger.entries_of(donation)}
    assert entries == {"gift": (2500, True), "cover": (59, False)}
    assert raised(session)[0] == 2500


def test_a_debit_that_comes_days_later_is_on_its_way_until_it_is_received(session) -> None:
    donation = started(open_appeal())
    assert giving.settle(told(donation, "on_its_way"), livemode=False).status == "on_its_way"
    assert raised(session) == (0, 0, 0)
    assert giving.settle(paid(donation), livemode=False).status == "received"
    assert raised(session) == (2500, 1, 1)


def test_a_debit_that_fails_moves_nothing_and_the_donor_is_told(session) -> None:
    donation = started(open_appeal())
    giving.settle(told(donation, "on_its_way"), livemode=False)
    assert giving.settle(told(donation, "failed"), livemode=False).status == "failed"
    assert raised(session) == (0, 0, 0)
    assert set(session.scalars(select(OutboxItem.kind))) == {"on_its_way", "not_completed"}


@pytest.mark.parametrize("late", ["open", "expired", "on_its_way", "failed"])
def test_news_that_comes_late_takes_nothing_back(session, late) -> None:
    donation = received(open_appeal())
    assert giving.settle(told(donation, late), livemode=False).status == "received"
    assert raised(session) == (2500, 1, 1)


def test_a_session_of_an_earlier_attempt_expires_without_touching_the_later_one(session) -> None:
    donation = started(open_appeal())
    donation.checkout_session_id = "cs_second"
    session.commit()
    assert giving.settle(told(donation, "expired", session_id="cs_first"), livemode=False).status == "started"
    assert (
        giving.settle(told(donation, "expired", session_id="cs_second"), livemode=False).status == "expired"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"charged_minor": 2501}, "The payment is £25.01, the gift £25."),
        ({"charged_minor": 0}, "The payment is £0, "),
        ({"currency": "usd"}, "usd"),
        ({"livemode": True}, "live"),
        ({"donation_public_id": "nobody"}, "no gift"),
        ({"payment_intent_id": None}, "payment intent"),
    ],
)
def test_news_that_does_not_fit_what_was_stored_is_refused(session, values, words) -> None:
    donation = started(open_appeal())
    with pytest.raises(DoesNotFit, match=words):
        giving.settle(paid(donation, **values), livemode=False)
    assert raised(session) == (0, 0, 0)
    assert giving.by_public_id(donation.public_id).status == "started"


def test_a_second_payment_of_one_gift_waits_for_a_person(session) -> None:
    donation = received(open_appeal())
    with pytest.raises(DoesNotFit, match="second payment"):
        giving.settle(paid(donation, payment_intent_id="pi_other"), livemode=False)
    assert raised(session) == (2500, 1, 1)


def test_a_name_nobody_was_given_leads_to_no_gift(session) -> None:
    with pytest.raises(NoSuchDonation):
        giving.by_public_id("nobody")
