"""A process that dies on demand: it walks a stretch of the road and kills itself at the Nth step.

A step is every statement that writes and every commit of the database, every call to the supplier of payments and every letter,
before and after, and the moment before the answer. They are counted from outside, through SQLAlchemy's own events
and the seams that the use cases have anyway, so that a step that is added later is killed at as well.

The parent forks for each walk: SIGKILL is real, and what it leaves behind is what a crash leaves behind.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from appeal import create_app
from appeal.core import clock
from appeal.extensions import db
from appeal.gifts import letters
from appeal.queues import inbox, outbox
from tests.support.run import ROOT
from tests.support.settings import environment_for

Answer = dict[str, Any]


class Steps:
    """Counts steps and dies at one of them; 0 is never reached."""

    def __init__(self, fatal: int, tell: Callable[[Answer], None]) -> None:
        self.fatal, self.tell, self.count = fatal, tell, 0

    def __call__(self, name: str) -> None:
        self.count += 1
        if self.count == self.fatal:
            self.tell({"killed": name})
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A supplier of payments whose every call is a step before and a step after."""

    def __init__(self, gateway: Any, step: Steps) -> None:
        self._gateway, self._step = gateway, step

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._gateway, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self._step(f"before {name}")
            answer = call(*args, **kwargs)
            self._step(f"after {name}")
            return answer

        return watched


def watch(app: Flask, step: Steps) -> None:
    """Make a step of everything that leaves the process."""
    with app.app_context():
        event.listen(
            db.engine, "before_cursor_execute", lambda _c, _u, sql, *_: _step_if_it_writes(sql, step)
        )
        event.listen(db.engine, "commit", lambda _connection: step("before commit"))
        event.listen(db.session, "after_commit", lambda _session: step("after commit"))
    app.extensions["appeal.gateway"] = Watched(app.extensions["appeal.gateway"], step)


def _step_if_it_writes(sql: str, step: Steps) -> None:
    """Between two statements that only read there is nothing that a crash could leave half done."""
    if sql.split(maxsplit=1)[0] in {"INSERT", "UPDATE", "DELETE"}:
        step(f"before {sql[:60]}")


def stumble_once(app: Flask) -> None:
    """Let the first entry into the books fail, as a deadlock or a server that restarts would."""
    fallen = []

    def stumble(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith("INSERT INTO ledger_entries") and not fallen:
            fallen.append(sql)
            raise OperationalError(sql, None, Exception("stumbled"))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", stumble)


def walk(app: Flask, road: str, data: Any, step: Steps) -> Answer:
    """Walk one stretch of the road, as a request or as a round of the worker."""
    if road == "form":
        answer = app.test_client().post(data["address"], data=data["form"])
    elif road in {"event", "event that stumbles"}:
        if road == "event that stumbles":
            stumble_once(app)
        answer = app.test_client().post(
            "/webhooks/stripe", data=data["body"].encode(), headers={"Stripe-Signature": data["signature"]}
        )
    elif road == "back":
        answer = app.test_client().get(data["address"])
    else:
        return work(app, data, step)
    step("before the answer")
    return {"status": answer.status_code, "location": answer.headers.get("Location", "")}


def work(app: Flask, data: Any, step: Steps) -> Answer:
    """Do a round of the worker, some seconds later than now."""
    settings = app.extensions["appeal.settings"]

    def stepwise(sender: outbox.Sender) -> outbox.Sender:
        def send(item: Any) -> None:
            step("before a letter")
            sender(item)
            step("after a letter")

        return send

    later = clock.now() + timedelta(seconds=data.get("later_seconds", 0))
    with app.app_context(), clock.travel(later):
        events = inbox.apply_due(livemode=settings.livemode)
        sent = outbox.send_due({kind: stepwise(one) for kind, one in letters.senders(settings).items()})
    return {"events": events, "letters": sent}


def main() -> None:
    """Fork for every order that comes in, and tell what became of it."""
    import css_inline  # noqa: F401 - dear to import, and every walk would pay for it
    import fpdf  # noqa: F401
    import stripe  # noqa: F401

    app = create_app()
    for name in app.jinja_env.list_templates(filter_func=_is_met_on_the_road):
        app.jinja_env.get_template(name)  # compiled here once, not in every walk
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _be_the_child(app, order, writing)
        os.close(writing)
        with os.fdopen(reading) as told:
            answers = [json.loads(one) for one in told]
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer = answers[-1] if answers else {"died": status}
        assert killed == ("killed" in answer), answer
        print(json.dumps(answer), flush=True)
    os._exit(
        0
    )  # there is nothing to tidy up, and taking apart all that was imported takes longer than a walk


def _is_met_on_the_road(template: str) -> bool:
    letter = ("email/receipt.", "email/layout.", "email/plain_layout.", "email/_foot.")
    return template.startswith(("base.", "macros/", "supporters/", *letter))


def _be_the_child(app: Flask, order: Answer, writing: int) -> None:
    def tell(answer: Answer) -> None:
        os.write(writing, (json.dumps(answer) + "\n").encode())

    step = Steps(order["at"], tell)
    try:
        watch(app, step)
        answer = walk(app, order["road"], order["data"], step)
        tell(answer | {"steps": step.count})
    except BaseException as error:  # whatever it was, the parent is to tell it
        tell({"raised": f"{type(error).__name__}: {error}"})
    os._exit(0)


class Killer:
    """The parent, as the tests see it."""

    def __init__(self, settings: dict[str, str]) -> None:
        """Start it with the settings of an application."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stories.killing"],
            cwd=ROOT,
            env=environment_for(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, road: str, data: Any, at: int = 0) -> Answer:
        """Walk a stretch in a process of its own that dies at its step number `at`; 0 lets it live."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"road": road, "data": data, "at": at}) + "\n")
        self.process.stdin.flush()
        answer: Answer = json.loads(self.process.stdout.readline())
        assert "raised" not in answer, answer
        return answer

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


if __name__ == "__main__":
    main()
