"""The HTTP server: werkzeug's, with connections kept open and each answer written in one piece.

Werkzeug's own handler closes every connection and writes head and body apart, which costs a client more than
the work does. Bodies are read before the application runs, so that a kept connection never holds a rest.
"""

import contextlib
import io
import socket
import threading
from collections.abc import Callable
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

MAX_BODY_BYTES = 2_000_000
BACKLOG = 256


class Handler(WSGIRequestHandler):
    """One connection, many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request; an application that raises a connection error has dealt with the socket itself."""
        environ = self.make_environ()
        try:
            length = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = MAX_BODY_BYTES + 1
        if length > MAX_BODY_BYTES or "HTTP_TRANSFER_ENCODING" in environ:
            self.close_connection = True
            self.send_error(413)
            return
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length) if length > 0 else b"")
        head: list[Any] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], _problem: Any = None
        ) -> Callable[[bytes], object]:
            head[:] = [status, headers]
            return lambda _data: None

        try:
            parts = self.server.app(environ, start_response)
            try:
                body = b"".join(parts)
            finally:
                getattr(parts, "close", lambda: None)()
            self._write(head[0], head[1], body)
        except ConnectionError:
            self.close_connection = True

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        lines.append(f"Date: {self.date_time_string()}")
        if not any(name.lower() == "content-length" for name, _ in headers):
            lines.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            lines.append("Connection: close")
        payload = b"" if self.command == "HEAD" else body
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + payload)
        self.wfile.flush()

    def finish(self) -> None:
        """Close the connection, unless trouble on demand has closed it already."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing: the sandbox keeps its own log of requests."""


class Server:
    """The server in its thread."""

    def __init__(self, app: Callable[..., Any], host: str, port: int) -> None:
        with socket.create_server((host, port), backlog=BACKLOG) as listener:
            self._server: BaseWSGIServer = make_server(
                host, port, app, threaded=True, request_handler=Handler, fd=listener.fileno()
            )
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True
        )

    @property
    def port(self) -> int:
        """The port in use, also where 0 was asked for."""
        return int(self._server.port)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)
