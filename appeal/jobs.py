"""The worker: events that were not finished at once, mail, and what is to be done on a schedule.

Any number of workers may run, inside the server or beside it; each piece of work is claimed in the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from appeal import clock, inbox, letters, limits, outbox
from appeal.extensions import db
from appeal.settings import Settings

POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """How much one round did."""

    events: int
    letters: int

    def __bool__(self) -> bool:
        """Say whether there was anything to do."""
        return bool(self.events or self.letters)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One thing done every so often; doing it twice does no harm, so every worker may keep its own time."""

    every: timedelta
    run: Callable[[Settings], object]


def schedule() -> dict[str, Scheduled]:
    """Return what is done on a schedule, by name."""
    return {"forget_address_digests": Scheduled(timedelta(hours=6), lambda _settings: limits.forget_old())}


def round_once(settings: Settings) -> Done:
    """Apply the events and send the letters that are due."""
    return Done(
        events=inbox.apply_due(livemode=settings.livemode),
        letters=outbox.send_due(letters.senders(settings)),
    )


def run_scheduled(settings: Settings, last: dict[str, datetime]) -> None:
    """Run what is due; `last` remembers when each was run. One that fails is logged and keeps its turn."""
    for name, job in schedule().items():
        if name not in last or clock.now() - last[name] >= job.every:
            last[name] = clock.now()
            try:
                job.run(settings)
            except Exception:
                db.session.rollback()
                log.exception("jobs.scheduled_failed", job=name)


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until told to stop. A database that is away is waited for, not a reason to give up."""
    last: dict[str, datetime] = {}
    while not stop.is_set():
        try:
            done = round_once(settings)
            run_scheduled(settings, last)
        except DBAPIError as error:
            log.warning("jobs.database_away", problem=type(error).__name__)
            done = Done(0, 0)
        finally:
            db.session.remove()
        if not done:
            stop.wait(POLL_SECONDS)
