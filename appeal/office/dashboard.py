"""What the dashboard shows: where the appeal stands, how fast it goes, where the gifts come from, what waits.

Reads running totals, never the ledger at large, so that it costs the same with a thousand gifts and a million. The
median is that of the last 501 gifts that stand (of two middle ones the lower), which an index finds at once. Today's
hours are the one sum over entries; it is kept until the next entry comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, extract, func, or_, select

from appeal import reports
from appeal.core import clock, progress
from appeal.extensions import db
from appeal.models import (
    Appeal,
    AppealChange,
    AppealTotals,
    DailyTotal,
    Donation,
    InboxEvent,
    LedgerEntry,
    Notice,
    OutboxItem,
    PostBatch,
    Promise,
    RecurringGift,
)
from appeal.models.donation import IS_TO_READ

MEDIAN_OF = 501
LOSSES_DAYS = 30
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
class Share:
    """What one placement, source or rhythm brought; the bar is its part of the largest, in tenths of a percent."""

    name: str
    net_minor: int
    gift_count: int
    bar: int

    @property
    def average_minor(self) -> int:
        """Return the mean gift, rounded down; nought without gifts."""
        return self.net_minor // self.gift_count if self.gift_count > 0 else 0


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
    """What waits for a person."""

    events: int
    mails: int
    to_read: int
    promises: int
    promised_minor: int
    batches: int
    notices: int

    @property
    def anything(self) -> bool:
        """Say whether somebody is needed."""
        return bool(
            self.events or self.mails or self.to_read or self.promises or self.batches or self.notices
        )


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of today, by the clock of the appeal's zone."""

    hour: int
    net_minor: int
    gift_count: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the dashboard."""

    appeal: Appeal
    figure: reports.Figure
    pace: progress.Pace
    days: list[Day]
    hours: list[Hour]
    today: Day
    yesterday: Day
    sources: list[Share]
    placements: list[Share]
    rhythms: list[Share]
    average_minor: int
    median_minor: int
    monthly: Monthly
    waits: Waits
    changes: list[AppealChange]
    elapsed_percent: int | None


def appeals_with_totals() -> list[tuple[Appeal, AppealTotals]]:
    """List every appeal with its totals: those that are open first, then the newest."""
    rank = case((Appeal.status == "open", 0), (Appeal.status == "draft", 2), else_=1)
    query = select(Appeal, AppealTotals).join(AppealTotals, AppealTotals.appeal_id == Appeal.id)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(rank, Appeal.id.desc()))]


def figure_of(appeal: Appeal, totals: AppealTotals) -> reports.Figure:
    """Return the one figure that every surface shows; of a draft, which has none in public, too."""
    return reports.figure_of(reports.Facts((), appeal, totals), clock.now())


def board(appeal: Appeal, totals: AppealTotals) -> Board:
    """Gather everything about one appeal, in four statements."""
    now = clock.now()
    daily = list(db.session.scalars(select(DailyTotal).where(DailyTotal.appeal_id == appeal.id)))
    figure = figure_of(appeal, totals)
    days = _days(appeal, daily, now)
    monthly, waits, median_minor = _extras(appeal, now)
    return Board(
        appeal=appeal,
        figure=figure,
        pace=_pace(appeal, figure, days),
        days=days,
        hours=_hours(appeal, totals, now),
        today=_on(days, clock.day_of(now, appeal.time_zone)),
        yesterday=_on(days, clock.day_of(now, appeal.time_zone) - timedelta(days=1)),
        sources=_shares(daily, "source", SOURCES),
        placements=_shares(daily, "placement"),
        rhythms=_shares(daily, "frequency"),
        average_minor=totals.raised_minor // totals.gift_count if totals.gift_count > 0 else 0,
        median_minor=median_minor,
        monthly=monthly,
        waits=waits,
        changes=changes_of(appeal),
        elapsed_percent=_elapsed(appeal, now),
    )


def changes_of(appeal: Appeal) -> list[AppealChange]:
    """List the changes of goal and dates, oldest first."""
    query = select(AppealChange).where(AppealChange.appeal_id == appeal.id).order_by(AppealChange.id)
    return list(db.session.scalars(query))


def _days(appeal: Appeal, daily: Iterable[DailyTotal], now: datetime) -> list[Day]:
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


def _elapsed(appeal: Appeal, now: datetime) -> int | None:
    if not (appeal.opens_at and appeal.closes_at):
        return None
    share = (now - appeal.opens_at) * 100 // (appeal.closes_at - appeal.opens_at)
    return max(0, min(100, share))


def _on(days: list[Day], day: date) -> Day:
    return next((one for one in reversed(days) if one.day == day), Day(day))


def _pace(appeal: Appeal, figure: reports.Figure, days: list[Day]) -> progress.Pace:
    today = clock.today(appeal.time_zone)
    return progress.pace(
        [one.net_minor for one in days if one.day < today],
        raised_minor=figure.raised_minor,
        goal_minor=appeal.goal_minor,
        days_left=figure.days_left,
        today_minor=_on(days, today).net_minor,
    )


def _shares(daily: Iterable[DailyTotal], by: str, always: tuple[str, ...] = ()) -> list[Share]:
    sums: dict[str, list[int]] = {name: [0, 0] for name in always}
    for row in daily:
        one = sums.setdefault(getattr(row, by), [0, 0])
        one[0] += row.received_minor - row.returned_minor
        one[1] += row.gift_count
    most = max((one[0] for one in sums.values()), default=0)
    shares = [
        Share(name, net, gifts, max(0, net) * 1000 // most if most > 0 else 0)
        for name, (net, gifts) in sums.items()
    ]
    return sorted(shares, key=lambda share: -share.net_minor)


def _extras(appeal: Appeal, now: datetime) -> tuple[Monthly, Waits, int]:
    """Ask in one statement for monthly gifts, what waits, and the median."""
    gift, lately = RecurringGift, now - timedelta(days=LOSSES_DAYS)
    ended = or_(gift.status != "ended", gift.ended_at > lately)
    own = (gift.appeal_id == appeal.id, ended)
    columns: list[Any] = []
    for status in ("active", "past_due", "ended"):
        columns += [
            _count(gift, *own, gift.status == status),
            select(func.coalesce(func.sum(gift.amount_minor), 0))
            .where(*own, gift.status == status)
            .scalar_subquery(),
        ]
    promised = (Promise.appeal_id == appeal.id, Promise.state == "open")
    columns += [
        *_parked(),
        _to_read(appeal.id),
        _count(Promise, *promised),
        select(func.coalesce(func.sum(Promise.amount_minor), 0)).where(*promised).scalar_subquery(),
        _count(PostBatch, PostBatch.appeal_id == appeal.id, PostBatch.closed_at.is_(None)),
        _count(Notice, Notice.seen_at.is_(None)),
        _median(appeal.id),
    ]
    row = [int(value or 0) for value in db.session.execute(select(*columns)).one()]
    return Monthly(*row[:6]), Waits(*row[6:13]), row[13]


def _parked() -> tuple[Any, Any]:
    return (
        _count(InboxEvent, InboxEvent.state == "parked"),
        _count(OutboxItem, OutboxItem.state == "parked"),
    )


def _to_read(appeal_id: int) -> Any:
    """Count by the short index alone: the sum keeps the larger one on appeal and status out of it."""
    return _count(
        Donation, IS_TO_READ, Donation.appeal_id + 0 == appeal_id, Donation.received_at.is_not(None)
    )


def _count(table: Any, *which: Any) -> Any:
    return select(func.count()).select_from(table).where(*which).scalar_subquery()


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


_kept_hours: dict[int, tuple[Any, list[Hour]]] = {}


def _hours(appeal: Appeal, totals: AppealTotals, now: datetime) -> list[Hour]:
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


@dataclass(frozen=True, slots=True)
class Pulse:
    """The little that a page left open asks for again and again."""

    figure: reports.Figure
    today_minor: int
    today_gifts: int
    waiting: int


def pulse(appeal: Appeal, totals: AppealTotals) -> Pulse:
    """Return the live figures, in one statement more than the totals."""
    today = clock.today(appeal.time_zone)
    net = func.coalesce(func.sum(DailyTotal.received_minor - DailyTotal.returned_minor), 0)
    on = (DailyTotal.appeal_id == appeal.id, DailyTotal.day == today)
    columns = (
        select(net).where(*on).scalar_subquery(),
        select(func.coalesce(func.sum(DailyTotal.gift_count), 0)).where(*on).scalar_subquery(),
        *_parked(),
        _to_read(appeal.id),
    )
    row = [int(value or 0) for value in db.session.execute(select(*columns)).one()]
    return Pulse(figure_of(appeal, totals), row[0], row[1], sum(row[2:]))
