"""The one webhook endpoint, as an application's self-check may ask for it."""

from typing import Any

import stripe
from stripe.params import WebhookEndpointListParams, WebhookEndpointRetrieveParams

from stripe_sandbox import listing
from stripe_sandbox.delivery import Manners
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import new
from stripe_sandbox.store import Item, World


def register(world: World, manners: Manners) -> None:
    """Let the API know where events are sent; once only, also after a restart."""
    if manners.url and not world["webhook_endpoint"].items:
        endpoint = new(
            world, "webhook_endpoint", api_version=stripe.api_version, enabled_events=["*"], status="enabled"
        )
        endpoint["url"] = manners.url
        world.save({name: value for name, value in endpoint.items() if name not in ("deleted", "secret")})


@route("GET", "/v1/webhook_endpoints", WebhookEndpointListParams)
def list_endpoints(world: World, params: dict[str, Any]) -> Item:
    """List the endpoint."""
    return listing.of_kind(world, "webhook_endpoint", "/v1/webhook_endpoints", params)


@route("GET", "/v1/webhook_endpoints/{id}", WebhookEndpointRetrieveParams)
def retrieve_endpoint(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return the endpoint."""
    return world["webhook_endpoint"].get(wanted)
