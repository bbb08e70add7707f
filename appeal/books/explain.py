"""The public figure explained: what it was at an instant, and the ledger entries that made it. Reads only.

What counts is when an entry was recorded, because that is when the figure moved; when the money itself moved is told
beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from appeal.extensions import db
from appeal.models import Appeal, Donation, LedgerEntry


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an appeal's figure came about at an instant; amounts in minor units. `entries` oldest first."""

    slug: str
    currency: str
    at: datetime
    raised_minor: int
    uncounted_minor: int
    by_source: dict[str, int] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    entry_count: int = 0


def at(appeal: Appeal, instant: datetime) -> Explanation:
    """Add up an appeal's entries recorded up to and including an instant."""
    entry = LedgerEntry
    sums = (
        select(entry.counted, entry.source, entry.kind, func.sum(entry.amount_minor), func.count())
        .where(entry.appeal_id == appeal.id, entry.recorded_at <= instant)
        .group_by(entry.counted, entry.source, entry.kind)
        .order_by(entry.source, entry.kind)
    )
    by_source: dict[str, int] = {}
    by_kind: dict[str, int] = {}
    uncounted_minor = count = 0
    for counted, source, kind, minor, entries in db.session.execute(sums):
        count += entries
        if not counted:
            uncounted_minor += int(minor)
            continue
        by_source[source] = by_source.get(source, 0) + int(minor)
        by_kind[kind] = by_kind.get(kind, 0) + int(minor)
    return Explanation(
        slug=appeal.slug,
        currency=appeal.currency,
        at=instant,
        raised_minor=sum(by_kind.values()),
        uncounted_minor=uncounted_minor,
        by_source=by_source,
        by_kind=by_kind,
        entry_count=count,
    )


def entries(appeal: Appeal, instant: datetime) -> Iterator[tuple[LedgerEntry, str]]:
    """Yield an appeal's entries recorded up to and including an instant, oldest first, each with its gift's public id."""
    query = (
        select(LedgerEntry, Donation.public_id)
        .join(Donation, Donation.id == LedgerEntry.donation_id)
        .where(LedgerEntry.appeal_id == appeal.id, LedgerEntry.recorded_at <= instant)
        .order_by(LedgerEntry.id)
        .execution_options(yield_per=500)
    )
    for row in db.session.execute(query):
        yield row[0], row[1]
