"""An appeal has one currency; every amount, exponent and minimum is Stripe's, and what does not fit is parked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from appeal.books import adjustments, fees, reconcile
from appeal.core.clock import now
from appeal.extensions import db
from appeal.models import InboxEvent, Payout
from tests.money.conftest import open_shop
from tests.money.shop import Shop


@pytest.mark.parametrize(
    ("currency", "amount_minor", "refund_minor"),
    [("gbp", 2500, 1000), ("eur", 2500, 1), ("usd", 2550, 2550), ("jpy", 3000, 500), ("kwd", 25000, 1230)],
)
def test_a_gift_and_its_refund_are_exact_in_every_currency(
    app: Any, sandbox: Any, currency: str, amount_minor: int, refund_minor: int
) -> None:
    with open_shop(app, sandbox, currency=currency) as shop:
        donation = shop.give(amount_minor)
        shop.refund(donation, refund_minor)
        monthly = shop.monthly(amount_minor)
        shop.months(1)
        shop.deliver()
        assert shop.fresh(donation).standing_minor == amount_minor - refund_minor
        assert monthly.received_minor == amount_minor
        assert shop.raised_minor == 3 * amount_minor - refund_minor
        shop.assert_true()


@pytest.mark.parametrize("currency", ["eur", "jpy", "kwd"])
def test_a_payout_is_tied_to_its_gifts_in_every_currency(app: Any, sandbox: Any, currency: str) -> None:
    with open_shop(app, sandbox, currency=currency) as shop:
        shop.give(25550)
        payout = sandbox.payout(currency, everything=True)
        shop.deliver()
        assert not db.session.scalars(select(InboxEvent).where(InboxEvent.state == "parked")).all()
        report = reconcile.run(shop.gateway, since=now() - timedelta(days=1), livemode=False)
        assert report.differences == []
        row = db.session.scalars(select(Payout)).one()
        total = fees.total(fees.lines_of(row))
        assert total is not None
        assert total.net_minor == row.amount_minor == payout["amount"]


@pytest.mark.parametrize("kind", ["checkout.session.completed", "payment_intent.succeeded"])
def test_another_products_payment_in_a_currency_unknown_to_us_is_let_go(shop: Shop, kind: str) -> None:
    shop.pay(shop.begin(2500))
    (told,) = [one for one in shop.events() if one["type"] == kind]
    told["data"]["object"] |= {"currency": "xyz", "client_reference_id": None, "metadata": {}}
    shop.deliver([told])
    assert db.session.scalars(select(InboxEvent.state)).one() == "ignored"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"currency": "usd"}, "usd"),
        ({"livemode": True}, "live"),
        ({"client_reference_id": "nobody"}, "no gift"),
        ({"amount_total": 99_999}, "£999.99"),
    ],
)
def test_an_event_that_does_not_fit_is_parked_with_its_reason(
    shop: Shop, change: dict[str, Any], says: str
) -> None:
    shop.pay(shop.begin(2500))
    (event,) = [one for one in shop.events() if one["type"] == "checkout.session.completed"]
    event["data"]["object"] |= change
    event["livemode"] = event["data"]["object"]["livemode"]
    shop.deliver([event])
    parked = db.session.scalars(select(InboxEvent)).one()
    assert parked.state == "parked"
    assert says in parked.problem
    assert shop.entries() == []


@pytest.mark.parametrize("change", [{"currency": "eur"}, {"amount": 2501}])
def test_a_refund_that_does_not_fit_its_gift_is_parked(shop: Shop, change: dict[str, Any]) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 100)
    (event,) = [one for one in shop.events() if one["type"] == "refund.created"]
    event["data"]["object"] |= change
    shop.deliver([event])
    assert shop.raised_minor == 2500
    assert [row.state for row in db.session.scalars(select(InboxEvent)) if row.type == "refund.created"] == [
        "parked"
    ]


def test_a_dispute_settled_in_another_currency_takes_the_sum_disputed(shop: Shop) -> None:
    from appeal.payments import dispute_of

    donation = shop.give(2500)
    told = shop.sandbox.dispute(shop.charge_of(donation))
    foreign = dict(
        told, balance_transactions=[dict(told["balance_transactions"][0], currency="usd", amount=-3300)]
    )
    adjustments.apply_dispute(dispute_of(foreign, donation.created_at))
    assert shop.raised_minor == 0
