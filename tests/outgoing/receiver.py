"""A publisher's system: a real HTTP server on loopback that keeps what it is sent and answers as it is told."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Message:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)

    def signed_by(self, secret: str) -> bool:
        """Check the signature as the specification of Standard Webhooks tells a receiver to."""
        key = base64.b64decode(secret[len("whsec_") :])
        stamp = self.headers["webhook-timestamp"]
        if abs(time.time() - int(stamp)) > 300:
            return False
        content = b".".join([self.headers["webhook-id"].encode(), stamp.encode(), self.body])
        expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256))
        given = [one.partition(",") for one in self.headers["webhook-signature"].split(" ")]
        return any(
            version == "v1" and hmac.compare_digest(sign.encode(), expected) for version, _, sign in given
        )


class Receiver:
    """What came, and what is answered: `answers` one by one, then 204."""

    def __init__(self) -> None:
        """Begin empty and willing."""
        self.messages: list[Message] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.always: tuple[int, dict[str, str], bytes] = (204, {}, b"")
        self.drip_seconds = 0.0
        self.address = ""

    def answer_next(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Answer the next request so."""
        self.answers.append((status, headers or {}, body))

    def types(self) -> list[str]:
        """List the types of the events that came."""
        return [message.json["type"] for message in self.messages]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.messages.append(Message(self.path, headers, self.rfile.read(length)))
            if receiver.drip_seconds:
                self._drip()
                return
            status, more, body = receiver.answers.pop(0) if receiver.answers else receiver.always
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _drip(self) -> None:
            """Answer a byte at a time, for ever."""
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while True:
                    self.wfile.write(b".")
                    time.sleep(receiver.drip_seconds)
            except OSError:
                return

        def log_message(self, *_arguments: Any) -> None:
            return

    return Handler


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver for as long as the block lasts, with a certificate if one is given."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.handle_error = lambda *_arguments: None  # type: ignore[method-assign]  # clients that hang up are expected
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.address = f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
