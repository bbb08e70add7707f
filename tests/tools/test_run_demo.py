"""`make run`, as a person meets it: what it starts, says, keeps and stops."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from appeal.settings import load
from tests.support.run import ROOT
from tests.support.settings import environment_for
from tests.support.waiting import until
from tools.children import LOOPBACK, Child, free_port, is_free
from tools.run_demo import make_plan

READY = "The appeal is running."


class Demonstration:
    """One `make run` with its own instance folder and ports."""

    def __init__(self, directory: Path) -> None:
        self.port, self.sandbox_port, self.article_port = free_port(), free_port(), free_port()
        self.settings = {
            "INSTANCE_DIR": str(directory / "instance"),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "ARTICLE_PORT": str(self.article_port),
        }
        self.child = Child(
            "make run",
            [sys.executable, "-m", "tools.run_demo"],
            cwd=ROOT,
            environment=environment_for(self.settings),
            log=directory / "run.log",
        )

    def start(self) -> str:
        """Start, wait until it announces itself, and return what it said."""
        before = self.child.log_text().count(READY)
        self.child.start()
        until(
            lambda: self.child.log_text().count(READY) > before or not self.child.running,
            what="make run",
            seconds=90,
        )
        assert self.child.log_text().count(READY) > before, self.child.log_text()
        return self.child.log_text()

    def figure(self) -> dict[str, object]:
        """Return the public figure of the demonstration appeal."""
        with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/api/v1/appeals/95-years") as answer:
            return json.load(answer)

    def ports_are_free(self) -> bool:
        """Say whether everything it started has gone."""
        return all(map(is_free, (self.port, self.sandbox_port, self.article_port)))


@pytest.fixture
def demonstration(tmp_path: Path) -> Iterator[Demonstration]:
    demonstration = Demonstration(tmp_path)
    yield demonstration
    demonstration.child.stop()


def test_it_names_its_addresses_keeps_its_data_and_ends_with_ctrl_c(demonstration: Demonstration) -> None:
    said = demonstration.start()
    assert f"http://{LOOPBACK}:{demonstration.port}/appeals/95-years" in said
    assert f"http://{LOOPBACK}:{demonstration.article_port}/" in said
    assert f"http://{LOOPBACK}:{demonstration.sandbox_port}/" in said
    first = demonstration.figure()
    os.kill(demonstration.child.pid, signal.SIGINT)
    assert demonstration.child.process is not None
    assert demonstration.child.process.wait(20) == 0
    assert demonstration.ports_are_free()

    demonstration.start()
    assert demonstration.figure()["raised_minor"] == first["raised_minor"]
    assert demonstration.child.stop(seconds=20) == 0
    assert demonstration.ports_are_free()


def test_when_one_part_dies_it_says_which_and_stops_the_rest(demonstration: Demonstration) -> None:
    demonstration.start()
    listening = subprocess.run(
        ["ps", "-eo", "pid,args"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    victim = next(
        int(line.split()[0])
        for line in listening.splitlines()
        if "demo_article" in line and str(demonstration.article_port) in line
    )
    os.kill(victim, signal.SIGKILL)
    assert demonstration.child.process is not None
    assert demonstration.child.process.wait(20) == 1
    assert "the article stopped by itself" in demonstration.child.log_text()
    assert demonstration.ports_are_free()


def test_a_port_that_is_taken_is_named_before_anything_starts(
    demonstration: Demonstration, tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, demonstration.port))
        other.listen()
        demonstration.child.start()
        assert demonstration.child.process is not None
        assert demonstration.child.process.wait(20) == 1
    assert f"Port {demonstration.port}, meant for the app, is taken" in demonstration.child.log_text()
    assert not (tmp_path / "instance").exists()


def test_what_a_person_has_set_wins_and_a_key_of_theirs_means_no_sandbox() -> None:
    plan = make_plan({"STRIPE_SECRET_KEY": "sk_test_theirs", "PORT": "9000", "MAIL_URL": "file:letters"})
    assert not plan.sandboxed
    assert plan.environment["PUBLIC_URL"] == f"http://{LOOPBACK}:9000"
    assert plan.environment["MAIL_URL"] == "file:letters"
    assert "STRIPE_API_BASE" not in plan.environment


def test_the_demonstrations_form_may_lead_to_checkout_and_to_the_sandbox_as_the_contract_has_it(
    tmp_path: Path,
) -> None:
    plan = make_plan({"SANDBOX_PORT": "9002"})
    ours = {name.lower(): value for name, value in plan.environment.items()}
    settings = load(**ours, instance_dir=tmp_path)
    assert settings.form_action_origins == ("https://checkout.stripe.com", plan.sandbox_url)


def test_a_port_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(SystemExit, match="PORT=eighty is not a port number"):
        make_plan({"PORT": "eighty"})
