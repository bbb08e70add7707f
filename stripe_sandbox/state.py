"""The state file: everything the sandbox knows as JSON, written whole and put in place at once."""

import json
from pathlib import Path

from stripe_sandbox.idempotency import Keys
from stripe_sandbox.store import World


class StateFile:
    """Keeps a world over a restart."""

    def __init__(self, path: Path, world: World, keys: Keys) -> None:
        self._path = path
        self._world = world
        self._keys = keys
        self._saved_at_change = -1

    def load(self) -> None:
        """Take over what was saved, if anything was."""
        if not self._path.exists():
            return
        data = json.loads(self._path.read_text(encoding="utf-8"))
        world = self._world
        for items in data["objects"].values():
            for item in items:
                world.save(item)
        world.notes.update(data["notes"])
        world.clock.load(data["clock"])
        world.events.load(data["events"])
        self._keys.answers.update(data["keys"])

    def save(self) -> None:
        """Write everything, if anything changed since."""
        world = self._world
        with world.lock:
            if self._saved_at_change == world.changes:
                return
            self._saved_at_change = world.changes
            text = json.dumps(
                {
                    "objects": {
                        kind: list(collection.items.values())
                        for kind, collection in world.collections.items()
                    },
                    "notes": world.notes,
                    "clock": world.clock.dump(),
                    "events": world.events.dump(),
                    "keys": self._keys.answers,
                }
            )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._path)
