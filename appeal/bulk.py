"""Many received gifts at once, for sample data: batches of rows, whose totals the database moves as always.

The ledger's own road takes each gift by itself, which is right for gifts that come one by one and takes hours for a
million. Here everything is one transaction, so nobody sees books that are half true; `appeal.books.proof` finds no
difference afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import InstrumentedAttribute

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Donor, LedgerEntry

BATCH = 2_000

Values = dict[str, Any]


class BooksNotEmpty(DomainError):
    """Gifts are entered in bulk only where there are none yet."""


class Gift(NamedTuple):
    """One received gift: `donor` is a new donor's columns, or None for the donor of the gift `same_as` numbers before."""

    fact: str
    donor: Values | None
    same_as: int
    donation: Values


def enter(appeal_id: int, time_zone: str, gifts: Iterable[Gift]) -> int:
    """Enter gifts to an appeal that has none; return how many. Each counts in full, none has gone back.

    Raises:
        BooksNotEmpty: the appeal has gifts already.
    """
    with writing() as session:
        if session.scalar(select(Donation.id).where(Donation.appeal_id == appeal_id).limit(1)):
            raise BooksNotEmpty
        numbers = _Numbers(_last(Donor.id))
        first = _last(Donation.id)
        recorded_at, count = clock.now(), 0
        supply = iter(gifts)
        while batch := list(islice(supply, BATCH)):
            _insert(batch, numbers, first + count, time_zone, recorded_at)
            count += len(batch)
        _go_on_counting()
        return count


def _last(number: InstrumentedAttribute[int]) -> int:
    return int(db.session.scalar(select(func.coalesce(func.max(number), 0))) or 0)


class _Numbers:
    """Which donor belongs to which gift, by the gift's place; only the last few are asked for."""

    def __init__(self, last_donor_id: int) -> None:
        self.last = last_donor_id
        self._of: list[int] = []

    def donor_of(self, gift: Gift) -> int:
        if gift.donor is not None:
            self.last += 1
            self._of.append(self.last)
        else:
            self._of.append(self._of[-gift.same_as])
        del self._of[:-64]
        return self._of[-1]


def _insert(batch: list[Gift], numbers: _Numbers, before: int, zone: str, recorded_at: datetime) -> None:
    donors, donations, entries = [], [], []
    for place, gift in enumerate(batch, before + 1):
        donor_id = numbers.donor_of(gift)
        if gift.donor is not None:
            donors.append(gift.donor | {"id": donor_id})
        donation = gift.donation | {"id": place, "donor_id": donor_id}
        donations.append(donation)
        entries.append(_entry(gift.fact, donation, zone, recorded_at))
    connection = db.session.connection()
    for table, rows in ((Donor, donors), (Donation, donations)):
        if rows:
            connection.execute(insert(_table(table)), rows)
    # What gives something back is sent as many rows a statement, so that PostgreSQL moves the totals once for them all.
    connection.execute(insert(_table(LedgerEntry)).returning(LedgerEntry.id), entries)


def _entry(fact: str, donation: Values, zone: str, recorded_at: datetime) -> Values:
    same = ("appeal_id", "amount_minor", "currency", "source", "frequency", "placement")
    return {name: donation[name] for name in same} | {
        "donation_id": donation["id"],
        "kind": "gift",
        "fact": fact,
        "counted": True,
        "occurred_at": donation["received_at"],
        "day": clock.day_of(donation["received_at"], zone),
        "recorded_at": recorded_at,
    }


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def _go_on_counting() -> None:
    """Let PostgreSQL's own numbers go on after ours; SQLite's do by themselves."""
    if db.session.get_bind().dialect.name != "postgresql":
        return
    for table in ("donors", "donations"):
        last = f"(SELECT coalesce(max(id), 1) FROM {table})"  # noqa: S608 - our own two names
        db.session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})"))
