"""`flask work`: the worker."""

from __future__ import annotations

import signal
import threading

import click
from flask.cli import with_appcontext

from appeal.cli.output import as_json, plainly, say
from appeal.context import settings
from appeal.queues import jobs


@click.command("work")
@click.option("--once", is_flag=True, help="Do what is due now, then stop.")
@as_json
@with_appcontext
@plainly
def command(*, once: bool, as_json: bool) -> None:
    """Apply waiting events, send mail, run what is scheduled."""
    if once:
        done = jobs.round_once(settings())
        jobs.run_scheduled(settings())
        sentence = f"{done.events} events and {done.letters} letters taken up."
        return say({"events": done.events, "letters": done.letters}, sentence, as_json=as_json)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    click.echo("Working. Ctrl-C stops after the piece of work in hand.", err=True)
    return jobs.run(settings(), stop)
