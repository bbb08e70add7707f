"""Refunds, disputes and corrections: one fact each, in any order, split between gift and cover by what went back."""

import itertools

import pytest
from sqlalchemy import select

from appeal.books import adjustments, explain, refunding
from appeal.books.standing import Standing
from appeal.core.clock import now
from appeal.core.errors import NotPossible
from appeal.extensions import db
from appeal.models import Donation, InboxEvent, LedgerEntry, Notice, RefundOrder
from appeal.payments import PaymentsUnknown
from tests.money.shop import Shop, sums


def test_partial_refunds_add_up_to_a_whole_one(shop: Shop) -> None:
    donation = shop.give(2500)
    for part in (1000, 500, 1000):
        shop.refund(donation, part)
    shop.deliver()
    assert shop.raised_minor == 0
    assert len([kind for kind, *_ in shop.entries() if kind == "refund"]) == 3
    shop.assert_true()


def test_a_refund_told_before_its_gift_waits_and_is_not_lost(shop: Shop) -> None:
    donation = shop.pay(shop.begin(2500))
    paid = shop.events()
    params = {
        "payment_intent": shop.gateway.read_checkout(donation.checkout_session_id or "").payment_intent_id
    }
    shop.gateway.client.v1.refunds.create(params=params)  # type: ignore[arg-type]
    shop.deliver(shop.events(), work=False)
    waiting = db.session.scalars(select(InboxEvent).where(InboxEvent.state == "waiting")).all()
    assert waiting
    assert all(event.waits_for == f"pi:{params['payment_intent']}" for event in waiting)
    shop.deliver(paid, work=False)
    assert shop.raised_minor == 0
    assert {event.state for event in db.session.scalars(select(InboxEvent))} <= {"done", "ignored"}
    shop.assert_true()


@pytest.mark.parametrize(
    ("back", "more", "gift_counts", "cover_counts", "falls"),
    [
        (0, 2559, True, False, 2500),
        (0, 2559, True, True, 2559),
        (0, 1000, True, False, 1000),
        (2500, 59, True, False, 0),
        (1000, 1559, True, False, 1500),
        (0, 2559, False, False, 0),
    ],
)
def test_the_figure_falls_by_what_was_counted_of_a_refund(
    back, more, gift_counts, cover_counts, falls
) -> None:
    stands = Standing(2500, 59, back, gift_counts, cover_counts)
    assert stands.counted_of(more) == falls


def test_a_refund_beyond_the_gift_falls_on_the_cover(shop: Shop) -> None:
    donation = shop.give(1000, cover_fee=True)
    cover_minor = donation.cover_minor
    shop.refund(donation, 1000 + cover_minor)
    shop.deliver()
    assert shop.raised_minor == 0
    assert sums() == {
        ("gift", True): 1000,
        ("cover", False): cover_minor,
        ("refund", True): -1000,
        ("refund", False): -cover_minor,
    }
    shop.assert_true()


def test_a_pending_refund_counts_as_gone_at_once_and_only_once(shop: Shop) -> None:
    donation = shop.give(2500, "4000000000007726")
    shop.refund(donation)
    shop.deliver()
    assert shop.raised_minor == 0
    shop.sandbox.advance(days=2)
    shop.deliver()
    assert shop.raised_minor == 0
    shop.assert_true()


def test_a_refund_that_fails_later_gives_the_money_back_to_the_appeal(shop: Shop) -> None:
    donation = shop.give(2500, "4000000000005126")
    shop.refund(donation)
    shop.deliver()
    assert shop.raised_minor == 0
    shop.sandbox.advance(days=2)
    shop.deliver()
    assert shop.raised_minor == 2500
    assert db.session.scalars(select(Notice).where(Notice.kind == "refund_failed")).one()
    shop.assert_true()


def test_refunds_and_a_failure_end_the_same_in_every_order(shop: Shop) -> None:
    finals = set()
    for order in itertools.permutations(range(3)):
        donation = shop.give(1000, "4000000000005126", cover_fee=True)
        before = shop.raised_minor
        for part in (1000, donation.cover_minor):
            shop.refund(donation, part)
        shop.sandbox.advance(days=2)
        news = [one for one in shop.events() if one["type"] in {"refund.created", "refund.failed"}]
        failed = [one for one in news if one["type"] == "refund.failed"][:1]
        told = [one for one in news if one["type"] == "refund.created"] + failed
        shop.deliver([told[index] for index in order])
        row = shop.fresh(donation)
        finals.add((shop.raised_minor - before, row.received_minor, row.returned_minor))
    assert len(finals) == 1
    shop.assert_true()


def test_an_inquiry_moves_nothing(shop: Shop) -> None:
    shop.give(2500, "4000000000001976")
    assert shop.raised_minor == 2500
    assert db.session.scalars(select(Notice).where(Notice.kind == "dispute")).one()


