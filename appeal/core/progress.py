"""Progress of an appeal: percent, state, days left, pace, projection, and the sentence under the bar.

Arithmetic on plain values: nothing here asks the clock or the database, so that every surface (page, banner, JSON,
picture, mail, dashboard) can draw the same figure from the same numbers. Amounts are integers in minor units;
instants are timezone-aware; an appeal is open from `opens_at` (included) to `closes_at` (excluded).
"""

import json
import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from appeal.core.money import format_money, whole_down

State = Literal["upcoming", "running", "last_days", "reached", "ended"]
Interval = Literal["month", "year"]
Day = TypeVar("Day", bound=date)

LAST_DAYS = timedelta(hours=72)
PACE_DAYS = 14
RANGE_DAYS = 28
_WEEK = 7
_MONTHS: dict[Interval, int] = {"month": 1, "year": 12}


def percent_tenths(raised_minor: int, goal_minor: int | None) -> int | None:
    """Return tenths of a percent of the goal, rounded down: 644 is 64.4 %. May pass 1000.

    Nought when more went back than came in: a bar has no room below. None without a goal.
    """
    if not goal_minor or goal_minor < 0:
        return None
    return max(0, raised_minor) * 1000 // goal_minor


def percent_json(tenths: int | None) -> Any:
    """Return tenths of a percent as the number JSON shows: 64.4, or 64 where it is whole. None stays None.

    The one place where a binary fraction leaves the house: JSON has no decimal type, and Flask would write a Decimal
    as a string. It is read from its decimal form, so that it is written back as exactly that; never compute with it.
    """
    return None if tenths is None else json.loads(percent_text(tenths))


def percent_text(tenths: int) -> str:
    """Return tenths of a percent as text, "64.4" or "64", with a point whatever the language."""
    whole, tenth = divmod(tenths, 10)
    return f"{whole}.{tenth}" if tenth else str(whole)


def state(
    *,
    now: datetime,
    opens_at: datetime | None,
    closes_at: datetime | None,
    raised_minor: int,
    goal_minor: int | None,
    closed: bool,
) -> State:
    """Return where the appeal stands: the first of these that fits.

    `ended` when staff closed it, or from `closes_at` on (the instant included); `upcoming` before `opens_at` (the
    instant excluded); `reached` when raised is at least the goal; `last_days` when at most 72 hours remain;
    `running` otherwise. A missing time never bounds; a missing goal, or one of nought, is never reached.
    """
    if closed or (closes_at is not None and now >= closes_at):
        return "ended"
    if opens_at is not None and now < opens_at:
        return "upcoming"
    if goal_minor and 0 < goal_minor <= raised_minor:
        return "reached"
    # In UTC: a difference between two local times of one zone would ignore the change of the clocks.
    if closes_at is not None and closes_at.astimezone(UTC) - now.astimezone(UTC) <= LAST_DAYS:
        return "last_days"
    return "running"


def days_left(now: datetime, closes_at: datetime | None, zone: ZoneInfo) -> int | None:
    """Return how many calendar days of the zone remain, today and the closing day included.

    On the closing day it is 1 ("last day"), on the day before 2, from `closes_at` on 0. A closing time of midnight
    belongs to the day that it ends. Days are counted by date, so a change of the clocks does not shift them. None
    without a closing time.
    """
    if closes_at is None:
        return None
    if now >= closes_at:
        return 0
    # Step back in UTC: the last instant before closing says which day it ends.
    last = (closes_at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone).date()
    return (last - now.astimezone(zone).date()).days + 1


def percent_shown(tenths: int, locale: str = "en_GB") -> str:
    """Return tenths of a percent as people of the locale write it: "64.4%", "64,4 %"; no decimal where it is whole."""
    known = Locale.parse(locale.replace("-", "_"))
    pattern = re.sub(r"0(?=[^0]*$)", "0.#", known.percent_formats[None].pattern)
    return str(format_percent(Decimal(tenths).scaleb(-3), pattern, locale=known))


@dataclass(frozen=True, slots=True)
class Formatted:
    """The public figures in whole units, ready to show; `goal` and `remaining` are None without a goal."""

    raised: str
    goal: str | None
    remaining: str | None


