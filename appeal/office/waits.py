"""Beside the figure: what waits for a person, how monthly gifts stand, and the median; all in one statement.

The median is that of the last 501 gifts that stand (of two middle ones the lower), which an index finds at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func, select

from appeal.extensions import db
from appeal.models import Appeal, Donation, InboxEvent, Notice, OutboxItem, PostBatch, Promise, RecurringGift
from appeal.models.donation import IS_TO_READ
from appeal.outgoing import events
from appeal.queues import notices

MEDIAN_OF = 501
LOSSES_DAYS = 30


@dataclass(frozen=True, slots=True)
class Monthly:
    """Monthly gifts as they stand; amounts in minor units a month."""

    active_count: int
    active_minor: int
    past_due_count: int
    past_due_minor: int
    ended_count: int
    ended_minor: int


@dataclass(frozen=True, slots=True)
class Waits:
    """What waits for a person: how many of each, and of notices how many of each kind."""

    events: int
    letters: int
    deliveries: int
    to_read: int
    promises: int
    promised_minor: int
    batches: int
    notices: Mapping[str, int]

    @property
    def anything(self) -> bool:
        """Say whether somebody is needed."""
        counts = (self.events, self.letters, self.deliveries, self.to_read, self.promises, self.batches)
        return any(counts) or any(self.notices.values())


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands on the dashboard beside the figure."""

    monthly: Monthly
    waits: Waits
    median_minor: int


def beside(appeal: Appeal, now: datetime) -> Beside:
    """Ask in one statement for monthly gifts, what waits, and the median."""
    columns = {"median": _median(appeal.id)} | _monthly(appeal.id, now) | _waits(appeal.id)
    row = db.session.execute(select(*columns.values())).one()
    told = {name: int(value or 0) for name, value in zip(columns, row, strict=True)}
    kinds = {kind: told.pop(f"notice_{kind}") for kind in notices.NAMES}
    median_minor = told.pop("median")
    monthly = Monthly(**{name: told.pop(name) for name in Monthly.__slots__})
    return Beside(monthly, Waits(**told, notices=kinds), median_minor)


def _monthly(appeal_id: int, now: datetime) -> dict[str, Any]:
    gift, lately = RecurringGift, now - timedelta(days=LOSSES_DAYS)
    columns: dict[str, Any] = {}
    for status in ("active", "past_due", "ended"):
        own: tuple[Any, ...] = (gift.appeal_id == appeal_id, gift.status == status)
        if status == "ended":
            own += (gift.ended_at > lately,)
        columns |= {f"{status}_count": _count(gift, *own), f"{status}_minor": _sum(gift.amount_minor, *own)}
    return columns


def _waits(appeal_id: int) -> dict[str, Any]:
    promised = (Promise.appeal_id == appeal_id, Promise.state == "open")
    unseen = Notice.seen_at.is_(None)
    return {
        **parked_counts(),
        "to_read": to_read_count(appeal_id),
        "promises": _count(Promise, *promised),
        "promised_minor": _sum(Promise.amount_minor, *promised),
        "batches": _count(PostBatch, PostBatch.appeal_id == appeal_id, PostBatch.closed_at.is_(None)),
        **{f"notice_{kind}": _count(Notice, unseen, Notice.kind == kind) for kind in notices.NAMES},
        "notice_other": _count(Notice, unseen, Notice.kind.not_in(set(notices.NAMES) - {"other"})),
    }


def parked_counts() -> dict[str, Any]:
    """Return the counts of what could not be done by itself, as columns to select."""
    unsent = OutboxItem.state == "parked"
    return {
        "events": _count(InboxEvent, InboxEvent.state == "parked"),
        "letters": _count(OutboxItem, unsent, OutboxItem.kind != events.KIND),
        "deliveries": _count(OutboxItem, unsent, OutboxItem.kind == events.KIND),
    }


def to_read_count(appeal_id: int) -> Any:
    """Count by the short index alone: the sum keeps the larger one on appeal and status out of it."""
    return _count(
        Donation, IS_TO_READ, Donation.appeal_id + 0 == appeal_id, Donation.received_at.is_not(None)
    )


def _count(table: Any, *which: Any) -> Any:
    return select(func.count()).select_from(table).where(*which).scalar_subquery()


def _sum(column: Any, *which: Any) -> Any:
    return select(func.sum(column)).where(*which).scalar_subquery()


def _median(appeal_id: int) -> Any:
    def latest() -> Any:
        return _latest(appeal_id).subquery()

    one, two = latest(), latest()
    middle = select((func.count() - 1) // 2).select_from(two).scalar_subquery()
    return (
        select(one.c.amount_minor)
        .order_by(one.c.amount_minor)
        .limit(1)
        .offset(case((middle > 0, middle), else_=0))
        .scalar_subquery()
    )


def _latest(appeal_id: int) -> Select[int]:
    standing = Donation.received_minor > Donation.returned_minor
    query = select(Donation.amount_minor).where(
        Donation.appeal_id == appeal_id, Donation.status == "received", standing
    )
    return query.order_by(Donation.id.desc()).limit(MEDIAN_OF)
