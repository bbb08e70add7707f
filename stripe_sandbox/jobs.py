"""What the sandbox does by itself when its time comes: sessions that expire, debits that settle, renewals.

Modules register functions by name; the clock keeps the name and plain arguments.
"""

from collections.abc import Callable
from typing import Any

from stripe_sandbox.store import World

Job = Callable[..., None]
_JOBS: dict[str, Callable[..., None]] = {}


def job(function: Job) -> Job:
    """Register a function as the job of its own name."""
    _JOBS[function.__name__] = function
    return function


def run_due(world: World, until: int | None = None) -> None:
    """Run, in order, every job planned up to the present, or up to the instant `until`."""
    with world.lock:
        limit = world.clock.now() if until is None else until
        while (due := world.clock.take_due(limit)) is not None:
            at, name, arguments = due
            request, world.request = world.request, {"id": None, "idempotency_key": None}
            world.clock.hold(at)
            try:
                _JOBS[name](world, *arguments)
            finally:
                world.clock.hold(None)
                world.request = request


def advance(world: World, seconds: int) -> None:
    """Let time pass: what falls due on the way happens in its order and at its own instant."""
    with world.lock:
        run_due(world, world.clock.now() + seconds)
        world.clock.offset_seconds += seconds
        world.changes += 1


def known_jobs() -> dict[str, Callable[..., Any]]:
    """Return the registered jobs by name."""
    return dict(_JOBS)
