"""Stripe's objects, read into our plain values: one function an object, none of which asks or decides anything.

Source: the types that the installed stripe package ships.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from appeal.core import clock, money
from appeal.payments.port import (
    Dispute,
    FailedInstalment,
    FraudWarning,
    Instalment,
    Movement,
    Payment,
    PaymentState,
    Payout,
    Refund,
    Subscription,
)

Json = Mapping[str, Any]


def names_a_gift(item: Json) -> bool:
    """Say whether a session or payment intent names a gift: another product's may hold what we cannot read."""
    if item.get("object") == "checkout.session" and item.get("mode") not in {"payment", "subscription"}:
        return False
    return bool(item.get("client_reference_id") or (item.get("metadata") or {}).get("donation_id"))


def payment_of_session(session: Json, told_at: datetime) -> Payment:
    """Read a Checkout session. `complete` does not mean paid: `payment_status` says."""
    currency = session["currency"]
    intent = session.get("payment_intent")
    detail: Json = intent if isinstance(intent, Mapping) else {}
    invoice = session.get("invoice")
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
        invoice_id=id_of(invoice),
        customer_id=id_of(session.get("customer")),
        instalment=instalment_of_invoice(invoice) if isinstance(invoice, Mapping) else None,
    )


def _session_state(session: Json, intent: Json) -> PaymentState:
    if session["status"] == "expired":
        return "expired"
    if session["status"] == "open":
        return "open"
    if session["payment_status"] in {"paid", "no_payment_required"}:
        return "paid"
    if intent.get("status") in {"requires_payment_method", "canceled"}:
        return "failed"
    return "on_its_way"


def payment_of_intent(intent: Json, told_at: datetime) -> Payment:
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


def _subscription_details(invoice: Json) -> Json:
    parent = invoice.get("parent") or {}
    return parent.get("subscription_details") or {}


def instalment_of_invoice(invoice: Json) -> Instalment | None:
    """Read a paid invoice of one of our monthly gifts; None for one that is not ours, not paid, or over nothing."""
    details = _subscription_details(invoice)
    begun_by = (details.get("metadata") or {}).get("donation_id")
    if not begun_by or invoice["status"] != "paid" or not invoice["amount_paid"]:
        return None
    paid_at = (invoice.get("status_transitions") or {}).get("paid_at") or invoice["created"]
    return Instalment(
        invoice_id=invoice["id"],
        subscription_id=id_of(details["subscription"]) or "",
        begun_by=begun_by,
        first=invoice.get("billing_reason") == "subscription_create",
        paid_minor=money.from_stripe(invoice["amount_paid"], invoice["currency"]),
        currency=invoice["currency"],
        livemode=bool(invoice["livemode"]),
        paid_at=clock.from_unix(paid_at),
        customer_id=id_of(invoice.get("customer")),
        payment_intent_id=_intent_of(invoice),
    )


def _intent_of(invoice: Json) -> str | None:
    """Return the payment that paid an invoice, where its payments were asked for."""
    for payment in (invoice.get("payments") or {}).get("data", ()):
        if payment["status"] == "paid":
            return id_of(payment["payment"].get("payment_intent"))
    return None


def link_of_invoice_payment(payment: Json) -> tuple[str, str] | None:
    """Read which payment intent paid which invoice; None where it was paid by other means."""
    invoice, intent = id_of(payment["invoice"]), id_of(payment["payment"].get("payment_intent"))
    return (invoice, intent) if invoice and intent else None


def failed_instalment_of(invoice: Json, told_at: datetime) -> FailedInstalment | None:
    """Read an invoice that could not be charged; None when it is not ours."""
    details = _subscription_details(invoice)
    begun_by = (details.get("metadata") or {}).get("donation_id")
    if not begun_by:
        return None
    return FailedInstalment(
        invoice_id=invoice["id"],
        subscription_id=id_of(details["subscription"]) or "",
        begun_by=begun_by,
        first=invoice.get("billing_reason") == "subscription_create",
        attempt=int(invoice.get("attempt_count") or 0),
        last=invoice.get("next_payment_attempt") is None,
        pay_url=invoice.get("hosted_invoice_url") or "",
        told_at=told_at,
    )


