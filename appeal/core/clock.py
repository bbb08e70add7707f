"""What time it is: the only caller of `datetime.now`.

Instants are timezone-aware and UTC; a day is a day in an appeal's own time zone. Tests move time with `travel`,
which every reader of the clock then sees; nothing is patched.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from time import time as unix_time
from zoneinfo import ZoneInfo, available_timezones

_shift_lock = threading.Lock()
_shift = timedelta(0)
_shift_seconds = 0.0


def now() -> datetime:
    """Tell the present instant, in UTC."""
    return datetime.now(UTC) + _shift


def seconds() -> float:
    """Tell the present instant as `timestamp()` would: for those who ask it thousands of times a second."""
    return unix_time() + _shift_seconds


@contextmanager
def travel(to: datetime) -> Iterator[None]:
    """Move the clock of the whole process to an instant; it keeps running from there."""
    with _shift_lock:
        before = _shift
        _move(to - datetime.now(UTC))
    try:
        yield
    finally:
        with _shift_lock:
            _move(before)


def _move(shift: timedelta) -> None:
    global _shift, _shift_seconds
    _shift, _shift_seconds = shift, shift.total_seconds()


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name."""
    return ZoneInfo(name)


def knows_zone(name: str) -> bool:
    """Tell whether there is a time zone of this IANA name."""
    return name in _known_zones()


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())  # it looks through a folder of hundreds of files


def day_of(instant: datetime, zone_name: str) -> date:
    """Return the calendar day on which an instant falls in a zone."""
    return instant.astimezone(zone(zone_name)).date()


def today(zone_name: str) -> date:
    """Return today's date in a zone."""
    return day_of(now(), zone_name)


def start_of_day(day: date, zone_name: str) -> datetime:
    """Return the first instant of a day in a zone, in UTC."""
    return datetime.combine(day, time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def end_of_day(day: date, zone_name: str) -> datetime:
    """Return the first instant after a day in a zone, in UTC: closing times are exclusive."""
    return start_of_day(day + timedelta(days=1), zone_name)


def rfc3339(instant: datetime) -> str:
    """Write an instant as RFC 3339 with `Z`, to the second.

    Source: docs/interface.md, "Money and time".
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_unix(seconds: int) -> datetime:
    """Read Stripe's timestamps: whole seconds since 1970, UTC."""
    return datetime.fromtimestamp(seconds, UTC)
