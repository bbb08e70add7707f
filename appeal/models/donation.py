"""A donation: one act of giving to one appeal. Its row exists before Stripe is called.

`received_minor` and `returned_minor` are the donation's own running totals, kept by the ledger alone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appeal.models.appeal import Appeal
from appeal.models.base import Base, Currency, Key, Minor, words
from appeal.models.donor import Donor

# started: committed, Stripe not asked or its answer unknown; open: a Checkout page waits; on_its_way: given, the
# money comes days later; received; failed and expired: no money came.
STATUSES = ("started", "open", "on_its_way", "received", "failed", "expired")
FREQUENCIES = ("once", "monthly")
SOURCES = ("online", "post", "bank")
CREDITS = ("name", "initials", "custom", "anonymous")
REVIEWS = ("none", "waiting", "approved", "hidden")
TO_READ = text("credit_review = 'waiting' OR message_review = 'waiting'")
# Written out, not as values: only so does a database see that the short index has all of them.
IS_TO_READ = text(f"({TO_READ.text})")


class Donation(Base):
    """One act of giving. A monthly instalment is a donation too, naming its recurring gift."""

    __tablename__ = "donations"
    __table_args__ = (
        CheckConstraint("amount_minor > 0 AND cover_minor >= 0", name="amounts"),
        Index("ix_donations_appeal_id_id", "appeal_id", "id"),
        Index("ix_donations_appeal_credits", "appeal_id", "credit_review", "received_at"),
        Index("ix_donations_appeal_credits_id", "appeal_id", "credit_review", "id"),
        Index("ix_donations_status_created_at", "status", "created_at"),
        Index("ix_donations_appeal_status", "appeal_id", "status", "id"),
        # What waits to be read by a person: short, however many gifts there are.
        Index("ix_donations_to_read", "id", sqlite_where=TO_READ, postgresql_where=TO_READ),
    )

    id: Mapped[Key]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    recurring_gift_id: Mapped[int | None] = mapped_column(ForeignKey("recurring_gifts.id"), index=True)
    source: Mapped[str] = mapped_column(words(*SOURCES, name="source"), default="online")
    frequency: Mapped[str] = mapped_column(words(*FREQUENCIES, name="frequency"), default="once")
    status: Mapped[str] = mapped_column(words(*STATUSES, name="status"), default="started")
    currency: Mapped[Currency]
    amount_minor: Mapped[Minor]
    cover_minor: Mapped[Minor] = mapped_column(default=0)
    received_minor: Mapped[Minor] = mapped_column(default=0)
    returned_minor: Mapped[Minor] = mapped_column(default=0)

    # How it may be named, and what the donor says; shown only once approved
    name: Mapped[str] = mapped_column(String(120), default="")
    credit: Mapped[str] = mapped_column(words(*CREDITS, name="credit"), default="anonymous")
    credit_line: Mapped[str] = mapped_column(String(60), default="")
    credit_review: Mapped[str] = mapped_column(words(*REVIEWS, name="credit_review"), default="none")
    message: Mapped[str] = mapped_column(Text, default="")
    message_review: Mapped[str] = mapped_column(words(*REVIEWS, name="message_review"), default="none")

    # Where the ask stood: first touch
    src: Mapped[str] = mapped_column(String(120), default="")
    page: Mapped[str] = mapped_column(String(300), default="")
    placement: Mapped[str] = mapped_column(String(32), default="direct")

    # The attempt at Stripe: one session an attempt, the key stored before the call
    form_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    form_digest: Mapped[str | None] = mapped_column(String(64))
    attempt: Mapped[int] = mapped_column(default=1)
    attempt_expires_at: Mapped[datetime | None]
    checkout_session_id: Mapped[str | None] = mapped_column(String(128), unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    payment_intent_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    invoice_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    charge_id: Mapped[str | None] = mapped_column(String(64), index=True)
    asked_at: Mapped[datetime | None]

    created_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    fraud_warning_at: Mapped[datetime | None]

    appeal: Mapped[Appeal] = relationship(lazy="joined", innerjoin=True)
    donor: Mapped[Donor] = relationship(lazy="select")

    @property
    def charge_minor(self) -> int:
        """Return what the donor is charged: the gift and, if they chose so, the fee cover."""
        return self.amount_minor + self.cover_minor

    @property
    def standing_minor(self) -> int:
        """Return what is left of the gift after refunds and disputes."""
        return self.received_minor - self.returned_minor


class CheckoutSlot(Base):
    """One unpaid Checkout session counted against one address, network, e-mail or appeal; released when it is paid."""

    __tablename__ = "checkout_slots"
    __table_args__ = (Index("ix_checkout_slots_scope_key", "scope", "key_digest", "taken_at"),)

    id: Mapped[Key]
    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), index=True)
    scope: Mapped[str] = mapped_column(String(16))
    key_digest: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime] = mapped_column(index=True)
    released_at: Mapped[datetime | None]
