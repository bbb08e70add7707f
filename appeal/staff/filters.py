"""How staff pages write what only they show: closing days, changes of goal and dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_date, format_datetime

from appeal.core import clock, money, texts
from appeal.models import Appeal


def last_day(closes_at: datetime | None, appeal: Appeal) -> str:
    """Write the last day of an appeal: closing times are exclusive."""
    if closes_at is None:
        return ""
    return texts.isolated(format_date(_last(closes_at, appeal), format="medium", locale=appeal.locale))


def iso_last_day(closes_at: datetime | None, appeal: Appeal) -> str:
    """Write the last day as date fields and scripts read it."""
    return "" if closes_at is None else _last(closes_at, appeal).isoformat()


def iso_day(value: datetime | None, appeal: Appeal) -> str:
    """Write the day of an instant, in the appeal's zone, as date fields and scripts read it."""
    return "" if value is None else clock.day_of(value, appeal.time_zone).isoformat()


def _last(closes_at: datetime, appeal: Appeal) -> Any:
    return clock.day_of(closes_at - timedelta(microseconds=1), appeal.time_zone)


def changed(value: str, field: str, appeal: Appeal) -> str:
    """Write one side of a change of goal or dates."""
    if not value:
        return "none"
    if field == "goal":
        return money.format_money(int(value), appeal.currency, appeal.locale)
    at = datetime.fromisoformat(value)
    return (
        last_day(at, appeal)
        if field == "closes"
        else format_date(clock.day_of(at, appeal.time_zone), format="medium", locale=appeal.locale)
    )


def moment(value: datetime, locale: str = "en_GB", zone: str = "UTC") -> str:
    """Write an instant short enough for a table, with no-break spaces."""
    local = value.astimezone(clock.zone(zone))
    return texts.isolated(format_datetime(local, "d MMM y, HH:mm", locale=locale).replace(" ", "\u00a0"))


FILTERS: dict[str, Callable[..., Any]] = {
    "last_day": last_day,
    "iso_last_day": iso_last_day,
    "iso_day": iso_day,
    "changed": changed,
    "moment": moment,
    "exponent": money.exponent,
    "plain_money": money.plain,
}