def formatted(raised_minor: int, goal_minor: int | None, currency: str, locale: str = "en_GB") -> Formatted:
    """Return raised and goal rounded down to whole units, and the shown goal less the shown raised, at least nought.

    Raises: UnknownCurrency.
    Source: docs/interface.md, `formatted`.
    """

    def shown(amount_minor: int) -> str:
        return format_money(amount_minor, currency, locale, whole="down")

    if goal_minor is None:
        return Formatted(shown(raised_minor), None, None)
    remaining_minor = whole_down(goal_minor, currency) - whole_down(raised_minor, currency)
    return Formatted(shown(raised_minor), shown(goal_minor), shown(max(0, remaining_minor)))


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast gifts come, and where that leads. Staff see it; it is an estimate and never public.

    `per_day_minor`: mean of the last 14 finished days, rounded down. `needed_per_day_minor`: what each remaining day,
    today included, must still bring, rounded up; nought once reached. `likely_*_minor`: raised at closing.
    What needs a goal or a closing time is None without it.
    """

    per_day_minor: int
    needed_per_day_minor: int | None
    likely_low_minor: int | None
    likely_mid_minor: int | None
    likely_high_minor: int | None
    on_track: bool | None


def pace(
    daily_minor: Sequence[int],
    *,
    raised_minor: int,
    goal_minor: int | None,
    days_left: int | None,
    today_minor: int = 0,
) -> Pace:
    """Return the pace from the sums of the finished days, oldest first, days without gifts included as nought.

    `raised_minor` includes `today_minor`, what came today so far. The middle forecast goes on like the last 14
    finished days; the low and the high one like the worst and the best seven days running of the last 28 (or of as
    many as there are). Each counts the remaining days as whole ones, today included, and none falls below what is
    there already.
    """
    mid = _mean(daily_minor[-PACE_DAYS:])
    recent = daily_minor[-RANGE_DAYS:]
    rates = [mid, *(_mean(recent[end - _WEEK : end]) for end in range(_WEEK, len(recent) + 1))]

    def likely(rate: Fraction) -> int | None:
        if days_left is None:
            return None
        return (
            max(raised_minor, raised_minor - today_minor + floor(rate * days_left))
            if days_left
            else raised_minor
        )

    middle = likely(mid)
    return Pace(
        per_day_minor=floor(mid),
        needed_per_day_minor=_needed(raised_minor, goal_minor, days_left),
        likely_low_minor=likely(min(rates)),
        likely_mid_minor=middle,
        likely_high_minor=likely(max(rates)),
        on_track=None if middle is None or not goal_minor else middle >= goal_minor,
    )


def _mean(sums_minor: Sequence[int]) -> Fraction:
    return Fraction(sum(sums_minor), len(sums_minor) or 1)


def _needed(raised_minor: int, goal_minor: int | None, days_left: int | None) -> int | None:
    if not goal_minor or not days_left:
        return None
    return -(-max(0, goal_minor - raised_minor) // days_left)


def projected_monthly_minor(
    instalments: Iterable[tuple[int, datetime, Interval]], closes_at: datetime | None, now: datetime
) -> int:
    """Return what running monthly gifts will add until closing, in minor units; never part of raised.

    Each instalment is (`amount_minor`, `next_due_at`, "month" or "year") and recurs from `next_due_at` at the same time
    of the same day in UTC, or on the last day of a month that has no such day. Counted are those after `now`, up
    to and including `closes_at`: one that is overdue is not expected twice. Nought without a closing time.

    Source: Stripe, "Billing cycle" (the 31st becomes the last day of shorter months).
    """
    if closes_at is None or closes_at <= now:
        return 0
    return sum(
        amount_minor * (_recurrences(due_at, interval, closes_at) - _recurrences(due_at, interval, now))
        for amount_minor, due_at, interval in instalments
    )


def _recurrences(first_at: datetime, interval: Interval, until: datetime) -> int:
    """Return how many recurrences fall from the first one up to and including `until`."""
    first, end, step = first_at.astimezone(UTC), until.astimezone(UTC), _MONTHS[interval]
    if end < first:
        return 0
    whole = ((end.year - first.year) * 12 + end.month - first.month) // step
    return whole + (months_later(first, whole * step) <= end)


def months_later(day: Day, months: int) -> Day:
    """Return the same day so many months on, or the last day of a month that has no such day."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month0 + 1, day=min(day.day, monthrange(year, month0 + 1)[1]))


def sentence(
    *,
    state: State,
    currency: str,
    raised_minor: int,
    goal_minor: int | None,
    gift_count: int,
    days_left: int | None,
    opens_on: date | None = None,
    locale: str = "en_GB",
) -> str:
    """Return the one sentence under the bar, in English and plain text, without a full stop.

    "£61,234 of £95,000 from 1,893 gifts; 12 days left". Amounts are in whole units, as in `formatted`, and written as
    the locale writes them. `opens_on` is the opening day in the appeal's zone and shown before opening only.
    A goal of None is not mentioned.

    Raises: UnknownCurrency.
    """
    money = formatted(raised_minor, goal_minor, currency, locale)
    nothing_yet = gift_count <= 0 and raised_minor <= 0
    gifts = f" from {_counted(gift_count, 'gift', locale)}" if gift_count > 0 else ""
    if state == "upcoming":
        return _opening(money.goal, opens_on)
    if state == "ended":
        return "The appeal has ended" if nothing_yet else _thanks(money, gifts, raised_minor, goal_minor)
    if nothing_yet:
        head = f"Be the first to give towards {money.goal}" if money.goal else "Be the first to give"
    else:
        head = (f"{money.raised} of {money.goal}" if money.goal else money.raised) + gifts
    if state == "reached" and goal_minor is not None:
        head = f"Goal {'passed' if raised_minor > goal_minor else 'reached'}: {head}"
    return head + _time_left(days_left, locale)


def _opening(goal: str | None, opens_on: date | None) -> str:
    appeal = f"The appeal for {goal}" if goal else "The appeal"
    if opens_on is None:
        return f"{appeal} opens soon"
    return f"{appeal} opens on {format_date(opens_on, 'd MMMM', locale='en_GB')}"


def _thanks(money: Formatted, gifts: str, raised_minor: int, goal_minor: int | None) -> str:
    """Return the closing words; a goal that was missed is not held against those who gave."""
    reached = f" and reached its goal of {money.goal}" if goal_minor and raised_minor >= goal_minor else ""
    return f"The appeal raised {money.raised}{gifts}{reached}: thank you"


def _time_left(days: int | None, locale: str) -> str:
    if not days:
        return ""
    return "; last day" if days == 1 else f"; {_counted(days, 'day', locale)} left"


def _counted(count: int, noun: str, locale: str) -> str:
    number = format_decimal(count, "#,##0", locale=locale.replace("-", "_"))
    return f"{number} {noun}" if count == 1 else f"{number} {noun}s"
