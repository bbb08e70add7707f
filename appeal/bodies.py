"""Hearing a request out: the rest of a body that nobody wanted is read and thrown away before the answer leaves.

Whoever is refused half-way (a body that is too large, a method that is not offered) is often still sending. A server
that answers and closes the line then breaks it under many clients, which report a lost connection and never see the
answer. What is longer than anybody sends by mistake is not listened to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEARD_OUT_MOST_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 64 * 1024


class HeardOut:
    """Wraps a WSGI application; costs a request without a body one look-up."""

    def __init__(self, app: WSGIApplication) -> None:
        """Keep the application behind."""
        self.behind = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Let the application answer, then read what it left of the body."""
        length = environ.get("CONTENT_LENGTH", "")
        if not length.isdecimal() or not 0 < int(length) <= HEARD_OUT_MOST_BYTES:
            return self.behind(environ, start_response)
        body = environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], int(length))
        answer = self.behind(environ, start_response)
        if (
            environ.get("HTTP_EXPECT", "").lower() != "100-continue"
        ):  # such a client asks first, and sends nothing
            _read_the_rest(body)
        return answer


def _read_the_rest(body: LimitedStream) -> None:
    try:
        while body.read(_PIECE_BYTES):
            pass
    except ClientDisconnected:
        pass  # it has hung up; nobody is left to answer
