"""The API itself as a WSGI application: from a request's bytes to Stripe's answer.

In order: key, trouble on demand, address, parameters against the package's types, idempotency, the handler under
the world's lock, the answer against the package's types. Kept apart from Flask because benchmarks run against it.
"""

import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

import stripe

from stripe_sandbox import forms, listing, object_types, request_types, routing
from stripe_sandbox.errors import ApiError
from stripe_sandbox.idempotency import Keys
from stripe_sandbox.jobs import run_due
from stripe_sandbox.outages import REFUSALS, Outage, Outages
from stripe_sandbox.outages import refusal as refusal_of
from stripe_sandbox.store import Item, World, new_id

MAX_BODY_BYTES = 1_000_000
LOG_LENGTH = 5_000
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden"}
_REASONS |= {404: "Not Found", 409: "Conflict", 413: "Payload Too Large", 429: "Too Many Requests"}
_REASONS |= {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


@dataclass
class Call:
    """One request to the API."""

    id: str
    method: str
    path: str
    raw: str
    key: str | None
    outage: Outage | None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What the request asks, in short: the same under the same idempotency key."""
        return hashlib.sha256(f"{self.method} {self.path}\n{self.raw}".encode()).hexdigest()


class Api:
    """Everything under `/v1`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keys = Keys()
        self.outages = Outages()
        self.rejected: list[dict[str, Any]] = []
        self.requests: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self.stopping = threading.Event()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        call = self._read(environ)
        trouble = call.outage.kind if call.outage else ""
        if trouble == "reset":
            _break(environ)
        status, body, extra = self._answer(call, environ.get("HTTP_AUTHORIZATION", ""))
        payload = body.encode()
        if trouble == "lost":
            _break(environ)
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(payload))),
            ("Request-Id", call.id),
            ("Stripe-Version", stripe.api_version),
            *extra.items(),
        ]
        if trouble == "half":
            _send_half(environ, status, headers, payload)
        start_response(f"{status} {_REASONS[status]}", headers)
        return [payload]

    def _read(self, environ: Environ) -> Call:
        method, path = environ["REQUEST_METHOD"], unquote(environ["PATH_INFO"])
        raw = _body(environ) if method == "POST" else environ.get("QUERY_STRING", "")
        key = environ.get("HTTP_IDEMPOTENCY_KEY") if method == "POST" else None
        return Call(new_id("req"), method, path, raw, key, self.outages.take(method, path))

    def _answer(self, call: Call, authorization: str) -> tuple[int, str, dict[str, str]]:
        """Return status, body and further headers."""
        entry: dict[str, Any] = {
            "id": call.id,
            "method": call.method,
            "path": call.path,
            "idempotency_key": call.key,
        }
        entry |= {"status": 0, "replayed": False, "params": {}}
        self.requests.append(entry)
        headers = {"Idempotency-Key": call.key} if call.key else {}
        try:
            _check_key(authorization)
            if call.outage and call.outage.kind in REFUSALS and call.outage.kind != "500":
                raise refusal_of(call.outage.kind)
            found, ids = routing.find(call.method, call.path)
            entry["params"] = call.params = forms.parse(call.raw)
            typed = request_types.read(found.params, call.params)
            stored = self._begin(call)
            if stored:
                entry |= {"status": stored["status"], "replayed": True}
                again = {"Idempotent-Replayed": "true", "Original-Request": stored["request_id"]}
                return stored["status"], stored["body"], headers | again
            status, body = (
                200,
                self._run(call, partial(found.handler, self.world, *ids, typed), typed.get("expand")),
            )
        except ApiError as refusal:
            self._record(refusal, call)
            status, body = refusal.status, json.dumps(refusal.envelope(call.id))
            if status in (409, 429):
                headers["Stripe-Should-Retry"] = "true" if status == 409 else "false"
        entry["status"] = status
        return status, body, headers

    def _begin(self, call: Call) -> dict[str, Any] | None:
        """Return the answer stored under the request's key, or claim the key."""
        if not call.key:
            return None
        with self.world.lock:
            return self.keys.begin(self.world, call.key, call.digest)

    def _run(self, call: Call, work: Callable[[], Item], expand: list[str] | None) -> str:
        """Do the work of a well-formed request, and store the answer under its key."""
        answer: tuple[int, str, str] | None = None
        try:
            body = self._work(call, work, expand)
            answer = (200, body, call.id)
        except ApiError as refusal:
            if not refusal.validation and refusal.status not in (409, 429):
                answer = (refusal.status, json.dumps(refusal.envelope(call.id)), call.id)
            raise
        except Exception as defect:
            # Whatever goes wrong in here must fail the test that met it, not hang its client.
            message = f"sandbox defect: {type(defect).__name__}: {defect}"
            self._record(ApiError(500, message, validation=True), call)
            raise refusal_of("500") from defect
        finally:
            if call.key:
                with self.world.lock:
                    self.keys.finish(self.world, call.key, call.digest, answer)
        return body

    def _work(self, call: Call, work: Callable[[], Item], expand: list[str] | None) -> str:
        trouble = call.outage.kind if call.outage else ""
        if call.outage and trouble == "hang":
            self.stopping.wait(call.outage.seconds)
        if trouble == "500":
            raise refusal_of("500")
        world = self.world
        with world.lock:
            run_due(world)
            world.request = {"id": call.id, "idempotency_key": call.key}
            try:
                item = work()
                if expand:
                    item = listing.expanded(world, item, expand)
                _check_sent(item)
                body = json.dumps(item, separators=(",", ":"))
            finally:
                world.request = {"id": None, "idempotency_key": None}
        if trouble == "500_after":
            raise refusal_of("500")
        return body

    def _record(self, refusal: ApiError, call: Call) -> None:
        """Remember a request that was refused for what it asked."""
        if refusal.validation:
            self.rejected.append(
                {
                    "at": time.time(),
                    "method": call.method,
                    "path": call.path,
                    "status": refusal.status,
                    "message": refusal.message,
                    "param": refusal.param,
                    "code": refusal.code,
                    "params": call.params,
                }
            )


