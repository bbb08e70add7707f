"""What the office keeps beside the books: notes, merges, printed credit lines, exports, settings, and the name index."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Key, words

EXPORT_STATES = ("waiting", "running", "done", "failed")


class HouseSettings(Base):
    """What the publisher decides while running: one row, kept by admins."""

    __tablename__ = "house_settings"

    id: Mapped[Key]
    second_factor_required: Mapped[bool] = mapped_column(default=False)
    refused_words: Mapped[list[Any]] = mapped_column(default=list)
    revision: Mapped[int] = mapped_column(default=1)


class AppealChange(Base):
    """One change of an appeal's goal or dates, shown on the charts. Values as text: minor units or instants."""

    __tablename__ = "appeal_changes"

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    changed_at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(254))
    field: Mapped[str] = mapped_column(String(20))
    before: Mapped[str] = mapped_column(String(40), default="")
    after: Mapped[str] = mapped_column(String(40), default="")


class Note(Base):
    """What somebody of the staff wrote down about a donor or a gift."""

    __tablename__ = "notes"

    id: Mapped[Key]
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    donation_id: Mapped[int | None] = mapped_column(ForeignKey("donations.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(254))
    written_at: Mapped[datetime]


class DonorMerge(Base):
    """Two donors found to be one person; `moved` lists the gifts that changed hands, so that it can be undone."""

    __tablename__ = "donor_merges"

    id: Mapped[Key]
    kept_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), index=True)
    moved: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str] = mapped_column(String(254))
    merged_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class ThanksColumn(Base):
    """One thank-you column that was printed: what stood above the names, how many gifts, whether it was taken back.

    Whom it names is in `CreditPrint`; the names themselves are the gifts' own.
    """

    __tablename__ = "thanks_columns"
    __table_args__ = (Index("ix_thanks_columns_appeal_id_id", "appeal_id", "id"),)

    id: Mapped[Key]
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    named_count: Mapped[int]
    unnamed_count: Mapped[int]
    printed_on: Mapped[date]
    marked_by: Mapped[str] = mapped_column(String(254))
    marked_at: Mapped[datetime]
    undone_by: Mapped[str] = mapped_column(String(254), default="")
    undone_at: Mapped[datetime | None]


class CreditPrint(Base):
    """A gift that a printed column thanks for: its key is the gift's, so no gift is thanked for twice."""

    __tablename__ = "credit_prints"

    donation_id: Mapped[int] = mapped_column(ForeignKey("donations.id"), primary_key=True)
    column_id: Mapped[int] = mapped_column(ForeignKey("thanks_columns.id"), index=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    printed_on: Mapped[date]
    actor: Mapped[str] = mapped_column(String(254))


class Export(Base):
    """One export: what was asked for, by whom, and how far it is. Its file lies in the instance folder."""

    __tablename__ = "exports"
    __table_args__ = (Index("ix_exports_state", "state", "id"),)

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(80))
    preset: Mapped[str] = mapped_column(String(20))
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    with_personal: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(words(*EXPORT_STATES, name="state"), default="waiting")
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_all: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class DonorWord(Base):
    """One word of a donor's name, folded: the index that the search walks."""

    __tablename__ = "donor_words"

    word: Mapped[str] = mapped_column(String(60), primary_key=True)
    donor_id: Mapped[int] = mapped_column(ForeignKey("donors.id"), primary_key=True, index=True)


class WordSpelling(Base):
    """A word of some donor's name with one letter left out, so that a mistyped word still meets it."""

    __tablename__ = "word_spellings"

    spelling: Mapped[str] = mapped_column(String(60), primary_key=True)
    word: Mapped[str] = mapped_column(String(60), primary_key=True)


class SearchMark(Base):
    """How far the donors have been read into the index of names."""

    __tablename__ = "search_marks"

    id: Mapped[Key]
    donor_id: Mapped[int] = mapped_column(default=0)
