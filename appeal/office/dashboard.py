"""What the dashboard shows: where the appeal stands, how fast it goes, where the gifts come from, what waits.

Reads running totals, never the ledger at large, so that it costs the same with a thousand gifts and a million.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import case, func, select

from appeal import reports
from appeal.core import clock, progress
from appeal.extensions import db
from appeal.models import Appeal, AppealChange, AppealTotals, DailyTotal
from appeal.office import days as in_days
from appeal.office import waits
from appeal.office.days import Day, Hour

RANK = case((Appeal.status == "open", 0), (Appeal.status == "draft", 2), else_=1)


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
    monthly: waits.Monthly
    waits: waits.Waits
    changes: list[AppealChange]
    elapsed_percent: int | None


def appeals_with_totals() -> list[tuple[Appeal, AppealTotals]]:
    """List every appeal with its totals: those that are open first, then the newest."""
    query = select(Appeal, AppealTotals).join(AppealTotals, AppealTotals.appeal_id == Appeal.id)
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(RANK, Appeal.id.desc()))]


def desk_zone() -> str:
    """Return by which clock the office works, on pages about no appeal: that of the appeal which comes first."""
    return (
        db.session.scalar(select(Appeal.time_zone).order_by(RANK, Appeal.id.desc()).limit(1))
        or "Europe/London"
    )


def figure_of(appeal: Appeal, totals: AppealTotals) -> reports.Figure:
    """Return the one figure that every surface shows; of a draft, which has none in public, too."""
    return reports.figure_of(reports.Facts((), appeal, totals), clock.now())


def board(appeal: Appeal, totals: AppealTotals) -> Board:
    """Gather everything about one appeal, in four statements."""
    now = clock.now()
    daily = list(db.session.scalars(select(DailyTotal).where(DailyTotal.appeal_id == appeal.id)))
    figure = figure_of(appeal, totals)
    days = in_days.in_a_row(appeal, daily, now)
    beside = waits.beside(appeal, now)
    return Board(
        appeal=appeal,
        figure=figure,
        pace=_pace(appeal, figure, days),
        days=days,
        hours=in_days.hours(appeal, totals, now),
        today=_on(days, clock.day_of(now, appeal.time_zone)),
        yesterday=_on(days, clock.day_of(now, appeal.time_zone) - timedelta(days=1)),
        sources=_shares(daily, "source", in_days.SOURCES),
        placements=_shares(daily, "placement"),
        rhythms=_shares(daily, "frequency"),
        average_minor=totals.raised_minor // totals.gift_count if totals.gift_count > 0 else 0,
        median_minor=beside.median_minor,
        monthly=beside.monthly,
        waits=beside.waits,
        changes=changes_of(appeal),
        elapsed_percent=_elapsed(appeal, now),
    )


def changes_of(appeal: Appeal) -> list[AppealChange]:
    """List the changes of goal and dates, oldest first."""
    query = select(AppealChange).where(AppealChange.appeal_id == appeal.id).order_by(AppealChange.id)
    return list(db.session.scalars(query))


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
        *waits.parked_counts().values(),
        waits.to_read_count(appeal.id),
    )
    row = [int(value or 0) for value in db.session.execute(select(*columns)).one()]
    return Pulse(figure_of(appeal, totals), row[0], row[1], sum(row[2:]))
