"""A random world of gifts, and the plain model that the books must equal.

The world is the sandbox's own: what was charged, refunded, disputed. The model reads nothing of the application's
books; it adds up what Stripe's side holds, by the rules of docs/money-rules.md, in a few lines of arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stripe_sandbox import Sandbox


@dataclass
class Terms:
    """What was agreed for a gift: by whole charge, the gift and the cover, in minor units."""

    splits: dict[int, tuple[int, int]] = field(default_factory=dict)

    def agree(self, amount_minor: int, cover_minor: int = 0) -> None:
        self.splits[amount_minor + cover_minor] = (amount_minor, cover_minor)


@dataclass(frozen=True)
class Books:
    """What the books must say."""

    raised_minor: int
    uncounted_minor: int
    gift_count: int
    facts: frozenset[str]


@dataclass
class Model:
    """The agreements that were made, by the public id of the donation that began each."""

    terms: dict[str, Terms] = field(default_factory=dict)
    closes_at: dict[str, datetime | None] = field(default_factory=dict)

    def agree(
        self, donation_id: str, amount_minor: int, cover_minor: int, closes_at: datetime | None
    ) -> None:
        self.terms.setdefault(donation_id, Terms()).agree(amount_minor, cover_minor)
        self.closes_at[donation_id] = closes_at

    def books(self, sandbox: Sandbox) -> Books:
        """Add up what Stripe's side holds."""
        raised = uncounted = gifts = 0
        facts: set[str] = set()
        for charge, donation_id, fact, counted in self._charges(sandbox):
            gift, cover = self.terms[donation_id].splits[charge["amount"]]
            back, more = _gone_back(sandbox, charge)
            facts |= {fact} | more
            cover_back = min(max(back - gift, 0), cover)
            left = gift - (back - cover_back)
            if counted:
                raised, gifts = raised + left, gifts + (left > 0)
            else:
                uncounted += left
            uncounted += cover - cover_back
        return Books(raised, uncounted, gifts, frozenset(facts))

    def _charges(self, sandbox: Sandbox) -> Iterator[tuple[dict[str, Any], str, str, bool]]:
        """Yield each charge of a gift that succeeded: charge, who began it, its fact, whether it counts."""
        invoices = {
            payment["payment"]["payment_intent"]: sandbox.world["invoice"].items[payment["invoice"]]
            for payment in sandbox.world["invoice_payment"].items.values()
        }
        for charge in sandbox.world["charge"].items.values():
            if charge["status"] != "succeeded":
                continue
            invoice = invoices.get(charge["payment_intent"])
            if invoice is None:
                yield charge, charge["metadata"]["donation_id"], f"pi:{charge['payment_intent']}", True
                continue
            began = invoice["parent"]["subscription_details"]["metadata"]["donation_id"]
            closes = self.closes_at[began]
            paid = invoice["status_transitions"]["paid_at"]
            first = invoice["billing_reason"] == "subscription_create"
            yield charge, began, f"in:{invoice['id']}", first or closes is None or paid < closes.timestamp()


def _gone_back(sandbox: Sandbox, charge: dict[str, Any]) -> tuple[int, set[str]]:
    """Return how much of a charge has gone back in all, and the facts that say so."""
    back, facts = 0, set()
    for refund in sandbox.world["refund"].newest_first(charge=charge["id"]):
        facts.add(f"re:{refund['id']}")
        if refund["status"] == "failed":
            facts.add(f"re:{refund['id']}:failed")
        else:
            back += refund["amount"]
    for dispute in sandbox.world["dispute"].newest_first(charge=charge["id"]):
        for movement in dispute["balance_transactions"]:
            facts.add(f"dp:{movement['id']}")
            back -= movement["amount"]
    return back, facts
