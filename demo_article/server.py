"""The newspaper's web server: six articles, its own style, script and pictures, and one header policy."""

import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from demo_article.page import render
from demo_article.stories import STORIES

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Newspaper(ThreadingHTTPServer):
    """The server, and what its pages need to know about the appeal."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], appeal_url: str, slug: str) -> None:
        super().__init__(address, Reader)
        self.appeal_url = appeal_url.rstrip("/")
        self.slug = slug


def serve(host: str, port: int, appeal_url: str, slug: str) -> Newspaper:
    """Bind the newspaper's port and return the server; port 0 takes a free one."""
    return Newspaper((host, port), appeal_url, slug)


def policy(nonce: str, appeal_url: str) -> str:
    """Return the content security policy: scripts by nonce, no inline style, markup never from strings."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic'",
            f"style-src 'self' {appeal_url}",
            f"img-src 'self' data: {appeal_url}",
            f"connect-src {appeal_url}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ]
    )


class Reader(BaseHTTPRequestHandler):
    """One reader's request."""

    server: Newspaper
    server_version = "Lantern"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with an article, a file of the newspaper's, or "not found"."""
        path = urlsplit(self.path).path
        article = path.removeprefix("/a/")
        if path == "/":
            self._answer(b"", "text/plain", HTTPStatus.FOUND, {"Location": "/a/1"})
        elif (
            path != article and article.isascii() and article.isdigit() and 1 <= int(article) <= len(STORIES)
        ):
            self._article(int(article))
        elif path.startswith("/static/") and (STATIC / Path(path).name).is_file():
            file = STATIC / Path(path).name
            self._answer(file.read_bytes(), MEDIA_TYPES[file.suffix])
        elif path == "/favicon.ico":
            self._answer((STATIC / "lantern.svg").read_bytes(), MEDIA_TYPES[".svg"])
        else:
            self._answer(b"There is no such page in The Daily Lantern.\n", "text/plain", HTTPStatus.NOT_FOUND)

    def _article(self, number: int) -> None:
        nonce = secrets.token_urlsafe(16)
        html = render(number, nonce, self.server.appeal_url, self.server.slug)
        headers = {"Content-Security-Policy": policy(nonce, self.server.appeal_url)}
        self._answer(html.encode(), "text/html; charset=utf-8", HTTPStatus.OK, headers)

    def _answer(
        self,
        body: bytes,
        media_type: str,
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "strict-origin-when-cross-origin")
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: the demonstration prints its addresses and no more."""
