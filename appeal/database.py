"""How both databases are opened, and what a writing transaction is.

SQLite runs in WAL mode; a writer begins immediately, because a deferred transaction that reads before it writes
loses the race for the lock however long it waits. Every use case that writes does so inside `writing()`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from appeal import freshness
from appeal.extensions import db

TURN_SECONDS = 10
WRITERS_AT_ONCE = {"sqlite": 1, "postgresql": 4}
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    # Without it INSERT OR REPLACE deletes an append-only row past the trigger.
    "PRAGMA recursive_triggers=ON",
)


def engine_options(url: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for a database address."""
    if url.startswith("sqlite"):
        return {
            "connect_args": {"timeout": 10, "check_same_thread": False},
            "pool_size": 16,
            "max_overflow": 16,
        }
    connect = {
        "connect_timeout": 5,
        "options": "-c timezone=utc -c statement_timeout=30000 -c lock_timeout=10000",
    }
    return {
        "connect_args": connect,
        "pool_size": 8,
        "max_overflow": 8,
        "pool_pre_ping": True,
        "pool_timeout": 8,
    }


def prepare(engine: Engine, instance_dir: Path) -> None:
    """Begin to watch for writes, and attach what SQLite needs at connect and at begin."""
    freshness.begin(engine, instance_dir)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _connect_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _connect_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python's driver begins nothing by itself; _begin_sqlite does
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def writing() -> Iterator[Session]:
    """Open one writing transaction: committed at the end, rolled back on any error.

    Inside another it joins that one, so that use cases can call each other and still commit once. What the session
    has read before is read anew.
    """
    session = db.session()
    if "writing" in session.info:
        yield session
        return
    session.rollback()
    with _turn(db.engine):
        session.connection(execution_options={"writing": True})
        session.info["writing"] = True
        try:
            yield session
            session.commit()
            freshness.watch_of(db.engine).wrote()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop("writing", None)


_turns: WeakKeyDictionary[Engine, threading.Semaphore] = WeakKeyDictionary()


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Let so many threads of one process write at once, and the others wait here.

    SQLite has one writer, and lets whoever waits sleep and try again, so under load somebody always sleeps while the
    lock is free, and the unlucky wait for seconds. PostgreSQL has many, but who holds the row of an appeal's totals
    there must not wait for the interpreter behind threads that wait for that row. Who does not get the turn in time
    asks the database all the same: it has the last word.
    """
    turn = _turns.setdefault(engine, threading.Semaphore(WRITERS_AT_ONCE[engine.dialect.name]))
    mine = turn.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if mine:
            turn.release()


def dialect_of(connection: Connection) -> Any:
    """Return what SQLAlchemy has for this kind of database alone: an `insert` that knows ON CONFLICT."""
    return postgresql if connection.dialect.name == "postgresql" else sqlite
