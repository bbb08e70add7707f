"""`flask serve`: the production server as the project recommends it.

granian, because it needs a third of the CPU that gunicorn's threads need for a request and stands slow clients
(docs/adr/0030). With one process the worker runs inside it, in a thread of its own. The application is made once: server
processes are forked from the one that made it, where Python forks.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from importlib import import_module
from typing import Any

import click
from flask import Flask
from sqlalchemy.orm import configure_mappers

from appeal.extensions import db

# More than the cores can run, on purpose: a thread that waits for Stripe costs nothing, and the others go on.
BLOCKING_THREADS = 24
BACKLOG = 2048
HEADER_READ_TIMEOUT_MILLISECONDS = 10_000
KILL_AFTER_SECONDS = 15
WORKER_FLAG = "APPEAL_SERVE_WITH_WORKER"
# Not needed to be ready, and a donor should not wait for it.
FIRST_GIFT = ("stripe", "email_validator", "limits.storage", "limits.strategies")


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--access-log/--no-access-log", default=False, help="Write a line for each request.")
def command(host: str, port: int, workers: int, *, access_log: bool) -> None:
    """Serve the application; stops gracefully on SIGTERM and Ctrl-C."""
    _refuse_taken(host, port)
    os.environ[WORKER_FLAG] = "1" if workers == 1 else ""
    recommended(
        "appeal.cli.serve:served", factory=True, host=host, port=port, workers=workers, access_log=access_log
    ).serve()


def _refuse_taken(host: str, port: int) -> None:
    """Say so where somebody listens there already: granian would share the port with another of its kind, unasked.

    Raises:
        ClickException: the address cannot be listened on.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise click.ClickException(
            f"{host}:{port} cannot be listened on: {error.strerror or error}."
        ) from error


def recommended(
    target: str,
    *,
    port: int,
    host: str = "127.0.0.1",
    workers: int = 1,
    factory: bool = False,
    access_log: bool = False,
) -> Any:
    """Return a granian server with the settings that this project recommends (docs/adr/0030)."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.http import HTTP1Settings

    logging.getLogger("_granian").addFilter(_is_not_about_threads)
    return Granian(
        target,
        factory=factory,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_TIMEOUT_MILLISECONDS),
        log_access=access_log,
        log_level="warning",  # type: ignore[arg-type]  # a str enum's value
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_AFTER_SECONDS,
        websockets=False,
    )


def _is_not_about_threads(record: logging.LogRecord) -> bool:
    return "Python threads, which seems quite high" not in record.getMessage()


def served() -> Flask:
    """Return the application inside a server process, with the worker in a thread where that is wanted."""
    from wsgi import app

    with app.app_context():
        db.engine.dispose(close=False)  # a connection belongs to the process that opened it
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()
    if os.environ.get(WORKER_FLAG) and app.extensions["appeal.settings"].worker_inside:
        threading.Thread(target=_work, args=(app,), name="worker", daemon=True).start()
    return app


def _warm_up() -> None:
    for name in FIRST_GIFT:
        import_module(name)
    configure_mappers()


def _work(app: Flask) -> None:
    from appeal.context import settings as current_settings
    from appeal.queues import jobs

    with app.app_context():
        jobs.run(current_settings(), threading.Event())
