"""Gifts by post and bank: promises, and the batches in which cheques and statement lines are entered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key, Minor, words

BATCH_SOURCES = ("post", "bank")
PROMISE_STATES = ("open", "matched", "withdrawn")


class Promise(Base):
    """A gift announced but not received. Never part of *raised*; what is open adds up in the appeal's totals."""

    __tablename__ = "promises"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_promises_appeal_id_state", "appeal_id", "state"),
    )

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    reference: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    amount_minor: Mapped[Minor]
    source: Mapped[str] = mapped_column(words(*BATCH_SOURCES, name="source"), default="post")
    state: Mapped[str] = mapped_column(words(*PROMISE_STATES, name="state"), default="open")
    promised_at: Mapped[datetime]
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"))


class PostBatch(Base):
    """A pile of cheques or a bank statement, with the count and the total written on it before anything is typed."""

    __tablename__ = "post_batches"
    __table_args__ = (
        CheckConstraint("control_count > 0 AND control_minor > 0", name="control"),
        Index("ix_post_batches_appeal_id_id", "appeal_id", "id"),
    )

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    source: Mapped[str] = mapped_column(words(*BATCH_SOURCES, name="source"))
    label: Mapped[str] = mapped_column(String(80), default="")
    received_on: Mapped[date]
    control_count: Mapped[int]
    control_minor: Mapped[Minor]
    opened_by: Mapped[str] = mapped_column(String(254))
    opened_at: Mapped[datetime]
    closed_by: Mapped[str] = mapped_column(String(254), default="")
    closed_at: Mapped[datetime | None]


class PostLine(Base):
    """One gift of a batch, as it was typed; closing the batch makes it a donation.

    `fact` is what makes a line come once: the bank's own reference of a statement line, or the form it was typed in.
    """

    __tablename__ = "post_lines"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_post_lines_amount_minor_name", "amount_minor", "name"),
    )

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("post_batches.id"), index=True)
    fact: Mapped[str] = mapped_column(String(120), unique=True)
    amount_minor: Mapped[Minor]
    received_on: Mapped[date]
    name: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    email: Mapped[str] = mapped_column(String(254), default="", index=True)
    credit: Mapped[str] = mapped_column(String(16), default="anonymous")
    credit_line: Mapped[str] = mapped_column(String(60), default="")
    reference: Mapped[str] = mapped_column(String(80), default="")
    promise_id: Mapped[int | None] = mapped_column(ForeignKey("promises.id"), unique=True)
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), index=True)
    revision: Mapped[int] = mapped_column(default=1)
    entered_by: Mapped[str] = mapped_column(String(254))
    entered_at: Mapped[datetime]


class BankStatement(Base):
    """A bank's statement as it was handed in, kept until its lines are in a batch; then only its name and columns stay.

    `head` is a digest of a CSV's headings: the next statement with the same ones is read by the same `columns`.
    """

    __tablename__ = "bank_statements"
    __table_args__ = (Index("ix_bank_statements_head_id", "head", "id"),)

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("post_batches.id"))
    name: Mapped[str] = mapped_column(String(120))
    content: Mapped[str] = mapped_column(Text)
    head: Mapped[str] = mapped_column(String(64), default="")
    columns: Mapped[dict[str, Any]] = mapped_column(default=dict)
    handed_in_by: Mapped[str] = mapped_column(String(254))
    handed_in_at: Mapped[datetime]
