"""Somebody else's site: pages given as text, each under the content policy it names, on a port of its own.

Beside plain pages it plays the two systems that put frames into pages by rules of their own: WordPress, which frames
what it does not know in a sandbox and listens for `height` and `link`, and AMP, which listens for `embed-size`.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NONCE = "dGVzdA"
# As strict as a newspaper can be: scripts by nonce, no inline style, markup never from strings.
STRICT = (
    "default-src 'none'; script-src 'nonce-" + NONCE + "' 'strict-dynamic'; style-src 'self' {origin}; "
    "img-src 'self' {origin}; connect-src {origin}; frame-src {origin}; base-uri 'none'; "
    "require-trusted-types-for 'script'"
)


class Host(ThreadingHTTPServer):
    """The site; `pages` holds what each path says."""

    daemon_threads = True

    def __init__(self, origin: str) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.origin = origin
        self.pages: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"

    def show(self, body: str, head: str = "", path: str = "/page") -> str:
        """Put a page there and return its address; scripts get the nonce that a host would give them."""
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">{head}</head>'
            f"<body><main><h1>A page</h1>{body}</main></body></html>"
        )
        self.pages[path] = html.replace("<script", f'<script nonce="{NONCE}"')
        return self.url + path


class _Page(BaseHTTPRequestHandler):
    server: Host
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = self.server.pages.get(urlsplit(self.path).path)
        body = (text or "nothing").encode()
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        policy = STRICT.format(origin=self.server.origin).replace("img-src", "img-src data:")
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def hosting(origin: str) -> Iterator[Host]:
    """Run a site for as long as the block lasts."""
    site = Host(origin)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield site
    site.shutdown()
    site.server_close()


def as_wordpress(oembed_html: str) -> tuple[str, str]:
    """Return head and body of a post in which WordPress shows an oEmbed answer of a provider it does not know.

    Source: WordPress, wp_filter_oembed_result() and wp-includes/js/wp-embed.js: what is kept of the answer, the
    sandbox, the secret, and which messages are followed.
    """
    kept = re.sub(r"<(?!/?(?:a|blockquote|iframe)\b)[^>]*>", "", oembed_html)
    quote, frame = re.search(
        r"(<blockquote>.*?</blockquote>)?.*(<iframe.*?></iframe>)", kept, re.DOTALL
    ).groups()
    frame = frame.replace(
        "<iframe", '<iframe sandbox="allow-scripts" security="restricted" data-secret="s3cr3t"', 1
    )
    frame = re.sub(r'src="([^"]*)"', r'src="\1#?secret=s3cr3t"', frame)
    quote = quote.replace("<blockquote>", '<blockquote class="wp-embedded-content" data-secret="s3cr3t">')
    return f"<script>{_WORDPRESS}</script>", quote + frame


_WORDPRESS = """
addEventListener("message", (event) => {
  const data = event.data;
  if (!data || !(data.secret || data.message || data.value) || /[^a-zA-Z0-9]/.test(data.secret)) return;
  document.querySelectorAll('blockquote[data-secret="' + data.secret + '"]').forEach((one) => { one.hidden = true; });
  document.querySelectorAll('iframe[data-secret="' + data.secret + '"]').forEach((source) => {
    if (event.source !== source.contentWindow) return;
    if (data.message === "height") source.height = Math.min(1000, Math.max(200, parseInt(data.value, 10)));
    if (data.message === "link") {
      const from = new URL(source.getAttribute("src")), to = new URL(data.value);
      if (/^https?:$/.test(to.protocol) && from.host === to.host && document.activeElement === source) {
        top.location.href = data.value;
      }
    }
  });
});
"""


def as_amp(example: str) -> tuple[str, str]:
    """Return head and body of a page on which AMP has built its frame out of `<amp-iframe>`.

    Source: AMP, amp-iframe: the sandbox is the author's, `resizable` follows `embed-size`.
    """
    sandbox = re.search(r'sandbox="([^"]*)"', example)[1]
    source = re.search(r'src="([^"]*)"', example)[1]
    title = re.search(r'title="([^"]*)"', example)[1]
    frame = f'<iframe src="{source}" title="{title}" sandbox="{sandbox}" width="600" height="90"></iframe>'
    return f"<script>{_AMP}</script>", frame


_AMP = """
addEventListener("message", (event) => {
  const data = event.data, frame = document.querySelector("iframe");
  if (event.source !== frame.contentWindow || !data || data.sentinel !== "amp" || data.type !== "embed-size") return;
  frame.height = data.height;
});
"""
