"""What the use cases may ask of the supplier of payments, and what it may answer, in our words and plain values.

Nothing here knows Stripe. Amounts are in our minor units. What goes wrong is one of four things: refused (it said
no), busy (it had no time), failed (it said it broke), unknown (nobody can say whether it was done). Unknown is a
state, never a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from appeal.core.errors import DomainError

PaymentState = Literal["open", "on_its_way", "paid", "failed", "expired"]
Listed = Literal[
    "sessions", "invoices", "subscriptions", "refunds", "disputes", "warnings", "movements", "payouts"
]


class PaymentsError(DomainError):
    """The payment service could not be used just now."""


class PaymentsRefused(PaymentsError):
    """The payment service refused what we asked."""


class PaymentsFailed(PaymentsError):
    """The payment service said that it failed."""


class PaymentsUnknown(PaymentsError):
    """The payment service did not answer; nobody can say yet whether it acted."""


class PaymentsUnderWay(PaymentsUnknown):
    """The payment service is working on the very same request already."""


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
class Instalment:
    """One paid invoice of a monthly gift; `paid_minor` is the whole charge. `begun_by` names the first donation."""

    invoice_id: str
    subscription_id: str
    begun_by: str
    first: bool
    paid_minor: int
    currency: str
    livemode: bool
    paid_at: datetime
    customer_id: str | None = None
    payment_intent_id: str | None = None


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
    instalment: Instalment | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a monthly gift stands at Stripe; `charge_minor` is what each month charges.

    `asked`: it is the answer to a question, newer than whatever was told before, whosever clock is right.
    """

    subscription_id: str
    begun_by: str
    status: Literal["begun", "active", "past_due", "paused", "ended"]
    charge_minor: int
    currency: str
    customer_id: str | None
    anchor_day: int
    next_due_at: datetime | None
    ends_at_period_end: bool
    ended_at: datetime | None
    told_at: datetime
    asked: bool = False

    @property
    def mark(self) -> str:
        """Return what decides between two tellings of the same second, so that their order does not matter."""
        rank = ("begun", "active", "past_due", "paused", "ended").index(self.status)
        due = "" if self.next_due_at is None else self.next_due_at.isoformat()
        return f"{rank}:{int(self.ends_at_period_end)}:{due}:{self.charge_minor}"


@dataclass(frozen=True, slots=True)
class FailedInstalment:
    """A renewal that could not be charged; `pay_url` is where the donor can put it right.

    `last`: Stripe does not try again by itself.
    """

    invoice_id: str
    subscription_id: str
    begun_by: str
    first: bool
    attempt: int
    last: bool
    pay_url: str
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund. `moved` says that the money left us; `failed` that it came back."""

    refund_id: str
    payment_intent_id: str | None
    charge_id: str | None
    amount_minor: int
    currency: str
    moved: bool
    failed: bool
    created_at: datetime
    told_at: datetime
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of money in the account at Stripe; signed minor units of its own currency. `net` = amount - fee."""

    movement_id: str
    kind: str
    source_id: str | None
    payment_intent_id: str | None
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    created_at: datetime
    available_at: datetime | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A bank's dispute with the movements it has made so far; an inquiry has none. `amount_minor` is what is disputed."""

    dispute_id: str
    payment_intent_id: str | None
    charge_id: str | None
    amount_minor: int
    currency: str
    status: str
    movements: tuple[Movement, ...]
    told_at: datetime


@dataclass(frozen=True, slots=True)
class FraudWarning:
    """A bank's early warning that a payment was not made by the card's owner."""

    warning_id: str
    payment_intent_id: str | None
    charge_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Payout:
    """What the bank account receives, or did not."""

    payout_id: str
    amount_minor: int
    currency: str
    status: str
    arrives_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What a refund by staff needs; `key` is the stored idempotency key, `request_id` comes back with the refund."""

    key: str
    request_id: str
    payment_intent_id: str
    amount_minor: int
    currency: str


class Gateway(Protocol):
    """What the use cases may ask of the supplier of payments. Each call raises PaymentsError when it does not answer."""

    def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Open a hosted payment page, or return the one opened before with the same key."""

    def find_checkout(self, donation_public_id: str, since: datetime) -> CheckoutPage | None:
        """Look for an open session of a donation whose answer was lost."""

    def read_checkout(self, session_id: str) -> Payment:
        """Ask how a session stands."""

    def clock_drift_seconds(self) -> int:
        """Ask Stripe the time; return how many seconds our clock is ahead."""

    def refund(self, request: RefundRequest) -> Refund:
        """Give money back."""

    def read_subscription(self, subscription_id: str) -> Subscription:
        """Ask how a monthly gift stands."""

    def change_amount(
        self, subscription_id: str, charge_minor: int, currency: str, *, key: str
    ) -> Subscription:
        """Charge another amount from the next month on."""

    def pause(self, subscription_id: str) -> Subscription:
        """Charge nothing until resumed."""

    def resume(self, subscription_id: str) -> Subscription:
        """Charge again from the next month on."""

    def cancel(self, subscription_id: str, *, at_once: bool) -> Subscription:
        """End a monthly gift, now or when the month that is paid ends."""

    def keep(self, subscription_id: str) -> Subscription:
        """Take back a cancellation that has not taken effect."""

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Return the address of the page where a donor changes the card."""

    def payment_intent_of(self, invoice_id: str) -> str | None:
        """Ask which payment paid an invoice."""

    def owner_of(self, payment_intent_id: str) -> str:
        """Ask whose payment this is: `donation:<public id>`, `invoice:<id>`, or nothing for a payment not ours."""

    def read_invoice(self, invoice_id: str) -> Instalment | None:
        """Read an invoice; None when it is not paid, is over nothing, or is not ours."""

    def events(self, since: datetime, kinds: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
        """List the events of some types since an instant, newest first, thirty days at most, as they were sent."""

    def listed(self, kind: Listed, since: datetime) -> Iterator[Mapping[str, Any]]:
        """List the objects of a kind made since an instant, newest first, raw."""

    def movements_of(self, payout_id: str) -> Iterator[Movement]:
        """List what a payout paid out."""
