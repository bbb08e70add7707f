"""Payments: what an event must look like to be believed, and what Stripe's trouble means in our words."""

import json
from datetime import timedelta

import pytest
import stripe

from appeal.core import clock
from appeal.payments import (
    CheckoutRequest,
    PaymentsBusy,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnknown,
    SignatureInvalid,
    checkout_params,
    payment_of_intent,
    payment_of_session,
    translated,
    verified_event,
)
from tests.making import body_of, event, signature, utc

SECRET = "whsec_of_now"
OLDER = "whsec_of_before"
BODY = body_of(event("checkout.session.completed", {"object": "checkout.session"}))
# What other libraries for Stripe verify too; the payload is written out below, byte for byte.
VECTOR = "t=1533204620,v1=82216eca827bcb7b34b8055eb2d2d9e6bc13b9ac39ded14a61e69f70c565f53a"


def verify(body: bytes, header: str, *secrets: str) -> dict[str, object]:
    return verified_event(body, header, secrets or (SECRET,))


def vector_body() -> bytes:
    item = {
        "id": "ii_123",
        "object": "invoiceitem",
        "amount": 1000,
        "currency": "usd",
        "customer": "cus_123",
        "date": 1533204620,
        "description": "Test Invoice Item",
        "discountable": False,
        "invoice": "in_123",
        "livemode": False,
        "metadata": {},
        "period": {"start": 1533204620, "end": 1533204620},
        "proration": False,
        "quantity": 3,
    }
    content = {
        "id": "evt_123",
        "object": "event",
        "account": "acct_123",
        "api_version": "2017-05-25",
        "created": 1533204620,
        "data": {"object": item},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_123", "idempotency_key": "idempotency-key-123"},
        "type": "invoiceitem.created",
    }
    return (json.dumps(content, indent=2) + "\n").encode()


# -- signatures ------------------------------------------------------------------------------------------------


def test_a_signature_that_was_made_elsewhere_is_believed(travel) -> None:
    travel("2018-08-02T10:10:40Z")  # 20 s after it was signed
    assert verify(vector_body(), VECTOR, "webhook_secret")["id"] == "evt_123"


def test_the_same_signature_is_not_believed_today() -> None:
    with pytest.raises(SignatureInvalid):
        verify(vector_body(), VECTOR, "webhook_secret")


def test_an_event_signed_just_now_is_believed() -> None:
    assert verify(BODY, signature(BODY, SECRET))["type"] == "checkout.session.completed"


def test_while_a_secret_is_rolled_both_are_believed() -> None:
    assert verify(BODY, signature(BODY, OLDER), SECRET, OLDER)
    assert verify(BODY, signature(BODY, SECRET), SECRET, OLDER)


def test_one_good_mark_among_several_is_enough() -> None:
    good = signature(BODY, SECRET)
    assert verify(BODY, good.replace("v1=", f"v1={'0' * 64},v0=abc,v1="))


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_signature_holds_for_five_minutes(seconds) -> None:
    now = clock.now().timestamp()
    assert verify(BODY, signature(BODY, SECRET, at=now + seconds))


@pytest.mark.parametrize("seconds", [-86_400, -302, 302, 86_400])
def test_a_stale_or_future_signature_is_refused(seconds) -> None:
    now = clock.now().timestamp()
    with pytest.raises(SignatureInvalid):
        verify(BODY, signature(BODY, SECRET, at=now + seconds))


def test_a_signature_of_another_secret_or_body_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        verify(BODY, signature(BODY, "whsec_of_somebody_else"))
    with pytest.raises(SignatureInvalid):
        verify(BODY.replace(b"completed", b"expired"), signature(BODY, SECRET))


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "=",
        "t=",
        "t=,v1=",
        "v1=abc",
        "t=1,t=2",
        "t=abc,v1=abc",
        "t=1e9,v1=abc",
        "t=99999999999999999999999999,v1=abc",
        "t=-1,v1=abc",
        "t=\uff11\uff15,v1=é",
        "t==1,v1==2",
        "\x00",
        "t=1533204620,v0=abc",
        "a" * 10_000,
        "t=1533204620," + ",".join(["v1=" + "0" * 64] * 500),
    ],
)
def test_a_header_that_is_no_signature_is_refused(header) -> None:
    with pytest.raises(SignatureInvalid):
        verify(BODY, header)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"event"',
        b"{}",
        b"{",
        b"\xff\xfe\x00",
        b"\x00" * 100,
        b'{"object":"event"}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"NaN",
        b"9" * 10_000,
        body_of(event("a", {}, id=None)),
        body_of(event("a", {}, id="")),
        body_of(event("a", {}, id="e" * 256)),
        body_of(event("a", {}, id="evt_\x00")),
        body_of(event("a", {}, id="evt_é")),
        body_of(event("a", {}, id="\ud800")),
        body_of(event("a", {}, id=5)),
        body_of(event("", {})),
        body_of(event("a" * 121, {})),
        body_of(event("a", {}, object="charge")),
        body_of(event("a", {}, livemode="false")),
        body_of(event("a", {}, created="yesterday")),
        body_of(event("a", {}, created=1.5)),
        body_of(event("a", {}, data=None)),
        body_of(event("a", {}, data=[])),
        body_of(event("a", {}, data={"object": None})),
        body_of(event("a", {}, data={"object": "cs_1"})),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_event_is_refused_even_if_it_is_signed(body) -> None:
    with pytest.raises(SignatureInvalid):
        verify(body, signature(body, SECRET))


