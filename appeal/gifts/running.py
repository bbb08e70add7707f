"""What running monthly gifts bring, kept as a running total so that the projection costs no query of its own.

One document on the appeal's row of totals says what each day of the month brings: `{"15": 2500}`, minor units. It is
moved in the transaction that changes a monthly gift, under the lock of the totals' row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from appeal.core import progress
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, RecurringGift


def bucket(gift: RecurringGift) -> int:
    """Return what a monthly gift is expected to add toward the goal each month, in minor units; nothing unless it runs."""
    if gift.status != "active" or gift.ends_at_period_end:
        return 0
    appeal = db.session.get_one(Appeal, gift.appeal_id)
    return gift.charge_minor if appeal.cover_counts else gift.amount_minor


def shift(gift: RecurringGift, before_minor: int, before_day: int) -> None:
    """Move the totals from what a gift brought, on which day of the month, to what it brings now."""
    if (before_minor, before_day) != (bucket(gift), gift.anchor_day):
        move(gift, -before_minor, day=before_day)
        move(gift, bucket(gift))


def move(gift: RecurringGift, change_minor: int, *, day: int | None = None) -> None:
    """Add to what a day of the month brings, by default the day on which a gift is charged."""
    if not change_minor:
        return
    own = AppealTotals.appeal_id == gift.appeal_id
    days = dict(db.session.scalars(select(AppealTotals.running_monthly).where(own).with_for_update()).one())
    key = str(day or gift.anchor_day)
    days[key] = days.get(key, 0) + change_minor
    kept = {name: minor for name, minor in days.items() if minor}
    change = update(AppealTotals).where(own).values(running_monthly=kept)
    db.session.execute(change.execution_options(synchronize_session=False))


def recount(appeal: Appeal) -> None:
    """Work the totals of an appeal out anew, in the caller's transaction: its choice whether covers count has changed."""
    own = AppealTotals.appeal_id == appeal.id
    db.session.execute(select(AppealTotals.appeal_id).where(own).with_for_update())
    days: dict[str, int] = {}
    for gift in db.session.scalars(select(RecurringGift).where(RecurringGift.appeal_id == appeal.id)):
        if minor := bucket(gift):
            days[str(gift.anchor_day)] = days.get(str(gift.anchor_day), 0) + minor
    change = update(AppealTotals).where(own).values(running_monthly=days)
    db.session.execute(change.execution_options(synchronize_session=False))


def projected_minor(appeal: Appeal, totals: AppealTotals, now: datetime) -> int:
    """Return what running monthly gifts will add until closing, in minor units; nought where they do not count.

    Each is expected at the beginning of its day (UTC), so that one which is due today is never counted twice.
    """
    if appeal.late_instalments == "never" or appeal.closes_at is None or appeal.status != "open":
        return 0
    last = appeal.closes_at - timedelta(
        microseconds=1
    )  # a closing time of midnight belongs to the day before
    due: list[tuple[int, datetime, progress.Interval]] = [
        # Any December past will do as the first: it has every day of the month.
        (minor, datetime(now.year - 1, 12, int(day), tzinfo=UTC), "month")
        for day, minor in totals.running_monthly.items()
    ]
    return progress.projected_monthly_minor(due, last, now)
