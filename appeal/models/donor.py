"""Donors: the people who gave, what they agreed to, and how many of their gifts stand in each appeal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key, Minor


class Donor(Base):
    """Someone who gave. By post there may be no e-mail address; each such gift has a donor of its own until merged."""

    __tablename__ = "donors"
    __table_args__ = (Index("ix_donors_name", "name"),)

    id: Mapped[Key]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    stripe_customer_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("donors.id"))


class Consent(Base):
    """One answer to one question about marketing, with the wording that was shown. Never changed, only followed."""

    __tablename__ = "consents"

    id: Mapped[Key]
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    given: Mapped[bool]
    wording: Mapped[str] = mapped_column(Text)
    form: Mapped[str] = mapped_column(String(80))
    answered_at: Mapped[datetime]


class AppealDonor(Base):
    """A donor's standing in one appeal: how many gifts stand and what they add up to. Kept by the ledger alone."""

    __tablename__ = "appeal_donors"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), primary_key=True, index=True)
    gift_count: Mapped[int] = mapped_column(default=0)
    given_minor: Mapped[Minor] = mapped_column(default=0)


class DonorLink(Base):
    """A link to a donor's own pages, e-mailed, used once. Only a digest of its token is kept."""

    __tablename__ = "donor_links"

    id: Mapped[Key]
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class Complaint(Base):
    """A complaint about how somebody's data is handled, acknowledged by mail, answered by a person."""

    __tablename__ = "complaints"

    id: Mapped[Key]
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    donor_id: Mapped[int | None] = mapped_column(ForeignKey("donors.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str] = mapped_column(String(254), default="")
