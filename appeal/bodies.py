"""The bodies of requests: waited for by some of the threads and never by all of them, and heard out.

A body comes as slowly as its sender likes, and holds a thread meanwhile. So only so many are waited for at once, and whoever
comes beyond that is told to come again; pages and figures, which have no body, are answered whatever happens.

Whoever is refused half-way (a body that is too large, a method that is not offered) is often still sending. A server
that answers and closes the line then breaks it under many clients, which report a lost connection and never see the
answer. So the rest is read and thrown away; what is longer than anybody sends by mistake is not listened to.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Of the threads of a server process (appeal/cli/serve.py) so many at most wait for a body.
AT_ONCE = 16
# An honest body is there already: its place is free again at once. Longer waits would hold the threads that are left.
PATIENCE_SECONDS = 0.1
# A body up to this length is read before the application begins, and its place is free for the next.
READ_AHEAD_MOST_BYTES = 1024 * 1024
HEARD_OUT_MOST_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024

COME_AGAIN = (
    "Many forms are coming in at this moment. Nothing of yours was taken: please send it again shortly."
)
COME_AGAIN_SECONDS = 5


class Bodies:
    """Wraps a WSGI application; costs a request without a body two look-ups."""

    def __init__(self, app: WSGIApplication) -> None:
        """Keep the application behind."""
        self.behind = app
        self._places = threading.Semaphore(AT_ONCE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Wait for the body, where there is a place to wait; then let the application answer."""
        length = environ.get("CONTENT_LENGTH", "")
        if length in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return self.behind(environ, start_response)
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            return _come_again(start_response)
        try:
            if not _can_be_read_ahead(environ, length):
                return self._as_it_comes(environ, start_response, length)
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
        finally:
            self._places.release()
        return self.behind(environ, start_response)

    def _as_it_comes(
        self, environ: WSGIEnvironment, start_response: StartResponse, length: str
    ) -> Iterable[bytes]:
        """Let the application answer, then read what it left of the body."""
        if not length.isdecimal() or int(length) > HEARD_OUT_MOST_BYTES:
            return self.behind(environ, start_response)
        body = environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], int(length))
        answer = self.behind(environ, start_response)
        if not _asks_first(environ):
            _read_the_rest(body)
        return answer


def _can_be_read_ahead(environ: WSGIEnvironment, length: str) -> bool:
    return length.isdecimal() and int(length) <= READ_AHEAD_MOST_BYTES and not _asks_first(environ)


def _asks_first(environ: WSGIEnvironment) -> bool:
    """Say whether the sender waits to be asked for the body, and sends nothing otherwise."""
    return bool(environ.get("HTTP_EXPECT", "").lower() == "100-continue")


def _read_the_rest(body: LimitedStream) -> None:
    try:
        while body.read(_PIECE_BYTES):
            pass
    except ClientDisconnected:
        pass  # it has hung up; nobody is left to answer


def _come_again(start_response: StartResponse) -> Iterable[bytes]:
    body = f"{COME_AGAIN}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Retry-After", str(COME_AGAIN_SECONDS)),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    start_response("503 SERVICE UNAVAILABLE", headers)
    return [body]
