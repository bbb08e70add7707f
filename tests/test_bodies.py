"""The bodies of requests: heard out, and never waited for by every thread."""

import contextlib
import socket
from io import BytesIO
from urllib.parse import urlsplit

import pytest
import requests

from appeal import bodies
from appeal.cli.serve import BLOCKING_THREADS
from tests.making import SLUG, open_appeal
from tests.support.waiting import until


@pytest.fixture
def opened(app):
    """Make an appeal."""
    with app.app_context():
        open_appeal()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("POST", "/webhooks/stripe"),
        ("POST", f"/appeals/{SLUG}/donations"),
        ("PUT", f"/appeals/{SLUG}"),
        ("GET", f"/api/v1/appeals/{SLUG}"),
        ("POST", "/nowhere"),
    ],
)
def test_whoever_sends_too_much_is_heard_out_before_the_answer(client, opened, method, address) -> None:
    """A client that is still sending when the line is closed reports a broken line, never what we said."""
    body = BytesIO(b"x" * 5_000_000)
    client.open(address, method=method, input_stream=body, content_length=5_000_000)
    assert body.tell() == 5_000_000


def test_a_body_without_end_is_not_heard_out(client, opened) -> None:
    body = BytesIO(b"x" * 9_000_000)
    assert client.put("/healthz", input_stream=body, content_length=9_000_000).status_code == 405
    assert body.tell() == 0
    asks_first = {"Expect": "100-continue"}
    client.put("/healthz", input_stream=body, content_length=5_000_000, headers=asks_first)
    assert body.tell() == 0


def test_a_body_is_read_ahead_whole_and_no_further(client, opened) -> None:
    answer = client.post("/webhooks/stripe", input_stream=BytesIO(b"{}and more"), content_length=2)
    assert answer.status_code == 400


def test_some_threads_are_left_for_what_has_no_body() -> None:
    assert bodies.AT_ONCE <= BLOCKING_THREADS - 8


def begin_slowly(url: str, address: str) -> socket.socket:
    """Send the head of a form and three bytes of it, and then nothing more."""
    line = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
    head = f"POST {address} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Length: 50000\r\n\r\nabc"
    line.sendall(head.encode())
    return line


@pytest.mark.parametrize("address", ["/webhooks/stripe", "/nowhere"])
def test_bodies_that_never_come_stop_neither_pages_nor_later_forms(demo_stack, address) -> None:
    with contextlib.ExitStack() as lines:
        for _ in range(60):
            lines.enter_context(begin_slowly(demo_stack.url, address))
        assert requests.get(f"{demo_stack.url}/healthz", timeout=5).status_code == 200
        refused = requests.post(f"{demo_stack.url}/webhooks/stripe", data=b"{}", timeout=5)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "Nothing of yours was taken" in refused.text
    url = f"{demo_stack.url}/webhooks/stripe"
    until(lambda: requests.post(url, data=b"{}", timeout=5).status_code == 400, what="the places to be free")
