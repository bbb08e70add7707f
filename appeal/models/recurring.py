"""A recurring gift: the standing promise behind monthly donations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Currency, Key, Minor, words

STATUSES = ("active", "past_due", "paused", "ended")


class RecurringGift(Base):
    """One monthly gift, as Stripe's subscription last told of it."""

    __tablename__ = "recurring_gifts"
    __table_args__ = (CheckConstraint("amount_minor > 0 AND cover_minor >= 0", name="amounts"),)

    id: Mapped[Key]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    begun_by: Mapped[str] = mapped_column(String(32), unique=True)  # the public id of the first donation
    subscription_id: Mapped[str] = mapped_column(String(64), unique=True)
    status: Mapped[str] = mapped_column(words(*STATUSES, name="status"), default="active")
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    cover_minor: Mapped[Minor] = mapped_column(default=0)
    started_at: Mapped[datetime]
    next_due_at: Mapped[datetime | None]
    ends_at_period_end: Mapped[bool] = mapped_column(default=False)
    ended_at: Mapped[datetime | None]
    told_at: Mapped[datetime]
