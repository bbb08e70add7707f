"""The books: the sole writer of ledger entries and of the running totals that follow them.

`record` takes one money fact of one donation. The fact's own id is unique, so the same fact told twice (by two
events, or by an event and a landing page racing each other) makes one entry. Entry and totals change in the
caller's one transaction; `appeal.books.proof` recomputes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import BigInteger, Integer, Table, bindparam, case, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import scoped_session

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import AppealDonor, AppealTotals, AttributionTotal, Base, DailyTotal, Donation, LedgerEntry
from appeal.models.base import Instant
from appeal.outgoing import events as outgoing

DbSession = Session | scoped_session[Session]


@dataclass(frozen=True, slots=True)
class Fact:
    """One money fact about a donation.

    `fact` is the fact's own id (`pi:pi_123`, `re:re_456`), `amount_minor` signed, `counted` says whether it is part
    of *raised*. `reason` and `actor` are required for a correction, which names the entry it corrects.
    """

    kind: str
    fact: str
    amount_minor: int
    occurred_at: datetime
    counted: bool = True
    corrects_id: int | None = None
    reason: str = ""
    actor: str = ""


def lock(donation_id: int) -> Donation:
    """Load a donation for change: on PostgreSQL its row is locked, so that two who settle it take turns."""
    query = select(Donation).where(Donation.id == donation_id).with_for_update(of=Donation)
    return db.session.execute(query.execution_options(populate_existing=True)).scalar_one()


def lock_by_public_id(public_id: str) -> Donation | None:
    """`lock` a donation by the name the outside knows; None when there is none."""
    query = select(Donation).where(Donation.public_id == public_id).with_for_update(of=Donation)
    return db.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def record(donation: Donation, fact: Fact) -> bool:
    """Write one money fact and move every running total with it, in the caller's transaction.

    The donation must come from `lock`. Returns False, and changes nothing, when the fact is known already.
    """
    with writing() as session:
        day = clock.day_of(fact.occurred_at, donation.appeal.time_zone)
        recorded_at = clock.now()
        entered, listened_to = _insert_entry(session, donation, fact, day, recorded_at)
        if not entered:
            return False
        if listened_to:
            outgoing.tell_of_entry(session, donation, fact.kind, fact.fact)
        if fact.counted:
            _move_totals(session, donation, fact, day, recorded_at)
        else:
            _move_uncounted(session, donation, fact)
        return True


def insert_once(
    session: DbSession, table: type[Base], values: dict[str, Any], *, key: str, returning: str = "id"
) -> Any | None:
    """Insert a row unless its unique `key` column is taken; return its new id (or another column), or None."""
    return session.execute(
        _once(_dialect(session), table.__table__, key, returning), values
    ).scalar_one_or_none()


# Statements are built once and given their values each time: building one costs more than SQLite takes to run it.


@lru_cache(maxsize=64)
def _once(dialect: Any, table: Table, key: str, returning: str) -> Any:
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=[key])
    return statement.returning(table.c[returning])


@lru_cache(maxsize=64)
def _adding(
    dialect: Any, table: Table, keys: tuple[str, ...], sums: tuple[str, ...], returning: str | None
) -> Any:
    """Build an insert that adds to the row that is there."""
    statement = dialect.insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in sums}
    statement = statement.on_conflict_do_update(index_elements=list(keys), set_=added)
    return statement if returning is None else statement.returning(table.c[returning])


@lru_cache(maxsize=8)
def _totals_moved(source: str) -> Any:
    """Build the change of an appeal's totals by one entry from a source."""
    totals, amount = AppealTotals.__table__.c, bindparam("amount", type_=BigInteger)
    as_of = bindparam("recorded_at", type_=Instant)
    later = case((totals.as_of.is_(None), as_of), (totals.as_of < as_of, as_of), else_=totals.as_of)
    moved = {
        "raised_minor": totals.raised_minor + amount,
        f"{source}_minor": totals[f"{source}_minor"] + amount,
        "gift_count": totals.gift_count + bindparam("gifts", type_=Integer),
        "donor_count": totals.donor_count + bindparam("donors", type_=Integer),
        "entry_count": totals.entry_count + 1,
        "as_of": later,
    }
    change = update(AppealTotals).where(totals.appeal_id == bindparam("of_appeal", type_=BigInteger))
    return change.values(moved).execution_options(synchronize_session=False)


@lru_cache(maxsize=2)
def _entry_once(dialect: Any) -> Any:
    """Build the insert of an entry; asked with it is whether anybody outside listens, which costs no statement more."""
    statement = dialect.insert(LedgerEntry.__table__).on_conflict_do_nothing(index_elements=["fact"])
    return statement.returning(LedgerEntry.__table__.c.id, outgoing.listeners())


def open_totals(session: DbSession, appeal_id: int) -> None:
    """Give a new appeal its row of totals."""
    session.execute(insert(AppealTotals).values(appeal_id=appeal_id))


def _dialect(session: DbSession) -> Any:
    return postgresql if session.get_bind().dialect.name == "postgresql" else sqlite


def _insert_entry(
    session: DbSession, donation: Donation, fact: Fact, day: date, recorded_at: datetime
) -> tuple[bool, bool]:
    """Insert the entry of a fact; say whether it was new, and whether somebody outside listens for it."""
    values = {
        "appeal_id": donation.appeal_id,
        "donation_id": donation.id,
        "kind": fact.kind,
        "fact": fact.fact,
        "amount_minor": fact.amount_minor,
        "currency": donation.currency,
        "counted": fact.counted,
        "source": donation.source,
        "frequency": donation.frequency,
        "placement": donation.placement,
        "occurred_at": fact.occurred_at,
        "day": day,
        "recorded_at": recorded_at,
        "corrects_id": fact.corrects_id,
        "reason": fact.reason,
        "actor": fact.actor,
    }
    # What else of the donation has changed is written once, with its totals.
    with session.no_autoflush:
        row = session.execute(_entry_once(_dialect(session)), values).one_or_none()
    return row is not None, row is not None and bool(row[1])


