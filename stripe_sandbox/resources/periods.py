"""Billing periods: what a month after the 31st of January is."""

import calendar
from datetime import UTC, datetime, timedelta

_DAYS = {"day": 1, "week": 7}


def period_end(anchor: int, start: int, interval: str, count: int) -> int:
    """Return the first instant after `start` that lies a whole number of intervals after the anchor.

    Months keep the anchor's day of the month, or take the last day of a month that is too short.
    """
    step = 1
    while (end := _after(anchor, interval, count * step)) <= start:
        step += 1
    return end


def _after(anchor: int, interval: str, count: int) -> int:
    began = datetime.fromtimestamp(anchor, UTC)
    if interval in _DAYS:
        return int((began + timedelta(days=_DAYS[interval] * count)).timestamp())
    months = began.month - 1 + count * (12 if interval == "year" else 1)
    year, month = began.year + months // 12, months % 12 + 1
    day = min(began.day, calendar.monthrange(year, month)[1])
    return int(began.replace(year=year, month=month, day=day).timestamp())
