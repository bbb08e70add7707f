"""Whether anything was written since: the question behind every answer that is kept.

A `Watch` gives a token that is the same for as long as nobody has committed anything. On SQLite it is the file's own
`PRAGMA data_version`, exact for every process on the host. On PostgreSQL it is the server's snapshot, asked for at
once when a process of this host has written (a stamp in shared memory says so) and otherwise twice a second, so
that writes on other hosts show within a second. `Kept` holds values read under a token. docs/figure.md explains it.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, ref

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

POLL_SECONDS = 0.5
# While the database is away it is asked again this often; nobody's answer waits for that.
SILENCE_SECONDS = 1.0
# Whoever has an old answer in hand does not wait longer for somebody else's reading of a new one.
PATIENCE_SECONDS, WAIT_SECONDS = 0.2, 10.0
MOST_KEPT = 256

AWAY = (DBAPIError, PoolTimeout)

Value = TypeVar("Value")


class Watch(Protocol):
    """Tells one state of the database from the next."""

    def token(self) -> Hashable | None:
        """Return what stays equal while nothing is written; None while the database cannot be asked."""

    def wrote(self) -> None:
        """Hear that this process has just committed something."""

    def close(self) -> None:
        """Let go of the database; the next question opens it again."""


class SqliteWatch:
    """Asks SQLite on a connection of its own, which never writes: `data_version` moves with every other's commit."""

    def __init__(self, path: Path) -> None:
        """Keep the path; the file is opened on first use, in the process that uses it."""
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._look_again_at = 0.0
        self._openings = 0

    def token(self) -> Hashable | None:
        """Return the data version, and which opening of the file it belongs to. About 4 microseconds."""
        try:
            with self._lock:
                now = time.monotonic()
                if now >= self._look_again_at:
                    self._open_if_replaced(now)
                connection = self._connection
                assert connection is not None  # noqa: S101 - opened just now, or the line above has raised
                return self._openings, connection.execute("PRAGMA data_version").fetchone()[0]
        except (OSError, sqlite3.Error):
            return None

    def _open_if_replaced(self, now: float) -> None:
        """Open the file, anew where a restored backup took its place."""
        file = self._path.stat().st_ino
        if self._connection is None or file != self._file:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._connection = sqlite3.connect(
                f"{self._path.resolve().as_uri()}?mode=rw",
                uri=True,
                check_same_thread=False,
                isolation_level=None,
            )
            self._file = file
            self._openings += 1
        self._look_again_at = now + SILENCE_SECONDS

    def wrote(self) -> None:
        """Do nothing: the file says it itself."""

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._look_again_at = None, 0.0


