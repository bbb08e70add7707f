"""A recurring gift: the standing promise behind monthly donations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appeal.models.appeal import Appeal
from appeal.models.base import Base, Currency, Key, Minor, words
from appeal.models.donor import Donor

STATUSES = ("active", "past_due", "paused", "ended")


class RecurringGift(Base):
    """One monthly gift, as Stripe's subscription last told of it.

    `terms` are the amounts it has ever had, oldest first: `{"amount_minor", "cover_minor", "since"}`; an instalment must
    fit one of them. `told_at` and `told_mark` say how new the last telling was.
    """

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
    told_mark: Mapped[str] = mapped_column(String(120), default="")
    customer_id: Mapped[str | None] = mapped_column(String(64))
    anchor_day: Mapped[int] = mapped_column(default=1)
    terms: Mapped[list[Any]] = mapped_column(default=list)
    failed_at: Mapped[datetime | None]
    failed_invoice_url: Mapped[str] = mapped_column(String(500), default="")

    appeal: Mapped[Appeal] = relationship(lazy="select")
    donor: Mapped[Donor] = relationship(lazy="select")

    @property
    def charge_minor(self) -> int:
        """Return what each month charges: the gift and its fee cover."""
        return self.amount_minor + self.cover_minor
