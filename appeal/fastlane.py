"""The fast lane: what Flask answered last is answered again, before Flask's machinery, while it is still true.

A small WSGI layer around the application. A door marks an answer with `keep`: good for as long as the facts of one
appeal stay as they are (or for as long as the process runs), and between two instants. Everything else about the
answer is Flask's own: its headers, its body, its refusal of foreign hosts. Only the request id is fresh each time.
Whoever asks first for something new asks Flask; the others wait for that answer. When Flask can only say 5xx, the
last good answer is given instead. docs/figure.md explains it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.http import parse_etags, remove_entity_headers

from appeal.core import clock, ids, packing
from appeal.freshness import AWAY, PATIENCE_SECONDS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LANE = ("/api/v1/", "/embed/", "/appeals/", "/static/")
READING = frozenset({"GET", "HEAD"})
KEY = "appeal.keep"
MOST_ANSWERS, MOST_HOSTS, LARGEST_BYTES = 1024, 64, 512 * 1024
REQUEST_ID = "X-Request-Id"

Header = tuple[str, str]
Facts = Callable[[str], object]


class Fill(Protocol):
    """Puts in what is fresh for each asker: the query of the address in, the whole body out, plain or as gzip."""

    def __call__(self, query: str) -> bytes:
        """Return the body."""

    def packed(self, query: str) -> bytes:
        """Return the body as gzip."""


@dataclass(frozen=True, slots=True)
class Keep:
    """For how long an answer is good; `facts` are compared by identity, and None means they never change.

    `reread` gives the facts as they stand, by default those of a figure. Of a query nothing is kept unless
    `with_query` says that the answer depends on it; `variant` then reduces a query to the part that matters. With
    `fill` the body is made anew for each asker from what is the same for all. What says `Vary: Accept-Encoding` is
    given as gzip to those who take it (docs/adr/0031 says why that is safe).
    """

    slug: str = ""
    facts: object | None = None
    since: datetime | None = None
    until: datetime | None = None
    with_query: bool = False
    reread: Facts | None = None
    variant: Callable[[str], str] | None = None
    fill: Fill | None = None


def keep(environ: WSGIEnvironment, how: Keep) -> None:
    """Mark the answer to this request as one that may be given again."""
    environ[KEY] = how


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of Flask's, ready to be given again, in full or as 304."""

    how: Keep
    since: float
    until: float
    etag: str
    before_id: list[Header]
    after_id: list[Header]
    not_modified: list[Header]
    body: list[bytes]  # as it is, and as gzip where it may be packed and nothing is filled in
    packs: bool

    def holds(self, facts: Facts) -> bool:
        """Say whether it is still what Flask would answer."""
        how = self.how
        if how.facts is None:
            return True
        return self.since <= clock.seconds() < self.until and (how.reread or facts)(how.slug) is how.facts

    def give(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with it: 304 where the asker has it already, the head alone where only that was asked for."""
        fresh_id = (REQUEST_ID, ids.request_id())
        asked = environ.get("HTTP_IF_NONE_MATCH")
        if asked and self.etag and self._is_known(asked):
            start_response("304 NOT MODIFIED", [*self.not_modified, fresh_id])
            return []
        body, headers = self.body, [*self.before_id, fresh_id, *self.after_id]
        if self.packs:
            body = [self._packed(environ, headers)]
            headers.append(("Content-Length", str(len(body[0]))))
        start_response("200 OK", headers)
        return body if environ["REQUEST_METHOD"] == "GET" else []

    def _packed(self, environ: WSGIEnvironment, headers: list[Header]) -> bytes:
        fill, query = self.how.fill, environ.get("QUERY_STRING", "")
        if not packing.wanted(environ.get("HTTP_ACCEPT_ENCODING", "")):
            return self.body[0] if fill is None else fill(query)
        headers.append(("Content-Encoding", "gzip"))
        return self.body[1] if fill is None else fill.packed(query)

    def _is_known(self, asked: str) -> bool:
        return asked == self.etag or parse_etags(asked).contains_weak(self.etag.strip('"'))


class FastLane:
    """Wraps a Flask application's WSGI callable."""

    def __init__(self, app: WSGIApplication, facts: Facts) -> None:
        """Keep the application behind, and how to get the facts of an appeal as they stand."""
        self.behind = app
        self._facts = facts
        self._answers: dict[str, Answer] = {}
        self._variants: dict[str, Callable[[str], str]] = {}
        self._hosts: set[str] = set()
        self._turns = [threading.Lock() for _ in range(64)]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer from what is kept, or pass the request on."""
        key = environ["PATH_INFO"]
        if (
            not key.startswith(LANE)
            or environ["REQUEST_METHOD"] not in READING
            or environ.get("CONTENT_LENGTH")
        ):
            return self.behind(environ, start_response)
        if query := environ.get("QUERY_STRING"):
            key = self._variant(key, query)
        answer = self._answers.get(key)
        if environ.get("HTTP_HOST") not in self._hosts:
            return self._ask(key, environ, start_response)
        if answer is not None and self._good(answer):
            return answer.give(environ, start_response)
        if answer is None:
            return self._ask(key, environ, start_response)
        return self._ask_in_turn(key, answer, environ, start_response)

    def _variant(self, path: str, query: str) -> str:
        variant = self._variants.get(path)
        if variant is not None:
            query = variant(query)
        return f"{path}?{query}" if query else path

    def _good(self, answer: Answer) -> bool:
        try:
            return answer.holds(self._facts)
        except AWAY:
            return False

    def _ask_in_turn(
        self, key: str, old: Answer, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let one ask Flask while the others wait for what it says, but not for long: they have the old answer."""
        turn = self._turns[hash(key) % len(self._turns)]
        if not turn.acquire(timeout=PATIENCE_SECONDS):
            return old.give(environ, start_response)
        try:
            answer = self._answers.get(key)
            if answer is not None and answer is not old and self._good(answer):
                return answer.give(environ, start_response)
            return self._ask(key, environ, start_response)
        finally:
            turn.release()

    def _ask(self, key: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Ask Flask for the whole answer and keep it where that is allowed."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return self.behind(environ, start_response)
        host = environ.get("HTTP_HOST", "")
        whole = {name: value for name, value in environ.items() if name not in _CONDITIONS}
        conditional = len(whole) < len(environ)
        status, headers, body = _captured(self.behind, whole)
        how = whole.get(KEY)
        if status == "200 OK" and isinstance(how, Keep):
            if len(self._hosts) < MOST_HOSTS:
                self._hosts.add(host)
            answer = _prepared(how, headers, body)
            if how.variant is not None:
                self._variants[environ["PATH_INFO"]] = how.variant
                key = self._variant(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
            if _may_be_kept(key, answer):
                self._store(key, answer)
            return answer.give(environ, start_response)
        old = self._answers.get(key)
        if status[0] == "5" and old is not None and host in self._hosts:
            return old.give(environ, start_response)
        if status == "200 OK" and conditional:
            return self.behind(environ, start_response)  # not ours to answer conditionally
        start_response(status, headers)
        return [body]

    def _store(self, key: str, answer: Answer) -> None:
        if len(self._answers) >= MOST_ANSWERS and key not in self._answers:
            victim = next((one for one in self._answers if "?" in one), next(iter(self._answers)))
            self._answers.pop(victim, None)
        self._answers[key] = answer


_CONDITIONS = frozenset({"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH", "HTTP_RANGE"})


def _captured(app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, list[Header], bytes]:
    """Run the application and take its whole answer."""
    told: list[Any] = []

    def start_response(status: str, headers: list[Header], _error: Any = None) -> Callable[[bytes], object]:
        told[:] = [status, headers]
        return lambda _data: None

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return told[0], told[1], body


def _prepared(how: Keep, headers: list[Header], body: bytes) -> Answer:
    values = {name.lower(): value for name, value in headers}
    packs = values.get("vary") == "Accept-Encoding"
    if packs:
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    at = next((i for i, (name, _) in enumerate(headers) if name.lower() == "x-request-id"), len(headers))
    bare = [*headers[:at], *headers[at + 1 :]]
    remove_entity_headers(bare)
    bodies = [body, packing.stream([packing.block(body)], body)] if packs and how.fill is None else [body]
    since = how.since.timestamp() if how.since else -inf
    until = how.until.timestamp() if how.until else inf
    return Answer(
        how, since, until, values.get("etag", ""), headers[:at], headers[at + 1 :], bare, bodies, packs
    )


def _may_be_kept(key: str, answer: Answer) -> bool:
    """Refuse what could differ from one asker to the next, what is too large, and queries nobody asked to tell apart."""
    headers = [(name.lower(), value) for name, value in (*answer.before_id, *answer.after_id)]
    personal = any(
        name == "set-cookie" or (name == "vary" and value != "Accept-Encoding") for name, value in headers
    )
    wanted = answer.how.with_query or "?" not in key
    return wanted and not personal and len(answer.body[0]) <= LARGEST_BYTES
