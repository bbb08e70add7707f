"""What needs a person's care: notices for staff, refunds they ordered, and the seals over finished days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from appeal.core.errors import LedgerIsAppendOnly
from appeal.models.base import Base, Currency, Key, Minor, words

# asked: stored, Stripe not asked or its answer unknown; made: Stripe has it; refused: it said no
ORDER_STATES = ("asked", "made", "refused")


class RefundOrder(Base):
    """A refund that somebody of the staff ordered, stored before Stripe is asked: who, how much, and why."""

    __tablename__ = "refund_orders"
    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount_positive"),)

    id: Mapped[Key]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), index=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(254))
    state: Mapped[str] = mapped_column(words(*ORDER_STATES, name="state"), default="asked")
    refund_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]


class Notice(Base):
    """Something staff should see, written once for its `dedupe`, until one of them puts it away."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_open", "seen_at", "created_at"),)

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(40))
    dedupe: Mapped[str] = mapped_column(String(200), unique=True)
    sentence: Mapped[str] = mapped_column(Text)
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"), index=True)
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str] = mapped_column(String(254), default="")


class ReconcileRun(Base):
    """What one comparison of Stripe with the books found, as plain values, and who asked for it."""

    __tablename__ = "reconcile_runs"

    id: Mapped[Key]
    ran_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(254))
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)


class DailySeal(Base):
    """The digest over every ledger entry recorded on one finished day (UTC), chained to the seal before."""

    __tablename__ = "daily_seals"

    day: Mapped[date] = mapped_column(primary_key=True)
    entry_count: Mapped[int]
    sum_minor: Mapped[Minor]
    last_entry_id: Mapped[Minor]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    sealed_at: Mapped[datetime]


@event.listens_for(DailySeal, "before_update")
@event.listens_for(DailySeal, "before_delete")
def _refuse(_mapper: object, _connection: object, seal: DailySeal) -> None:
    raise LedgerIsAppendOnly(f"The seal of {seal.day} is never changed or removed.")
