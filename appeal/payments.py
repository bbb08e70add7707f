"""The one supplier of payments: a port in our words, and Stripe behind it.

Nothing else imports stripe, and nothing here touches the database. What Stripe says is turned into plain values;
what goes wrong is one of four things: refused (it said no), busy (it had no time), failed (it said it broke),
unknown (nobody can say whether it was done). Unknown is a state, never a failure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from appeal import clock, money
from appeal.errors import DomainError
from appeal.settings import Settings

if TYPE_CHECKING:
    import stripe

API_VERSION = "2026-10-28.endive"
# Together under the ten seconds a person waits; whoever calls decides whether there is time to try again.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 1.5, 7.5
SIGNATURE_TOLERANCE_SECONDS = 300

PaymentState = Literal["open", "on_its_way", "paid", "failed", "expired"]


class PaymentsError(DomainError):
    """The payment service could not be used just now."""


class PaymentsRefused(PaymentsError):
    """The payment service refused what we asked."""


class PaymentsFailed(PaymentsError):
    """The payment service said that it failed."""


class PaymentsUnknown(PaymentsError):
    """The payment service did not answer; nobody can say yet whether it acted."""


class PaymentsBusy(PaymentsError):
    """The payment service has no time for us; nothing was done."""


class SignatureInvalid(DomainError):
    """The signature of this event does not fit its body."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What one attempt at Checkout needs. Amounts in our minor units; `key` is the stored idempotency key."""

    donation_public_id: str
    key: str
    amount_minor: int
    cover_minor: int
    currency: str
    frequency: str
    product: str
    email: str
    locale: str
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """An open Checkout session: where to send the person."""

    session_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe tells of one attempt, in our words; `charged_minor` is the whole charge in our minor units."""

    donation_public_id: str
    state: PaymentState
    charged_minor: int
    currency: str
    livemode: bool
    told_at: datetime
    session_id: str | None = None
    payment_intent_id: str | None = None
    charge_id: str | None = None
    subscription_id: str | None = None
    invoice_id: str | None = None
    customer_id: str | None = None


class Gateway(Protocol):
    """What the use cases may ask of the supplier of payments."""

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Open a hosted payment page, or return the one opened before with the same key."""

    def find_checkout(self, donation_public_id: str, since: datetime) -> CheckoutPage | None:
        """Look for an open session of a donation whose answer was lost."""

    def read_checkout(self, session_id: str) -> Payment:
        """Ask how a session stands."""

    def clock_drift_seconds(self) -> int:
        """Ask Stripe the time; return how many seconds our clock is ahead."""


class StripeGateway:
    """Stripe, through its own package. Import and client are made on first use: both cost time at start."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is called yet."""
        self._settings = settings

    @cached_property
    def _client(self) -> stripe.StripeClient:
        import stripe
        from stripe import RequestsClient

        stripe.enable_telemetry = False  # it would write an id file into the home folder
        http = RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
        base = self._settings.stripe_base
        return stripe.StripeClient(
            self._settings.stripe_key,
            max_network_retries=0,
            http_client=http,
            base_addresses={"api": base} if base else {},
        )

    @property
    def client(self) -> stripe.StripeClient:
        """Return the client itself, for the other conversations with Stripe in this layer."""
        return self._client

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Create the session with the stored key: sent again, Stripe answers with the same session."""
        with translated():
            session = self._client.v1.checkout.sessions.create(
                params=checkout_params(request),  # type: ignore[arg-type]  # the sandbox checks it against the same types
                options={"idempotency_key": request.key},
            )
        if not session.url:
            raise PaymentsRefused("The payment page is closed already.")
        return CheckoutPage(session.id, session.url)

    def find_checkout(self, donation_public_id: str, since: datetime) -> CheckoutPage | None:
        """Page through the sessions made since an instant; Stripe cannot filter by our reference."""
        with translated():
            params = {"created": {"gte": int(since.timestamp()) - 60}, "limit": 100}
            sessions = self._client.v1.checkout.sessions.list(params=params)  # type: ignore[arg-type]
            for session in sessions.auto_paging_iter():
                if (
                    session.client_reference_id == donation_public_id
                    and session.status == "open"
                    and session.url
                ):
                    return CheckoutPage(session.id, session.url)
        return None

    def read_checkout(self, session_id: str) -> Payment:
        """Retrieve a session and read it as an event's would be read."""
        with translated():
            session = self._client.v1.checkout.sessions.retrieve(
                session_id, params={"expand": ["payment_intent"]}
            )
        return payment_of_session(session.to_dict(), clock.now())

    def clock_drift_seconds(self) -> int:
        """Make the cheapest call there is, and read the time from its answer."""
        from email.utils import parsedate_to_datetime

        with translated():
            listed = self._client.v1.events.list(params={"limit": 1})
            told = (listed.last_response.headers if listed.last_response else {})["Date"]
        return int((clock.now() - parsedate_to_datetime(told)).total_seconds())


