"""Trouble on demand: answers that fail, hang, break off or get lost on the way.

A rule says what goes wrong, how often (None: until cleared) and for which requests. Rules are tried in the
order in which they were added; the first that fits is used up by one.
"""

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

from stripe_sandbox.errors import ApiError

# Answered without doing any work: status, message and what else the envelope says.
_BACKEND = "Sorry! There was an error while talking to one of our backends."
_BUSY = "This object cannot be accessed right now because another API request is currently accessing it."
_RATE = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
REFUSALS: dict[str, tuple[int, str, dict[str, str]]] = {
    "400": (400, "The request was refused on demand.", {}),
    "401": (401, "Invalid API Key provided: sk_test_********", {}),
    "402": (402, "Your card was declined.", {"kind": "card_error", "code": "card_declined"}),
    "409": (409, _BUSY, {"code": "lock_timeout"}),
    "429": (429, _RATE, {"code": "rate_limit"}),
    "500": (500, _BACKEND, {"kind": "api_error"}),
    "502": (502, "Bad gateway.", {"kind": "api_error"}),
    "503": (503, "Service unavailable.", {"kind": "api_error"}),
}
# `reset` breaks the connection before any work; `hang` waits and then works; the rest work first.
KINDS = (*REFUSALS, "reset", "hang", "half", "lost", "500_after")


@dataclass
class Outage:
    """One rule."""

    kind: str
    times: int | None = 1
    path: str = ""
    method: str = ""
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be at least 1, or null for ever")
        re.compile(self.path)

    def fits(self, method: str, path: str) -> bool:
        """Say whether the rule is about this request."""
        return self.method.upper() in ("", method) and re.search(self.path, path) is not None


def refusal(kind: str) -> ApiError:
    """Return the refusal of this kind."""
    status, message, more = REFUSALS[kind]
    return ApiError(status, message, **more)  # type: ignore[arg-type]


class Outages:
    """The rules in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Outage] = []

    def add(self, outage: Outage) -> None:
        """Put a rule in force."""
        with self._lock:
            self._rules.append(outage)

    def clear(self) -> None:
        """Let everything work again."""
        with self._lock:
            self._rules.clear()

    def take(self, method: str, path: str) -> Outage | None:
        """Return what goes wrong with this request, and count it."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.fits(method, path):
                    if rule.times is not None:
                        rule.times -= 1
                        if rule.times == 0:
                            self._rules.remove(rule)
                    return rule
        return None

    def shown(self) -> list[dict[str, Any]]:
        """Return the rules in force as plain data."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]
