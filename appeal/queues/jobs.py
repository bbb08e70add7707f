"""The worker: events that were not finished at once, mail, and what is to be done on a schedule.

Any number of workers may run, inside the server or beside it; each piece of work is claimed in the database, scheduled
work too: whoever moves its next time ahead does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from appeal import embed_health
from appeal.books import fees, ledger, reconcile, reconcile_runs, refunding, seals
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import asking, letters, limits
from appeal.models import ScheduledRun
from appeal.office import post_import, search, sign_in, staff_letters
from appeal.outgoing import digest, endpoints, milestones, sending
from appeal.payments import Gateway, PaymentsError, StripeGateway
from appeal.people import donor_links, retention
from appeal.queues import inbox, outbox
from appeal.settings import Settings

POLL_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """How much one round did."""

    events: int
    letters: int
    messages: int = 0

    def __bool__(self) -> bool:
        """Say whether there was anything to do."""
        return bool(self.events or self.letters or self.messages)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One thing done every so often, by one worker at a time; doing it twice does no harm."""

    every: timedelta
    run: Callable[[Settings, Gateway], object]


def schedule() -> dict[str, Scheduled]:
    """Return what is done on a schedule, by name."""
    return {
        "open_attempts": Scheduled(
            timedelta(minutes=3),
            lambda settings, gateway: asking.open_attempts(gateway, livemode=settings.livemode),
        ),
        "waiting_events": Scheduled(
            timedelta(minutes=3), lambda settings, gateway: asking.chase(gateway, livemode=settings.livemode)
        ),
        "refund_orders": Scheduled(
            timedelta(minutes=3), lambda _settings, gateway: refunding.finish_all(gateway)
        ),
        "missed_events": Scheduled(timedelta(hours=1), _missed_events),
        "statement": Scheduled(timedelta(hours=6), _statement),
        "reconcile": Scheduled(timedelta(days=1), _reconcile),
        "seals": Scheduled(timedelta(minutes=20), lambda _settings, _gateway: seals.seal_finished()),
        "milestones": Scheduled(timedelta(minutes=1), lambda _settings, _gateway: milestones.look()),
        "digests": Scheduled(timedelta(minutes=5), lambda _settings, _gateway: digest.write_due()),
        "outgoing_keys": Scheduled(
            timedelta(hours=1), lambda settings, _gateway: endpoints.renew_all(settings)
        ),
        "forget_deliveries": Scheduled(timedelta(hours=6), lambda _settings, _gateway: sending.forget_old()),
        "names": Scheduled(timedelta(minutes=1), lambda _settings, _gateway: search.follow()),
        "forget_links": Scheduled(timedelta(hours=6), lambda _settings, _gateway: donor_links.forget_old()),
        "forget_attempts": Scheduled(timedelta(hours=6), lambda _settings, _gateway: retention.forget()),
        "forget_failed_sign_ins": Scheduled(
            timedelta(hours=6), lambda _settings, _gateway: sign_in.forget_old()
        ),
        "forget_statements": Scheduled(
            timedelta(days=1), lambda _settings, _gateway: post_import.forget_old()
        ),
        "forget_address_digests": Scheduled(
            timedelta(hours=6), lambda _settings, _gateway: limits.forget_old()
        ),
        "forget_embed_sightings": Scheduled(
            timedelta(days=1), lambda _settings, _gateway: embed_health.forget_old()
        ),
    }


def _missed_events(settings: Settings, gateway: Gateway) -> int:
    since = clock.now() - timedelta(hours=26)
    return reconcile.fetch_events(gateway, since=since, livemode=settings.livemode)


def _statement(_settings: Settings, gateway: Gateway) -> None:
    fees.pull(gateway, fees.since_last(timedelta(hours=1)))
    fees.tie_loose()
    fees.read_payouts(gateway)


def _reconcile(settings: Settings, gateway: Gateway) -> None:
    report = reconcile.run(gateway, since=reconcile_runs.due_since(), livemode=settings.livemode)
    reconcile_runs.keep(report, reconcile_runs.BY_SCHEDULE)


def round_once(settings: Settings, stop: threading.Event | None = None) -> Done:
    """Apply the events, then send the letters and messages that are due; told to stop, finish the one in hand."""
    every = letters.senders(settings) | staff_letters.senders(settings) | digest.senders(settings)
    return Done(
        events=inbox.apply_due(livemode=settings.livemode, stop=stop),
        letters=outbox.send_due(every, stop=stop),
        messages=sending.send_due(settings, stop=stop),
    )


def run_scheduled(
    settings: Settings, gateway: Gateway | None = None, stop: threading.Event | None = None
) -> list[str]:
    """Run what is due and nobody else is running; return its names. One that fails is logged and keeps its turn."""
    gateway = gateway or StripeGateway(settings)
    done: list[str] = []
    jobs = schedule()
    for name in _due(tuple(jobs)):
        if stop and stop.is_set():
            break
        job = jobs[name]
        if _claim(name, job.every):
            done.append(name)
            _run_one(name, job, settings, gateway)
    return done


def _due(names: tuple[str, ...]) -> list[str]:
    """Say which jobs are due; looking takes no lock on SQLite."""
    later = set(db.session.scalars(select(ScheduledRun.name).where(ScheduledRun.next_at > clock.now())))
    db.session.rollback()
    return [name for name in names if name not in later]


def _claim(name: str, every: timedelta) -> bool:
    """Move a job's next time ahead; whoever does so runs it."""
    now = clock.now()
    with writing() as session:
        values = {"name": name, "next_at": now + every, "problem": ""}
        if ledger.insert_once(session, ScheduledRun, values, key="name", returning="name") is not None:
            return True
        change = update(ScheduledRun).where(ScheduledRun.name == name, ScheduledRun.next_at <= now)
        moved = session.execute(
            change.values(next_at=now + every).execution_options(synchronize_session=False)
        )
        return bool(moved.rowcount)  # type: ignore[attr-defined]


def _run_one(name: str, job: Scheduled, settings: Settings, gateway: Gateway) -> None:
    problem = ""
    try:
        job.run(settings, gateway)
    except PaymentsError as error:
        problem = error.message
        log.warning("jobs.stripe_away", job=name, problem=problem)
    except Exception as error:
        problem = type(error).__name__
        log.exception("jobs.scheduled_failed", job=name)
    db.session.rollback()
    with writing() as session:
        change = update(ScheduledRun).where(ScheduledRun.name == name)
        session.execute(
            change.values(done_at=clock.now(), problem=problem[:500]).execution_options(
                synchronize_session=False
            )
        )


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until told to stop. A database that is away is waited for, not a reason to give up."""
    gateway = StripeGateway(settings)
    while not stop.is_set():
        try:
            done = round_once(settings, stop)
            run_scheduled(settings, gateway, stop)
        except DBAPIError as error:
            log.warning("jobs.database_away", problem=type(error).__name__)
            done = Done(0, 0)
        finally:
            db.session.remove()
        if not done:
            stop.wait(POLL_SECONDS)
