"""The list of events, for whoever missed their delivery."""

import json
from typing import Any

from stripe.params import EventListParams, EventRetrieveParams

from stripe_sandbox.errors import invalid
from stripe_sandbox.eventlog import Entry
from stripe_sandbox.listing import PAGING, in_range, page
from stripe_sandbox.resources.metadata import supported
from stripe_sandbox.routing import route
from stripe_sandbox.store import Item, World


@route("GET", "/v1/events", EventListParams)
def list_events(world: World, params: dict[str, Any]) -> Item:
    """List the events of the last thirty days."""
    supported(params, (*PAGING, "type", "types"))
    if "type" in params and "types" in params:
        raise invalid("You cannot pass both `type` and `types`.", "type")
    if len(params.get("types", [])) > 20:
        raise invalid("You can pass up to 20 types.", "types")
    wanted = set(params.get("types", [])) | ({params["type"]} if "type" in params else set())
    found = (
        {"id": entry.id, "created": entry.created, "body": entry.body}
        for entry in world.events.newest_first(world.clock.now(), params.get("starting_after"))
        if _fits(entry, wanted, params.get("created"))
    )
    # Only the events of the page are read; the rest are passed over by their place and time.
    listed = page("/v1/events", found, params, world.events.positions)
    return listed | {"data": [json.loads(item["body"]) for item in listed["data"]]}


def _fits(entry: Entry, wanted: set[str], created: Any) -> bool:
    if wanted and not any(
        entry.type == kind or (kind.endswith("*") and entry.type.startswith(kind[:-1])) for kind in wanted
    ):
        return False
    return in_range(entry.created, created)


@route("GET", "/v1/events/{id}", EventRetrieveParams)
def retrieve_event(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one event."""
    event: Item = json.loads(world.events.get(wanted).body)
    return event
