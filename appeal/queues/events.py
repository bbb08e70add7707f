"""What each of Stripe's events means to the books: one table, one short function each.

An event only brings news; every function reads it into plain values and calls the use case that anyone else with
the same news would call. A function returns False when the event is about something that is not ours.
Source: Stripe, "Receive events in your webhook endpoint".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from appeal import payments
from appeal.books import adjustments, fees
from appeal.core import clock
from appeal.core.errors import DoesNotFit
from appeal.gifts import giving, monthly

WITHOUT_MONEY = frozenset({"open", "failed", "expired"})
Json = Mapping[str, Any]
Handler = Callable[[Json, datetime, bool], bool]


def apply(event: Json, *, livemode: bool) -> bool:
    """Apply one event to the books, in the caller's transaction; return whether it was ours.

    Raises:
        DoesNotFit: what it tells does not fit what was stored.
        NotYet: what it builds on has not been told.
    """
    if event["livemode"] != livemode:
        raise DoesNotFit(
            f"The event is {'live' if event['livemode'] else 'a test'}, and these books are not."
        )
    handler = HANDLERS[event["type"]]
    return handler(event["data"]["object"], clock.from_unix(event["created"]), livemode)


def _session(session: Json, told_at: datetime, livemode: bool) -> bool:
    return payments.names_a_gift(session) and _settle(payments.payment_of_session(session, told_at), livemode)


def _session_failed(session: Json, told_at: datetime, livemode: bool) -> bool:
    if not payments.names_a_gift(session):
        return False  # another product's payment on the same Stripe account
    payment = payments.payment_of_session(session, told_at)
    return _settle(payments.with_state(payment, "failed"), livemode)


def _intent(intent: Json, told_at: datetime, livemode: bool) -> bool:
    return payments.names_a_gift(intent) and _settle(payments.payment_of_intent(intent, told_at), livemode)


def _settle(payment: payments.Payment, livemode: bool) -> bool:
    if payment.state in WITHOUT_MONEY and not giving.is_known(payment.donation_public_id):
        return False  # of an attempt that was forgotten since
    giving.settle(payment, livemode=livemode)
    return True


def _invoice_paid(invoice: Json, _told_at: datetime, _livemode: bool) -> bool:
    instalment = payments.instalment_of_invoice(invoice)
    if instalment is None:
        return False  # over nothing, or another product's
    monthly.receive(instalment)
    return True


def _invoice_payment(payment: Json, _told_at: datetime, _livemode: bool) -> bool:
    pair = payments.link_of_invoice_payment(payment)
    if pair is None:
        return False
    monthly.link(*pair)
    return True


def _invoice_failed(invoice: Json, told_at: datetime, _livemode: bool) -> bool:
    failed = payments.failed_instalment_of(invoice, told_at)
    return failed is not None and monthly.renewal_failed(failed)


def _subscription(subscription: Json, told_at: datetime, _livemode: bool) -> bool:
    told = payments.subscription_of(subscription, told_at)
    return told is not None and monthly.follow(told) is not None


def _refund(refund: Json, told_at: datetime, _livemode: bool) -> bool:
    return adjustments.apply_refund(payments.refund_of(refund, told_at))


def _dispute(dispute: Json, told_at: datetime, _livemode: bool) -> bool:
    return adjustments.apply_dispute(payments.dispute_of(dispute, told_at))


def _warning(warning: Json, _told_at: datetime, _livemode: bool) -> bool:
    return adjustments.flag(payments.warning_of(warning))


def _charge(charge: Json, _told_at: datetime, _livemode: bool) -> bool:
    return fees.link_charge(charge["id"], payments.id_of(charge.get("payment_intent")))


def _payout(payout: Json, told_at: datetime, _livemode: bool) -> bool:
    return fees.note_payout(payments.payout_of(payout), told_at)


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session,
    "payment_intent.succeeded": _intent,
    "charge.updated": _charge,
    "invoice.paid": _invoice_paid,
    "invoice_payment.paid": _invoice_payment,
    "invoice.payment_failed": _invoice_failed,
    "invoice.payment_action_required": _invoice_failed,
    "customer.subscription.created": _subscription,
    "customer.subscription.updated": _subscription,
    "customer.subscription.deleted": _subscription,
    "customer.subscription.paused": _subscription,
    "customer.subscription.resumed": _subscription,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "charge.dispute.closed": _dispute,
    "radar.early_fraud_warning.created": _warning,
    "payout.paid": _payout,
    "payout.failed": _payout,
}
