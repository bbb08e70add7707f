"""Things that tests need: appeals, gifts, visitors, signed events, forms. Real ones, made by the use cases themselves."""

import hashlib
import hmac
import itertools
import json
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appeal import appeals
from appeal.books import adjustments
from appeal.core import clock
from appeal.database import writing
from appeal.gifts import giving
from appeal.gifts.limits import Visitor
from appeal.models import Appeal, Donation
from appeal.payments import Payment, Refund
from appeal.settings import Settings
from appeal.supporters import form_token
from tests.support.settings import WEBHOOK_SECRET

SLUG = "lantern"
DIGEST_KEY = b"a key for digests of addresses"
_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    """Return a name that no other test of this process uses."""
    return f"{prefix}{next(_numbers)}"


# -- records -----------------------------------------------------------------------------------------------------


def open_appeal(slug: str = SLUG, **values: Any) -> Appeal:
    """Make an appeal that takes gifts now; further columns as keywords. Needs an application context."""
    with writing():
        appeal = appeals.create(
            appeals.NewAppeal(
                slug=slug,
                title="Keep the lantern lit",
                currency=values.pop("currency", "gbp"),
                goal_minor=values.pop("goal_minor", 9_500_000),
                publisher="The Daily Lantern",
            )
        )
        appeal.status = "open"
        for name, value in values.items():
            setattr(appeal, name, value)
    return appeal


def visitor(address: str = "192.0.2.7", per_address_hour: int = 100_000) -> Visitor:
    """Return somebody at an address; without a number, one whom no limit meets."""
    return Visitor(address, DIGEST_KEY, per_address_hour)


GIFT = giving.Gift(
    amount_minor=2500, frequency="once", name="Mary Anning", email="mary@example.org", updates_wording="News?"
)


def gift(**values: Any) -> giving.Gift:
    """Return what a supporter asks for: GBP 25 once, unless told otherwise."""
    return replace(GIFT, **values)


def started(appeal: Appeal, form_id: str = "", **values: Any) -> Donation:
    """Return a donation that was just begun."""
    return giving.start(appeal, gift(**values), form_id=form_id or unique("form"), visitor=visitor())


def received(appeal: Appeal, **values: Any) -> Donation:
    """Return a donation that was paid."""
    return giving.settle(paid(started(appeal, **values)), livemode=False)


def told(donation: Donation, state: str, **values: Any) -> Payment:
    """Return what Stripe tells of a donation's payment."""
    fields: dict[str, Any] = {
        "donation_public_id": donation.public_id,
        "state": state,
        "charged_minor": donation.charge_minor,
        "currency": donation.currency,
        "livemode": False,
        "told_at": clock.now(),
        "session_id": f"cs_test_{donation.public_id}",
    }
    return Payment(**(fields | values))


def paid(donation: Donation, **values: Any) -> Payment:
    """Return the news that a donation was paid."""
    return told(donation, "paid", **({"payment_intent_id": f"pi_{donation.public_id}"} | values))


def refunded(donation: Donation, amount_minor: int) -> None:
    """Enter that part of a paid gift's charge went back."""
    adjustments.apply_refund(
        Refund(
            refund_id=unique("re_"),
            payment_intent_id=donation.payment_intent_id,
            charge_id=None,
            amount_minor=amount_minor,
            currency=donation.currency,
            moved=True,
            failed=False,
            created_at=clock.now(),
            told_at=clock.now(),
        )
    )


# -- Stripe's events ---------------------------------------------------------------------------------------------


def session_object(donation: Donation, **values: Any) -> dict[str, Any]:
    """Return the Checkout session of a donation as an event carries it: complete and paid."""
    return {
        "id": f"cs_test_{donation.public_id}",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "client_reference_id": donation.public_id,
        "metadata": {"donation_id": donation.public_id},
        "amount_total": donation.charge_minor,
        "currency": donation.currency,
        "livemode": False,
        "payment_intent": f"pi_{donation.public_id}",
        "subscription": None,
        "invoice": None,
        "customer": None,
    } | values


def intent_object(donation: Donation, **values: Any) -> dict[str, Any]:
    """Return the payment intent of a donation as an event carries it: succeeded."""
    return {
        "id": f"pi_{donation.public_id}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": donation.charge_minor,
        "amount_received": donation.charge_minor,
        "currency": donation.currency,
        "livemode": False,
        "metadata": {"donation_id": donation.public_id},
        "latest_charge": f"ch_{donation.public_id}",
        "customer": None,
    } | values


def event(kind: str, content: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Return an event about an object."""
    return {
        "id": unique("evt_"),
        "object": "event",
        "type": kind,
        "created": int(clock.now().timestamp()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {"object": content},
    } | values


def completed(donation: Donation, **values: Any) -> dict[str, Any]:
    """Return the event that a donation's session was completed and paid."""
    return event("checkout.session.completed", session_object(donation, **values))


def body_of(content: Any) -> bytes:
    """Return an event's bytes."""
    return json.dumps(content).encode()


def signature(body: bytes, secret: str = WEBHOOK_SECRET, *, at: float | None = None) -> str:
    """Sign a body as Stripe does."""
    stamp = int(time.time() if at is None else at)
    mark = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mark}"


def deliver(client: FlaskClient, content: Any) -> TestResponse:
    """Deliver an event to the application as Stripe does."""
    body = body_of(content)
    return client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature(body)})


# -- the form ----------------------------------------------------------------------------------------------------


def settings_of(app: Flask) -> Settings:
    """Return an application's settings."""
    settings: Settings = app.extensions["appeal.settings"]
    return settings


def form(app: Flask, slug: str = SLUG, **values: Any) -> dict[str, Any]:
    """Return the form as a browser sends it, with a fresh token: GBP 25 once."""
    return {
        "csrf_token": form_token.issue(settings_of(app), slug),
        "frequency": "once",
        "amount": "25.00",
        "other_amount": "",
        "name": "Mary Anning",
        "email": "mary@example.org",
        "credit": "anonymous",
        "credit_line": "",
        "message": "",
        "src": "",
        "page": "",
        "website": "",
    } | values


def post_form(client: FlaskClient, values: dict[str, Any], slug: str = SLUG, **options: Any) -> TestResponse:
    """Send the form."""
    return client.post(f"/appeals/{slug}/donations", data=values, **options)


def utc(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text)