class HostStamp:
    """Eight bytes that the processes of a host share; whoever has committed puts new ones there."""

    def __init__(self, path: Path) -> None:
        """Map the file, made where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(handle, 8)
            self._bytes = mmap.mmap(handle, 8)
        finally:
            os.close(handle)

    def read(self) -> bytes:
        """Return the present bytes."""
        return self._bytes[:]

    def renew(self) -> None:
        """Put other bytes there."""
        self._bytes[:] = os.urandom(8)


class PostgresWatch:
    """Asks PostgreSQL which transactions it sees: the same snapshot shows the same rows.

    Source: PostgreSQL, "Transaction ID and Snapshot Information Functions".
    """

    def __init__(self, url: URL, stamp: HostStamp) -> None:
        """Keep the address; the connection is opened on first use."""
        self._url = url
        self._stamp = stamp
        self._turn = threading.Lock()
        self._connection: Any = None
        self._token: tuple[bytes, str] | None = None
        self._holds_until = self._silent_until = 0.0

    def token(self) -> Hashable | None:
        """Return the snapshot and the stamp it was asked under; asked anew after a write here, or half a second."""
        if (token := self._still_holds()) is not None:
            return token
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            return None
        try:
            return self._still_holds() or self._ask()
        finally:
            self._turn.release()

    def _still_holds(self) -> tuple[bytes, str] | None:
        token = self._token
        fresh = token is not None and time.monotonic() < self._holds_until and token[0] == self._stamp.read()
        return token if fresh else None

    def _ask(self) -> tuple[bytes, str] | None:
        import psycopg

        asked_at = time.monotonic()
        if asked_at < self._silent_until:
            return None
        stamp = self._stamp.read()
        try:
            if self._connection is None:
                self._connection = self._connect()
            snapshot = self._connection.execute("SELECT pg_current_snapshot()::text").fetchone()[0]
        except psycopg.Error:
            self._connection = None
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            return None
        self._token, self._holds_until = (stamp, snapshot), asked_at + POLL_SECONDS
        return self._token

    def _connect(self) -> Any:
        import psycopg

        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        options = "-c statement_timeout=1000"
        return psycopg.connect(address, autocommit=True, connect_timeout=2, options=options)

    def wrote(self) -> None:
        """Tell every process of this host, this one included."""
        self._stamp.renew()

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
            self._connection = self._token = None


@dataclass(frozen=True, slots=True)
class _Reading(Generic[Value]):
    """A value, and the token it was read under."""

    token: Hashable | None
    value: Value


class Kept(Generic[Value]):
    """Values read from the database by key: read once, however many ask, and again after something was written.

    A value that is read again and turns out equal stays the same object, so that whatever was made of it is known to
    be good by `is`. While the database is away the last value is given.
    """

    def __init__(self, engine: Engine, read: Callable[[Connection, str], Value | None]) -> None:
        """Note the engine and the reading function, which returns None where there is nothing."""
        self._engine = ref(engine)
        self._read = read
        self._watch = watch_of(engine)
        self._turn = threading.Lock()
        self._readings: dict[str, _Reading[Value]] = {}

    def get(self, key: str) -> Value | None:
        """Return the value as it stands now, or None where there is nothing.

        Raises:
            DBAPIError, TimeoutError: the database is away, and nothing was read before.
        """
        reading = self._readings.get(key)
        token = self._watch.token()
        if reading is not None and token in {None, reading.token}:
            return reading.value
        if not self._turn.acquire(timeout=WAIT_SECONDS if reading is None else PATIENCE_SECONDS):
            return self._read_anew(key, None) if reading is None else reading.value
        try:
            return self._read_in_turn(key)
        finally:
            self._turn.release()

    def _read_in_turn(self, key: str) -> Value | None:
        reading = self._readings.get(key)
        token = (
            self._watch.token()
        )  # asked before the reading: what is written meanwhile makes it old at once
        if reading is not None and token in {None, reading.token}:
            return reading.value
        try:
            return self._read_anew(key, token)
        except AWAY:
            if reading is None:
                raise
            return reading.value

    def _read_anew(self, key: str, token: Hashable | None) -> Value | None:
        engine = self._engine()
        assert engine is not None  # noqa: S101 - whoever asks holds it
        with engine.connect() as connection:
            value = self._read(connection, key)
        if value is None:
            self._readings.pop(key, None)
            return None
        before = self._readings.get(key)
        if before is not None and before.value == value:
            value = before.value
        elif before is None and len(self._readings) >= MOST_KEPT:
            self._readings.pop(next(iter(self._readings)))
        self._readings[key] = _Reading(token, value)
        return value


_watches: WeakKeyDictionary[Engine, Watch] = WeakKeyDictionary()
_kept: WeakKeyDictionary[Engine, dict[Callable[..., Any], Kept[Any]]] = WeakKeyDictionary()
_kept_lock = threading.Lock()


def begin(engine: Engine, instance_dir: Path) -> None:
    """Begin to watch a database; `instance_dir` is where the processes of this host meet."""
    watch: Watch
    if engine.dialect.name == "sqlite":
        watch = SqliteWatch(Path(engine.url.database or ""))
    else:
        name = sha256(engine.url.render_as_string(hide_password=True).encode()).hexdigest()[:16]
        watch = PostgresWatch(engine.url, HostStamp(instance_dir / f"written-{name}"))
    _watches[engine] = watch
    event.listen(engine, "engine_disposed", lambda _engine: watch.close())


def watch_of(engine: Engine) -> Watch:
    """Return the watch over a database."""
    return _watches[engine]


def kept(engine: Engine, read: Callable[[Connection, str], Value | None]) -> Kept[Value]:
    """Return the keeper of what one function reads from one database; the same one every time."""
    found = _kept.get(engine, {}).get(read)
    if found is None:
        with _kept_lock:
            found = _kept.setdefault(engine, {}).setdefault(read, Kept(engine, read))
    return found
