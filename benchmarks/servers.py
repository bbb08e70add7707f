"""What is started for a benchmark: the shipped server, the controls, nginx, databases; all stopped at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import control
from benchmarks.machine import LOAD_CORE, SERVER_CORE, pinned
from tests.support.postgres import Cluster, create_database
from tests.support.settings import environment_for
from tools.children import LOOPBACK, Child, free_port, stop_all

ROOT = Path(__file__).resolve().parent.parent
SECRET = "whsec_for_the_benchmarks"  # noqa: S105 - worth nothing elsewhere
KEY = "a key for benchmarks, long enough to pass every check"
SLUG = "95-years"


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

    def __enter__(self) -> Self:
        """Begin."""
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

    def database(self, kind: str, name: str, donations: int | None = None) -> str:
        """Make a migrated database, seeded with that many gifts where a number is given."""
        url = f"sqlite:///{self.directory / name}.sqlite3" if kind == "sqlite" else self._postgres(name)
        self.flask(url, "db", "upgrade")
        if donations is not None:
            self.flask(url, "demo", "seed", "--donations", str(donations))
        return url

    def bare_database(self, kind: str, name: str) -> str:
        """Make a database with the one table of the controls."""
        url = f"sqlite:///{self.directory / name}.sqlite3" if kind == "sqlite" else self._postgres(name)
        control.make_table(url)
        return url

    def _postgres(self, name: str) -> str:
        if self._cluster is None:
            cluster = Cluster(self.directory / "postgres", durable=True)
            cluster.create()
            cluster.start()
            self._stack.callback(cluster.remove)
            self._cluster = cluster
        return create_database(self._cluster.url(), name)

    # -- servers -----------------------------------------------------------------------------------------------

    def flask(self, url: str, *words: str) -> str:
        """Run one of the application's commands to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *words],
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

    def app(self, url: str, *, workers: int = 1, core: int | None = SERVER_CORE, **settings: str) -> Server:
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
            core=core,
        )

    def bare(self, database: str = "") -> Server:
        """Start the controls on the same server with the same settings."""
        port = free_port()
        own = {"BENCH_BODIES": str(self.bodies), "BENCH_DATABASE": database, "BENCH_SECRET": SECRET}
        command = [sys.executable, "-m", "benchmarks.control", "app", str(port)]
        return self._start(
            "bare", command=command, port=port, ready="/", environment=os.environ | own, core=SERVER_CORE
        )

    def stripe(self) -> Server:
        """Start a stub of Stripe that answers at once; on the side of the load, which is not measured."""
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.control", "stripe", str(port)]
        return self._start(
            "stripe", command=command, port=port, ready="/", environment=dict(os.environ), core=LOAD_CORE
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
            "nginx", command=command, port=port, ready="/", environment=dict(os.environ), core=SERVER_CORE
        )

    def _start(
        self,
        name: str,
        *,
        command: list[str],
        port: int,
        ready: str,
        environment: dict[str, str],
        core: int | None,
    ) -> Server:
        child = Child(
            name,
            pinned(command, core),
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
