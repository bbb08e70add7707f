"""A sandbox in this process, Stripe's own client to talk to it, and an endpoint that receives its webhooks."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

import stripe_sandbox
from stripe_sandbox import Sandbox
from tests.stripe_sandbox.receiver import Receiver

SECRET = "whsec_of_the_tests"
stripe.enable_telemetry = False


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver(SECRET)
    yield found
    found.stop()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with stripe_sandbox.running(
        webhook_url=receiver.url, webhook_secret=SECRET, merchant="The Lantern"
    ) as running:
        yield running
        assert not [entry for entry in running.rejected if entry["status"] == 500]


@pytest.fixture
def stripe_client(sandbox: Sandbox) -> Iterator[stripe.StripeClient]:
    http = stripe.RequestsClient(timeout=10)
    yield stripe.StripeClient("sk_test_x", base_addresses={"api": sandbox.url}, http_client=http)
    http.close()


@pytest.fixture
def once() -> dict[str, Any]:
    """The parameters of one gift, as an application sends them."""
    return {
        "mode": "payment",
        "submit_type": "donate",
        "success_url": "http://127.0.0.1:9/thanks?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/appeal",
        "client_reference_id": "gift-1",
        "metadata": {"donation_id": "gift-1"},
        "payment_intent_data": {"metadata": {"donation_id": "gift-1"}},
        "line_items": [line(2500)],
        "adaptive_pricing": {"enabled": False},
        "locale": "en-GB",
        "customer_email": "reader@example.com",
        "expires_at": int(time.time()) + 1860,
    }


@pytest.fixture
def monthly(once: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a monthly gift."""
    del once["payment_intent_data"]
    once |= {"mode": "subscription", "subscription_data": {"metadata": {"donation_id": "gift-1"}}}
    once["line_items"] = [line(2500, recurring={"interval": "month"})]
    return once


def line(amount_minor: int, currency: str = "gbp", **price: Any) -> dict[str, Any]:
    """A line item with its price inline."""
    product = {"name": "Gift to the appeal"}
    data = {"currency": currency, "unit_amount": amount_minor, "product_data": product} | price
    return {"quantity": 1, "price_data": data}


@pytest.fixture
def give(stripe_client: stripe.StripeClient, sandbox: Sandbox, once: dict[str, Any]) -> Callable[..., Any]:
    """Give once: make a session, pay it, and return it with its payment intent and charge expanded."""

    def give_once(card: str = "4242424242424242", **changes: Any) -> Any:
        session = stripe_client.v1.checkout.sessions.create(once | changes)
        sandbox.pay(session.id, card)
        expand = ["payment_intent.latest_charge.balance_transaction"]
        return stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})

    return give_once


@pytest.fixture
def subscribe(
    stripe_client: stripe.StripeClient, sandbox: Sandbox, monthly: dict[str, Any]
) -> Callable[..., Any]:
    """Begin a monthly gift and return its subscription."""

    def begin(card: str = "4242424242424242", **changes: Any) -> Any:
        session = stripe_client.v1.checkout.sessions.create(monthly | changes)
        assert sandbox.pay(session.id, card).result == "paid"
        found = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
        return found.subscription

    return begin


@pytest.fixture
def happened(sandbox: Sandbox) -> Callable[[], list[str]]:
    """Return the types of the events since the last call."""
    seen = 0

    def since() -> list[str]:
        nonlocal seen
        events = sandbox.events()
        fresh, seen = events[seen:], len(events)
        return [event["type"] for event in fresh]

    return since
