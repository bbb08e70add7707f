"""What Stripe's own books say: movements of money with their fees, and payouts to the bank account.

They explain the bank statement; *raised* never depends on them. Amounts are signed minor units of the currency in
which the account is kept, which need not be the appeal's.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Currency, Key, Minor


class Payout(Base):
    """One payout to the bank account; `status` is Stripe's word."""

    __tablename__ = "payouts"

    id: Mapped[Key]
    payout_id: Mapped[str] = mapped_column(String(64), unique=True)
    amount_minor: Mapped[Minor]
    currency: Mapped[Currency]
    status: Mapped[str] = mapped_column(String(32))
    arrives_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    told_at: Mapped[datetime]
    # Which movements it pays out is asked once it is paid or failed.
    movements_read_at: Mapped[datetime | None]


class BalanceMovement(Base):
    """One balance transaction; `net_minor` = `amount_minor` - `fee_minor`. Without a donation it is not a gift's."""

    __tablename__ = "balance_movements"
    __table_args__ = (Index("ix_balance_movements_created_at", "created_at"),)

    id: Mapped[Key]
    movement_id: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    source_id: Mapped[str | None] = mapped_column(String(64), index=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(64))
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), index=True)
    payout_id: Mapped[int | None] = mapped_column(ForeignKey("payouts.id"), index=True)
    amount_minor: Mapped[Minor]
    fee_minor: Mapped[Minor]
    net_minor: Mapped[Minor]
    currency: Mapped[Currency]
    created_at: Mapped[datetime]
    available_at: Mapped[datetime | None]
