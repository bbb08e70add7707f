"""The list of events, for whoever missed their delivery."""

import json
from collections.abc import Iterator
from typing import Any

from stripe.params import EventListParams, EventRetrieveParams

from stripe_sandbox.errors import invalid
from stripe_sandbox.eventlog import Entry
from stripe_sandbox.listing import in_range, page
from stripe_sandbox.routing import route
from stripe_sandbox.store import Item, World


@route("GET", "/v1/events", EventListParams)
def list_events(world: World, params: dict[str, Any]) -> Item:
    """List the events of the last thirty days."""
    if "type" in params and "types" in params:
        raise invalid("You cannot pass both `type` and `types`.", "type")
    if len(params.get("types", [])) > 20:
        raise invalid("You can pass up to 20 types.", "types")
    wanted = set(params.get("types", [])) | ({params["type"]} if "type" in params else set())
    found = (
        entry
        for entry in world.events.newest_first(world.clock.now())
        if _fits(entry, wanted, params.get("created"))
    )
    return page("/v1/events", _objects(found), params, world.events.positions)


def _fits(entry: Entry, wanted: set[str], created: Any) -> bool:
    if wanted and not any(
        entry.type == kind or (kind.endswith("*") and entry.type.startswith(kind[:-1])) for kind in wanted
    ):
        return False
    return in_range(entry.created, created)


def _objects(found: Iterator[Entry]) -> Iterator[Item]:
    for entry in found:
        yield json.loads(entry.body)


@route("GET", "/v1/events/{id}", EventRetrieveParams)
def retrieve_event(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one event."""
    event: Item = json.loads(world.events.get(wanted).body)
    return event
