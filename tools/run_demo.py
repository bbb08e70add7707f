"""`make run`: the app, the Stripe sandbox and the demonstration article, started together and stopped together.

Values that stand in the environment or in `.env` win over everything chosen here. With a Stripe key among them no
sandbox is started. The data stays in `instance/` between runs.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dotenv import dotenv_values

from tools.children import LOOPBACK, Child, ChildFailed, is_free, status_of, stop_all

ROOT = Path(__file__).resolve().parent.parent
DEMO_SLUG = "95-years"
# As .env.example has it: whoever copied that and chose another port did not mean this address.
SAMPLE_PUBLIC_URL = ("PUBLIC_URL", "http://127.0.0.1:8000")


class Stopped(Exception):
    """Somebody asked us to stop."""


@dataclass(frozen=True)
class Plan:
    """Where everything will listen, and the environment the app runs in."""

    port: int
    sandbox_port: int
    article_port: int
    environment: Mapping[str, str]
    sandboxed: bool

    @property
    def app_url(self) -> str:
        """Return the address of the app on this machine."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """Return the address of the sandbox."""
        return f"http://{LOOPBACK}:{self.sandbox_port}"

    @property
    def article_url(self) -> str:
        """Return the address of the demonstration article."""
        return f"http://{LOOPBACK}:{self.article_port}"


def port_of(values: Mapping[str, str], name: str, default: int) -> int:
    """Read a port from the environment.

    Raises:
        SystemExit: when it is no port number.
    """
    text = values.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise SystemExit(f"{name}={text} is not a port number (1 to 65535)")
    return int(text)


def make_plan(given: Mapping[str, str]) -> Plan:
    """Add what is missing to the environment that was given."""
    port = port_of(given, "PORT", 8000)
    sandbox_port = port_of(given, "SANDBOX_PORT", 12111)
    article_port = port_of(given, "ARTICLE_PORT", 8001)
    sandboxed = not given.get("STRIPE_SECRET_KEY")
    ours = {"PUBLIC_URL": f"http://{LOOPBACK}:{port}"}
    if sandboxed:
        ours |= {
            "STRIPE_SECRET_KEY": "sk_test_sandbox_demonstration",
            "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(24)}",
            "STRIPE_API_BASE": f"http://{LOOPBACK}:{sandbox_port}",
        }
    stated = {name: value for name, value in given.items() if value and (name, value) != SAMPLE_PUBLIC_URL}
    return Plan(port, sandbox_port, article_port, {**ours, **stated}, sandboxed)


def refuse_taken_ports(plan: Plan) -> None:
    """Name every port somebody else listens on, before anything is started.

    Raises:
        SystemExit: when there is one.
    """
    wanted = [("PORT", plan.port, "the app"), ("ARTICLE_PORT", plan.article_port, "the article")]
    if plan.sandboxed:
        wanted.append(("SANDBOX_PORT", plan.sandbox_port, "the Stripe sandbox"))
    taken = [
        f"Port {port}, meant for {whose}, is taken. Stop what uses it, or choose another: make run {name}={port + 100}"
        for name, port, whose in wanted
        if not is_free(port)
    ]
    if taken:
        raise SystemExit("\n".join(taken))


def flask(plan: Plan, *words: str) -> str:
    """Run one of the app's own commands to its end and return what it printed.

    Raises:
        SystemExit: when it fails, with what it said.
    """
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(plan.environment),
        check=False,
        text=True,
        capture_output=True,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\n`flask {' '.join(words)}` failed")
    return done.stdout


def prepare_database(plan: Plan) -> None:
    """Migrate the database, and fill it with the demonstration when it holds no appeal."""
    print("Preparing the database ...", flush=True)
    flask(plan, "db", "upgrade")
    print(flask(plan, "demo", "seed", "--if-empty", "--publisher-url", plan.article_url), end="", flush=True)


def children_of(plan: Plan) -> list[Child]:
    """List what has to run, in the order of starting."""
    python = sys.executable
    local = dict(plan.environment)
    found = []
    if plan.sandboxed:
        instance = Path(local.get("INSTANCE_DIR") or ROOT / "instance")
        sandbox = [python, "-m", "stripe_sandbox", "--host", LOOPBACK, "--port", str(plan.sandbox_port)]
        sandbox += ["--merchant", "The Daily Lantern"]
        sandbox += ["--webhook-url", f"{plan.app_url}/webhooks/stripe"]
        sandbox += ["--webhook-secret", plan.environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0]]
        sandbox += ["--state", str(instance / "sandbox-state.json")]
        found.append(
            Child(
                "the Stripe sandbox",
                sandbox,
                cwd=ROOT,
                environment=local,
                ready_url=f"{plan.sandbox_url}/healthz",
            )
        )
    serve = [python, "-m", "flask", "--app", "wsgi", "serve", "--host", LOOPBACK, "--port", str(plan.port)]
    found.append(Child("the app", serve, cwd=ROOT, environment=local, ready_url=f"{plan.app_url}/healthz"))
    article = [python, "-m", "demo_article", "--port", str(plan.article_port)]
    article += ["--appeal-url", plan.app_url, "--slug", DEMO_SLUG]
    found.append(Child("the article", article, cwd=ROOT, environment=local, ready_url=f"{plan.article_url}/"))
    return found


def announce(plan: Plan) -> None:
    """Print where to look."""
    public = plan.environment["PUBLIC_URL"].rstrip("/")
    lines = [f"  Appeal page   {public}/appeals/{DEMO_SLUG}"]
    if status_of(f"{plan.app_url}/staff/login") == 200:
        lines.append(f"  Staff         {public}/staff/")
        lines.append(f"  Sign in with  {flask(plan, 'staff', 'demo').strip()}")
    lines.append(f"  Article       {plan.article_url}/")
    if plan.sandboxed:
        lines.append(f"  Stripe        {plan.sandbox_url}/ (the sandbox: no real money moves)")
    print("\nThe appeal is running.\n", *lines, "\n  Ctrl-C stops everything.\n", sep="\n", flush=True)


def watch(children: list[Child]) -> None:
    """Return never; a child that ends is an error.

    Raises:
        ChildFailed: naming the first child that ended.
    """
    while True:
        for child in children:
            if not child.running:
                raise ChildFailed(child.how_it_ended())
        time.sleep(0.3)


def _stop(number: int, _frame: FrameType | None) -> None:
    raise Stopped(signal.Signals(number).name)


def main() -> int:
    """Prepare, start, announce, and wait for the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    plan = make_plan(
        {name: value for name, value in {**dotenv_values(ROOT / ".env"), **os.environ}.items() if value}
    )
    refuse_taken_ports(plan)
    children = children_of(plan)
    started: list[Child] = []
    try:
        prepare_database(plan)
        for child in children:
            started.append(child)
            child.start()
        for child in children:
            child.wait_until_ready()
        announce(plan)
        watch(children)
    except Stopped:
        print("\nStopping ...", flush=True)
    except ChildFailed as error:
        print(f"\n{error}\nStopping the rest.", file=sys.stderr, flush=True)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        stop_all(started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
