"""`flask serve`: the production server as the project recommends it.

granian, because it needs a third of the CPU that gunicorn's threads need for a request and stands slow clients
(docs/adr/0005). With one process the worker runs inside it, in a thread of its own.
"""

from __future__ import annotations

import os
import threading

import click
from flask import Flask

from appeal import create_app, jobs
from appeal.context import settings as current_settings

BLOCKING_THREADS = 24
WORKER_FLAG = "APPEAL_SERVE_WITH_WORKER"


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--access-log/--no-access-log", default=False, help="Write a line for each request.")
def command(host: str, port: int, workers: int, *, access_log: bool) -> None:
    """Serve the application; stops gracefully on SIGTERM and Ctrl-C."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    os.environ[WORKER_FLAG] = "1" if workers == 1 else ""
    Granian(
        "appeal.cli.serve:served",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        backlog=2048,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        log_access=access_log,
        log_level="warning",  # type: ignore[arg-type]  # a str enum's value
        respawn_failed_workers=True,
        workers_kill_timeout=15,
        websockets=False,
    ).serve()


def served() -> Flask:
    """Make the application inside a server process, with the worker in a thread where that is wanted."""
    app = create_app()
    if os.environ.get(WORKER_FLAG) and app.extensions["appeal.settings"].worker_inside:
        threading.Thread(target=_work, args=(app,), name="worker", daemon=True).start()
    return app


def _work(app: Flask) -> None:
    with app.app_context():
        jobs.run(current_settings(), threading.Event())
