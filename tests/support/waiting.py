"""Waiting for what happens elsewhere, with a limit and a name."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, what: str, seconds: float = 15, pause_seconds: float = 0.05) -> T:
    """Call until the answer is true, and return it.

    Raises:
        TimeoutError: naming what was waited for.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(pause_seconds)
