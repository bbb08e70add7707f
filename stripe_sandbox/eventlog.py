"""The events of the last thirty days, as the text in which they were first written.

An event never changes once written, so its JSON is made once and sent, listed and sent again as it is.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from stripe_sandbox.errors import missing

KEPT_SECONDS = 30 * 24 * 3600


class Entry(NamedTuple):
    """One event: what lists are filtered by, and its text."""

    id: str
    type: str
    created: int
    body: str


class EventLog:
    """Events in the order in which they happened."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.positions: dict[str, int] = {}

    def empty(self) -> None:
        """Forget every event."""
        self.entries.clear()
        self.positions.clear()

    def append(self, entry: Entry) -> None:
        """Keep one more event."""
        self.positions[entry.id] = len(self.entries)
        self.entries.append(entry)

    def get(self, event_id: str) -> Entry:
        """Return one event.

        Raises:
            ApiError: nobody knows the id.
        """
        if event_id not in self.positions:
            raise missing("event", event_id)
        return self.entries[self.positions[event_id]]

    def newest_first(self, now: int, after: str | None = None) -> Iterator[Entry]:
        """Yield the events of the last thirty days, the newest first, or from the one after `after` on."""
        oldest = bisect_left(self.entries, now - KEPT_SECONDS, key=lambda entry: entry.created)
        for index in range(self.positions.get(after or "", len(self.entries)) - 1, oldest - 1, -1):
            yield self.entries[index]

    def dump(self) -> list[list[Any]]:
        """Return the log as plain data."""
        return [list(entry) for entry in self.entries]

    def load(self, data: list[list[Any]]) -> None:
        """Take over what `dump` returned."""
        self.empty()
        for row in data:
            self.append(Entry(*row))

    def objects(self) -> Iterator[dict[str, Any]]:
        """Yield every event as an object, the oldest first."""
        for entry in self.entries:
            yield json.loads(entry.body)
