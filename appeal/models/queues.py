"""Work that must not be lost: events that came in (inbox) and what is to go out (outbox)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key, words

# waiting: to be done, now or after `try_at`; done; parked: waits for a person; ignored: not ours, or of no interest
STATES = ("waiting", "done", "parked", "ignored")


class InboxEvent(Base):
    """One event of Stripe's, raw as it was signed, committed before it is acknowledged."""

    __tablename__ = "inbox_events"
    __table_args__ = (Index("ix_inbox_events_state_try_at", "state", "try_at"),)

    id: Mapped[Key]
    event_id: Mapped[str] = mapped_column(String(255), unique=True)
    type: Mapped[str] = mapped_column(String(120))
    livemode: Mapped[bool]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(words(*STATES, name="state"), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime]
    problem: Mapped[str] = mapped_column(Text, default="")
    came_by: Mapped[str] = mapped_column(String(16), default="webhook")
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    # What must come first, where an event tells of something that builds on it: `pi:pi_123`, `in:in_456`
    waits_for: Mapped[str | None] = mapped_column(String(120), index=True)


class OutboxItem(Base):
    """One thing to send, written in the transaction that caused it. `dedupe` makes it happen once."""

    __tablename__ = "outbox_items"
    __table_args__ = (Index("ix_outbox_items_state_try_at", "state", "try_at"),)

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(40))
    dedupe: Mapped[str] = mapped_column(String(200), unique=True)
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), index=True)
    recipient: Mapped[str] = mapped_column(String(254), default="")
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(words(*STATES, name="state"), default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime]
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class ScheduledRun(Base):
    """When a piece of scheduled work is due next; whoever moves `next_at` ahead does it."""

    __tablename__ = "scheduled_runs"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    next_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, default="")
