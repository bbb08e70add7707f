"""The days of an appeal in a row, and today's hours: what the charts of the dashboard and their tables show.

Days come from running totals. Today's hours are the one sum over entries; it is kept until the next entry comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import case, extract, func, select

from appeal.core import clock
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, DailyTotal, LedgerEntry

SOURCES = ("online", "post", "bank")


@dataclass(slots=True)
class Day:
    """One day of the appeal; amounts in minor units, what went back already taken off."""

    day: date
    by_source: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SOURCES, 0))
    gift_count: int = 0
    so_far_minor: int = 0
    even_minor: int | None = None

    @property
    def net_minor(self) -> int:
        """Return what the day brought."""
        return sum(self.by_source.values())


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of today, by the clock of the appeal's zone."""

    hour: int
    net_minor: int
    gift_count: int


def in_a_row(appeal: Appeal, daily: Iterable[DailyTotal], now: datetime) -> list[Day]:
    """Lay the days out in a row, those without gifts included, from the opening or the first gift to today."""
    found: dict[date, Day] = {}
    for row in daily:
        day = found.setdefault(row.day, Day(row.day))
        day.by_source[row.source] = day.by_source.get(row.source, 0) + row.received_minor - row.returned_minor
        day.gift_count += row.gift_count
    today = clock.day_of(now, appeal.time_zone)
    opened = clock.day_of(appeal.opens_at or appeal.created_at, appeal.time_zone)
    first, last = min([opened, *found, today]), max([*found, today])
    days = [
        found.get(first + timedelta(days=number), Day(first + timedelta(days=number)))
        for number in range((last - first).days + 1)
    ]
    _run_up(appeal, days)
    return days


def _run_up(appeal: Appeal, days: list[Day]) -> None:
    """Add up the days, and say beside each what an even pace would have reached."""
    so_far = 0
    for day in days:
        so_far += day.net_minor
        day.so_far_minor = so_far
        day.even_minor = _even(appeal, day.day)


def _even(appeal: Appeal, day: date) -> int | None:
    if not (appeal.goal_minor and appeal.opens_at and appeal.closes_at):
        return None
    opens = clock.day_of(appeal.opens_at, appeal.time_zone)
    span = (clock.day_of(appeal.closes_at - timedelta(seconds=1), appeal.time_zone) - opens).days + 1
    return appeal.goal_minor * min(span, max(0, (day - opens).days + 1)) // span


_kept_hours: dict[int, tuple[Any, list[Hour]]] = {}


def hours(appeal: Appeal, totals: AppealTotals, now: datetime) -> list[Hour]:
    """Sum today's entries by the hour; asked anew only when there is a new entry or a new day."""
    today = clock.day_of(now, appeal.time_zone)
    key = (db.session.get_bind(), totals.entry_count, totals.as_of, today)
    kept = _kept_hours.get(appeal.id)
    if kept is None or kept[0] != key:
        kept = (key, _ask_hours(appeal, today))
        _kept_hours[appeal.id] = kept
    return kept[1]


def _ask_hours(appeal: Appeal, today: date) -> list[Hour]:
    entry = LedgerEntry
    start = clock.start_of_day(today, appeal.time_zone)
    hour, half = extract("hour", entry.occurred_at), extract("minute", entry.occurred_at) >= 30
    gifts = func.sum(case((entry.kind == "gift", 1), else_=0))
    query = (
        select(hour, half, func.sum(entry.amount_minor), gifts)
        .where(
            entry.appeal_id == appeal.id,
            entry.recorded_at >= start,
            entry.day == today,
            entry.counted.is_(True),
        )
        .group_by(hour, half)
    )
    sums: dict[int, list[int]] = {number: [0, 0] for number in range(24)}
    for utc_hour, second_half, net, count in db.session.execute(query):
        at = _place(start, int(utc_hour), int(bool(second_half)) * 30)
        local = at.astimezone(clock.zone(appeal.time_zone)).hour
        sums[local][0] += int(net)
        sums[local][1] += int(count)
    return [Hour(number, net, count) for number, (net, count) in sums.items()]


def _place(start: datetime, hour: int, minute: int) -> datetime:
    """Return the first instant at or after the start of a day that shows this hour in UTC."""
    at = start.replace(hour=hour, minute=minute)
    return at if at >= start else at + timedelta(days=1)
