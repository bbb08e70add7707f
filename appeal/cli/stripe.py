"""`flask stripe`: Stripe against the books."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from appeal.books import reconcile, reconcile_runs
from appeal.cli.output import as_json, plainly, say
from appeal.context import gateway, settings
from appeal.core import clock
from appeal.office.audit import COMMAND_LINE

group = AppGroup("stripe", help="Hold the books against Stripe.")
SINCE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@group.command("reconcile")
@click.option("--since", type=SINCE, help="From when on, UTC; by default three days back. May be long ago.")
@click.option("--dry-run", is_flag=True, help="Write nothing, only say what differs.")
@as_json
@plainly
def run(since: datetime | None, *, dry_run: bool, as_json: bool) -> None:
    """Fetch what never came, apply it, and name every difference; exit non-zero while any is left."""
    began = since.replace(tzinfo=UTC) if since else clock.now() - timedelta(days=3)
    report = reconcile.run(gateway(), since=began, livemode=settings().livemode, dry_run=dry_run)
    if not dry_run:
        reconcile_runs.keep(report, COMMAND_LINE.email)
    lines = [one.sentence() for one in report.differences]
    head = (
        f"Since {clock.rfc3339(began)}: {report.objects} objects looked at, "
        f"{report.events_fetched} missed events fetched, {len(report.differences)} differences, {len(report.open)} left."
    )
    say(reconcile.as_dict(report), "\n".join([head, *lines]), as_json=as_json)
    sys.exit(1 if report.open else 0)
