"""Any order, any repetition, any race ends in the same books."""

import itertools
import json
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from appeal.books import reconcile
from appeal.core.errors import NotYet
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import checkout
from appeal.models import AppealTotals, Donation, RecurringGift
from appeal.queues import events, inbox
from tests.money.shop import Shop, entries, sums

Json = dict[str, Any]


class Undo(Exception):
    """Take everything back."""


def final_state(shop: Shop) -> tuple[Any, ...]:
    """What the books come to: totals, sums by kind, donations, the monthly gift."""
    db.session.flush()
    totals = db.session.execute(
        select(
            AppealTotals.raised_minor,
            AppealTotals.uncounted_minor,
            AppealTotals.gift_count,
            AppealTotals.donor_count,
        ).where(AppealTotals.appeal_id == shop.appeal.id)
    ).one()
    donations = db.session.execute(
        select(
            Donation.invoice_id,
            Donation.payment_intent_id,
            Donation.status,
            Donation.received_minor,
            Donation.returned_minor,
        )
    ).all()
    gifts = db.session.execute(
        select(
            RecurringGift.status,
            RecurringGift.amount_minor,
            RecurringGift.anchor_day,
            RecurringGift.ends_at_period_end,
        )
    ).all()
    return tuple(totals), tuple(sorted(map(str, donations))), tuple(map(str, gifts))


def apply_all(order: list[Json]) -> None:
    """Apply events in this order; those that come too early wait until nothing moves any more."""
    left = order
    while left:
        waiting = []
        for event in left:
            try:
                with db.session.begin_nested():
                    events.apply(event, livemode=False)
            except NotYet:
                waiting.append(event)
        assert len(waiting) < len(left), f"stuck: {[event['type'] for event in waiting]}"
        left = waiting


def finals(shop: Shop, orders: list[list[Json]]) -> set[Any]:
    found = set()
    for order in orders:
        try:
            with writing():
                apply_all(order)
                found.add(final_state(shop))
                raise Undo  # noqa: TRY301 - the transaction is what is left by it
        except Undo:
            db.session.expire_all()
    return found


def only(shop: Shop, *kinds: str) -> list[Json]:
    return [event for event in shop.events() if event["type"] in kinds]


def test_every_order_of_a_monthly_gift_with_a_refund_ends_the_same(
    shop: Shop, scaled: Callable[[int, int], int]
) -> None:
    donation = shop.pay(shop.begin(1000, frequency="monthly", cover_fee=True))
    shop.months(1)
    kept = only(shop, "invoice.paid", "invoice_payment.paid", "customer.subscription.updated")
    invoice = next(event["data"]["object"] for event in kept if event["type"] == "invoice.paid")
    paid = shop.gateway.payment_intent_of(invoice["id"]) or ""
    shop.gateway.client.v1.refunds.create(params={"payment_intent": paid, "amount": 1010})
    kept = kept[:6] + only(shop, "refund.created")
    orders = [list(order) for order in itertools.permutations(kept)]
    chance = random.Random(7)
    chosen = chance.sample(orders, min(len(orders), scaled(40, 5040)))
    assert len(finals(shop, chosen)) == 1
    assert donation.status == "open"


def test_every_order_of_refunds_and_a_dispute_ends_the_same(
    shop: Shop, scaled: Callable[[int, int], int]
) -> None:
    donation = shop.pay(shop.begin(1000, cover_fee=True), "4000000000005126")
    first = only(shop, "checkout.session.completed", "payment_intent.succeeded")
    paid = shop.gateway.read_checkout(donation.checkout_session_id or "").payment_intent_id or ""
    client = shop.gateway.client.v1
    for amount in (600, 300):
        client.refunds.create(params={"payment_intent": paid, "amount": amount})
    shop.sandbox.dispute(paid, amount=1000)
    shop.sandbox.advance(days=2)
    told = only(shop, "refund.created", "refund.failed", "charge.dispute.funds_withdrawn")
    told = [event for event in told if event["type"] != "refund.failed"] + [
        event for event in told if event["type"] == "refund.failed"
    ][:1]
    orders = [list(order) for order in itertools.permutations(first + told)]
    chosen = random.Random(11).sample(orders, min(len(orders), scaled(40, 720)))
    assert len(finals(shop, chosen)) == 1


@pytest.mark.parametrize("frequency", ["once", "monthly"])
def test_sixteen_threads_settling_one_gift_make_one_entry(shop: Shop, app: Flask, frequency: str) -> None:
    """By webhook, by thank-you page and by reconcile, all at once."""
    for _ in range(3):
        donation = shop.pay(shop.begin(2500, frequency=frequency))
        told = shop.events()
        public_id, since = donation.public_id, donation.created_at
        before = len(entries())
        _together(
            app, [_webhook(told)] * 6 + [_thank_you(shop, public_id)] * 5 + [_reconcile(shop, since)] * 5
        )
        shop.work()
        assert len(entries()) == before + 1
        assert shop.fresh(donation).status == "received"
    assert sums() == {("gift", True): 7500}
    shop.assert_true()


def _webhook(told: list[Json]) -> Callable[[], None]:
    def deliver() -> None:
        for event in told:
            row_id = inbox.accept(event, json.dumps(event).encode())
            if row_id is not None:
                inbox.apply(row_id, livemode=False)

    return deliver


def _thank_you(shop: Shop, public_id: str) -> Callable[[], None]:
    return lambda: checkout.come_back(public_id, shop.gateway, livemode=False)  # type: ignore[return-value]


def _reconcile(shop: Shop, since: Any) -> Callable[[], None]:
    return lambda: reconcile.run(shop.gateway, since=since, livemode=False)  # type: ignore[return-value]


def _together(app: Flask, works: list[Callable[[], None]]) -> None:
    barrier, problems = threading.Barrier(len(works)), []

    def work(one: Callable[[], None]) -> None:
        with app.app_context():
            try:
                barrier.wait()
                one()
            except Exception as problem:
                problems.append(problem)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
