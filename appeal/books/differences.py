"""Stripe's objects against the ledger: which money facts they tell of, and which of those the books do not have.

Each object claims facts. A fact the ledger has with the same amount is in order; anything else is a difference with a
cause. Reads only; `appeal.books.reconcile` applies what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from appeal import payments
from appeal.core import money
from appeal.core.currencies import CURRENCIES
from appeal.extensions import db
from appeal.models import InboxEvent, LedgerEntry, RecurringGift

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """What one object of Stripe's says the books must hold: a fact and its signed amount, of gift and cover together."""

    fact: str
    amount_minor: int
    currency: str
    stripe_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where Stripe and the books differ. `applied`: it was put right by this run."""

    kind: str
    stripe_id: str
    what: str
    amount_minor: int
    currency: str
    cause: str
    applied: bool = False

    def sentence(self) -> str:
        """Say it in one line."""
        sums = f", {self._sum()}" if self.amount_minor else ""
        mended = " Put right." if self.applied else ""
        return f"{self.kind}: {self.what} {self.stripe_id}{sums}: {self.cause.removesuffix('.')}.{mended}"

    def _sum(self) -> str:
        if self.currency not in CURRENCIES:  # another product's, on the same account
            return f"{self.amount_minor} in the smallest unit of {self.currency.upper()}"
        return money.format_money(self.amount_minor, self.currency)


def claims_of(kind: str, item: Json) -> Iterator[Claim]:
    """Yield the money facts that an object tells of; none when it is not ours or no money moved."""
    yield from _READERS[kind](item) if kind in _READERS else ()


def _session(item: Json) -> Iterator[Claim]:
    if not payments.names_a_gift(item):
        return
    told = payments.payment_of_session(item, _EPOCH)
    if told.state == "paid" and told.payment_intent_id:
        yield Claim(f"pi:{told.payment_intent_id}", told.charged_minor, told.currency, item["id"], "payment")


def _invoice(item: Json) -> Iterator[Claim]:
    told = payments.instalment_of_invoice(item)
    if told:
        yield Claim(f"in:{told.invoice_id}", told.paid_minor, told.currency, told.invoice_id, "instalment")


def _refund(item: Json) -> Iterator[Claim]:
    told = payments.refund_of(item, _EPOCH)
    if told.moved:
        fact = f"re:{told.refund_id}"
        yield Claim(fact, -told.amount_minor, told.currency, told.refund_id, "refund")
        if told.failed:
            yield Claim(f"{fact}:failed", told.amount_minor, told.currency, told.refund_id, "failed refund")


def _dispute(item: Json) -> Iterator[Claim]:
    told = payments.dispute_of(item, _EPOCH)
    for movement in told.movements:
        sign = (movement.amount_minor > 0) - (movement.amount_minor < 0)
        minor = movement.amount_minor if movement.currency == told.currency else sign * told.amount_minor
        if minor:
            yield Claim(f"dp:{movement.movement_id}", minor, told.currency, told.dispute_id, "dispute")


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_READERS: dict[str, Callable[[Json], Iterator[Claim]]] = {
    "sessions": _session,
    "invoices": _invoice,
    "refunds": _refund,
    "disputes": _dispute,
}


def in_books(claims: Iterable[Claim]) -> dict[str, int]:
    """Return what the ledger holds for each fact, gift and cover together, in minor units."""
    facts = [claim.fact for claim in claims]
    wanted = {f"{fact}{part}": fact for fact in facts for part in ("", ":cover")}
    query = select(LedgerEntry.fact, LedgerEntry.amount_minor).where(LedgerEntry.fact.in_(wanted))
    held: dict[str, int] = {}
    for fact, minor in db.session.execute(query):
        held[wanted[fact]] = held.get(wanted[fact], 0) + minor
    return held


def compare(claim: Claim, held_minor: int | None) -> Difference | None:
    """Hold a claim against what the ledger has; None when they agree."""
    if held_minor == claim.amount_minor:
        return None
    if held_minor is None:
        kind, cause = "missing", cause_of(claim.stripe_id)
    else:
        kind, cause = "amount", f"the books hold {held_minor}"
    return Difference(kind, claim.stripe_id, claim.what, claim.amount_minor, claim.currency, cause)


def cause_of(stripe_id: str) -> str:
    """Say why something Stripe tells of is not in the books, from what the inbox knows of it."""
    text = f'"id":"{stripe_id}"'
    spaced = f'"id": "{stripe_id}"'
    recent = (
        select(InboxEvent).where(InboxEvent.state.in_(("waiting", "parked"))).order_by(InboxEvent.id.desc())
    )
    for event in db.session.scalars(recent.limit(1000)):
        body = event.body.decode("utf-8", "replace")
        if text in body or spaced in body:
            return f"its event {event.event_id} is {event.state}" + (
                f": {event.problem}" if event.problem else ""
            )
    return "no event about it ever came"


def unknown_to_stripe(told: set[str], since: datetime, until: datetime) -> Iterator[Difference]:
    """Find entries of online gifts since an instant that nothing Stripe listed tells of."""
    query = select(LedgerEntry).where(
        LedgerEntry.source == "online",
        LedgerEntry.occurred_at >= since,
        LedgerEntry.occurred_at < until,
        LedgerEntry.kind != "correction",
    )
    for entry in db.session.scalars(query.execution_options(yield_per=500)):
        fact = entry.fact.removesuffix(":cover")
        if fact.partition(":")[0] in {"pi", "in", "re", "dp"} and fact not in told:
            yield Difference(
                "unknown",
                fact.partition(":")[2],
                f"{entry.kind} of gift {entry.donation_id}",
                entry.amount_minor,
                entry.currency,
                "Stripe lists nothing of the kind",
            )


def standing_differs(told: payments.Subscription) -> str:
    """Say how a monthly gift in the books differs from its subscription; an empty text when it does not."""
    query = select(RecurringGift).where(RecurringGift.subscription_id == told.subscription_id)
    gift = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if gift is None:
        return "the books do not know this monthly gift"
    pairs = {
        "status": (gift.status, told.status),
        "charge_minor": (gift.charge_minor, told.charge_minor),
        "ends_at_period_end": (
            gift.ends_at_period_end and gift.status != "ended",
            told.ends_at_period_end and told.status != "ended",
        ),
    }
    return "; ".join(
        f"{name} is {kept} here, {there} at Stripe" for name, (kept, there) in pairs.items() if kept != there
    )
