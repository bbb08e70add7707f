"""What one run of the tests shares between its processes: a folder, a lock, and at most one PostgreSQL server.

The process that was started by the person (the controller) makes the folder and clears it away; the workers of
pytest-xdist are told its name. Whatever is dear is made once, by whoever needs it first, under the lock.

The folder lies in memory where the machine has room there: every test has a database of its own, and making, syncing
and dropping some thousands of them on a disk took longer than the tests. A killed process loses nothing by that; what
a power cut does is asked of a durable cluster, on the disk.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tests.support.postgres import Cluster, create_database, drop_database
from tests.support.settings import environment_for

ROOT = Path(__file__).resolve().parent.parent.parent
_PREFIX = "appeal-tests-"
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux keeps this folder in memory
_ROOM_BYTES = 2 * 1024**3


def make_run_directory() -> Path:
    """Make the folder of a run, named after this process, and clear away what crashed runs left behind."""
    _clear_left_overs()
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=_MEMORY if _has_room() else None))
    path.chmod(0o755)  # the server of a root user runs as somebody else, who must get to its files
    return path


def _has_room() -> bool:
    """Say whether there is a folder in memory that takes a run's databases."""
    if not (_MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)):
        return False
    return shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES


def open_directory(name: str) -> Path:
    """Make a folder that an unprivileged server may enter; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{name}-"))
    path.chmod(0o755)
    return path


def _clear_left_overs() -> None:
    places = (Path(tempfile.gettempdir()), _MEMORY)
    for path in (found for place in places for found in place.glob(f"{_PREFIX}*")):
        owner = path.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            end_run(path)


def end_run(path: Path) -> None:
    """Stop the server that a run started, if it did, and delete the run's folder."""
    for data in path.glob("**/postmaster.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(data.read_text().splitlines()[0]), 3)  # SIGQUIT: immediate shutdown
    shutil.rmtree(path, ignore_errors=True)


def migrate(database_url: str, directory: Path) -> None:
    """Bring a database to the newest migration with the command that everybody uses.

    Raises:
        subprocess.CalledProcessError: with what the command said.
    """
    values = {"APPEAL_ENV": "test", "DATABASE_URL": database_url, "INSTANCE_DIR": str(directory)}
    values |= {"SECRET_KEY": "a key for tests, long enough to pass every check"}
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=environment_for(values),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


class Run:
    """The shared parts of one run, as seen from one of its processes."""

    def __init__(self, directory: Path) -> None:
        """Join the run whose folder this is."""
        self.directory = directory
        self.id = directory.name.rpartition("-")[2].lower()

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        with (self.directory / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def once(self, name: str, make: Callable[[], str]) -> str:
        """Make something the first time any process of the run asks for it; remember the text that names it."""
        with self._lock(name):
            answer = self.directory / f"{name}.answer"
            if not answer.exists():
                answer.write_text(make())
            return answer.read_text()

    def postgres_server(self) -> str:
        """Return the address of the run's PostgreSQL server, starting it when nobody has yet."""
        return os.environ.get("TEST_POSTGRES_URL") or self.once("postgres", self._start_cluster)

    def _start_cluster(self) -> str:
        cluster = Cluster(self.directory / "postgres")
        cluster.create()
        cluster.start()
        return cluster.url()

    def sqlite_template(self) -> Path:
        """Return a migrated SQLite file, to be copied."""
        return Path(self.once("sqlite-template", self._make_sqlite_template))

    def _make_sqlite_template(self) -> str:
        path = self.directory / "template.sqlite3"
        migrate(f"sqlite:///{path}", self.directory)
        with closing(sqlite3.connect(path)) as connection:  # nothing may stay beside the file that is copied
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return str(path)

    def postgres_template(self) -> str:
        """Return the name of a migrated PostgreSQL database, to be copied."""
        return self.once("postgres-template", self._make_postgres_template)

    def _make_postgres_template(self) -> str:
        name = f"appeal_template_{self.id}"
        migrate(create_database(self.postgres_server(), name), self.directory)
        return name

    @contextmanager
    def database(self, kind: str, *, migrated: bool = True) -> Iterator[str]:
        """Lend a database of its own to one test: `sqlite` or `postgresql`, migrated or empty."""
        if kind == "sqlite":
            with tempfile.TemporaryDirectory(dir=self.directory, ignore_cleanup_errors=True) as place:
                yield self._new_sqlite(Path(place), migrated=migrated)
            return
        server = self.postgres_server()
        name = f"appeal_test_{self.id}_{uuid4().hex[:12]}"
        yield create_database(server, name, template=self.postgres_template() if migrated else "template0")
        drop_database(server, name)

    def _new_sqlite(self, directory: Path, *, migrated: bool) -> str:
        path = directory / "appeal.sqlite3"
        if migrated:
            shutil.copyfile(self.sqlite_template(), path)
        return f"sqlite:///{path}"

    def finish(self) -> None:
        """Leave nothing behind, on a server of ours or on somebody else's."""
        template = self.directory / "postgres-template.answer"
        if os.environ.get("TEST_POSTGRES_URL") and template.exists():
            drop_database(self.postgres_server(), template.read_text())
        end_run(self.directory)
