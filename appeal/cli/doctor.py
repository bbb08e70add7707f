"""`flask doctor`: whether this installation would work, looked at from every side."""

from __future__ import annotations

import smtplib
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from appeal import health, mail
from appeal.cli.output import as_json, say
from appeal.context import gateway, settings
from appeal.core import clock
from appeal.payments import PaymentsError
from appeal.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    fine: bool
    words: str


@click.command("doctor")
@as_json
@with_appcontext
def command(*, as_json: bool) -> None:
    """Check settings, database, migrations, Stripe, mail and clock; exit non-zero if something is wrong."""
    findings = list(_look(settings()))
    lines = [f"{'fine ' if one.fine else 'WRONG'}  {one.what}: {one.words}" for one in findings]
    say([asdict(one) for one in findings], "\n".join(lines), as_json=as_json)
    sys.exit(0 if all(one.fine for one in findings) else 1)


def _look(config: Settings) -> Iterator[Finding]:
    yield Finding("settings", fine=True, words=f"{config.appeal_env}, public address {config.public_url}")
    checks: list[tuple[str, Callable[[Settings], str]]] = [
        ("database", _database),
        ("stripe", _stripe),
        ("mail", _mail),
    ]
    for name, check in checks:
        try:
            yield Finding(name, fine=True, words=check(config))
        except PaymentsError as error:
            yield Finding(name, fine=False, words=f"does not answer as it should ({error.message})")
        except (OSError, SQLAlchemyError, smtplib.SMTPException, ValueError) as error:
            yield Finding(name, fine=False, words=f"{type(error).__name__}: {error}".split("\n")[0][:200])


def _database(_config: Settings) -> str:
    found = health.look()
    if not found.migrated:
        raise ValueError("the database is not at this code's migration; run `db upgrade`")
    waiting = f"oldest event {found.oldest_event_seconds} s, oldest mail {found.oldest_mail_seconds} s"
    return f"at migration {health.migration_head()}; {waiting}; {found.parked_events} events and {found.parked_mails} mails parked"


def _stripe(config: Settings) -> str:
    drift = gateway().clock_drift_seconds()
    if abs(drift) > 60:
        raise ValueError(f"this machine's clock is {drift} s away from Stripe's; signatures will be refused")
    where = "the sandbox" if config.sandboxed else ("live" if config.livemode else "test mode")
    return f"answers ({where}); clock within {abs(drift)} s at {clock.rfc3339(clock.now())}"


def _mail(config: Settings) -> str:
    url = config.mail_url.get_secret_value()
    if config.mail_scheme == "console":
        return "printed on the console"
    if config.mail_scheme == "file":
        folder = Path(url.removeprefix("file:"))
        folder.mkdir(parents=True, exist_ok=True)
        return f"written into {folder}"
    parts = urlsplit(url)
    with mail.submission(parts, timeout_seconds=5) as server:
        server.noop()
    return f"{parts.hostname} answers{' and knows us' if parts.username else ''}"
