"""What is started for a benchmark: the shipped server, the controls, nginx, databases; all stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from benchmarks import control, machine
from benchmarks.machine import LOAD_CORE, SERVER_CORE, Cores
from tests.support.postgres import Cluster, create_database
from tests.support.settings import environment_for
from tools.children import LOOPBACK, Child, free_port, stop_all

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_for_the_benchmarks"  # noqa: S105 - worth nothing elsewhere
KEY = "a key for benchmarks, long enough to pass every check"
SLUG = "95-years"
FEW = 1_000


class Server:
    """A running server with its address and its process."""

    def __init__(self, child: Child, port: int) -> None:
        """Keep both."""
        self.child = child
        self.url = f"http://{LOOPBACK}:{port}"

    @property
    def pid(self) -> int:
        """Return the process at the root of the server's tree."""
        return self.child.pid


class Bench:
    """A folder, and everything started in it; leaves nothing behind."""

    def __init__(self) -> None:
        """Make the folder."""
        self.directory = Path(tempfile.mkdtemp(prefix="appeal-bench-"))
        self.directory.chmod(0o755)
        self.bodies = self.directory / "bodies"
        self.bodies.mkdir()
        self._stack = ExitStack()
        self._cluster: Cluster | None = None
        self._children: list[Child] = []
        self._models: dict[tuple[str, int], str] = {}

    def __enter__(self) -> Self:
        """Begin; being told to stop ends what was started, too."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything and remove the folder."""
        self.stop_servers()
        self._stack.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop_servers(self) -> None:
        """Stop the servers of one part, so that the next has the machine to itself; databases stay."""
        stop_all(self._children)
        self._children.clear()

    # -- databases ---------------------------------------------------------------------------------------------

    def database(self, kind: str, name: str, donations: int = 0) -> str:
        """Make a database of its own with the sample appeal and that many gifts: a copy of one that is made once."""
        model = self.shared(kind, donations)
        if kind == "sqlite":
            return self._copied(model, name)
        return create_database(self.cluster.url(), name, template=urlsplit(model).path[1:])

    def shared(self, kind: str, donations: int) -> str:
        """Return the database with that many gifts: for those who only read, and to be copied while no server is on it."""
        if (kind, donations) not in self._models:
            name = f"{kind}_{donations}"
            url = self._empty(kind, name)
            self.flask(url, "db", "upgrade")
            self.flask(url, "demo", "seed", "--donations", str(donations))
            self._settle(url)
            self._models[kind, donations] = url
        return self._models[kind, donations]

    def bare_database(self, kind: str, name: str) -> str:
        """Make a database with the one table of the controls."""
        url = self._empty(kind, name)
        control.make_table(url)
        return url

    def _empty(self, kind: str, name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{self.directory / name}.sqlite3"
        return create_database(self.cluster.url(), name)

    def _copied(self, url: str, name: str) -> str:
        model, path = Path(url.removeprefix("sqlite:///")), self.directory / f"{name}.sqlite3"
        with closing(sqlite3.connect(model)) as connection:  # nothing may stay beside the file that is copied
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(model, path)
        return f"sqlite:///{path}"

    @staticmethod
    def _settle(url: str) -> None:
        """Let PostgreSQL count its rows, as it does by itself after a while. Nobody tells SQLite to, so nor do we."""
        if url.startswith("sqlite"):
            return
        import psycopg

        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")

    @property
    def cluster(self) -> Cluster:
        """Return the PostgreSQL server, on all cores, started when it is first asked for."""
        if self._cluster is None:
            cluster = Cluster(self.directory / "postgres", durable=True)
            mine = os.sched_getaffinity(0)
            os.sched_setaffinity(0, machine.CORES)
            try:
                cluster.create()
                cluster.start()
            finally:
                os.sched_setaffinity(0, mine)
            self._stack.callback(cluster.remove)
            self._cluster = cluster
        return self._cluster

    def spent_seconds(self, url: str, pid: int) -> float:
        """Return the processor time so far of a server and, where it is PostgreSQL, of its database."""
        if url.startswith("sqlite"):
            return machine.cpu_seconds(pid)
        return machine.cpu_seconds(pid) + machine.cpu_seconds(self._postmaster())

    def _postmaster(self) -> int:
        return int((self.cluster.data / "postmaster.pid").read_text().splitlines()[0])

    # -- servers -----------------------------------------------------------------------------------------------

    def flask(self, url: str, *words: str) -> str:
        """Run one of the application's commands to its end."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(
            machine.pinned(command, machine.CORES),
            cwd=ROOT,
            env=self.environment(url),
            check=False,
            text=True,
            capture_output=True,
        )
        if done.returncode:
            raise RuntimeError(f"flask {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def environment(self, url: str, port: int = 8000, **settings: str) -> dict[str, str]:
        """Return the environment of the application."""
        values = {
            "APPEAL_ENV": "test",
            "SECRET_KEY": KEY,
            "DATABASE_URL": url,
            "INSTANCE_DIR": str(self.directory / "instance"),
            "MAIL_URL": f"file:{self.directory / 'mail'}",
            "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
            "STRIPE_SECRET_KEY": "sk_test_sandbox_for_benchmarks",
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_API_BASE": f"http://{LOOPBACK}:1",
            "WORKER_INSIDE": "false",
            "FORM_MIN_AGE_SECONDS": "0",
            "CHECKOUTS_PER_ADDRESS_HOUR": "100000",
        }
        return environment_for(values | settings)

    def app(self, url: str, *, workers: int = 1, cores: Cores = (SERVER_CORE,), **settings: str) -> Server:
        """Start the shipped server, as `flask serve` starts it."""
        port = free_port()
        serve = ["serve", "--host", LOOPBACK, "--port", str(port), "--workers", str(workers)]
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *serve]
        return self._start(
            "app",
            command=command,
            port=port,
            ready="/healthz",
            environment=self.environment(url, port, **settings),
            cores=cores,
        )

    def bare(self, database: str = "", *, workers: int = 1, cores: Cores = (SERVER_CORE,)) -> Server:
        """Start the controls on the same server with the same settings."""
        port = free_port()
        own = {"BENCH_BODIES": str(self.bodies), "BENCH_DATABASE": database, "BENCH_SECRET": SECRET}
        command = [sys.executable, "-m", "benchmarks.control", "app", str(port), str(workers)]
        return self._start(
            "bare", command=command, port=port, ready="/", environment=os.environ | own, cores=cores
        )

    def stripe(self) -> Server:
        """Start a stub of Stripe that answers at once; on the side of the load, which is not measured."""
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.control", "stripe", str(port)]
        return self._start(
            "stripe", command=command, port=port, ready="/", environment=dict(os.environ), cores=(LOAD_CORE,)
        )

    def nginx(self) -> Server | None:
        """Start nginx on the folder of prepared bytes; None where the machine has none."""
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            return None
        port = free_port()
        config = self.directory / "nginx.conf"
        config.write_text(
            NGINX.format(port=port, directory=self.directory, user="user root;" if os.getuid() == 0 else "")
        )
        command = [
            program,
            "-c",
            str(config),
            "-p",
            str(self.directory),
            "-e",
            str(self.directory / "nginx.log"),
        ]
        return self._start(
            "nginx", command=command, port=port, ready="/", environment=dict(os.environ), cores=(SERVER_CORE,)
        )

    def _start(
        self,
        name: str,
        *,
        command: list[str],
        port: int,
        ready: str,
        environment: dict[str, str],
        cores: Cores,
    ) -> Server:
        child = Child(
            name,
            machine.pinned(command, cores),
            cwd=ROOT,
            environment=environment,
            ready_url=f"http://{LOOPBACK}:{port}{ready}",
            log=self.directory / f"{name}-{port}.log",
        )
        self._children.append(child)
        child.start()
        child.wait_until_ready()
        return Server(child, port)


NGINX = """
{user}
daemon off; worker_processes 1; pid {directory}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000;
  types {{ application/json json; text/html html; }}
  server {{ listen 127.0.0.1:{port}; root {directory}/bodies; location = / {{ return 204; }} }}
}}
"""
