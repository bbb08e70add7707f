"""Subscriptions as applications change them: amount, pause, resume, cancel now or at the period's end."""

from typing import Any

from stripe.params import (
    SubscriptionCancelParams,
    SubscriptionListParams,
    SubscriptionModifyParams,
    SubscriptionPauseParams,
    SubscriptionResumeParams,
    SubscriptionRetrieveParams,
)

from stripe_sandbox import listing
from stripe_sandbox.errors import conflict_of_state, invalid
from stripe_sandbox.resources import billing, catalogue, invoice_shapes, invoices
from stripe_sandbox.resources.metadata import check_amount, check_limits, merged, supported
from stripe_sandbox.resources.session_rules import check_price_data
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, emit
from stripe_sandbox.store import Item, World

_CHANGES = (
    *("items", "proration_behavior", "cancel_at_period_end", "cancel_at", "cancellation_details", "metadata"),
    *("pause_collection", "description", "default_payment_method", "payment_behavior"),
)


@route("GET", "/v1/subscriptions", SubscriptionListParams)
def list_subscriptions(world: World, params: dict[str, Any]) -> Item:
    """List subscriptions; cancelled ones only when asked for (`canceled`, `all`)."""
    supported(params, (*listing.PAGING, "customer", "status"))
    status = params.get("status")
    wanted = {"customer": params["customer"]} if "customer" in params else {}
    if status not in (None, "all", "ended"):
        wanted["status"] = status
    found = world["subscription"].newest_first(**wanted)
    if status is None:
        found = (item for item in found if item["status"] != "canceled")
    elif status == "ended":
        found = (item for item in found if item["ended_at"])
    return listing.page("/v1/subscriptions", found, params, world["subscription"].positions)


