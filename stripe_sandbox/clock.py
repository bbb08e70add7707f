"""The sandbox's own time: the machine's clock plus what a test has added, and the work that waits for a moment.

Jobs are data (an instant, a name, arguments), so that they survive a restart with `--state`. While a job runs,
the clock shows the instant for which it was planned, whatever was skipped over.
"""

import heapq
import time
from typing import Any


class Clock:
    """Seconds since 1970 as the sandbox sees them; never runs backwards."""

    def __init__(self) -> None:
        self.offset_seconds = 0
        self._held_at: int | None = None
        self._jobs: list[tuple[int, int, str, list[Any]]] = []
        self._count = 0

    def now(self) -> int:
        """Return the sandbox's present instant, in seconds."""
        if self._held_at is not None:
            return self._held_at
        return int(time.time()) + self.offset_seconds

    def plan(self, at: int, name: str, *arguments: Any) -> None:
        """Let the job `name` run at the instant `at` or as soon as possible after it."""
        self._count += 1
        heapq.heappush(self._jobs, (at, self._count, name, list(arguments)))

    def take_due(self, until: int) -> tuple[int, str, list[Any]] | None:
        """Remove and return the earliest job planned for `until` or before."""
        if not self._jobs or self._jobs[0][0] > until:
            return None
        at, _, name, arguments = heapq.heappop(self._jobs)
        return at, name, arguments

    def hold(self, at: int | None) -> None:
        """Show the instant `at` until released with None."""
        self._held_at = at

    def forget(self) -> None:
        """Drop every planned job and show the machine's time again."""
        self.__init__()  # type: ignore[misc]

    def dump(self) -> dict[str, Any]:
        """Return the clock as plain data."""
        return {"offset_seconds": self.offset_seconds, "jobs": self._jobs, "count": self._count}

    def load(self, data: dict[str, Any]) -> None:
        """Take over what `dump` returned."""
        self.offset_seconds, self._count = data["offset_seconds"], data["count"]
        self._jobs = [(job[0], job[1], job[2], job[3]) for job in data["jobs"]]