def _check_key(header: str) -> None:
    """Refuse a request without a test key.

    Raises:
        ApiError: there is no key, or it is none that a sandbox should see.
    """
    scheme, _, key = header.partition(" ")
    if not key:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header."
        )
        raise ApiError(401, message, validation=True)
    if scheme.lower() == "bearer" and key.startswith(("sk_test_", "rk_test_")):
        return
    if key.startswith(("sk_live_", "rk_live_")):
        raise ApiError(401, "A live key was sent to the sandbox. Take care where it goes.", validation=True)
    raise ApiError(401, f"Invalid API Key provided: {key[:7]}{'*' * 8}", validation=True)


def _check_sent(item: dict[str, Any]) -> None:
    if item["object"] == "list":
        for entry in item["data"]:
            object_types.check(entry)
    else:
        object_types.check(item)


def _body(environ: Environ) -> str:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw: bytes = environ["wsgi.input"].read(min(length, MAX_BODY_BYTES))
    return raw.decode("utf-8", "replace")


def _break(environ: Environ) -> None:
    """Reset the connection without an answer.

    Raises:
        ConnectionResetError: always; the server drops the request.
    """
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise ConnectionResetError("reset on demand")


def _send_half(environ: Environ, status: int, headers: list[tuple[str, str]], payload: bytes) -> None:
    """Send the head and half of the body, then break off.

    Raises:
        ConnectionResetError: always.
    """
    connection: socket.socket = environ["werkzeug.socket"]
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in headers)
        + "\r\n"
    )
    with contextlib.suppress(OSError):
        connection.sendall(head.encode() + payload[: len(payload) // 2])
        connection.shutdown(socket.SHUT_WR)
    _break(environ)