# -- what is asked of Stripe -----------------------------------------------------------------------------------


def request(**values) -> CheckoutRequest:
    fields = {
        "donation_public_id": "abc",
        "key": "donation:abc:1",
        "amount_minor": 2500,
        "cover_minor": 0,
        "currency": "gbp",
        "frequency": "once",
        "product": "Gift",
        "email": "mary@example.org",
        "locale": "en",
        "success_url": "http://127.0.0.1:8000/donations/abc/thank-you",
        "cancel_url": "http://127.0.0.1:8000/appeals/a",
        "expires_at": utc("2026-11-20T12:00:00Z"),
    }
    return CheckoutRequest(**(fields | values))


def test_the_gift_is_named_wherever_stripe_may_tell_of_it() -> None:
    params = checkout_params(request())
    assert params["client_reference_id"] == "abc"
    assert params["metadata"] == {"donation_id": "abc"}
    assert params["payment_intent_data"]["metadata"] == {"donation_id": "abc"}


def test_no_personal_data_travels_in_metadata() -> None:
    assert "mary" not in json.dumps(
        [checkout_params(request())["metadata"], checkout_params(request())["payment_intent_data"]]
    )


def test_a_monthly_gift_is_a_subscription_whose_metadata_goes_along() -> None:
    params = checkout_params(request(frequency="monthly"))
    assert params["mode"] == "subscription"
    assert params["subscription_data"]["metadata"] == {"donation_id": "abc"}
    assert params["line_items"][0]["price_data"]["recurring"] == {"interval": "month"}
    assert "payment_intent_data" not in params


def test_gift_and_fee_cover_are_lines_of_their_own() -> None:
    lines = checkout_params(request(cover_minor=59))["line_items"]
    assert [line["price_data"]["unit_amount"] for line in lines] == [2500, 59]


def test_an_amount_is_sent_in_stripes_way_of_counting() -> None:
    line = checkout_params(request(currency="isk", amount_minor=700))["line_items"][0]
    assert line["price_data"]["unit_amount"] == 70_000


# -- what Stripe tells -----------------------------------------------------------------------------------------


def session(**values):
    return {
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 2500,
        "currency": "gbp",
        "livemode": False,
        "client_reference_id": "abc",
        "payment_intent": "pi_1",
    } | values


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "paid"),
        ({"payment_status": "unpaid"}, "on_its_way"),
        (
            {"payment_status": "unpaid", "payment_intent": {"id": "pi_1", "status": "processing"}},
            "on_its_way",
        ),
        ({"payment_status": "unpaid", "payment_intent": {"id": "pi_1", "status": "canceled"}}, "failed"),
        (
            {
                "payment_status": "unpaid",
                "payment_intent": {"id": "pi_1", "status": "requires_payment_method"},
            },
            "failed",
        ),
        ({"status": "open", "payment_status": "unpaid"}, "open"),
        ({"status": "expired", "payment_status": "unpaid"}, "expired"),
    ],
)
def test_completed_does_not_mean_paid(values, state) -> None:
    assert payment_of_session(session(**values), clock.now()).state == state


def test_a_session_without_our_reference_names_the_gift_in_its_metadata() -> None:
    told = payment_of_session(
        session(client_reference_id=None, metadata={"donation_id": "xyz"}), clock.now() - timedelta(hours=1)
    )
    assert told.donation_public_id == "xyz"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("succeeded", "paid"),
        ("processing", "on_its_way"),
        ("canceled", "failed"),
        ("requires_action", "open"),
        ("requires_payment_method", "open"),
    ],
)
def test_a_payment_intent_is_read_by_its_status(status, state) -> None:
    intent = {"id": "pi_1", "status": status, "amount": 2500, "currency": "gbp", "livemode": False}
    assert payment_of_intent(intent, clock.now()).state == state


# -- trouble ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (stripe.RateLimitError("slow down", http_status=429), PaymentsBusy),
        (stripe.APIConnectionError("gone"), PaymentsUnknown),
        (stripe.IdempotencyError("other body", http_status=400), PaymentsUnknown),
        (stripe.APIError("locked", http_status=409), PaymentsUnknown),
        (stripe.APIError("no status"), PaymentsUnknown),
        (stripe.APIError("broken", http_status=500), PaymentsFailed),
        (stripe.APIError("away", http_status=503), PaymentsFailed),
        (stripe.InvalidRequestError("no", "amount", http_status=400), PaymentsRefused),
        (stripe.AuthenticationError("no", http_status=401), PaymentsRefused),
        (stripe.CardError("no", "card", "card_declined", http_status=402), PaymentsRefused),
        (json.JSONDecodeError("half", "{", 0), PaymentsUnknown),
        (KeyError("url"), PaymentsUnknown),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_trouble_with_stripe_is_refused_busy_failed_or_unknown(raised, meant) -> None:
    with pytest.raises(meant), translated():
        raise raised
