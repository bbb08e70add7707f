"""The appeal's origin as the banner sees it: script, style sheet, JSON and beacon, with faults to order.

A real HTTP server on a free port. `answers` holds what the JSON says for each slug (None: there is no such appeal); the other
attributes delay or break an answer. What was asked is kept in `asked`, what beacons said in `beacons`.
"""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from appeal.embed.figure import BANNER_TYPE
from appeal.embed.script import build_host_style, build_script, for_placement, rare_words

SCRIPT, HOST_STYLE = build_script(), build_host_style()
APPEAL: dict[str, Any] = {
    "slug": "95-years",
    "title": "95 years of The Daily Lantern",
    "currency": "gbp",
    "goal_minor": 9_500_000,
    "raised_minor": 6_123_450,
    "percent": 64.4,
    "gift_count": 1893,
    "donor_count": 1640,
    "promised_minor": 120_000,
    "projected_monthly_minor": 340_000,
    "state": "running",
    "opens_at": "2026-11-01T00:00:00Z",
    "closes_at": "2026-12-06T00:00:00Z",
    "days_left": 12,
    "sources": {"online": 5_000_000, "post": 1_000_000, "bank": 123_450},
    "formatted": {"raised": "£61,234", "goal": "£95,000", "remaining": "£33,766"},
    "donate_url": "https://appeal.example/appeals/95-years",
    "as_of": "2026-11-23T08:00:00Z",
}
STATES: dict[str, dict[str, Any]] = {
    "upcoming": {
        "state": "upcoming",
        "raised_minor": 0,
        "gift_count": 0,
        "formatted": {"raised": "£0", "goal": "£95,000", "remaining": "£95,000"},
    },
    "nothing_yet": {
        "raised_minor": 0,
        "gift_count": 0,
        "formatted": {"raised": "£0", "goal": "£95,000", "remaining": "£95,000"},
    },
    "running": {},
    "last_days": {"state": "last_days", "days_left": 2},
    "reached": {
        "state": "reached",
        "raised_minor": 9_500_000,
        "formatted": {"raised": "£95,000", "goal": "£95,000", "remaining": "£0"},
    },
    "beyond": {
        "state": "reached",
        "raised_minor": 10_148_000,
        "formatted": {"raised": "£101,480", "goal": "£95,000", "remaining": "£0"},
    },
    "ended": {
        "state": "ended",
        "raised_minor": 10_148_000,
        "days_left": None,
        "formatted": {"raised": "£101,480", "goal": "£95,000", "remaining": "£0"},
    },
    "no_goal": {
        "goal_minor": None,
        "percent": None,
        "formatted": {"raised": "£61,234", "goal": None, "remaining": None},
    },
}


class Origin(ThreadingHTTPServer):
    """The server and its faults."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.reset()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reset(self) -> None:
        self.answers: dict[str, Any] = {"95-years": dict(APPEAL)}
        self.script_delay_seconds = 0.0
        self.json_delay_seconds = 0.0
        self.json_status = 200
        self.json_body: bytes | None = None
        self.asked: list[str] = []
        self.beacons: list[dict[str, str]] = []

    def say(self, state: str = "running", **more: Any) -> None:
        """Let the JSON of the appeal say a state, with single values changed."""
        answer = {**APPEAL, **STATES[state], **more}
        goal, raised = answer["goal_minor"], answer["raised_minor"]
        rare = rare_words(
            "en", answer["state"], goal=bool(goal), beyond=raised > (goal or 0), opens="7 December"
        )
        if rare and "banner" not in more:
            said = {one: for_placement(one, rare, "en") for one in ("top", "article", "end", "paywall")}
            answer["banner"] = {"words": said}
        self.answers["95-years"] = answer


class _Answer(BaseHTTPRequestHandler):
    server: Origin
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(self.path)
        if path == "/embed/v1/appeal.js":
            time.sleep(self.server.script_delay_seconds)
            self._send(200, SCRIPT.body, SCRIPT.media_type)
        elif path == "/embed/v1/appeal.css":
            self._send(200, HOST_STYLE.body, HOST_STYLE.media_type)
        elif path.startswith("/api/v1/appeals/"):
            self._json(self.server.answers.get(path.rpartition("/")[2]))
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        self.server.beacons.append({name: values[0] for name, values in parse_qs(body).items()})
        self._send(204, b"", "text/plain")

    def _json(self, answer: Any) -> None:
        time.sleep(self.server.json_delay_seconds)
        if answer is None and self.headers["Accept"] == BANNER_TYPE:
            self._send(204, b"", "text/plain")
            return
        if answer is None:
            self._send(404, b'{"error": "unknown appeal"}', "application/json")
            return
        body = json.dumps(answer).encode() if self.server.json_body is None else self.server.json_body
        self._send(self.server.json_status, body, "application/json")

    def _send(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Access-Control-Allow-Origin", "*")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        # A reader who has turned the page no longer waits for a late answer.
        with contextlib.suppress(ConnectionError):
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass
