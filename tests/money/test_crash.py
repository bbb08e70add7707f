"""The crash test: web and worker are killed, the database is restarted, at random moments under a load of events.

Everything that was acknowledged is there afterwards, and nothing is there twice. A failing run says with which seed.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.making import signature
from tests.support.postgres import Cluster, create_database
from tests.support.processes import WEBHOOK_SECRET, Stack
from tests.support.run import ROOT, migrate
from tests.support.settings import environment_for
from tests.support.waiting import until

GIFTS_A_KILL = 6
SETTLE_SECONDS = 90


class Load:
    """Threads that deliver events, each until it is acknowledged, some of them twice."""

    def __init__(self, url: str, events: list[dict[str, Any]], chance: random.Random) -> None:
        self.url = url
        self.waiting = events + [event for event in events if chance.random() < 0.3]
        chance.shuffle(self.waiting)
        self.acknowledged: set[str] = set()
        self.answers: dict[int, int] = {}
        self.pause_seconds = 0.02
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(3)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    def _next(self) -> dict[str, Any] | None:
        with self._lock:
            return self.waiting.pop() if self.waiting else None

    def _work(self) -> None:
        while (event := self._next()) is not None:
            while not self._deliver(event):
                time.sleep(0.2)  # Stripe would wait longer; the test has less patience
            time.sleep(self.pause_seconds)

    def _deliver(self, event: dict[str, Any]) -> bool:
        body = json.dumps(event).encode()
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.url, body, {"Stripe-Signature": signature(body, WEBHOOK_SECRET)}
        )
        status = 0
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as refusal:
            with refusal:
                status = refusal.code
        except OSError:
            pass
        with self._lock:
            self.answers[status] = self.answers.get(status, 0) + 1
            if 200 <= status < 300:
                self.acknowledged.add(event["id"])
        return 200 <= status < 300


def seeded(stack: Stack, number: int) -> list[dict[str, Any]]:
    """Write donations that wait to be paid, and the events that tell of their payment; some are refunded in part."""
    script = (
        "import json, sys\n"
        "from wsgi import app\n"
        "from appeal.gifts import limits\n"
        "from tests.making import started, open_appeal, completed, event, intent_object\n"
        "with app.app_context():\n"
        "    appeal, told = open_appeal(), []\n"
        "    for index in range(int(sys.argv[1])):\n"
        "        one = started(appeal, amount_minor=1000 + index, email=f'reader{index}@example.org')\n"
        "        limits.release(one.id)\n"
        "        told += [completed(one), event('payment_intent.succeeded', intent_object(one))]\n"
        "        if index % 3 == 0:\n"
        "            told.append(event('refund.created', {'id': f're_{index}', 'object': 'refund', 'amount': 100,\n"
        "                'currency': 'gbp', 'status': 'succeeded', 'created': told[-1]['created'], 'metadata': {},\n"
        "                'payment_intent': f'pi_{one.public_id}', 'charge': None}))\n"
        "    print(json.dumps(told))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(number)],
        cwd=ROOT,
        env=environment_for(stack.settings),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    )
    return json.loads(done.stdout.splitlines()[-1])


def strike(stack: Stack, cluster: Cluster | None, chance: random.Random) -> str:
    """Kill web, worker, or the database; start it again."""
    victim = chance.choice(["app", "worker", "both"] + (["database"] * 2 if cluster else []))
    if victim == "database" and cluster:
        cluster.kill()
        cluster.start()
        return victim
    children = {"app": [stack.app], "worker": [stack.worker], "both": [stack.app, stack.worker]}[victim]
    for child in children:
        child.kill()
    for child in children:
        stack.revive(child)
    return victim


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_what_was_acknowledged_survives_every_kill_and_nothing_is_there_twice(
    kind: str,
    request: pytest.FixtureRequest,
    make_stack: Callable[..., Stack],
    scaled: Callable[[int, int], int],
) -> None:
    kills = scaled(5, 50)
    chosen = int(os.environ.get("CRASH_SEED") or random.SystemRandom().randrange(1_000_000))
    chance = random.Random(chosen)
    with ExitStack() as stack_of:
        cluster, url = database(kind, request, stack_of)
        stack = make_stack(url)
        gifts = kills * GIFTS_A_KILL
        load = Load(stack.webhook_url, seeded(stack, gifts), chance)
        load.start()
        struck = []
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.6))
            struck.append(strike(stack, cluster, chance))
        load.join(SETTLE_SECONDS)
        assert not load.waiting, stack.logs()[-4000:]
        expected = sum(1000 + index - (100 if index % 3 == 0 else 0) for index in range(gifts))
        until(
            lambda: raised(stack) == expected,
            what=f"{expected} raised (CRASH_SEED={chosen})",
            seconds=SETTLE_SECONDS,
        )
        assert stack.flask_json("ledger", "verify")["true"]
        found = stack.flask_json("ledger", "explain", "lantern")
        facts = [entry["fact"] for entry in found["entries"]]
        assert len(facts) == len(set(facts)) == gifts + len(range(0, gifts, 3))
        print(f"crash: {kind}, CRASH_SEED={chosen}, struck {struck}, answers {load.answers}")


def raised(stack: Stack) -> int:
    with suppress(AssertionError, ValueError):
        return int(stack.flask_json("appeals", "show", "lantern")["raised_minor"])
    return -1


def database(kind: str, request: pytest.FixtureRequest, stack_of: ExitStack) -> tuple[Cluster | None, str]:
    if kind == "sqlite":
        return None, request.getfixturevalue("sqlite_url")
    cluster: Cluster = request.getfixturevalue("cluster")
    url = create_database(cluster.url(), "appeal")
    migrate(url, request.getfixturevalue("tmp_path"))
    return cluster, url


def test_the_load_counts_only_what_was_acknowledged() -> None:
    """A test that cannot fail proves nothing: nobody answers, nothing is acknowledged."""
    load = Load("http://127.0.0.1:9/none", [], random.Random(1))
    assert not load._deliver({"id": "evt_1"})
    assert load.acknowledged == set()
