"""The books: the sole writer of ledger entries, which the running totals follow.

`record` takes one money fact of one donation. The fact's own id is unique, so the same fact told twice (by two
events, or by an event and a landing page racing each other) makes one entry. The database moves every running total
with the entry, by a trigger and so in the same transaction (migration 0009); `appeal.books.proof` recomputes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, String, Table, bindparam, func, insert, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from appeal.core import clock
from appeal.database import dialect_of, writing
from appeal.extensions import db
from appeal.models import AppealTotals, Base, Donation, LedgerEntry
from appeal.outgoing import events as outgoing
from appeal.queues import waiting


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
    return db.session.execute(_to_lock("id"), {"wanted": donation_id}).scalar_one()


def lock_by_public_id(public_id: str) -> Donation | None:
    """`lock` a donation by the name the outside knows; None when there is none."""
    return db.session.execute(_to_lock("public_id"), {"wanted": public_id}).scalar_one_or_none()


def record(donation: Donation, fact: Fact) -> bool:
    """Write one money fact, and every running total with it, in the caller's transaction.

    The donation must come from `lock`. Returns False, and changes nothing, when the fact is known already. Events that
    came too early and wait for this fact are due now.
    """
    with writing() as session:
        entered = _insert_entry(session, donation, fact)
        if entered is None:
            return False
        if entered.listened_to:
            outgoing.tell_of_entry(session, donation, fact.kind, fact.fact)
        if entered.awaited:
            waiting.wake(fact.fact)
        if fact.counted:
            _follow(donation, fact)
        return True


def _follow(donation: Donation, fact: Fact) -> None:
    """Let the donation at hand show what the database has just added to its row."""
    received, returned = split(fact.kind, fact.amount_minor)
    set_committed_value(donation, "received_minor", donation.received_minor + received)
    set_committed_value(donation, "returned_minor", donation.returned_minor + returned)


def insert_once(
    session: Session, table: type[Base], values: dict[str, Any], *, key: str, returning: str = "id"
) -> Any | None:
    """Insert a row unless its unique `key` column is taken; return its new id (or another column), or None.

    What the session has changed so far is not written first: it is written once, when its use case is done with it.
    """
    connection = session.connection()
    statement = _once(dialect_of(connection), table.__table__, key, returning)
    return connection.execute(statement, values).scalar_one_or_none()


# Statements are built once and given their values each time: building one costs more than SQLite takes to run it.


@lru_cache(maxsize=2)
def _to_lock(name: str) -> Select[Donation]:
    column = Donation.__table__.c[name]
    query = (
        select(Donation).where(column == bindparam("wanted", type_=column.type)).with_for_update(of=Donation)
    )
    return query.execution_options(populate_existing=True)


@lru_cache(maxsize=64)
def _once(dialect: Any, table: Table, key: str, returning: str) -> Any:
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=[key])
    return statement.returning(table.c[returning])


@lru_cache(maxsize=2)
def _entry_once(dialect: Any) -> Any:
    """Build the insert of an entry; who wants to hear of it is asked with it, which costs no statement more."""
    statement = dialect.insert(LedgerEntry.__table__).on_conflict_do_nothing(index_elements=["fact"])
    return statement.returning(
        outgoing.listeners().label("listened_to"),
        waiting.awaited(bindparam("awaited_fact", type_=String)).label("awaited"),
    )


def open_totals(session: Session, appeal_id: int) -> None:
    """Give a new appeal its row of totals."""
    session.execute(insert(AppealTotals).values(appeal_id=appeal_id))


def lock_totals(session: Session, appeal_id: int) -> None:
    """Take an appeal's totals for change, as whoever enters a gift does before any other row of totals."""
    query = select(AppealTotals.appeal_id).where(AppealTotals.appeal_id == appeal_id)
    session.execute(query.with_for_update())


def _insert_entry(session: Session, donation: Donation, fact: Fact) -> Any | None:
    """Insert the entry of a fact; return who wants to hear of it, or None where the fact was known."""
    values = {
        "appeal_id": donation.appeal_id,
        "donation_id": donation.id,
        "kind": fact.kind,
        "fact": fact.fact,
        "awaited_fact": fact.fact,
        "amount_minor": fact.amount_minor,
        "currency": donation.currency,
        "counted": fact.counted,
        "source": donation.source,
        "frequency": donation.frequency,
        "placement": donation.placement,
        "occurred_at": fact.occurred_at,
        "day": clock.day_of(fact.occurred_at, donation.appeal.time_zone),
        "recorded_at": clock.now(),
        "corrects_id": fact.corrects_id,
        "reason": fact.reason,
        "actor": fact.actor,
    }
    connection = session.connection()
    return connection.execute(_entry_once(dialect_of(connection)), values).one_or_none()


def split(kind: str, amount_minor: int) -> tuple[int, int]:
    """Say what an entry adds to a donation's received and returned sums, both in minor units.

    What goes back is returned, and what comes back from there is returned less; gifts, covers and corrections
    change what was received.
    """
    if kind in {"refund", "dispute", "refund_reversed", "dispute_reinstated"}:
        return 0, -amount_minor
    return amount_minor, 0


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
