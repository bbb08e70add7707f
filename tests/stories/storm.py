"""A storm of deliveries: every event several times, shuffled, from many threads; and how to tell that it was survived."""

import http.client
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import TypeVar
from urllib.parse import urlsplit

from tests.making import signature

Delivery = TypeVar("Delivery")
THREADS = 8


def blow(
    deliveries: Sequence[Delivery],
    send: Callable[[Delivery], None],
    *,
    times: int,
    seed: int,
    threads: int = THREADS,
) -> None:
    """Send every delivery so many times, shuffled by the seed, from several threads at once."""
    order = list(deliveries) * times
    random.Random(seed).shuffle(order)
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(send, order, chunksize=1):
            pass


class Post:
    """Delivers events over HTTP as Stripe does: signed anew at each attempt, again until a 2xx comes."""

    def __init__(self, urls: Sequence[str], secret: str) -> None:
        """Keep one connection a thread and address."""
        self.urls = [urlsplit(url) for url in urls]
        self.secret = secret
        self.attempts: list[int] = []
        self._own = local()
        self._all: list[http.client.HTTPConnection] = []

    def send(self, body: bytes) -> None:
        """Deliver one event until it is acknowledged."""
        for _ in range(60):
            status = self._attempt(body)
            self.attempts.append(status)
            if 200 <= status < 300:
                return
            assert status in {0, 503}, f"a delivery was answered {status}"
            time.sleep(0.2)
        raise AssertionError("a delivery was never acknowledged")

    def _attempt(self, body: bytes) -> int:
        url = self.urls[len(self.attempts) % len(self.urls)]
        connections = self._own.__dict__.setdefault("connections", {})
        connection = connections.get(url.netloc)
        if connection is None:
            connection = connections[url.netloc] = http.client.HTTPConnection(url.netloc, timeout=30)
            self._all.append(connection)
        try:
            connection.request("POST", url.path, body, {"Stripe-Signature": signature(body, self.secret)})
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connections.pop(url.netloc).close()
            return 0
        return answer.status

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.close()
