"""How often one address may send a form: counted in this process, or for all of them in Redis where there is one.

`limits` counts, in fixed windows. While Redis does not answer each process counts for itself: nobody is turned away,
and nobody waits, because of that.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import structlog
from flask import current_app, request
from werkzeug.exceptions import TooManyRequests

from appeal.core import clock

if TYPE_CHECKING:
    from limits.strategies import RateLimiter

# While Redis is away it is asked again this often, and nobody waits for it longer than that.
SILENCE_SECONDS, PATIENCE_SECONDS = 10.0, 1.0

log = structlog.get_logger(__name__)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def limited(most: str) -> Callable[[Callable[Arguments, Answer]], Callable[Arguments, Answer]]:
    """Let an address call a view so often: `6 per minute; 30 per hour`. More is answered 429, with when to come back."""

    def around(view: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
        @wraps(view)
        def counted(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
            rates: Rates = current_app.extensions["appeal.rates"]
            wait_seconds = rates.count(most, request.endpoint or "", request.remote_addr or "")
            if wait_seconds:
                raise TooManyRequests(retry_after=wait_seconds)
            return view(*args, **kwargs)

        return counted

    return around


class Rates:
    """The counters of one application."""

    def __init__(self, redis_url: str = "") -> None:
        """Keep the address of Redis; nothing is opened, and the library not imported, before somebody is counted."""
        self._redis_url = redis_url
        self._silent_until = 0.0

    def count(self, most: str, *who: str) -> int:
        """Count one more; return how many seconds to wait before the next try, 0 where none is over the limit."""
        from limits.errors import StorageError

        if self._redis_url and time.monotonic() >= self._silent_until:
            try:
                return _count(self._shared, most, who)
            except StorageError as error:
                self._silent_until = time.monotonic() + SILENCE_SECONDS
                log.warning("rates.redis_away", problem=type(error.storage_error).__name__)
        return _count(self._own, most, who)

    @cached_property
    def _own(self) -> RateLimiter:
        from limits.storage import MemoryStorage
        from limits.strategies import FixedWindowRateLimiter

        return FixedWindowRateLimiter(MemoryStorage())

    @cached_property
    def _shared(self) -> RateLimiter:
        from limits.storage import storage_from_string
        from limits.strategies import FixedWindowRateLimiter

        patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
        return FixedWindowRateLimiter(storage_from_string(self._redis_url, wrap_exceptions=True, **patience))


def _count(limiter: RateLimiter, most: str, who: tuple[str, ...]) -> int:
    from limits import parse_many

    over = next((limit for limit in parse_many(most) if not limiter.hit(limit, *who)), None)
    if over is None:
        return 0
    return max(1, int(limiter.get_window_stats(over, *who).reset_time - clock.now().timestamp()))
