"""New objects with every field that Stripe sends, and the events that carry them.

Stripe sends a field that has no value as null; the package's annotations say which fields may be null. Fields
that Stripe sends only when asked to expand them, or only in special cases, are listed here as absent.
"""

import json
import uuid
from functools import cache
from typing import Any

import stripe

from stripe_sandbox import object_types
from stripe_sandbox.eventlog import Entry
from stripe_sandbox.store import KINDS, Item, World, new_id

_ABSENT = {
    "checkout.session": {
        "line_items",
        "presentment_details",
        "optional_items",
        "managed_payments",
        "name_collection",
    },
    "payment_intent": {"presentment_details", "hooks", "managed_payments", "allowed_payment_method_types"},
    "charge": {"refunds", "level3", "presentment_details", "authorization_code"},
    "refund": {"presentment_details", "next_action", "instructions_email", "failure_reason"}
    | {"failure_balance_transaction", "description"},
    "customer": {
        "deleted",
        "subscriptions",
        "sources",
        "tax_ids",
        "tax",
        "cash_balance",
        "invoice_credit_balance",
    },
    "product": {"deleted", "tax_details"},
    "price": {"deleted", "currency_options", "tiers"},
    "subscription": {"presentment_details", "managed_payments"},
    "subscription_item": {"deleted", "current_trial"},
    "invoice": {"deleted", "payments", "confirmation_secret", "threshold_reason", "test_clock"},
    "payment_method": set(),
}
# The kinds of payment method are fields of their own, of which only the method's own is sent.
_METHOD_FIELDS = frozenset(
    (
        "allow_redisplay",
        "billing_details",
        "created",
        "customer",
        "id",
        "livemode",
        "metadata",
        "object",
        "type",
    )
)


@cache
def _blank(kind: str) -> tuple[tuple[str, ...], bool, bool]:
    names = object_types.fields(kind)
    empty = [name for name in object_types.nullable(kind) if name not in _ABSENT.get(kind, set())]
    if kind == "payment_method":
        empty = [name for name in empty if name in _METHOD_FIELDS]
    return tuple(empty), "livemode" in names, "metadata" in names


def new(world: World, kind: str, **values: Any) -> Item:
    """Return a fresh object of this kind, not yet saved."""
    empty, has_mode, has_metadata = _blank(kind)
    item: Item = {"id": values.pop("id", None) or new_id(KINDS[kind][0]), "object": kind}
    item |= dict.fromkeys(empty)
    if "created" in object_types.fields(kind):
        item["created"] = world.clock.now()
    if has_mode:
        item["livemode"] = False
    if has_metadata:
        item["metadata"] = {}
    return item | values


def emit(world: World, kind: str, item: Item, previous: Item | None = None) -> None:
    """Write down that something happened to the object, and have it delivered.

    Raises:
        SandboxDefectError: the object or the event does not fit the package's types.
    """
    object_types.check(item)
    data: Item = {"object": item}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Item = {
        "id": f"evt_{uuid.uuid4().hex[:24]}",
        "object": "event",
        "api_version": stripe.api_version,
        "created": world.clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1,
        "request": dict(world.request),
        "type": kind,
    }
    object_types.check(event)
    body = json.dumps(event, separators=(",", ":"))
    world.changes += 1
    world.events.append(Entry(event["id"], kind, event["created"], body))
    world.on_event(event["id"], kind, body)


def change(world: World, kind: str, item: Item, **values: Any) -> None:
    """Change fields of an object, save it and emit `kind` with the values before."""
    previous = {name: item.get(name) for name, value in values.items() if item.get(name) != value}
    item.update(values)
    world.save(item)
    emit(world, kind, item, previous)


def listing(url: str, data: list[Item], *, has_more: bool = False) -> Item:
    """Return a list object."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
