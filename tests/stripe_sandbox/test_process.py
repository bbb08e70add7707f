"""The sandbox as a process of its own, with a state file."""

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest
import stripe

import stripe_sandbox
from tests.support.run import ROOT


@contextlib.contextmanager
def process(*options):
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "0", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield child, child.stdout.readline().split()[3]
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(10)
        child.stdout.close()


def client_for(url):
    http = stripe.RequestsClient(timeout=10)
    return stripe.StripeClient("sk_test_x", base_addresses={"api": url}, http_client=http), http


def test_a_restart_keeps_sessions_events_keys_and_time(tmp_path, once):
    options = ("--state", str(tmp_path / "state.json"), "--checkout-origin", "http://pay.localhost:1")
    with process(*options) as (child, url):
        client, http = client_for(url)
        session = client.v1.checkout.sessions.create(once, {"idempotency_key": "k"})
        assert session.url.startswith("http://pay.localhost:1/c/pay/")
        http.close()
    assert child.returncode == 0
    with process(*options) as (_, url):
        client, http = client_for(url)
        assert client.v1.checkout.sessions.create(once, {"idempotency_key": "k"}).id == session.id
        assert client.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]}).status == "open"
        http.close()


def test_a_killed_process_has_written_what_it_knew(tmp_path, once):
    path = tmp_path / "state.json"
    with process("--state", str(path)) as (child, url):
        client, http = client_for(url)
        session = client.v1.checkout.sessions.create(once)
        while session.id not in (path.read_text() if path.exists() else ""):
            pass
        child.kill()
        child.wait()
        http.close()
    assert json.loads(path.read_text())["objects"]["checkout.session"][0]["id"] == session.id


def test_a_renewal_planned_before_a_restart_happens_after_it(tmp_path, monthly):
    path = tmp_path / "state.json"
    with stripe_sandbox.running(state_file=path) as sandbox:
        client, http = client_for(sandbox.url)
        sandbox.pay(client.v1.checkout.sessions.create(monthly).id)
        sandbox.advance(days=20)
        http.close()
    with stripe_sandbox.running(state_file=path) as sandbox:
        sandbox.advance(days=12)
        assert len(sandbox.events("invoice.paid")) == 2


def test_a_port_in_use_is_said_in_one_line(sandbox):
    port = sandbox.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "stripe_sandbox", "--port", port]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30)
    assert failed.returncode != 0
    assert "cannot listen" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("word", ["import appeal", "from appeal"])
def test_the_sandbox_knows_nothing_of_the_application(word):
    sources = [path.read_text() for path in (ROOT / "stripe_sandbox").rglob("*.py")]
    assert len(sources) > 30
    assert not [text for text in sources if word in text]