def subscription_of(subscription: Json, told_at: datetime, *, asked: bool = False) -> Subscription | None:
    """Read a subscription; None when it is not ours."""
    begun_by = (subscription.get("metadata") or {}).get("donation_id")
    if not begun_by:
        return None
    items = subscription["items"]["data"]
    currency = subscription["currency"]
    charge = sum(item["price"]["unit_amount"] * item.get("quantity", 1) for item in items)
    ended_at = subscription.get("ended_at")
    return Subscription(
        subscription_id=subscription["id"],
        begun_by=begun_by,
        status=_subscription_status(subscription),
        charge_minor=money.from_stripe(charge, currency),
        currency=currency,
        customer_id=id_of(subscription.get("customer")),
        anchor_day=clock.from_unix(subscription["billing_cycle_anchor"]).day,
        next_due_at=clock.from_unix(max(item["current_period_end"] for item in items)) if items else None,
        ends_at_period_end=bool(subscription.get("cancel_at_period_end") or subscription.get("cancel_at")),
        ended_at=clock.from_unix(ended_at) if ended_at else None,
        told_at=told_at,
        asked=asked,
    )


def _subscription_status(subscription: Json) -> Literal["begun", "active", "past_due", "paused", "ended"]:
    status = subscription["status"]
    if status in {"canceled", "incomplete_expired"}:
        return "ended"
    if status == "paused" or subscription.get("pause_collection"):
        return "paused"
    if status in {"past_due", "unpaid"}:
        return "past_due"
    return "begun" if status == "incomplete" else "active"


def refund_of(refund: Json, told_at: datetime) -> Refund:
    """Read a refund. A pending one has left our balance already; one that waits for the donor has not."""
    status = refund.get("status")
    failed = status in {"failed", "canceled"}
    return Refund(
        refund_id=refund["id"],
        payment_intent_id=id_of(refund.get("payment_intent")),
        charge_id=id_of(refund.get("charge")),
        amount_minor=money.from_stripe(refund["amount"], refund["currency"]),
        currency=refund["currency"],
        moved=failed or status in {"pending", "succeeded"},
        failed=failed,
        created_at=clock.from_unix(refund["created"]),
        told_at=told_at,
        request_id=(refund.get("metadata") or {}).get("refund_request") or "",
    )


def dispute_of(dispute: Json, told_at: datetime) -> Dispute:
    """Read a dispute with the movements it names."""
    return Dispute(
        dispute_id=dispute["id"],
        payment_intent_id=id_of(dispute.get("payment_intent")),
        charge_id=id_of(dispute.get("charge")),
        amount_minor=money.from_stripe(dispute["amount"], dispute["currency"]),
        currency=dispute["currency"],
        status=dispute["status"],
        movements=tuple(movement_of(one) for one in dispute.get("balance_transactions") or ()),
        told_at=told_at,
    )


def warning_of(warning: Json) -> FraudWarning:
    """Read an early fraud warning."""
    return FraudWarning(
        warning_id=warning["id"],
        payment_intent_id=id_of(warning.get("payment_intent")),
        charge_id=id_of(warning.get("charge")),
        created_at=clock.from_unix(warning["created"]),
    )


def movement_of(transaction: Json) -> Movement:
    """Read a balance transaction."""
    currency = transaction["currency"]
    available, source = transaction.get("available_on"), transaction.get("source")
    return Movement(
        movement_id=transaction["id"],
        kind=transaction["type"],
        source_id=id_of(source),
        payment_intent_id=id_of(source.get("payment_intent")) if isinstance(source, Mapping) else None,
        amount_minor=_settled(transaction["amount"], currency),
        fee_minor=_settled(transaction["fee"], currency),
        net_minor=_settled(transaction["net"], currency),
        currency=currency,
        created_at=clock.from_unix(transaction["created"]),
        available_at=clock.from_unix(available) if available else None,
    )


def _settled(amount: int, currency: str) -> int:
    """Return an amount of the account's own books as our minor units: fees need not be round as charges must be."""
    return amount // 100 if currency == "isk" else amount


def payout_of(payout: Json) -> Payout:
    """Read a payout."""
    return Payout(
        payout_id=payout["id"],
        amount_minor=_settled(payout["amount"], payout["currency"]),
        currency=payout["currency"],
        status=payout["status"],
        arrives_at=clock.from_unix(payout["arrival_date"]),
        created_at=clock.from_unix(payout["created"]),
    )


def id_of(value: Any) -> str | None:
    """Return the id of an object that may be expanded, a bare id, or nothing."""
    if isinstance(value, Mapping):
        return str(value["id"])
    return str(value) if value else None
