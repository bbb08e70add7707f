"""The ledger: one immutable signed entry for each money fact, and the running totals that follow it.

Nothing here is ever updated or deleted except the totals, which only `appeal.books.ledger` moves. Both databases enforce
it with triggers (migration 0001); the listener below says so earlier and more kindly.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from appeal.core.errors import LedgerIsAppendOnly
from appeal.models.base import Base, Currency, Key, Minor, words
from appeal.models.donation import FREQUENCIES, SOURCES

# Signs: gift, refund_reversed and dispute_reinstated are positive; refund and dispute negative; a correction is either.
KINDS = ("gift", "cover", "refund", "refund_reversed", "dispute", "dispute_reinstated", "correction")


class LedgerEntry(Base):
    """One money fact. `fact` is the fact's own id (`pi:...`, `re:...`), never an event's, and unique."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="amount_not_nil"),
        CheckConstraint(
            "(kind IN ('gift', 'refund_reversed', 'dispute_reinstated') AND amount_minor > 0)"
            " OR (kind IN ('refund', 'dispute') AND amount_minor < 0) OR kind IN ('cover', 'correction')",
            name="sign_fits_kind",
        ),
        CheckConstraint(
            "kind <> 'correction' OR (reason <> '' AND actor <> '')", name="correction_explained"
        ),
        Index("ix_ledger_entries_appeal_id_recorded_at", "appeal_id", "recorded_at"),
    )

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), index=True)
    kind: Mapped[str] = mapped_column(words(*KINDS, name="kind"))
    fact: Mapped[str] = mapped_column(String(200), unique=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    counted: Mapped[bool]
    source: Mapped[str] = mapped_column(words(*SOURCES, name="source"))
    frequency: Mapped[str] = mapped_column(words(*FREQUENCIES, name="frequency"))
    placement: Mapped[str] = mapped_column(String(32))
    occurred_at: Mapped[datetime]
    day: Mapped[date]
    recorded_at: Mapped[datetime]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entries.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(254), default="")


class DailyTotal(Base):
    """What one day brought, by source, placement and rhythm."""

    __tablename__ = "daily_totals"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(16), primary_key=True)
    placement: Mapped[str] = mapped_column(String(32), primary_key=True)
    frequency: Mapped[str] = mapped_column(String(16), primary_key=True)
    received_minor: Mapped[Minor] = mapped_column(default=0)
    returned_minor: Mapped[Minor] = mapped_column(default=0)
    gift_count: Mapped[int] = mapped_column(default=0)


class AttributionTotal(Base):
    """What one article (`page`) or one site, newsletter or print code (`src`) brought."""

    __tablename__ = "attribution_totals"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    dimension: Mapped[str] = mapped_column(String(8), primary_key=True)
    value: Mapped[str] = mapped_column(String(300), primary_key=True)
    frequency: Mapped[str] = mapped_column(String(16), primary_key=True)
    received_minor: Mapped[Minor] = mapped_column(default=0)
    returned_minor: Mapped[Minor] = mapped_column(default=0)
    gift_count: Mapped[int] = mapped_column(default=0)


@event.listens_for(LedgerEntry, "before_update")
@event.listens_for(LedgerEntry, "before_delete")
def _refuse(_mapper: Any, _connection: Any, entry: LedgerEntry) -> None:
    raise LedgerIsAppendOnly(
        f"Ledger entry {entry.id} is never changed or removed; correct it with a new one."
    )