@route("GET", "/v1/subscriptions/{id}", SubscriptionRetrieveParams)
def retrieve_subscription(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one subscription."""
    return world["subscription"].get(wanted)


@route("POST", "/v1/subscriptions/{id}", SubscriptionModifyParams)
def update_subscription(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Change a subscription."""
    check_limits(params)
    supported(params, _CHANGES)
    subscription = _living(world, wanted)
    values: Item = {}
    if "items" in params:
        values["items"] = _new_items(world, subscription, params)
    values |= _cancellation(world, subscription, params)
    values |= _pause(world, subscription, params)
    values |= {
        name: params[name] or None for name in ("description", "default_payment_method") if name in params
    }
    if "metadata" in params:
        values["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        values["cancellation_details"] = subscription["cancellation_details"] | params["cancellation_details"]
    change(world, "customer.subscription.updated", subscription, **values)
    billing.plan_renewal(world, subscription)
    return subscription


def _living(world: World, wanted: str) -> Item:
    subscription = world["subscription"].get(wanted)
    if subscription["status"] == "canceled":
        raise conflict_of_state(
            "A canceled subscription can only update its cancellation_details and metadata.", param="id"
        )
    return subscription


def _new_items(world: World, subscription: Item, params: dict[str, Any]) -> Item:
    """Return the items with another price or quantity."""
    given = params["items"][0]
    old = subscription["items"]["data"][0]
    if len(params["items"]) != 1 or given.get("id") != old["id"] or given.get("deleted"):
        raise invalid("The sandbox changes the one item of a subscription: pass its id.", "items[0][id]")
    if params.get("proration_behavior") != "none":
        raise invalid("The sandbox does not prorate: pass proration_behavior=none.", "proration_behavior")
    item = old | {"quantity": given.get("quantity", old["quantity"])}
    if "price_data" in given:
        check_price_data(given["price_data"], "items[0][price_data]", needs_name=True)
        item["price"] = catalogue.inline_price(world, given["price_data"])
    elif "price" in given:
        item["price"] = world["price"].get(given["price"], "items[0][price]")
    price = item["price"]
    if price["currency"] != subscription["currency"]:
        raise invalid("The price's currency must match the subscription's.", "items[0][price_data][currency]")
    if billing.plan_of(price)["interval"] != old["plan"]["interval"]:
        raise invalid(
            "The sandbox keeps a subscription's interval.", "items[0][price_data][recurring][interval]"
        )
    check_amount(
        price["unit_amount"] * item["quantity"], price["currency"], "items[0][price_data][unit_amount]"
    )
    item["plan"] = billing.plan_of(price)
    items: Item = subscription["items"] | {"data": [item]}
    return items


def _cancellation(world: World, subscription: Item, params: dict[str, Any]) -> Item:
    """Return what deciding for or against an end changes."""
    if "cancel_at_period_end" in params and "cancel_at" in params:
        raise invalid("You cannot pass both `cancel_at` and `cancel_at_period_end`.", "cancel_at")
    if "cancel_at_period_end" in params:
        wanted = params["cancel_at_period_end"]
        at = subscription["items"]["data"][0]["current_period_end"] if wanted else None
    elif "cancel_at" in params:
        wanted, at = False, params["cancel_at"] or None
        if isinstance(at, str):
            at = subscription["items"]["data"][0]["current_period_end"]
    else:
        return {}
    details = subscription["cancellation_details"] | {"reason": "cancellation_requested" if at else None}
    return {"cancel_at_period_end": wanted, "cancel_at": at, "cancellation_details": details} | {
        "canceled_at": world.clock.now() if at else None
    }


def _pause(world: World, subscription: Item, params: dict[str, Any]) -> Item:
    """Return what pausing or resuming collection changes."""
    if "pause_collection" not in params:
        return {}
    pause = params["pause_collection"] or None
    if pause:
        pause = {"resumes_at": None} | pause
        if pause["resumes_at"]:
            world.clock.plan(
                pause["resumes_at"], "resume_collection", subscription["id"], pause["resumes_at"]
            )
    return {"pause_collection": pause}


@route("DELETE", "/v1/subscriptions/{id}", SubscriptionCancelParams)
def cancel_subscription(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """End a subscription at once."""
    supported(params, ("cancellation_details",))
    subscription = _living(world, wanted)
    subscription["cancellation_details"] |= params.get("cancellation_details") or {}
    billing.end(world, subscription, "cancellation_requested")
    return subscription


@route("POST", "/v1/subscriptions/{id}/pause", SubscriptionPauseParams)
def pause_subscription(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Pause a subscription as a whole: no period begins until it is resumed."""
    subscription = _living(world, wanted)
    if subscription["status"] != "active":
        raise conflict_of_state("Only an active subscription can be paused.")
    why = {
        "subscription": {"type": "pause_requested"},
        "transitioned_at": world.clock.now(),
        "type": "subscription",
    }
    subscription |= {"status": "paused", "status_details": {"paused": why}}
    world.save(subscription)
    emit(world, "customer.subscription.paused", subscription)
    return subscription


@route("POST", "/v1/subscriptions/{id}/resume", SubscriptionResumeParams)
def resume_subscription(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Resume a paused subscription, by default with a new period that is charged now."""
    subscription = _living(world, wanted)
    if subscription["status"] != "paused":
        raise conflict_of_state("Only a paused subscription can be resumed.")
    now = world.clock.now()
    subscription |= {"status": "active", "status_details": None}
    if params.get("billing_cycle_anchor", {}).get("type", "now") == "now":
        subscription["billing_cycle_anchor"] = now
        world.save(subscription)
        emit(world, "customer.subscription.resumed", subscription)
        billing.begin_period(world, subscription, now)
    else:
        world.save(subscription)
        emit(world, "customer.subscription.resumed", subscription)
        billing.plan_renewal(world, subscription)
    return subscription


def fail_next(world: World, subscription_id: str, decline: str, times: int) -> None:
    """Let the next attempts to charge a subscription be declined."""
    method = invoices.method_of(world, world["subscription"].get(subscription_id))
    world.note(method["id"])["fail_next"] = [decline] * times


def zero_invoice(world: World, subscription_id: str) -> Item:
    """Give a subscription an invoice over nothing, which is paid at once."""
    subscription = _living(world, subscription_id)
    item = subscription["items"]["data"][0]
    period = (item["current_period_start"], item["current_period_end"])
    invoice = invoice_shapes.draft(world, subscription, "subscription_update", period, 0)
    invoices.finalize(world, invoice)
    invoices.settle(world, invoice)
    return invoice


def _subscriptions_of(world: World, customer: Item) -> Item:
    data = [
        item
        for item in world["subscription"].newest_first(customer=customer["id"])
        if item["status"] != "canceled"
    ]
    return {
        "object": "list",
        "data": data,
        "has_more": False,
        "url": f"/v1/customers/{customer['id']}/subscriptions",
    }


listing.EXTRAS["customer", "subscriptions"] = _subscriptions_of
