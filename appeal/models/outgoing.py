"""Where the publisher's own systems are told: endpoints, what was delivered to them, milestones passed, readers.

Addresses and secrets are stored encrypted with the signing key; `shown` is what a page may say of an address.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key, words

ENDPOINT_KINDS = ("webhook", "chat")
ENDPOINT_STATES = ("on", "off")


class OutgoingEndpoint(Base):
    """One address to tell. `event_types` is a text of words, each between spaces, so that one can be searched for."""

    __tablename__ = "outgoing_endpoints"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(words(*ENDPOINT_KINDS, name="kind"))
    name: Mapped[str] = mapped_column(String(80))
    closed_address: Mapped[str] = mapped_column(Text)
    shown: Mapped[str] = mapped_column(String(300))
    closed_secret: Mapped[str] = mapped_column(Text, default="")
    # While a secret is rolled both sign, until the old one is dropped or its time is up
    closed_old_secret: Mapped[str] = mapped_column(Text, default="")
    old_until: Mapped[datetime | None]
    event_types: Mapped[str] = mapped_column(String(400))
    personal: Mapped[list[Any]] = mapped_column(default=list)
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"))
    state: Mapped[str] = mapped_column(words(*ENDPOINT_STATES, name="state"), default="on")
    off_why: Mapped[str] = mapped_column(Text, default="")
    # Failures in a row, and since when
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)


class OutgoingDelivery(Base):
    """One attempt to tell an endpoint something, and what it answered. Kept for a month."""

    __tablename__ = "outgoing_deliveries"
    __table_args__ = (
        Index("ix_outgoing_deliveries_endpoint_id", "endpoint_id", "id"),
        Index("ix_outgoing_deliveries_at", "at"),
    )

    id: Mapped[Key]
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("outgoing_endpoints.id"))
    message_id: Mapped[str] = mapped_column(String(80))
    event_type: Mapped[str] = mapped_column(String(40))
    attempt: Mapped[int]
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(300), default="")
    answer: Mapped[str] = mapped_column(String(300), default="")
    took_ms: Mapped[int]
    at: Mapped[datetime]


class Milestone(Base):
    """The highest milestone that an appeal has passed toward one goal, in percent; `mark` is `appeal:goal`."""

    __tablename__ = "milestones"

    mark: Mapped[str] = mapped_column(String(60), primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    percent: Mapped[int] = mapped_column(BigInteger, default=0)
    reached_at: Mapped[datetime | None]


class DigestReader(Base):
    """Somebody of the staff who wants the daily letter."""

    __tablename__ = "digest_readers"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    since: Mapped[datetime]
