"""What each of Stripe's events means to the books: one table, one short function each.

An event only brings news; every function reads it into plain values and calls the use case that anyone else with
the same news would call. A function returns False when the event is about something that is not ours.
Source: STRIPE.md, "Webhooks".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from appeal import clock, giving, payments

Handler = Callable[[Mapping[str, Any], datetime, bool], bool]


def apply(event: Mapping[str, Any], *, livemode: bool) -> bool:
    """Apply one event to the books, in the caller's transaction; return whether it was ours.

    Raises:
        DoesNotFit: what it tells does not fit what was stored.
    """
    handler = HANDLERS[event["type"]]
    return handler(event["data"]["object"], clock.from_unix(event["created"]), livemode)


def _session(session: Mapping[str, Any], told_at: datetime, livemode: bool) -> bool:
    if session.get("mode") != "payment":
        return False
    return _settle(payments.payment_of_session(session, told_at), livemode)


def _session_failed(session: Mapping[str, Any], told_at: datetime, livemode: bool) -> bool:
    payment = payments.payment_of_session(session, told_at)
    return _settle(payments.with_state(payment, "failed"), livemode)


def _intent(intent: Mapping[str, Any], told_at: datetime, livemode: bool) -> bool:
    return _settle(payments.payment_of_intent(intent, told_at), livemode)


def _settle(payment: payments.Payment, livemode: bool) -> bool:
    if not payment.donation_public_id:
        return False  # another product's payment on the same Stripe account
    giving.settle(payment, livemode=livemode)
    return True


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session,
    "payment_intent.succeeded": _intent,
}
