"""How a gift stands in the books: what came of it, what has gone back, and whether it is part of *raised*.

A donation's own running totals hold what is part of *raised* alone. What a donor, a receipt or staff are told of is the
whole: the fee cover, and an instalment that came after closing. Reads only. Source: docs/money-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select

from appeal.books import ledger
from appeal.extensions import db
from appeal.models import Donation, LedgerEntry

BACK = ("refund", "dispute", "refund_reversed", "dispute_reinstated")


@dataclass(frozen=True, slots=True)
class Standing:
    """A gift in the books: what came, what has gone back of it in all, and which parts are part of *raised*."""

    gift_minor: int
    cover_minor: int
    back_minor: int
    gift_counts: bool
    cover_counts: bool

    @property
    def received_minor(self) -> int:
        """Return what came, gift and cover together."""
        return self.gift_minor + self.cover_minor

    @property
    def left_minor(self) -> int:
        """Return what has not gone back, of gift and cover together."""
        return max(0, self.received_minor - self.back_minor)

    @property
    def gone_back(self) -> bool:
        """Return whether nothing of the gift itself is left."""
        return self.back_minor >= self.gift_minor

    def cover_back(self, back_minor: int) -> int:
        """Return how much of a sum that went back falls on the fee cover."""
        return min(max(back_minor - self.gift_minor, 0), self.cover_minor)

    def counted_of(self, amount_minor: int) -> int:
        """Return by how much *raised* falls when a further sum goes back."""
        cover_minor = self.cover_back(self.back_minor + amount_minor) - self.cover_back(self.back_minor)
        gift_minor = amount_minor - cover_minor
        return (gift_minor if self.gift_counts else 0) + (cover_minor if self.cover_counts else 0)


def standing(entries: Iterable[LedgerEntry]) -> Standing | None:
    """Work out how a gift stands from its entries; None when it has not been entered."""
    gift = cover = back = 0
    gift_counts, cover_counts, entered = True, False, False
    for entry in entries:
        if entry.kind in BACK:
            back -= entry.amount_minor
        elif entry.kind == "cover":
            cover, cover_counts = cover + entry.amount_minor, entry.counted
        else:
            gift += entry.amount_minor
            if entry.kind == "gift":
                gift_counts, entered = entry.counted, True
    return Standing(gift, cover, back, gift_counts, cover_counts) if entered else None


def of(donation: Donation) -> Standing | None:
    """Say how a gift stands; None when it has not been entered."""
    return standing(ledger.entries_of(donation))


def of_all(donations: Iterable[Donation]) -> dict[int, Standing]:
    """Say how several gifts stand, by the donation's id; those that have not been entered are left out."""
    query = select(LedgerEntry).where(LedgerEntry.donation_id.in_([one.id for one in donations]))
    entries = db.session.scalars(query.order_by(LedgerEntry.donation_id, LedgerEntry.id))
    found = ((key, standing(rows)) for key, rows in groupby(entries, lambda entry: entry.donation_id))
    return {key: stands for key, stands in found if stands is not None}
