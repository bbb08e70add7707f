"""Webhooks as Stripe sends them: signed anew at each attempt, repeated until a 2xx, and as unruly as a test wants.

`Manners` says how deliveries misbehave. Attempts run in background threads on the machine's own time (the
receiver checks the signature's age against its own clock); when the sandbox's clock is advanced, waiting
repeats come forward by as much.
"""

import hashlib
import heapq
import hmac
import http.client
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

RETRY_SECONDS = (
    1.0,
    5.0,
    15.0,
    60.0,
    300.0,
    1800.0,
    3600.0,
    6 * 3600.0,
    12 * 3600.0,
    24 * 3600.0,
    24 * 3600.0,
)
WORKERS = 4
LOG_LENGTH = 20_000


@dataclass
class Manners:
    """How deliveries behave; fractions are between 0 and 1, times in seconds of the machine's clock."""

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    delay_seconds: float = 0.0
    shuffle_seconds: float = 0.0
    double: float = 0.0
    drop: float = 0.0
    drop_types: list[str] = field(default_factory=list)
    hold: bool = False
    seed: int | None = None
    retry_seconds: list[float] = field(default_factory=lambda: list(RETRY_SECONDS))
    timeout_seconds: float = 20.0


@dataclass
class Delivery:
    """One event on its way to the endpoint, with every attempt so far."""

    number: int
    event: str
    type: str
    body: bytes
    state: str = "pending"  # pending, held, dropped, delivered, failed
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def end(self, state: str) -> None:
        """Finish, and let go of the body: the events list has it."""
        self.state, self.body = state, b""

    def shown(self) -> dict[str, Any]:
        """Return the delivery as plain data."""
        return {"event": self.event, "type": self.type, "state": self.state, "attempts": list(self.attempts)}


def sign(body: bytes, secrets: list[str], at: int) -> str:
    """Return the `Stripe-Signature` header for a body sent at the instant `at`."""
    signed = str(at).encode() + b"." + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])


class Post:
    """The post office: what waits, what was sent, and the threads that send."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.log: deque[Delivery] = deque(maxlen=LOG_LENGTH)
        self._random = random.Random(manners.seed)  # noqa: S311 - mischief in tests, no secret
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._held: list[Delivery] = []
        self._sending = 0
        self._count = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{n}", daemon=True) for n in range(WORKERS)
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sending; what waits is dropped."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=2)

    def configure(self, **values: Any) -> None:
        """Change the manners from now on.

        Raises:
            ValueError: there is no such manner.
            TypeError: its value is of the wrong type.
        """
        for name, value in values.items():
            if name not in Manners.__dataclass_fields__:
                raise ValueError(f"no such setting: {name}")
            now = getattr(Manners(), name)
            fits = (
                (int, float) if isinstance(now, float) else (int, type(None)) if name == "seed" else type(now)
            )
            if not isinstance(value, fits):
                raise TypeError(f"{name} has the wrong type")
        with self._changed:
            for name, value in values.items():
                setattr(self.manners, name, value)
            if "seed" in values:
                self._random.seed(values["seed"])

    def accept(self, event_id: str, kind: str, body: str) -> None:
        """Take an event for delivery, with the mischief that the manners ask for."""
        with self._changed:
            manners = self.manners
            copies = 2 if self._random.random() < manners.double else 1
            dropped = kind in manners.drop_types or self._random.random() < manners.drop
            for _ in range(copies):
                delivery = self._new(event_id, kind, body)
                if dropped or not manners.url:
                    delivery.end("dropped")
                elif manners.hold:
                    delivery.state = "held"
                    self._held.append(delivery)
                else:
                    late = manners.delay_seconds + self._random.random() * manners.shuffle_seconds
                    self._schedule(delivery, late)

    def resend(self, event_id: str, kind: str, body: str) -> None:
        """Send an event (again), whatever the manners say."""
        with self._changed:
            self._schedule(self._new(event_id, kind, body), 0.0)

    def release(self, *, shuffle: bool = False, limit: int | None = None) -> int:
        """Send what was held, in order or shuffled by the seed; return how many."""
        with self._changed:
            if shuffle:
                self._random.shuffle(self._held)
            released, self._held = self._held[:limit], [] if limit is None else self._held[limit:]
            for delivery in released:
                delivery.state = "pending"
                self._schedule(delivery, 0.0)
            return len(released)

    def advance(self, seconds: float) -> None:
        """Bring waiting repeats forward."""
        with self._changed:
            self._waiting = [(due - seconds, number, delivery) for due, number, delivery in self._waiting]
            heapq.heapify(self._waiting)
            self._changed.notify_all()

    def empty(self) -> None:
        """Forget what waits, what is held and the log."""
        with self._changed:
            self._waiting.clear()
            self._held.clear()
            self.log.clear()
            self._changed.notify_all()

    def settle(self, timeout_seconds: float) -> bool:
        """Wait until nothing is waiting or being sent; say whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._sending, timeout_seconds)

    def shown(self) -> list[dict[str, Any]]:
        """Return the log as plain data, the oldest first."""
        with self._changed:
            return [delivery.shown() for delivery in self.log]

    def _new(self, event_id: str, kind: str, body: str) -> Delivery:
        self._count += 1
        delivery = Delivery(self._count, event_id, kind, body.encode())
        self.log.append(delivery)
        return delivery

    def _schedule(self, delivery: Delivery, late_seconds: float) -> None:
        heapq.heappush(self._waiting, (time.monotonic() + late_seconds, delivery.number, delivery))
        self._changed.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for the next delivery that is due; None once stopped."""
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                if self._waiting and self._waiting[0][0] <= now:
                    self._sending += 1
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(self._waiting[0][0] - now if self._waiting else None)
            return None

    def _work(self) -> None:
        while (delivery := self._next()) is not None:
            attempt = self._send(delivery)
            with self._changed:
                delivery.attempts.append(attempt)
                self._judge(delivery, attempt["status"])
                self._sending -= 1
                self._changed.notify_all()

    def _judge(self, delivery: Delivery, status: int | None) -> None:
        """Decide what becomes of a delivery after an attempt."""
        failures = sum(1 for attempt in delivery.attempts if not 200 <= (attempt["status"] or 0) < 300)
        if status is not None and 200 <= status < 300:
            delivery.end("delivered")
        elif failures > len(self.manners.retry_seconds):
            delivery.end("failed")
        elif not self._stopped:
            self._schedule(delivery, self.manners.retry_seconds[failures - 1])

    def _send(self, delivery: Delivery) -> dict[str, Any]:
        """Make one attempt; a status of None means that no answer came."""
        began, status, error = time.time(), None, None
        parts = urlsplit(self.manners.url)
        https = parts.scheme == "https"
        connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=self.manners.timeout_seconds)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(delivery.body, self.manners.secrets, int(began)),
        }
        try:
            connection.request("POST", parts.path or "/", delivery.body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException) as problem:
            error = f"{type(problem).__name__}: {problem}"
        finally:
            connection.close()
        return {
            "at": began,
            "status": status,
            "error": error,
            "milliseconds": int((time.time() - began) * 1000),
        }
