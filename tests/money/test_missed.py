"""Missed events: reconcile alone ends in the same books as full delivery, and names each difference with its cause."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from appeal import payments
from appeal.books import differences, fees, reconcile, reconcile_runs
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import asking
from appeal.models import BalanceMovement, Donation, InboxEvent, Payout
from appeal.queues import inbox
from tests.money.shop import Shop, entries

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def a_busy_month(shop: Shop) -> None:
    """Gifts, a monthly run, refunds of every kind, disputes; nothing of it is delivered."""
    client = shop.gateway.client.v1
    for card in (
        "4242424242424242",
        "4000000000000259",
        "4000000000005423",
        "bacs_debit",
        "bacs_debit_fails",
    ):
        shop.pay(shop.begin(2500, cover_fee=True), card)
    shop.pay(shop.begin(1000, frequency="monthly"))
    partly = shop.pay(shop.begin(4000))
    failing = shop.pay(shop.begin(3000), "4000000000005126")
    for donation, amount in ((partly, 1500), (failing, 3000)):
        paid = shop.gateway.read_checkout(shop.fresh(donation).checkout_session_id or "")
        client.refunds.create(params={"payment_intent": paid.payment_intent_id or "", "amount": amount})
    shop.begin(500)
    shop.months(2)


def run(shop: Shop, **options: Any) -> reconcile.Report:
    return reconcile.run(shop.gateway, since=clock.now() - timedelta(days=1), livemode=False, **options)


def test_reconcile_alone_ends_in_the_books_of_full_delivery(shop: Shop) -> None:
    a_busy_month(shop)
    report = run(shop)
    alone, states = (
        entries(),
        [one.status for one in db.session.scalars(select(Donation).order_by(Donation.id))],
    )
    assert not report.open
    assert len(report.differences) >= 12
    shop.assert_true()
    shop.deliver()
    assert entries() == alone
    assert [one.status for one in db.session.scalars(select(Donation).order_by(Donation.id))] == states
    shop.assert_true()


def test_object_lists_alone_are_enough_when_the_events_are_long_gone(shop: Shop) -> None:
    a_busy_month(shop)
    shop.sandbox.advance(days=31)
    assert run(shop).open == []
    alone = entries()
    shop.deliver()
    assert entries() == alone
    shop.assert_true()


def test_a_dry_run_names_everything_and_writes_nothing(shop: Shop) -> None:
    a_busy_month(shop)
    report = run(shop, dry_run=True)
    assert entries() == []
    assert db.session.scalar(select(func.count()).select_from(InboxEvent)) == 0
    assert {one.what for one in report.open} >= {"payment", "instalment", "refund", "dispute", "monthly gift"}
    assert {one.cause for one in report.open if one.what == "payment"} == {"no event about it ever came"}


def test_a_second_run_finds_nothing(shop: Shop) -> None:
    a_busy_month(shop)
    run(shop)
    again = run(shop)
    assert (again.differences, again.events_fetched) == ([], 0)


def test_a_parked_event_is_named_as_the_cause(shop: Shop) -> None:
    donation = shop.pay(shop.begin(2500))
    with writing():
        db.session.get_one(Donation, donation.id).amount_minor = 2400
    shop.deliver()
    (difference, *_) = run(shop, dry_run=True).open
    assert difference.kind == "missing"
    assert "parked" in difference.cause
    assert "£24" in difference.cause


def test_an_amount_that_differs_is_named_and_not_touched(shop: Shop) -> None:
    donation = shop.give(2500)
    refund = shop.refund(donation, 500)
    shop.deliver()
    shop.sandbox.world["refund"].items[refund]["amount"] = 600
    (difference,) = run(shop).open
    assert (difference.kind, difference.stripe_id) == ("amount", refund)
    assert shop.raised_minor == 2000


def test_an_entry_that_stripe_does_not_know_is_named(shop: Shop) -> None:
    from appeal.books import ledger

    donation = shop.give(2500)
    with writing():
        yesterday = clock.now() - timedelta(hours=1)
        ledger.record(ledger.lock(donation.id), ledger.Fact("refund", "re:invented", -100, yesterday))
    (difference,) = run(shop).open
    assert (difference.kind, difference.stripe_id) == ("unknown", "invented")


def test_a_refund_of_another_product_is_not_ours_and_no_difference(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 500)
    intent = shop.sandbox.world["payment_intent"].items[shop.fresh(donation).payment_intent_id or ""]
    stranger = dict(next(iter(shop.sandbox.world["refund"].items.values())))
    other = dict(intent, id="pi_another_product", metadata={})
    shop.sandbox.world.save(other)
    shop.sandbox.world.save(
        stranger | {"id": "re_another_product", "payment_intent": other["id"], "charge": "ch_x"}
    )
    shop.deliver()
    assert run(shop).open == []


def test_what_another_product_has_in_ways_unknown_to_us_holds_nothing_up(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 500)
    world = shop.sandbox.world
    intent = dict(next(iter(world["payment_intent"].items.values())), id="pi_another_product", metadata={})
    refund = dict(next(iter(world["refund"].items.values())), id="re_other", currency="xyz", charge="ch_x")
    session = dict(next(iter(world["checkout.session"].items.values())), id="cs_test_other", mode="setup")
    session |= {"client_reference_id": None, "metadata": {}, "currency": None, "amount_total": None}
    for one in (intent, refund | {"payment_intent": intent["id"]}, session):
        world.save(one)
    report = run(shop)
    assert report.open == []
    assert shop.raised_minor == 2000


def test_what_cannot_be_read_of_ours_is_named_and_the_rest_applied(shop: Shop) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 500)
    unread = dict(next(iter(shop.sandbox.world["refund"].items.values())), id="re_unread", currency="xyz")
    shop.sandbox.world.save(unread)
    (left,) = run(shop).open
    assert (left.kind, left.stripe_id) == ("unreadable", "re_unread")
    assert shop.raised_minor == 2000


# -- what the worker asks


def test_open_attempts_are_asked_about_and_settled(shop: Shop) -> None:
    paid, left = shop.pay(shop.begin(2500)), shop.begin(1000)
    with clock.travel(clock.now() + timedelta(minutes=5)):
        assert asking.open_attempts(shop.gateway, livemode=False) == 2
        assert asking.open_attempts(shop.gateway, livemode=False) == 0
    assert shop.fresh(paid).status == "received"
    assert shop.fresh(left).status == "open"
    shop.deliver()
    assert shop.raised_minor == 2500


def test_an_event_whose_cause_never_came_is_chased(shop: Shop) -> None:
    donation = shop.pay(shop.begin(2500))
    shop.events()
    paid = shop.gateway.read_checkout(donation.checkout_session_id or "")
    shop.gateway.client.v1.refunds.create(params={"payment_intent": paid.payment_intent_id or ""})
    news = [event for event in shop.events() if event["type"] == "refund.created"]
    shop.deliver(news)
    assert entries() == []
    assert asking.chase(shop.gateway, livemode=False) == 1
    shop.work()
    assert shop.raised_minor == 0
    assert [kind for kind, *_ in shop.entries()] == ["gift", "refund"]


def test_news_about_another_products_payment_is_let_go(shop: Shop) -> None:
    shop.pay(shop.begin(2500))
    intent = next(iter(shop.sandbox.world["payment_intent"].items.values()))
    shop.sandbox.world.save(intent | {"id": "pi_other", "metadata": {}})
    stranger = {
        "id": "re_1",
        "object": "refund",
        "payment_intent": "pi_other",
        "charge": "ch_other",
        "amount": 5,
    }
    stranger |= {"currency": "gbp", "status": "succeeded", "created": 1_790_000_000, "metadata": {}}
    event = {"id": "evt_1", "type": "refund.created", "livemode": False, "created": 1_790_000_000}
    event["data"] = {"object": stranger}  # type: ignore[assignment]
    inbox.accept(event, json.dumps(event).encode())
    shop.work()
    asking.chase(shop.gateway, livemode=False)
    assert [row.state for row in db.session.scalars(select(InboxEvent))] == ["ignored"]


# -- fees and payouts


def test_fees_and_payouts_tie_the_bank_statement_to_gifts(shop: Shop) -> None:
    first, second = shop.give(2500), shop.give(4000, cover_fee=True)
    shop.refund(first, 500)
    dispute = shop.sandbox.dispute(shop.charge_of(second))
    shop.sandbox.close_dispute(dispute["id"], "won")
    shop.deliver()
    payout = shop.sandbox.payout(everything=True)
    assert payout is not None
    shop.deliver()
    fees.pull(shop.gateway, LONG_AGO)
    fees.read_payouts(shop.gateway)
    row = db.session.scalars(select(Payout)).one()
    lines = fees.lines_of(row)
    assert sum(line.movement.net_minor for line in lines) == row.amount_minor == payout["amount"]
    assert {line.donation_public_id for line in lines} == {first.public_id, second.public_id}
    net = fees.net_of(first)
    assert net is not None
    assert (net.amount_minor, net.net_minor) == (2000, 2000 - net.fee_minor)
    assert net.fee_minor > 0


def test_a_movement_told_before_its_gift_is_tied_later(shop: Shop) -> None:
    donation = shop.pay(shop.begin(2500))
    with shop.sandbox.world.lock:
        pass
    shop.sandbox.advance(seconds=1)
    fees.pull(shop.gateway, LONG_AGO)
    assert db.session.scalars(select(BalanceMovement.donation_id)).one() is None
    shop.deliver()
    assert fees.tie_loose() == 1
    assert db.session.scalars(select(BalanceMovement.donation_id)).one() == donation.id


def test_a_payout_that_failed_lets_its_gifts_go_to_the_next(shop: Shop) -> None:
    shop.give(2500)
    shop.sandbox.payout(everything=True, fail=True)
    shop.sandbox.payout(everything=True)
    shop.deliver()
    fees.pull(shop.gateway, LONG_AGO)
    fees.read_payouts(shop.gateway)
    paid = db.session.scalars(select(Payout).where(Payout.status == "paid")).one()
    assert sum(line.movement.net_minor for line in fees.lines_of(paid)) == paid.amount_minor


def test_a_payout_that_fails_stays_failed_whatever_is_told_late_and_by_whichever_clock(shop: Shop) -> None:
    shop.give(2500)
    shop.sandbox.payout(everything=True, fail=True)
    told = [one["data"]["object"] for one in shop.events() if one["type"] in {"payout.paid", "payout.failed"}]
    failed = payments.payout_of(told[-1])
    assert failed.status == "failed"
    fees.note_payout(replace(failed, status="paid"), clock.now() + timedelta(days=9))
    fees.note_payout(failed, clock.now())
    fees.note_payout(replace(failed, status="paid"), clock.now() + timedelta(days=10))
    assert db.session.scalars(select(Payout.status)).one() == "failed"


def test_another_products_movements_never_stand_in_the_way_of_ours(shop: Shop) -> None:
    ours = shop.pay(shop.begin(2500))
    fees.pull(shop.gateway, LONG_AGO)
    (raw,) = shop.gateway.listed("movements", LONG_AGO)
    for number in range(3):
        foreign = replace(
            payments.movement_of(raw), movement_id=f"txn_{number}", payment_intent_id=f"pi_{number}"
        )
        fees.keep([foreign])
    shop.deliver()
    assert fees.tie_loose(most=2) == 1
    assert (
        db.session.scalars(select(BalanceMovement.donation_id).order_by(BalanceMovement.id)).first()
        == ours.id
    )


def test_the_schedule_looks_back_to_its_last_run_however_long_nothing_ran(shop: Shop) -> None:
    usual = reconcile_runs.due_since()
    assert timedelta(days=2) <= clock.now() - usual < timedelta(days=2, minutes=1)
    report = reconcile.Report(since=usual, dry_run=False)
    reconcile_runs.keep(report, reconcile_runs.BY_SCHEDULE)
    with clock.travel(clock.now() + timedelta(days=20)):
        reconcile_runs.keep(report, "somebody@example.org")
        assert clock.now() - reconcile_runs.due_since() > timedelta(days=20)
    assert shop.raised_minor == 0


# -- the command


@pytest.mark.parametrize("dry", [True, False])
def test_the_command_reports_and_says_with_its_status_whether_anything_is_left(
    shop: Shop, app: Any, dry: bool
) -> None:
    shop.pay(shop.begin(2500))
    words = ["stripe", "reconcile", "--json", *(["--dry-run"] if dry else [])]
    done = app.test_cli_runner().invoke(args=words)
    content = json.loads(done.output)
    assert (done.exit_code, content["open"]) == ((1, 1) if dry else (0, 0))
    assert content["differences"][0]["what"] == "payment"
    assert (
        differences.Difference(**content["differences"][0]).sentence().startswith("missing: payment cs_test_")
    )


def test_a_difference_is_one_sentence_whatever_its_cause_ends_with() -> None:
    one = differences.Difference(
        "missing", "pi_1", "payment", 1234, "gbp", "its event is parked: It is a test."
    )
    assert one.sentence() == "missing: payment pi_1, £12.34: its event is parked: It is a test."
    strange = differences.Difference("unknown", "pi_2", "payment", 50, "xxx", "not ours")
    assert strange.sentence() == "unknown: payment pi_2, 50 in the smallest unit of XXX: not ours."
