"""PostgreSQL for the tests: a server named by `TEST_POSTGRES_URL`, or a throw-away cluster of our own.

A cluster listens on a random loopback port and keeps its data in a folder that goes with it. PostgreSQL refuses to
run as root, so a root user's cluster runs as `postgres` or `nobody`.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from tests.support.machine import POSTGRESQL
from tests.support.waiting import until
from tools.children import LOOPBACK, free_port

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
_COMMON = (
    "unix_socket_directories=",
    f"listen_addresses={LOOPBACK}",
    "max_connections=120",
    "shared_buffers=64MB",
)
USER = "appeal"


class Cluster:
    """A PostgreSQL server of our own, durable or fast, that can be stopped, killed and started again."""

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        """Keep the folder; its parents must be open to the unprivileged user (see `open_directory`)."""
        self.directory = directory
        self.data = directory / "data"
        self.bin = Path(POSTGRESQL.need())
        self.port = free_port()
        self.options = (*_COMMON, *(() if durable else _FAST))

    def url(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{USER}@{LOOPBACK}:{self.port}/{database}"

    def create(self) -> None:
        """Make the cluster's files; nothing runs yet."""
        self.directory.mkdir(parents=True, exist_ok=True)
        identity = _identity()
        if identity:
            os.chown(self.directory, identity["user"], identity["group"])
        self._run(
            "initdb", "-D", self.data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
        )

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = " ".join(
            f"-c {option}" if option[-1] != "=" else f"-c {option}''" for option in self.options
        )
        log = self.directory / "server.log"
        self._run(
            "pg_ctl",
            "start",
            "-w",
            "-t",
            "60",
            "-D",
            self.data,
            "-l",
            log,
            "-o",
            f"-p {self.port} {settings}",
        )

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `fast` says goodbye, `immediate` leaves recovery to the next start."""
        self._run("pg_ctl", "stop", "-w", "-D", self.data, "-m", mode)

    def kill(self) -> None:
        """End the server as a power cut would, and wait until its processes are gone."""
        postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = _children_of(postmaster)
        for pid in (postmaster, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(_alive, (postmaster, *children))), what="the killed server to be gone")
        # Where nobody reaps the dead at once, the next server would take the old one to be alive.
        (self.data / "postmaster.pid").unlink()

    def restart(self) -> None:
        """Stop without a goodbye and start again."""
        self.stop("immediate")
        self.start()

    def remove(self) -> None:
        """Stop the server if it runs and delete its files."""
        with suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.bin / program), *map(str, arguments)]
        log = self.directory / "commands.log"
        with log.open("ab") as output:
            done = subprocess.run(
                command,
                check=False,
                cwd=self.directory,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **_identity(),
            )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, log.read_text(errors="replace"))


def _identity() -> dict[str, Any]:
    """Say as whom to run: ourselves, or for root somebody who may."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            person = pwd.getpwnam(name)
            return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}
    return {}


def _status_of(pid: int) -> tuple[str, int]:
    """Return a process's state letter and its parent; a process that is gone counts as a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "Z", 0
    return fields[0], int(fields[1])


def _children_of(pid: int) -> list[int]:
    everybody = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [other for other in everybody if _status_of(other)[1] == pid]


def _alive(pid: int) -> bool:
    return _status_of(pid)[0] != "Z"


def database_in(url: str, name: str) -> str:
    """Return a server's address with another database's name."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def administer(url: str) -> Iterator[psycopg.Connection]:
    """Connect to a server in order to make and drop databases."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def create_database(server_url: str, name: str, *, template: str = "template0") -> str:
    """Make a database as a copy of another, file by file, and return its address."""
    with administer(server_url) as connection:
        # Before 15 there was no other way, and no word for it.
        strategy = sql.SQL("STRATEGY file_copy" if connection.info.server_version >= 150_000 else "")
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template), strategy))
    return database_in(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, connections or not."""
    with administer(server_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