@pytest.mark.parametrize(("outcome", "left"), [("won", 2500), ("lost", 0)])
def test_a_dispute_takes_its_funds_and_gives_them_back_when_won(shop: Shop, outcome: str, left: int) -> None:
    donation = shop.give(2500)
    dispute = shop.sandbox.dispute(shop.charge_of(donation))
    shop.deliver()
    assert shop.raised_minor == 0
    shop.sandbox.close_dispute(dispute["id"], outcome)
    shop.deliver()
    assert shop.raised_minor == left
    shop.assert_true()


def test_a_dispute_after_a_partial_refund_takes_what_the_bank_takes(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 1000)
    shop.sandbox.dispute(shop.charge_of(donation), amount=2500)
    shop.deliver()
    assert shop.raised_minor == -1000
    shop.assert_true()


def test_an_inquiry_that_becomes_a_dispute_takes_its_funds_once(shop: Shop) -> None:
    donation = shop.give(2500)
    dispute = shop.sandbox.dispute(shop.charge_of(donation), inquiry=True)
    shop.sandbox.escalate_dispute(dispute["id"])
    shop.deliver()
    shop.deliver(shop.history)
    assert shop.raised_minor == 0
    shop.assert_true()


def test_an_early_fraud_warning_flags_the_gift_and_moves_nothing(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.sandbox.fraud_warning(shop.charge_of(donation))
    shop.deliver()
    assert shop.fresh(donation).fraud_warning_at is not None
    assert shop.raised_minor == 2500


def test_an_instalment_is_refunded_like_any_gift(shop: Shop) -> None:
    donation = shop.monthly(1000)
    shop.months(1)
    shop.deliver()
    shop.refund(donation)
    shop.deliver()
    assert shop.raised_minor == 1000
    shop.assert_true()


# -- ordered by staff


def order(shop: Shop, donation: Donation, amount_minor: int) -> RefundOrder:
    return refunding.refund(
        shop.fresh(donation),
        amount_minor,
        reason="asked by phone",
        actor="ada@example.org",
        gateway=shop.gateway,
    )


def test_a_refund_ordered_by_staff_says_who_and_why_whoever_tells_first(shop: Shop) -> None:
    donation = shop.give(2500)
    assert order(shop, donation, 1000).state == "made"
    shop.deliver()
    entry = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "refund")).one()
    assert (entry.amount_minor, entry.reason, entry.actor) == (-1000, "asked by phone", "ada@example.org")


def test_more_than_is_left_cannot_be_refunded(shop: Shop) -> None:
    donation = shop.give(2500)
    order(shop, donation, 2000)
    with pytest.raises(NotPossible, match="At most £5"):
        order(shop, donation, 501)
    assert refunding.refundable_minor(shop.fresh(donation)) == 500


def test_a_disputed_gift_cannot_be_refunded(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.sandbox.dispute(shop.charge_of(donation))
    shop.deliver()
    with pytest.raises(NotPossible, match="dispute"):
        order(shop, donation, 100)


def test_a_refund_whose_answer_is_lost_is_made_once(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.sandbox.outage("lost", path="/v1/refunds")
    with pytest.raises(PaymentsUnknown):
        order(shop, donation, 1000)
    assert refunding.refundable_minor(shop.fresh(donation)) == 1500
    assert refunding.finish_all(shop.gateway) == 1
    shop.deliver()
    assert shop.raised_minor == 1500
    assert len([kind for kind, *_ in shop.entries() if kind == "refund"]) == 1


def test_a_correction_names_the_old_entry_and_happens_once(shop: Shop) -> None:
    shop.give(2500)
    (old,) = db.session.scalars(select(LedgerEntry)).all()
    for _ in range(2):
        adjustments.correct(old.id, -500, reason="typed wrongly", actor="ada@example.org", key="form-1")
    assert shop.raised_minor == 2000
    new = db.session.scalars(select(LedgerEntry).where(LedgerEntry.kind == "correction")).one()
    assert new.corrects_id == old.id
    with pytest.raises(NotPossible):
        adjustments.correct(old.id, -2001, reason="too much", actor="ada@example.org", key="form-2")
    shop.assert_true()


def test_the_figure_of_an_earlier_minute_is_explained_by_its_entries(shop: Shop) -> None:
    donation = shop.give(2500)
    earlier = now()
    shop.refund(donation, 1000)
    shop.deliver()
    then, today = explain.at(shop.appeal, earlier), explain.at(shop.appeal, now())
    assert (then.raised_minor, today.raised_minor) == (2500, 1500)
    assert today.by_kind == {"gift": 2500, "refund": -1000}
    assert sum(entry.amount_minor for entry, _ in explain.entries(shop.appeal, earlier)) == 2500
