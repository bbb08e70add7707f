"""Whether anything was written since: the question behind every answer that is kept.

A `Watch` gives a token that is the same for as long as nobody has committed anything. Whoever writes through
`appeal.database.writing` renews a stamp in memory that the processes of a host share, so the next question anywhere
on the host asks the database itself: SQLite for its file's `data_version`, PostgreSQL for the snapshot it shows.
Without a stamp it is asked again after a moment, for writers on other hosts and for those who do not stamp.
`Kept` holds values read under a token. docs/figure.md explains it.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, ref

from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# While the database is away it is asked again this often; nobody's answer waits for that.
SILENCE_SECONDS = 1.0
# Whoever has an old answer in hand does not wait longer for somebody else's reading of a new one.
PATIENCE_SECONDS, WAIT_SECONDS = 0.2, 10.0
MOST_KEPT = 256

AWAY = (DBAPIError, PoolTimeout)

Value = TypeVar("Value")


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


Token = tuple[bytes, Hashable]


class Watch(ABC):
    """Tells one state of a database from the next."""

    poll_seconds: float

    def __init__(self, stamp: HostStamp) -> None:
        """Keep the stamp; the database is opened on first use, in the process that uses it."""
        self._stamp = stamp
        self._turn = threading.Lock()
        self._token: Token | None = None
        self._holds_until = self._silent_until = 0.0

    def token(self) -> Token | None:
        """Return what stays equal while nothing is written; None while the database cannot be asked.

        Costs half a microsecond where nothing was written, and one small question to the database otherwise.
        """
        if (token := self._still_holds()) is not None:
            return token
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            return None
        try:
            return self._still_holds() or self._ask()
        finally:
            self._turn.release()

    def _still_holds(self) -> Token | None:
        token = self._token
        if token is not None and token[0] == self._stamp.read() and time.monotonic() < self._holds_until:
            return token
        return None

    def _ask(self) -> Token | None:
        asked_at = time.monotonic()
        if asked_at < self._silent_until:
            return None
        stamp = self._stamp.read()
        try:
            version = self._version()
        except self._away():
            self._let_go()
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            return None
        self._token, self._holds_until = (stamp, version), asked_at + self.poll_seconds
        return self._token

    def wrote(self) -> None:
        """Hear that this process has just committed something, and tell every process of the host."""
        self._stamp.renew()

    def close(self) -> None:
        """Let go of the database; the next question opens it again."""
        with self._turn:
            self._let_go()
            self._token = None

    @abstractmethod
    def _version(self) -> Hashable:
        """Ask the database."""

    @abstractmethod
    def _away(self) -> tuple[type[Exception], ...]:
        """Return what is raised while the database is away."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close what is open."""


class SqliteWatch(Watch):
    """Asks SQLite on a connection of its own, which never writes: `data_version` moves with every other's commit.

    Source: SQLite, "PRAGMA data_version".
    """

    poll_seconds = 0.05

    def __init__(self, path: Path) -> None:
        """Keep the path; the stamp lies beside the file."""
        super().__init__(HostStamp(path.with_name(f"{path.name}-stamp")))
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file = self._openings = 0

    def _version(self) -> Hashable:
        file = self._path.stat().st_ino
        if (
            self._connection is None or file != self._file
        ):  # opened anew where a restored backup took its place
            self._let_go()
            address = f"{self._path.resolve().as_uri()}?mode=rw"
            self._connection = sqlite3.connect(
                address, uri=True, check_same_thread=False, isolation_level=None
            )
            self._file = file
            self._openings += 1
        return self._openings, *self._connection.execute("PRAGMA data_version").fetchone()

    def _away(self) -> tuple[type[Exception], ...]:
        return OSError, sqlite3.Error

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class PostgresWatch(Watch):
    """Asks PostgreSQL which transactions it sees: the same snapshot shows the same rows.

    Source: PostgreSQL, "Transaction ID and Snapshot Information Functions".
    """

    poll_seconds = 0.5

    def __init__(self, url: URL, stamp: HostStamp) -> None:
        """Keep the address."""
        super().__init__(stamp)
        self._url = url
        self._connection: Any = None

    def _version(self) -> Hashable:
        if self._connection is None:
            self._connection = self._connect()
        return str(self._connection.execute("SELECT pg_current_snapshot()::text").fetchone()[0])

    def _connect(self) -> Any:
        import psycopg

        address = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        options = "-c statement_timeout=1000"
        return psycopg.connect(address, autocommit=True, connect_timeout=2, options=options)

    def _away(self) -> tuple[type[Exception], ...]:
        import psycopg

        return (psycopg.Error,)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


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
        if reading is not None and (token is None or token == reading.token):
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
        if reading is not None and (token is None or token == reading.token):
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
    """Begin to watch a database; `instance_dir` is where the processes of this host meet around a server."""
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
