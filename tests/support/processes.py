"""The whole thing as it runs: app server, worker and Stripe sandbox, each a process of its own.

A `Stack` is started on free ports with one database and a folder for its instance, mail and logs. Each of its
children can be killed and started again, as a crash would.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.run import ROOT
from tests.support.settings import environment_for
from tools.children import LOOPBACK, Child, free_port, stop_all

WEBHOOK_SECRET = "whsec_shared_by_sandbox_and_app"


class Stack:
    """App, worker and sandbox on free ports, sharing a webhook secret."""

    def __init__(
        self,
        directory: Path,
        database_url: str,
        *,
        worker: bool = True,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Plan the processes; `start` starts them. Settings given as `environment` win."""
        self.directory = directory
        self.port, self.sandbox_port = free_port(), free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.sandbox_url = f"http://{LOOPBACK}:{self.sandbox_port}"
        self.webhook_url = f"{self.url}/webhooks/stripe"
        self.settings = self._settings(database_url) | dict(environment or {})
        self.mail_directory = directory / "mail"
        serve = ["serve", "--host", LOOPBACK, "--port", str(self.port), "--workers", str(workers)]
        self.app = self._child("app", self._flask(*serve), f"{self.url}/healthz")
        self.worker = self._child("worker", self._flask("work"))
        self.sandbox = self._child("sandbox", self._sandbox(), f"{self.sandbox_url}/healthz")
        self.children = [self.sandbox, self.app, *([self.worker] if worker else [])]

    def _settings(self, database_url: str) -> dict[str, str]:
        return {
            "APPEAL_ENV": "test",
            "SECRET_KEY": "a key for tests, long enough to pass every check",
            "DATABASE_URL": database_url,
            "INSTANCE_DIR": str(self.directory / "instance"),
            "MAIL_URL": f"file:{self.directory / 'mail'}",
            "PUBLIC_URL": self.url,
            "STRIPE_SECRET_KEY": "sk_test_sandbox_for_tests",
            "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
            "STRIPE_API_BASE": self.sandbox_url,
            "CHECKOUT_ORIGINS": self.sandbox_url,
            "WORKER_INSIDE": "false",
            "FORM_MIN_AGE_SECONDS": "0",
            "CHECKOUTS_PER_ADDRESS_HOUR": "100000",
        }

    def _child(self, name: str, command: list[str], ready_url: str = "") -> Child:
        log = self.directory / f"{name}.log"
        environment = environment_for(self.settings)
        return Child(name, command, cwd=ROOT, environment=environment, ready_url=ready_url, log=log)

    def _flask(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "flask", "--app", "wsgi", *words]

    def _sandbox(self) -> list[str]:
        listen = ["--host", LOOPBACK, "--port", str(self.sandbox_port)]
        hook = ["--webhook-url", self.webhook_url, "--webhook-secret", WEBHOOK_SECRET]
        return [sys.executable, "-m", "stripe_sandbox", *listen, *hook]

    def start(self) -> "Stack":
        """Start everything and wait until it answers."""
        for child in self.children:
            child.start()
        for child in self.children:
            child.wait_until_ready()
        return self

    def stop(self) -> None:
        """Stop everything."""
        stop_all(self.children)

    def revive(self, child: Child) -> None:
        """Start a child again that was killed, and wait until it answers."""
        child.start()
        child.wait_until_ready()

    def flask(
        self, *words: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the app's commands with the settings of this stack."""
        done = subprocess.run(
            self._flask(*words),
            cwd=ROOT,
            env=environment_for(self.settings),
            input=stdin if stdin is not None else "",
            check=False,
            text=True,
            capture_output=True,
        )
        if check and done.returncode:
            raise AssertionError(
                f"flask {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done

    def flask_json(self, *words: str) -> Any:
        """Run a command with `--json` and read its answer."""
        return json.loads(self.flask(*words, "--json").stdout)

    def logs(self) -> str:
        """Return what every process wrote, for the message of a failed test."""
        return "\n".join(f"--- {child.name}\n{child.log_text()}" for child in self.children)
