"""Lists and expansion: `limit`, `starting_after`, `ending_before`, `created`, filters by field, and `expand`.

Lists are newest first. `expand` replaces an id by the object, follows dots, goes through `data` in lists, and
adds what Stripe leaves out unless asked for (`line_items`, `refunds`, `payments`).
"""

import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from stripe_sandbox.errors import invalid
from stripe_sandbox.shapes import listing
from stripe_sandbox.store import Item, World

MAX_LIMIT = 100
MAX_DEPTH = 4
PAGING = ("limit", "starting_after", "ending_before", "created", "expand")
# Filled by the resources: (kind, field) -> what to put there when it is expanded.
EXTRAS: dict[tuple[str, str], Callable[[World, Item], Any]] = {}


def page(url: str, found: Iterable[Item], params: dict[str, Any], positions: dict[str, int]) -> Item:
    """Return one page of `found`, which must be newest first.

    Raises:
        ApiError: the limit is out of bounds, or the object to start from is unknown.
    """
    limit = params.get("limit", 10)
    if not 1 <= limit <= MAX_LIMIT:
        word = "greater than or equal to 1" if limit < 1 else f"less than or equal to {MAX_LIMIT}"
        raise invalid(f"This value must be {word}.", "limit", "parameter_invalid_integer")
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise invalid("You cannot specify both starting_after and ending_before.", "starting_after")
    found = (item for item in found if in_range(item["created"], params.get("created")))
    if after:
        start = _position(after, "starting_after", positions)
        found = (item for item in found if positions[item["id"]] < start)
    if before:
        stop = _position(before, "ending_before", positions)
        newer = [item for item in found if positions[item["id"]] > stop]
        return listing(url, newer[-limit:], has_more=len(newer) > limit)
    taken = list(islice(found, limit + 1))
    return listing(url, taken[:limit], has_more=len(taken) > limit)


def of_kind(world: World, kind: str, url: str, params: dict[str, Any], **wanted: Any) -> Item:
    """Return one page of a collection, filtered by the fields whose wanted value is not None."""
    for name in params:
        if name not in PAGING and name not in wanted:
            raise invalid(f"The sandbox does not filter by `{name}`.", name)
    collection = world[kind]
    filters = {name: value for name, value in wanted.items() if value is not None}
    return page(url, collection.newest_first(**filters), params, collection.positions)


def in_range(instant: int, wanted: Any) -> bool:
    """Say whether an instant fits a `created` parameter."""
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return instant == wanted
    return bool(
        ("gt" not in wanted or instant > wanted["gt"])
        and ("gte" not in wanted or instant >= wanted["gte"])
        and ("lt" not in wanted or instant < wanted["lt"])
        and ("lte" not in wanted or instant <= wanted["lte"])
    )


def _position(wanted: str, param: str, positions: dict[str, int]) -> int:
    if wanted not in positions:
        raise invalid(f"No such object: '{wanted}'", param, "resource_missing")
    return positions[wanted]


def expanded(world: World, item: Item, paths: list[str]) -> Item:
    """Return a copy of the object with the named fields expanded.

    Raises:
        ApiError: a path is too deep or names what cannot be expanded.
    """
    copy: Item = json.loads(json.dumps(item))
    for path in paths:
        names = path.split(".")
        if len([name for name in names if name != "data"]) > MAX_DEPTH:
            raise invalid("You cannot expand more than 4 levels of a property.", "expand")
        _expand(world, copy, names, path)
    return copy


def _expand(world: World, node: Any, names: list[str], path: str) -> None:
    """Expand the first name in the node, then the rest in what stands there."""
    if node is None or not names:
        return
    if isinstance(node, list):
        for entry in node:
            _expand(world, entry, names, path)
        return
    name, rest = names[0], names[1:]
    extra = EXTRAS.get((node.get("object", ""), name))
    if extra and not node.get(name):
        node[name] = json.loads(json.dumps(extra(world, node)))
    if name not in node:
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    value = node[name]
    if isinstance(value, str):
        target = world.find(value)
        if target is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        node[name] = json.loads(json.dumps(target))
    _expand(world, node[name], rest, path)
