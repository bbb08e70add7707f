"""How the banners fare on other people's pages: sampled reports without identifiers, added up by day.

A report names the host, the placement, the script's version and, if the host's content policy refused something,
which rule it was. It is dropped rather than answered late, and nobody can fill the table: see the limits below.
"""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from appeal.core import clock, placements
from appeal.database import writing
from appeal.extensions import db
from appeal.models import EmbedSighting

# The script reports one view in a hundred.
SAMPLED_ONE_IN = 100
KEPT_DAYS = 90
MOST_ROWS_A_DAY = 2000
REPORTS_A_SECOND, BURST = 20, 100
OTHERS = "(others)"
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_VERSION = re.compile(r"[0-9a-f]{8}")
_RULE = re.compile(r"[a-z][a-z-]{2,39}")


@dataclass(frozen=True, slots=True)
class Report:
    """One beacon as it came; nothing in it is believed."""

    host: str
    placement: str
    version: str
    blocked: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One host and placement over the days of a report; counts are of beacons, a hundredth of the views."""

    host: str
    placement: str
    last_on: date
    shown: int
    versions: tuple[str, ...]
    outdated: bool
    blocked: dict[str, int]


@dataclass(frozen=True, slots=True)
class Health:
    """What staff see: the placements by how often they were shown, and what was blocked in all."""

    since: date
    seen: list[Seen]
    shown: int
    blocked: int


class _Bucket:
    """Lets so many through a second and a burst; a process has one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left, self._at = BURST * 1000, time.monotonic_ns()

    def take(self) -> bool:
        """Take one, if there is one; counted in thousandths."""
        with self._lock:
            now = time.monotonic_ns()
            grown = (now - self._at) * REPORTS_A_SECOND // 1_000_000
            if grown:
                self._left, self._at = min(BURST * 1000, self._left + grown), now
            if self._left < 1000:
                return False
            self._left -= 1000
            return True


_bucket = _Bucket()


def note(report: Report, *, current_version: str) -> bool:
    """Count a report; say False when it is dropped, because it makes no sense or there are too many just now."""
    if not _HOST.fullmatch(report.host) or not _VERSION.fullmatch(report.version):
        return False
    if report.placement not in placements.BANNER or (report.blocked and not _RULE.fullmatch(report.blocked)):
        return False
    if not _bucket.take():
        return False
    with writing() as session:
        row = {
            "day": clock.now().date(),
            "host": report.host,
            "placement": report.placement,
            "version": report.version,
            "blocked": report.blocked,
        }
        session.execute(_added(row | {"host": _host_with_room(row)}, report.version == current_version))
    return True


def _host_with_room(row: dict[str, Any]) -> str:
    """Return the host, or the name for all others once a day has filled up."""
    host: str = row["host"]
    known = (
        select(EmbedSighting.id).where(EmbedSighting.day == row["day"], EmbedSighting.host == host).limit(1)
    )
    if db.session.scalar(known) is not None:
        return host
    rows = db.session.scalar(select(func.count()).where(EmbedSighting.day == row["day"])) or 0
    return host if rows < MOST_ROWS_A_DAY else OTHERS


def _added(row: dict[str, Any], current: bool) -> Any:
    """Return the statement that adds one to a row, or makes it."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = insert(EmbedSighting).values(**row, current=current, count=1)
    return statement.on_conflict_do_update(
        index_elements=list(row), set_={"count": EmbedSighting.count + 1, "current": current}
    )


def report(days: int = 14) -> Health:
    """Return what was seen in the last days, today included; the most shown first."""
    since = clock.now().date() - timedelta(days=days - 1)
    rows = db.session.scalars(select(EmbedSighting).where(EmbedSighting.day >= since))
    grouped: dict[tuple[str, str], list[EmbedSighting]] = defaultdict(list)
    for row in rows:
        grouped[row.host, row.placement].append(row)
    seen = sorted(
        (_seen(group) for group in grouped.values()), key=lambda one: (-one.shown, one.host, one.placement)
    )
    return Health(since, seen, sum(one.shown for one in seen), sum(sum(one.blocked.values()) for one in seen))


def _seen(rows: list[EmbedSighting]) -> Seen:
    blocked: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.blocked:
            blocked[row.blocked] += row.count
    newest = max(rows, key=lambda row: (row.day, row.current))
    return Seen(
        host=newest.host,
        placement=newest.placement,
        last_on=newest.day,
        shown=sum(row.count for row in rows if not row.blocked),
        versions=tuple(sorted({row.version for row in rows})),
        outdated=not newest.current,
        blocked=dict(blocked),
    )


def forget_old() -> None:
    """Delete what is older than 90 days."""
    before = clock.now().date() - timedelta(days=KEPT_DAYS)
    with writing() as session:
        session.execute(delete(EmbedSighting).where(EmbedSighting.day < before))
