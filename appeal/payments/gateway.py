"""Stripe behind the port: the one client and its calls."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from appeal.core import clock, money
from appeal.payments import reading
from appeal.payments.port import (
    CheckoutPage,
    CheckoutRequest,
    Instalment,
    Listed,
    Movement,
    Payment,
    PaymentsRefused,
    Refund,
    RefundRequest,
    Subscription,
)
from appeal.payments.requests import checkout_params
from appeal.payments.trouble import translated
from appeal.settings import Settings

if TYPE_CHECKING:
    import stripe

API_VERSION = "2026-10-28.endive"
# Together under the ten seconds a person waits; whoever calls decides whether there is time to try again.
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 1.5, 7.5
PAGE = 100
LISTS: dict[Listed, tuple[str, dict[str, Any]]] = {
    "sessions": ("/v1/checkout/sessions", {"expand": ["data.payment_intent"]}),
    "invoices": ("/v1/invoices", {"status": "paid", "expand": ["data.payments"]}),
    "subscriptions": ("/v1/subscriptions", {"status": "all"}),
    "refunds": ("/v1/refunds", {}),
    "disputes": ("/v1/disputes", {}),
    "warnings": ("/v1/radar/early_fraud_warnings", {}),
    "movements": ("/v1/balance_transactions", {"expand": ["data.source"]}),
    "payouts": ("/v1/payouts", {}),
}


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

    # -- Checkout

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
            params = {"created": {"gte": int(since.timestamp()) - 60}, "limit": PAGE}
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
        """Retrieve a session, with the invoice of a monthly gift, and read it as an event's would be read."""
        expand = ["payment_intent", "invoice.payments"]
        with translated():
            session = self._client.v1.checkout.sessions.retrieve(session_id, params={"expand": expand})
            return reading.payment_of_session(session.to_dict(), clock.now())

    def clock_drift_seconds(self) -> int:
        """Make the cheapest call there is, and read the time from its answer."""
        from email.utils import parsedate_to_datetime

        with translated():
            listed = self._client.v1.events.list(params={"limit": 1})
            told = (listed.last_response.headers if listed.last_response else {})["Date"]
        return int((clock.now() - parsedate_to_datetime(told)).total_seconds())

    # -- refunds

    def refund(self, request: RefundRequest) -> Refund:
        """Create the refund with the stored key: sent again, Stripe answers with the same refund."""
        params: Any = {
            "payment_intent": request.payment_intent_id,
            "amount": money.to_stripe(request.amount_minor, request.currency),
            "metadata": {"refund_request": request.request_id},
        }
        with translated():
            refund = self._client.v1.refunds.create(params=params, options={"idempotency_key": request.key})
            return reading.refund_of(refund.to_dict(), clock.now())

    # -- monthly gifts

    def read_subscription(self, subscription_id: str) -> Subscription:
        """Retrieve a subscription."""
        with translated():
            return _ours(self._client.v1.subscriptions.retrieve(subscription_id))

    def change_amount(
        self, subscription_id: str, charge_minor: int, currency: str, *, key: str
    ) -> Subscription:
        """Give the subscription's one item another price, without settling the running month anew."""
        with translated():
            item = self._client.v1.subscriptions.retrieve(subscription_id).to_dict()["items"]["data"][0]
            price = {
                "currency": currency,
                "product": reading.id_of(item["price"]["product"]),
                "recurring": {"interval": "month"},
                "unit_amount": money.to_stripe(charge_minor, currency),
            }
            items = [{"id": item["id"], "price_data": price}]
            return self._update(subscription_id, key=key, items=items, proration_behavior="none")

    def _update(self, subscription_id: str, *, key: str = "", **params: Any) -> Subscription:
        options: Any = {"idempotency_key": key} if key else {}
        with translated():
            update: Any = params
            return _ours(
                self._client.v1.subscriptions.update(subscription_id, params=update, options=options)
            )

    def pause(self, subscription_id: str) -> Subscription:
        """Void the invoices of a subscription until it is resumed."""
        return self._update(subscription_id, pause_collection={"behavior": "void"})

    def resume(self, subscription_id: str) -> Subscription:
        """Collect again."""
        return self._update(subscription_id, pause_collection="")

    def cancel(self, subscription_id: str, *, at_once: bool) -> Subscription:
        """End a subscription, now or at the end of its period."""
        if not at_once:
            return self._update(subscription_id, cancel_at_period_end=True)
        with translated():
            return _ours(self._client.v1.subscriptions.cancel(subscription_id))

    def keep(self, subscription_id: str) -> Subscription:
        """Go on beyond the end of the period after all."""
        return self._update(subscription_id, cancel_at_period_end=False)

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Make a session of the billing portal."""
        with translated():
            params: Any = {"customer": customer_id, "return_url": return_url}
            return str(self._client.v1.billing_portal.sessions.create(params=params).url)

    # -- asking what became of something

    def payment_intent_of(self, invoice_id: str) -> str | None:
        """Retrieve an invoice with its payments."""
        instalment = self.read_invoice(invoice_id)
        return instalment.payment_intent_id if instalment else None

    def read_invoice(self, invoice_id: str) -> Instalment | None:
        """Retrieve an invoice with its payments."""
        with translated():
            invoice = self._client.v1.invoices.retrieve(invoice_id, params={"expand": ["payments"]})
            return reading.instalment_of_invoice(invoice.to_dict())

    def owner_of(self, payment_intent_id: str) -> str:
        """Look at the intent's metadata, then for an invoice that it paid."""
        with translated():
            intent = self._client.v1.payment_intents.retrieve(payment_intent_id).to_dict()
            if donation := (intent.get("metadata") or {}).get("donation_id"):
                return f"donation:{donation}"
            params: Any = {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}}
            for payment in self._client.v1.invoice_payments.list(params=params).auto_paging_iter():
                invoice_id = reading.id_of(payment.to_dict()["invoice"])
                if invoice_id and self.read_invoice(invoice_id):
                    return f"invoice:{invoice_id}"
        return ""

    # -- lists

    def events(self, since: datetime, kinds: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
        """Page through the events, at most twenty types a question."""
        for first in range(0, len(kinds), 20):
            params = {"types": list(kinds[first : first + 20])}
            yield from self._pages("/v1/events", since, params)

    def listed(self, kind: Listed, since: datetime) -> Iterator[Mapping[str, Any]]:
        """Page through the objects of a kind."""
        path, params = LISTS[kind]
        yield from self._pages(path, since, params)

    def movements_of(self, payout_id: str) -> Iterator[Movement]:
        """Page through the balance transactions of a payout."""
        path, params = LISTS["movements"]
        for transaction in self._pages(path, None, params | {"payout": payout_id}):
            yield reading.movement_of(transaction)

    def _pages(self, path: str, since: datetime | None, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Page through a list as it was sent: the package's tree of objects costs more than all the rest."""
        params = params | {"limit": PAGE} | ({"created": {"gte": int(since.timestamp())}} if since else {})
        more = True
        while more:
            with translated():
                page = json.loads(self._client.raw_request("get", path, **params).body)
                more = page["has_more"]
                params = params | ({"starting_after": page["data"][-1]["id"]} if more else {})
            yield from page["data"]


def _ours(subscription: stripe.Subscription) -> Subscription:
    read = reading.subscription_of(subscription.to_dict(), clock.now(), asked=True)
    if read is None:
        raise PaymentsRefused("This subscription is not one of our monthly gifts.")
    return read