def checkout_params(request: CheckoutRequest) -> dict[str, Any]:
    """Write the parameters of a hosted Checkout session.

    Metadata on the session does not travel to the payment, so it is repeated there. No personal data in it.
    Source: STRIPE.md, "Checkout".
    """
    monthly = request.frequency == "monthly"
    metadata = {"donation_id": request.donation_public_id}
    params: dict[str, Any] = {
        "mode": "subscription" if monthly else "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "client_reference_id": request.donation_public_id,
        "metadata": metadata,
        "line_items": [_line(request, request.product, request.amount_minor)],
        "customer_email": request.email,
        "locale": request.locale,
        "adaptive_pricing": {"enabled": False},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    if request.cover_minor:
        params["line_items"].append(_line(request, "Card fee cover", request.cover_minor))
    params["subscription_data" if monthly else "payment_intent_data"] = {"metadata": metadata}
    return params


def _line(request: CheckoutRequest, name: str, amount_minor: int) -> dict[str, Any]:
    price: dict[str, Any] = {
        "currency": request.currency,
        "unit_amount": money.to_stripe(amount_minor, request.currency),
        "product_data": {"name": name},
    }
    if request.frequency == "monthly":
        price["recurring"] = {"interval": "month"}
    return {"price_data": price, "quantity": 1}


def payment_of_session(session: Mapping[str, Any], told_at: datetime) -> Payment:
    """Read a Checkout session. `complete` does not mean paid: `payment_status` says."""
    currency = session["currency"]
    intent = session.get("payment_intent")
    detail: Mapping[str, Any] = intent if isinstance(intent, Mapping) else {}
    return Payment(
        donation_public_id=session.get("client_reference_id")
        or (session.get("metadata") or {}).get("donation_id")
        or "",
        state=_session_state(session, detail),
        charged_minor=money.from_stripe(session["amount_total"], currency),
        currency=currency,
        livemode=bool(session["livemode"]),
        told_at=told_at,
        session_id=session["id"],
        payment_intent_id=id_of(intent),
        charge_id=id_of(detail.get("latest_charge")),
        subscription_id=id_of(session.get("subscription")),
        invoice_id=id_of(session.get("invoice")),
        customer_id=id_of(session.get("customer")),
    )


def _session_state(session: Mapping[str, Any], intent: Mapping[str, Any]) -> PaymentState:
    if session["status"] == "expired":
        return "expired"
    if session["status"] == "open":
        return "open"
    if session["payment_status"] in {"paid", "no_payment_required"}:
        return "paid"
    if intent.get("status") in {"requires_payment_method", "canceled"}:
        return "failed"
    return "on_its_way"


def payment_of_intent(intent: Mapping[str, Any], told_at: datetime) -> Payment:
    """Read a payment intent: the backstop where a session's own event never came."""
    states: dict[str, PaymentState] = {"succeeded": "paid", "processing": "on_its_way", "canceled": "failed"}
    return Payment(
        donation_public_id=(intent.get("metadata") or {}).get("donation_id") or "",
        state=states.get(intent["status"], "open"),
        charged_minor=money.from_stripe(intent["amount"], intent["currency"]),
        currency=intent["currency"],
        livemode=bool(intent["livemode"]),
        told_at=told_at,
        payment_intent_id=intent["id"],
        charge_id=id_of(intent.get("latest_charge")),
        customer_id=id_of(intent.get("customer")),
    )


def with_state(payment: Payment, state: PaymentState) -> Payment:
    """Return the same payment in another state, where the event's type says more than its object."""
    return replace(payment, state=state)


def id_of(value: Any) -> str | None:
    """Return the id of an object that may be expanded, a bare id, or nothing."""
    if isinstance(value, Mapping):
        return str(value["id"])
    return str(value) if value else None


@contextmanager
def translated() -> Iterator[None]:
    """Turn what Stripe's package raises into our kinds of trouble.

    Source: STRIPE.md, "Checkout": keys are replayed with 500s included; an answer that never came is unknown.
    """
    import stripe

    try:
        yield
    except stripe.RateLimitError as error:
        raise PaymentsBusy(type(error).__name__) from error
    except (stripe.APIConnectionError, stripe.IdempotencyError) as error:
        raise PaymentsUnknown(type(error).__name__) from error
    except stripe.StripeError as error:
        status = error.http_status
        if status is None or status == 409:
            raise PaymentsUnknown(type(error).__name__) from error
        kind = PaymentsFailed if status >= 500 else PaymentsRefused
        raise kind(
            f"{type(error).__name__} {status} {error.code or ''} {error.request_id or ''}".strip()
        ) from error
    except (ValueError, KeyError, AttributeError, TypeError) as error:  # half a body, or not JSON at all
        raise PaymentsUnknown(f"unreadable answer: {type(error).__name__}") from error


def verified_event(body: bytes, header: str, secrets: tuple[str, ...]) -> dict[str, Any]:
    """Check an event's signature against each secret and parse it once, without Stripe's object tree.

    Raises:
        SignatureInvalid: for a wrong, stale or future signature and for any body that is no event.

    Source: STRIPE.md, "Webhooks": the package checks neither the future nor the shape.
    """
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        text = body.decode("utf-8")
        for secret in secrets:
            try:
                WebhookSignature.verify_header(text, header, secret)
                break
            except SignatureVerificationError:
                continue
        else:
            raise SignatureInvalid
        _refuse_other_times(header)
        event = json.loads(text)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SignatureInvalid("This is not an event.") from error
    if not _is_event(event):
        raise SignatureInvalid("This is not an event.")
    return dict(event)


def _refuse_other_times(header: str) -> None:
    """Refuse what was signed too long ago or, by our clock, has not been signed yet."""
    stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
    if abs(int(stamp) - clock.now().timestamp()) > SIGNATURE_TOLERANCE_SECONDS:
        raise SignatureInvalid("This event was not signed just now.")


def _is_event(event: Any) -> bool:
    return (
        isinstance(event, dict)
        and event.get("object") == "event"
        and _is_word(event.get("id"), 255)
        and _is_word(event.get("type"), 120)
        and isinstance(event.get("livemode"), bool)
        and isinstance(event.get("created"), int)
        and isinstance(event.get("data"), dict)
        and isinstance(event["data"].get("object"), dict)
    )


def _is_word(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()
