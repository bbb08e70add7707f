"""The application and the sandbox in one process: gifts go through the real gateway, events through the real inbox.

Webhooks are not sent over the network: the tests take the sandbox's events and deliver them in whatever order, as
often, and from as many threads as they like.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from appeal.books import ledger, proof
from appeal.core import clock
from appeal.extensions import db
from appeal.gifts import checkout, giving, limits
from appeal.models import Appeal, Donation, LedgerEntry, RecurringGift
from appeal.payments import StripeGateway
from appeal.queues import inbox
from stripe_sandbox import Sandbox
from tests import making

ADDRESSES = checkout.Addresses("http://127.0.0.1:8000/donations/{id}/thank-you", "http://127.0.0.1:8000/")


@dataclass
class Shop:
    """One appeal's books and the Stripe they follow."""

    sandbox: Sandbox
    gateway: StripeGateway
    appeal: Appeal
    seen: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    # -- what donors do

    def begin(self, amount_minor: int = 2500, **values: Any) -> Donation:
        """Send the form and open the payment page."""
        donation = making.started(self.appeal, amount_minor=amount_minor, **values)
        limits.release(donation.id)  # nobody here tries cards
        checkout.lead(donation, self.gateway, ADDRESSES)
        return giving.by_public_id(donation.public_id)

    def pay(self, donation: Donation, card: str = "4242424242424242") -> Donation:
        """Pay on the payment page; the events wait to be taken."""
        self.sandbox.pay(self.fresh(donation).checkout_session_id or "", card)
        return donation

    def give(self, amount_minor: int = 2500, card: str = "4242424242424242", **values: Any) -> Donation:
        """Give, and let everything arrive."""
        donation = self.pay(self.begin(amount_minor, **values), card)
        self.deliver()
        return self.fresh(donation)

    def monthly(self, amount_minor: int = 1000, card: str = "4242424242424242", **values: Any) -> Donation:
        """Begin a monthly gift, and let everything arrive."""
        return self.give(amount_minor, card, frequency="monthly", **values)

    def months(self, number: int = 1) -> None:
        """Let months pass, the machine's clock included."""
        for _ in range(number):
            self.sandbox.advance(days=31)

    # -- what Stripe tells

    def events(self) -> list[dict[str, Any]]:
        """Take the events since the last time, oldest first."""
        with self.sandbox.world.lock:
            fresh = self.sandbox.world.events.entries[self.seen :]
        new, self.seen = [json.loads(entry.body) for entry in fresh], self.seen + len(fresh)
        self.history += new
        return new

    def deliver(self, events: Iterable[dict[str, Any]] | None = None, *, work: bool = True) -> None:
        """Deliver events as webhooks are: stored, then applied at once; then let the worker finish."""
        for event in self.events() if events is None else events:
            row_id = inbox.accept(event, json.dumps(event).encode())
            if row_id is not None:
                inbox.apply(row_id, livemode=False)
        if work:
            self.work()

    def work(self) -> None:
        """Let the worker apply what waits, pauses left out."""
        for days in range(2, 20, 2):
            with clock.travel(clock.now() + timedelta(days=days)):
                if not inbox.apply_due(livemode=False):
                    return

    def refund(self, donation: Donation, amount_minor: int | None = None) -> str:
        """Let somebody refund a gift in Stripe's dashboard; return the refund's id."""
        params: dict[str, Any] = {"payment_intent": self.fresh(donation).payment_intent_id}
        if amount_minor is not None:
            params["amount"] = amount_minor
        return str(self.gateway.client.v1.refunds.create(params=params).id)

    def charge_of(self, donation: Donation) -> str:
        """Return the charge behind a gift."""
        intent = self.fresh(donation).payment_intent_id or ""
        return str(self.gateway.client.v1.payment_intents.retrieve(intent).latest_charge)

    # -- what the books say

    def fresh(self, donation: Donation) -> Donation:
        """Read a donation anew."""
        db.session.rollback()
        return db.session.get_one(Donation, donation.id, populate_existing=True)

    def gift(self, donation: Donation) -> RecurringGift:
        """Read the monthly gift that a donation began."""
        db.session.rollback()
        query = select(RecurringGift).where(RecurringGift.begun_by == donation.public_id)
        return db.session.scalars(query.execution_options(populate_existing=True)).one()

    @property
    def raised_minor(self) -> int:
        """The public figure."""
        from appeal.models import AppealTotals

        db.session.rollback()
        query = select(AppealTotals.raised_minor).where(AppealTotals.appeal_id == self.appeal.id)
        return int(db.session.scalars(query).one())

    def entries(self) -> list[tuple[str, str, int, bool]]:
        """Every entry: kind, fact, amount, counted; sorted by fact."""
        return entries()

    def assert_true(self) -> None:
        """Assert that every total is what the ledger adds up to."""
        db.session.rollback()
        assert proof.differences() == []
        assert ledger.sum_minor(self.appeal.id) == self.raised_minor


def entries() -> list[tuple[str, str, int, bool]]:
    """Every entry in the books: kind, fact, amount, counted; sorted by fact."""
    db.session.rollback()
    rows = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.fact))
    return [(row.kind, row.fact, row.amount_minor, row.counted) for row in rows]


def sums() -> dict[tuple[str, bool], int]:
    """What goes in and out, apart from how each fact is split: kind and counted, in minor units."""
    found: dict[tuple[str, bool], int] = {}
    for kind, _fact, minor, counted in entries():
        found[kind, counted] = found.get((kind, counted), 0) + minor
    return found


def shuffled(events: list[dict[str, Any]], seed: int, *, repeat: int = 1) -> list[dict[str, Any]]:
    """Return the events in another order, some of them more often."""
    chance = random.Random(seed)
    mixed = events * repeat
    chance.shuffle(mixed)
    return mixed


def at(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text).astimezone(UTC)
