"""An appeal: one public ask, with a story, a goal, a currency, opening and closing times, and the publisher's brand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from appeal.models.base import Base, Currency, Key, Minor, words

STATUSES = ("draft", "open", "closed")
LATE_INSTALMENTS = ("until_close", "always", "never")


class Appeal(Base):
    """One public ask. Its slug is its address and never changes once published."""

    __tablename__ = "appeals"
    __table_args__ = (
        CheckConstraint("goal_minor IS NULL OR goal_minor > 0", name="goal_positive"),
        CheckConstraint(
            "closes_at IS NULL OR opens_at IS NULL OR closes_at > opens_at", name="closes_after_opening"
        ),
        CheckConstraint("minimum_minor > 0 AND maximum_minor >= minimum_minor", name="bounds"),
        CheckConstraint("currency = lower(currency) AND length(currency) = 3", name="currency_code"),
        CheckConstraint(
            "cover_percent_bps BETWEEN 0 AND 2000 AND cover_fixed_minor >= 0", name="cover_bounds"
        ),
    )

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    status: Mapped[str] = mapped_column(words(*STATUSES, name="status"), default="draft")
    title: Mapped[str] = mapped_column(String(200))
    currency: Mapped[Currency]
    goal_minor: Mapped[int | None] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(64), default="Europe/London")
    locale: Mapped[str] = mapped_column(String(20), default="en_GB")
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    # When staff closed it, while it is closed: that may be before the closing time, or without one
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)

    # The ask
    standfirst: Mapped[str] = mapped_column(String(400), default="")
    story_markdown: Mapped[str] = mapped_column(Text, default="")
    thanks_markdown: Mapped[str] = mapped_column(Text, default="")
    other_ways_markdown: Mapped[str] = mapped_column(Text, default="")
    terms_markdown: Mapped[str] = mapped_column(Text, default="")
    presets_minor: Mapped[list[Any]] = mapped_column(default=lambda: [1000, 2500, 5000, 10000])
    default_minor: Mapped[Minor] = mapped_column(default=2500)
    minimum_minor: Mapped[Minor] = mapped_column(default=200)
    maximum_minor: Mapped[Minor] = mapped_column(default=1_000_000)

    # The brand
    publisher: Mapped[str] = mapped_column(String(120), default="")
    publisher_url: Mapped[str] = mapped_column(String(400), default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    accent: Mapped[str] = mapped_column(String(7), default="#8a1c1c")
    accent_dark: Mapped[str] = mapped_column(String(7), default="#f2a59b")
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    logo_type: Mapped[str | None] = mapped_column(String(40))
    return_hosts: Mapped[list[Any]] = mapped_column(default=list)

    # How its money is counted
    monthly_offered: Mapped[bool] = mapped_column(default=True)
    late_instalments: Mapped[str] = mapped_column(
        words(*LATE_INSTALMENTS, name="late_instalments"), default="until_close"
    )
    cover_offered: Mapped[bool] = mapped_column(default=True)
    cover_counts: Mapped[bool] = mapped_column(default=False)
    cover_percent_bps: Mapped[int] = mapped_column(default=150)
    cover_fixed_minor: Mapped[Minor] = mapped_column(default=20)

    # What the banners say: {placement: {state: {"title", "body", "button"}}}, and which placements are switched off
    banner_words: Mapped[dict[str, Any]] = mapped_column(default=dict)
    banner_off: Mapped[list[Any]] = mapped_column(default=list)


class AppealTotals(Base):
    """The running totals of an appeal, moved in the same transaction as each ledger entry. One row an appeal."""

    __tablename__ = "appeal_totals"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), primary_key=True)
    raised_minor: Mapped[Minor] = mapped_column(default=0)
    online_minor: Mapped[Minor] = mapped_column(default=0)
    post_minor: Mapped[Minor] = mapped_column(default=0)
    bank_minor: Mapped[Minor] = mapped_column(default=0)
    uncounted_minor: Mapped[Minor] = mapped_column(default=0)
    # Moved by `appeal.office.promises` alone
    promised_minor: Mapped[Minor] = mapped_column(default=0)
    gift_count: Mapped[int] = mapped_column(default=0)
    donor_count: Mapped[int] = mapped_column(default=0)
    entry_count: Mapped[int] = mapped_column(default=0)
    as_of: Mapped[datetime | None]
    # What running monthly gifts bring on each day of the month, in minor units: {"15": 2500}
    running_monthly: Mapped[dict[str, Any]] = mapped_column(default=dict)