def _move_totals(
    session: DbSession, donation: Donation, fact: Fact, day: date, recorded_at: datetime
) -> None:
    """Move the donation's totals, then the donor's, the day's and the article's; the appeal's row last, held shortest."""
    stood = donation.standing_minor > 0
    received, returned = split(fact.kind, fact.amount_minor)
    donation.received_minor += received
    donation.returned_minor += returned
    session.flush()
    gifts = int(donation.standing_minor > 0) - int(stood)
    sums = {"received_minor": received, "returned_minor": returned, "gift_count": gifts}
    donors = _move_donor(session, donation, gifts, fact.amount_minor)
    _move_day(session, donation, day, sums)
    _move_attribution(session, donation, sums)
    change = {
        "of_appeal": donation.appeal_id,
        "amount": fact.amount_minor,
        "gifts": gifts,
        "donors": donors,
        "recorded_at": recorded_at,
    }
    session.execute(_totals_moved(donation.source), change)


def split(kind: str, amount_minor: int) -> tuple[int, int]:
    """Say what an entry adds to a donation's received and returned sums, both in minor units.

    What goes back is returned, and what comes back from there is returned less; gifts, covers and corrections
    change what was received.
    """
    if kind in {"refund", "dispute", "refund_reversed", "dispute_reinstated"}:
        return 0, -amount_minor
    return amount_minor, 0


def _move_donor(session: DbSession, donation: Donation, gifts: int, amount_minor: int) -> int:
    """Move a donor's standing in the appeal; return by how much the number of distinct donors changes."""
    values = {
        "appeal_id": donation.appeal_id,
        "donor_id": donation.donor_id,
        "gift_count": gifts,
        "given_minor": amount_minor,
    }
    after = _add(session, AppealDonor, values, ("appeal_id", "donor_id"), returning="gift_count")
    return int(after > 0) - int(after - gifts > 0)


def _move_day(session: DbSession, donation: Donation, day: date, sums: dict[str, int]) -> None:
    keys = {
        "appeal_id": donation.appeal_id,
        "day": day,
        "source": donation.source,
        "placement": donation.placement,
        "frequency": donation.frequency,
    }
    _add(session, DailyTotal, keys | sums, tuple(keys))


def _move_attribution(session: DbSession, donation: Donation, sums: dict[str, int]) -> None:
    same = {"appeal_id": donation.appeal_id, "frequency": donation.frequency} | sums
    rows = [
        same | {"dimension": dimension, "value": value}
        for dimension, value in (("page", donation.page), ("src", donation.src))
        if value
    ]
    if rows:
        keys = ("appeal_id", "dimension", "value", "frequency")
        session.execute(
            _adding(_dialect(session), AttributionTotal.__table__, keys, tuple(sorted(sums)), None), rows
        )


def _add(
    session: DbSession,
    table: type[Base],
    values: dict[str, Any],
    keys: tuple[str, ...],
    returning: str | None = None,
) -> int:
    """Insert a row of sums, or add to the one that is there; return one column as it then stands."""
    sums = tuple(sorted(name for name in values if name not in keys))
    result = session.execute(_adding(_dialect(session), table.__table__, keys, sums, returning), values)
    return int(result.scalar_one()) if returning else 0


def _move_uncounted(session: DbSession, donation: Donation, fact: Fact) -> None:
    totals = AppealTotals.__table__.c
    session.execute(
        update(AppealTotals)
        .where(AppealTotals.appeal_id == donation.appeal_id)
        .values(
            uncounted_minor=totals.uncounted_minor + fact.amount_minor,
            entry_count=totals.entry_count + 1,
        )
        .execution_options(synchronize_session=False)
    )


def take_turns(donations: Iterable[Donation], days: Iterable[date]) -> None:
    """Take the totals of many donations to one appeal for change before any is entered, in the caller's transaction.

    Whoever enters one gift takes its donor's row, its day's, then the appeal's. Whoever enters many does so too: all
    donors, then all days, each in one order; so nobody ever waits for somebody who waits for them.
    """
    donations = list(donations)
    if not donations:
        return
    one, session = donations[0], db.session
    for donor_id in sorted({donation.donor_id for donation in donations}):
        nothing = {"appeal_id": one.appeal_id, "donor_id": donor_id, "gift_count": 0, "given_minor": 0}
        _add(session, AppealDonor, nothing, ("appeal_id", "donor_id"))
    for day in sorted(set(days)):
        _move_day(session, one, day, {"received_minor": 0, "returned_minor": 0, "gift_count": 0})


def entries_of(donation: Donation) -> list[LedgerEntry]:
    """Return a donation's entries, oldest first."""
    query = select(LedgerEntry).where(LedgerEntry.donation_id == donation.id).order_by(LedgerEntry.id)
    return list(db.session.scalars(query))


def sum_minor(appeal_id: int) -> int:
    """Add up an appeal's counted entries anew: what *raised* must be, in minor units."""
    query = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0))
    return int(
        db.session.scalar(query.where(LedgerEntry.appeal_id == appeal_id, LedgerEntry.counted.is_(True))) or 0
    )
