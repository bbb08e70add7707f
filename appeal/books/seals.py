"""Daily seals: a digest over each finished day's ledger entries, chained to the day before.

A changed, added or missing entry of a sealed day no longer fits its seal, and none of the later seals fits its chain.
Days are UTC days of when entries were recorded, which never changes afterwards, whatever is told late. Whoever keeps
the newest digest elsewhere (`ledger verify` prints it) can prove that nobody rewrote the whole chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import DailySeal, LedgerEntry

# No transaction is open that long: what was recorded before midnight is committed by then.
SETTLE = timedelta(hours=1)
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a day's entries come to."""

    entry_count: int
    sum_minor: int
    last_entry_id: int
    digest: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A day whose seal does not fit."""

    day: date
    problem: str


def seal_finished() -> list[date]:
    """Seal every finished day that has entries and no seal yet; return which. Safe to repeat and to race."""
    sealed = []
    while (day := _next_day()) is not None:
        with writing() as session:
            newest = newest_seal()
            if newest is not None and newest.day >= day:
                continue  # somebody else was quicker
            previous = newest.digest if newest else BEGINNING
            found = of_day(day, previous)
            values = {
                "day": day,
                "entry_count": found.entry_count,
                "sum_minor": found.sum_minor,
                "last_entry_id": found.last_entry_id,
                "previous": previous,
                "digest": found.digest,
                "sealed_at": clock.now(),
            }
            ledger.insert_once(session, DailySeal, values, key="day", returning="day")
        sealed.append(day)
    return sealed


def _next_day() -> date | None:
    """Return the earliest finished day after the newest seal on which something was recorded."""
    newest = newest_seal()
    finished = datetime.combine((clock.now() - SETTLE).date(), time.min, tzinfo=UTC)
    query = select(func.min(LedgerEntry.recorded_at)).where(LedgerEntry.recorded_at < finished)
    if newest is not None:
        query = query.where(LedgerEntry.recorded_at >= _bounds(newest.day)[1])
    found = db.session.scalar(query)
    db.session.rollback()
    return found.date() if found else None


def newest_seal() -> DailySeal | None:
    """Return the newest seal."""
    return db.session.scalars(select(DailySeal).order_by(DailySeal.day.desc()).limit(1)).first()


def latest(most: int = 14) -> list[DailySeal]:
    """List the latest seals, newest first."""
    return list(db.session.scalars(select(DailySeal).order_by(DailySeal.day.desc()).limit(most)))


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time.min, tzinfo=UTC)
    return start, start + timedelta(days=1)


def of_day(day: date, previous: str) -> Sealed:
    """Digest a day's entries in the order of their ids, after the digest of the day before."""
    start, end = _bounds(day)
    columns = LedgerEntry.__table__.c
    query = (
        select(*columns)
        .where(LedgerEntry.recorded_at >= start, LedgerEntry.recorded_at < end)
        .order_by(LedgerEntry.id)
        .execution_options(yield_per=1000)
    )
    digest = hashlib.sha256(f"{day.isoformat()} {previous}\n".encode())
    count = total = last = 0
    for row in db.session.execute(query):
        digest.update("\x1f".join(_written(value) for value in row).encode() + b"\n")
        count, total, last = count + 1, total + row.amount_minor, row.id
    return Sealed(count, total, last, digest.hexdigest())


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def broken() -> Iterator[Broken]:
    """Recompute every seal; yield each that does not fit its day or its chain."""
    previous, before = BEGINNING, date.min
    for seal in db.session.scalars(select(DailySeal).order_by(DailySeal.day)).all():
        if seal.previous != previous:
            yield Broken(seal.day, "does not follow the seal before it")
        found = of_day(seal.day, seal.previous)
        if (found.entry_count, found.digest) != (seal.entry_count, seal.digest):
            yield Broken(seal.day, _torn(seal, found))
        yield from _between(before, seal.day)
        previous, before = seal.digest, seal.day


def _torn(seal: DailySeal, found: Sealed) -> str:
    """Say how a day's entries differ from what was sealed."""
    was = f"was sealed over {seal.entry_count} entries adding up to {seal.sum_minor}; "
    if (seal.entry_count, seal.sum_minor) == (found.entry_count, found.sum_minor):
        return was + "there are as many with the same sum, but one was changed in another way, or exchanged"
    return was + f"there are {found.entry_count} adding up to {found.sum_minor}"


def _between(before: date, day: date) -> Iterator[Broken]:
    """Find entries recorded on days that were passed over as empty."""
    query = select(LedgerEntry.recorded_at).where(LedgerEntry.recorded_at < _bounds(day)[0]).limit(1)
    if before != date.min:
        query = query.where(LedgerEntry.recorded_at >= _bounds(before)[1])
    stray = db.session.scalar(query)
    if stray is not None:
        yield Broken(stray.date(), "has entries, though the day was passed over as empty")
