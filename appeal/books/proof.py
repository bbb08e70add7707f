"""The proof of the books: every running total recomputed from the ledger and compared.

Reads only. `flask ledger verify` prints what comes back and exits non-zero unless it is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Subquery, case, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from appeal.extensions import db
from appeal.gifts import running
from appeal.models import (
    AppealDonor,
    AppealTotals,
    AttributionTotal,
    Base,
    DailyTotal,
    Donation,
    LedgerEntry,
    Promise,
    RecurringGift,
)

RETURNS = ("refund", "dispute", "refund_reversed", "dispute_reinstated")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a kept total is not what the ledger adds up to; amounts in minor units."""

    where: str
    what: str
    kept: int
    proven: int

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain values."""
        return asdict(self)


def differences() -> list[Difference]:
    """Recompute every total from the ledger; return what differs, nothing when the books are true."""
    return [*_donations(), *_appeals(), *_donors(), *_days(), *_attributions(), *_running(), *_promised()]


def _signed(entry: type[LedgerEntry] = LedgerEntry) -> tuple[ColumnElement[int], ColumnElement[int]]:
    returned = case((entry.kind.in_(RETURNS), -entry.amount_minor), else_=0)
    received = case((entry.kind.in_(RETURNS), 0), else_=entry.amount_minor)
    return func.coalesce(func.sum(received), 0), func.coalesce(func.sum(returned), 0)


def _per_donation() -> Subquery:
    """Sum the counted entries by donation: received, returned and whether the gift stands."""
    received, returned = _signed()
    stands = case((func.sum(LedgerEntry.amount_minor) > 0, 1), else_=0)
    query = select(
        LedgerEntry.donation_id,
        received.label("received_minor"),
        returned.label("returned_minor"),
        stands.label("stands"),
    )
    return query.where(LedgerEntry.counted.is_(True)).group_by(LedgerEntry.donation_id).subquery()


def _donations() -> Iterator[Difference]:
    proven = _per_donation()
    received = func.coalesce(proven.c.received_minor, 0)
    returned = func.coalesce(proven.c.returned_minor, 0)
    query = (
        select(Donation.public_id, Donation.received_minor, received, Donation.returned_minor, returned)
        .join(proven, proven.c.donation_id == Donation.id, isouter=True)
        .where(or_(Donation.received_minor != received, Donation.returned_minor != returned))
    )
    for public_id, kept_in, proven_in, kept_out, proven_out in db.session.execute(query):
        where = f"donation {public_id}"
        yield from _compare(
            where, {"received_minor": (kept_in, proven_in), "returned_minor": (kept_out, proven_out)}
        )


def _appeals() -> Iterator[Difference]:
    proven = {row.appeal_id: row for row in db.session.execute(_appeal_sums())}
    standing = {row.appeal_id: row for row in db.session.execute(_appeal_standing())}
    for kept in db.session.scalars(select(AppealTotals).execution_options(populate_existing=True)):
        sums, stands = proven.get(kept.appeal_id), standing.get(kept.appeal_id)
        pairs = {
            name: (getattr(kept, name), int(getattr(sums, name, 0) or 0))
            for name in (
                "raised_minor",
                "online_minor",
                "post_minor",
                "bank_minor",
                "uncounted_minor",
                "entry_count",
            )
        }
        pairs["gift_count"] = (kept.gift_count, int(stands.gifts or 0) if stands else 0)
        pairs["donor_count"] = (kept.donor_count, int(stands.donors or 0) if stands else 0)
        yield from _compare(f"appeal {kept.appeal_id}", pairs)


def _appeal_sums() -> Any:
    entry = LedgerEntry

    def of(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, entry.amount_minor), else_=0))

    by_source = [
        of(entry.counted.is_(True) & (entry.source == name)).label(f"{name}_minor")
        for name in ("online", "post", "bank")
    ]
    return select(
        entry.appeal_id,
        of(entry.counted.is_(True)).label("raised_minor"),
        of(entry.counted.is_(False)).label("uncounted_minor"),
        func.count().label("entry_count"),
        *by_source,
    ).group_by(entry.appeal_id)


def _appeal_standing() -> Any:
    proven = _per_donation()
    donor = case((proven.c.stands == 1, Donation.donor_id), else_=literal(None))
    return (
        select(
            Donation.appeal_id,
            func.sum(proven.c.stands).label("gifts"),
            func.count(donor.distinct()).label("donors"),
        )
        .join(proven, proven.c.donation_id == Donation.id)
        .group_by(Donation.appeal_id)
    )


def _donors() -> Iterator[Difference]:
    proven = _per_donation()
    query = (
        select(
            Donation.appeal_id,
            Donation.donor_id,
            func.sum(proven.c.stands).label("gift_count"),
            func.sum(proven.c.received_minor - proven.c.returned_minor).label("given_minor"),
        )
        .join(proven, proven.c.donation_id == Donation.id)
        .group_by(Donation.appeal_id, Donation.donor_id)
    )
    yield from _compare_rows(
        "donor", AppealDonor, ("appeal_id", "donor_id"), ("gift_count", "given_minor"), query
    )


def _days() -> Iterator[Difference]:
    received, returned = _signed()
    keys = ("appeal_id", "day", "source", "placement", "frequency")
    columns = [getattr(LedgerEntry, key) for key in keys]
    query = (
        select(*columns, received.label("received_minor"), returned.label("returned_minor"))
        .where(LedgerEntry.counted.is_(True))
        .group_by(*columns)
    )
    yield from _compare_rows("day", DailyTotal, keys, ("received_minor", "returned_minor"), query)


def _attributions() -> Iterator[Difference]:
    for dimension in ("page", "src"):
        column = getattr(Donation, dimension)
        received, returned = _signed()
        query = (
            select(
                LedgerEntry.appeal_id,
                literal(dimension).label("dimension"),
                column.label("value"),
                LedgerEntry.frequency,
                received.label("received_minor"),
                returned.label("returned_minor"),
            )
            .join(Donation, Donation.id == LedgerEntry.donation_id)
            .where(LedgerEntry.counted.is_(True), column != "")
            .group_by(LedgerEntry.appeal_id, column, LedgerEntry.frequency)
        )
        keys = ("appeal_id", "dimension", "value", "frequency")
        only = AttributionTotal.dimension == dimension
        yield from _compare_rows(
            dimension, AttributionTotal, keys, ("received_minor", "returned_minor"), query, only=only
        )


def _running() -> Iterator[Difference]:
    """Compare what each day of the month is kept to bring with the monthly gifts that run."""
    proven: dict[tuple[int, str], int] = {}
    for gift in db.session.scalars(select(RecurringGift).execution_options(populate_existing=True)):
        key = (gift.appeal_id, str(gift.anchor_day))
        proven[key] = proven.get(key, 0) + running.bucket(gift)
    kept = {
        (appeal_id, day): minor
        for appeal_id, days in db.session.execute(
            select(AppealTotals.appeal_id, AppealTotals.running_monthly)
        )
        for day, minor in days.items()
    }
    for appeal_id, day in sorted(kept.keys() | proven.keys()):
        pair = (kept.get((appeal_id, day), 0), proven.get((appeal_id, day), 0))
        yield from _compare(f"appeal {appeal_id} day {day}", {"running_monthly": pair})


def _promised() -> Iterator[Difference]:
    """Compare what is kept as promised with the promises that are open."""
    own = (Promise.appeal_id == AppealTotals.appeal_id, Promise.state == "open")
    proven = select(func.coalesce(func.sum(Promise.amount_minor), 0)).where(*own).scalar_subquery()
    query = select(AppealTotals.appeal_id, AppealTotals.promised_minor, proven)
    for appeal_id, kept, summed in db.session.execute(query):
        yield from _compare(f"appeal {appeal_id}", {"promised_minor": (kept, summed)})


def _compare_rows(
    name: str,
    table: type[Base],
    keys: tuple[str, ...],
    sums: tuple[str, ...],
    query: Any,
    *,
    only: ColumnElement[bool] | None = None,
) -> Iterator[Difference]:
    """Compare a table of totals with the query that recomputes it, row by row, missing rows included."""
    columns = table.__table__.c
    kept_query = select(*(columns[key] for key in (*keys, *sums)))
    if only is not None:
        kept_query = kept_query.where(only)
    kept = {tuple(row[: len(keys)]): row for row in db.session.execute(kept_query)}
    proven = {tuple(getattr(row, key) for key in keys): row for row in db.session.execute(query)}
    for key in sorted(kept.keys() | proven.keys(), key=str):
        pairs = {
            one: (int(getattr(kept.get(key), one, 0) or 0), int(getattr(proven.get(key), one, 0) or 0))
            for one in sums
        }
        yield from _compare(f"{name} {' '.join(str(part) for part in key)}", pairs)


def _compare(where: str, pairs: dict[str, tuple[int, int]]) -> Iterator[Difference]:
    for what, (kept, proven) in pairs.items():
        if int(kept) != int(proven):
            yield Difference(where, what, int(kept), int(proven))
