"""The API itself as a WSGI application: from a request's bytes to Stripe's answer.

In order: key, trouble on demand, address, parameters against the package's types, idempotency, the handler under
the world's lock, the answer against the package's types. Kept apart from Flask because benchmarks run against it.
"""

import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

import stripe

from stripe_sandbox import forms, listing, object_types, request_types, routing
from stripe_sandbox.errors import ApiError
from stripe_sandbox.idempotency import Keys
from stripe_sandbox.jobs import run_due
from stripe_sandbox.outages import REFUSALS, Outage, Outages
from stripe_sandbox.outages import refusal as refusal_of
from stripe_sandbox.store import World, new_id

MAX_BODY_BYTES = 1_000_000
LOG_LENGTH = 5_000
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden"}
_REASONS |= {404: "Not Found", 409: "Conflict", 413: "Payload Too Large", 429: "Too Many Requests"}
_REASONS |= {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


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
        method, path = environ["REQUEST_METHOD"], unquote(environ["PATH_INFO"])
        raw = _body(environ) if method == "POST" else environ.get("QUERY_STRING", "")
        request_id = new_id("req")
        outage = self.outages.take(method, path)
        if outage and outage.kind == "reset":
            _break(environ)
        if outage and outage.kind == "hang":
            self.stopping.wait(outage.seconds)
        status, body, extra = self._answer(environ, method, path, raw, request_id, outage)
        payload = body.encode()
        if outage and outage.kind == "lost":
            _break(environ)
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(payload))),
            ("Request-Id", extra.pop("Request-Id", request_id)),
            ("Stripe-Version", stripe.api_version),
            *extra.items(),
        ]
        if outage and outage.kind == "half":
            _send_half(environ, status, headers, payload)
        start_response(f"{status} {_REASONS[status]}", headers)
        return [payload]

    def _answer(
        self, environ: Environ, method: str, path: str, raw: str, request_id: str, outage: Outage | None
    ) -> tuple[int, str, dict[str, str]]:
        """Return status, body and further headers."""
        key = environ.get("HTTP_IDEMPOTENCY_KEY") if method == "POST" else None
        entry = {"id": request_id, "method": method, "path": path, "idempotency_key": key, "status": 0, "replayed": False}
        self.requests.append(entry)
        params: dict[str, Any] = {}
        headers = {"Idempotency-Key": key} if key else {}
        try:
            _check_key(environ.get("HTTP_AUTHORIZATION", ""))
            if outage and outage.kind in REFUSALS and outage.kind != "500":
                raise refusal_of(outage.kind)
            found, ids = routing.find(method, path)
            params = forms.parse(raw)
            entry["params"] = params
            typed = request_types.read(found.params, params)
            with self.world.lock:
                stored = self.keys.begin(self.world, key, method, path, raw) if key else None
            if stored:
                entry |= {"status": stored["status"], "replayed": True}
                again = {"Idempotent-Replayed": "true", "Original-Request": stored["request_id"]}
                return stored["status"], stored["body"], headers | again
            status, body = self._run(key, (method, path, raw), request_id, (found, ids, typed), outage)
        except ApiError as refusal:
            self._record(refusal, method, path, params)
            status, body = refusal.status, json.dumps(refusal.envelope(request_id))
            if refusal.status in (409, 429):
                headers["Stripe-Should-Retry"] = "true" if refusal.status == 409 else "false"
        entry["status"] = status
        return status, body, headers

    def _run(
        self,
        key: str | None,
        request: tuple[str, str, str],
        request_id: str,
        call: tuple[routing.Route, list[str], dict[str, Any]],
        outage: Outage | None,
    ) -> tuple[int, str]:
        """Do the work of a request whose parameters are well-formed; store the answer under its key."""
        answer: tuple[int, str, str] | None = None
        try:
            status, body = self._work(key, request_id, call, outage)
            answer = (status, body, request_id)
        except ApiError as refusal:
            if not refusal.validation and refusal.status not in (409, 429):
                answer = (refusal.status, json.dumps(refusal.envelope(request_id)), request_id)
            raise
        except Exception as defect:
            # Whatever goes wrong in here must fail the test that met it, not hang its client.
            message = f"sandbox defect: {type(defect).__name__}: {defect}"
            self.rejected.append({"status": 500, "message": message, "path": request[1], "method": request[0]})
            raise refusal_of("500") from defect
        finally:
            if key:
                with self.world.lock:
                    self.keys.finish(self.world, key, request, answer)
        return status, body

    def _work(
        self,
        key: str | None,
        request_id: str,
        call: tuple[routing.Route, list[str], dict[str, Any]],
        outage: Outage | None,
    ) -> tuple[int, str]:
        if outage and outage.kind == "500":
            raise refusal_of("500")
        found, ids, typed = call
        world = self.world
        with world.lock:
            run_due(world)
            world.request = {"id": request_id, "idempotency_key": key}
            try:
                item = routing.call(world, found, ids, typed)
                if typed.get("expand"):
                    item = listing.expanded(world, item, typed["expand"])
                _check_sent(item)
                body = json.dumps(item, separators=(",", ":"))
            finally:
                world.request = {"id": None, "idempotency_key": None}
        if outage and outage.kind == "500_after":
            raise refusal_of("500")
        return 200, body

    def _record(self, refusal: ApiError, method: str, path: str, params: dict[str, Any]) -> None:
        """Remember a request that was refused for what it asked."""
        if refusal.validation:
            self.rejected.append(
                {
                    "at": time.time(),
                    "method": method,
                    "path": path,
                    "status": refusal.status,
                    "message": refusal.message,
                    "param": refusal.param,
                    "code": refusal.code,
                    "params": params,
                }
            )


def _check_key(header: str) -> None:
    """Refuse a request without a test key.

    Raises:
        ApiError: there is no key, or it is none that a sandbox should see.
    """
    scheme, _, key = header.partition(" ")
    if not key:
        message = "You did not provide an API key. You need to provide your API key in the Authorization header."
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
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    with contextlib.suppress(OSError):
        connection.sendall(head.encode() + payload[: len(payload) // 2])
        connection.shutdown(socket.SHUT_WR)
    _break(environ)
