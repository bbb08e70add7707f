"""Portal sessions: a link by which a donor manages a monthly gift on Stripe's pages."""

from typing import Any

from stripe.params.billing_portal import SessionCreateParams

from stripe_sandbox.errors import invalid
from stripe_sandbox.resources import billing, customers
from stripe_sandbox.resources.metadata import check_limits, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, new
from stripe_sandbox.store import Item, World


@route("POST", "/v1/billing_portal/sessions", SessionCreateParams)
def create_portal_session(world: World, params: dict[str, Any]) -> Item:
    """Make a link to the portal."""
    check_limits(params)
    supported(params, ("configuration", "customer", "flow_data", "locale", "return_url"))
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    world["customer"].get(params["customer"], "customer")
    session = new(world, "billing_portal.session", customer=params["customer"])
    return world.save(
        session
        | {
            "configuration": params.get("configuration", "bpc_sandbox"),
            "flow": _flow(world, params.get("flow_data")),
            "locale": params.get("locale"),
            "return_url": params.get("return_url"),
            "url": f"{world.origin}/p/session/{session['id']}",
        }
    )


def _flow(world: World, given: dict[str, Any] | None) -> Item | None:
    """Return a flow as the session shows it."""
    if given is None:
        return None
    kind = given["type"]
    kinds = ("customer_update", "subscription_cancel", "subscription_pause", "subscription_update")
    flow: Item = dict.fromkeys((*kinds, "subscription_update_confirm")) | {"type": kind}
    if kind in ("subscription_cancel", "subscription_pause", "subscription_update"):
        if kind not in given:
            raise invalid(
                f"Missing required param: flow_data[{kind}].", f"flow_data[{kind}]", "parameter_missing"
            )
        flow[kind] = {
            "subscription": world["subscription"].get(given[kind]["subscription"], "subscription")["id"]
        }
        if kind == "subscription_cancel":
            flow[kind]["retention"] = None
    after = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    flow["after_completion"] = after | given.get("after_completion", {})
    return flow


def decide(world: World, session: Item, subscription_id: str, decision: str) -> None:
    """Carry out what a donor decided on the portal: `cancel`, `keep`, `pause` or `resume`.

    Raises:
        ApiError: the subscription is not the donor's, or the decision is unknown.
    """
    subscription = world["subscription"].get(subscription_id)
    if subscription["customer"] != session["customer"] or subscription["status"] == "canceled":
        raise invalid("This gift cannot be changed here.")
    end = subscription["items"]["data"][0]["current_period_end"]
    reasons = subscription["cancellation_details"]
    now = world.clock.now()
    values: dict[str, Item] = {
        "cancel": {"cancel_at_period_end": True, "cancel_at": end, "canceled_at": now}
        | {"cancellation_details": reasons | {"reason": "cancellation_requested"}},
        "keep": {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
        | {"cancellation_details": reasons | {"reason": None}},
        "pause": {"pause_collection": {"behavior": "void", "resumes_at": None}},
        "resume": {"pause_collection": None},
    }
    if decision not in values:
        raise invalid("There is no such decision.")
    change(world, "customer.subscription.updated", subscription, **values[decision])
    billing.plan_renewal(world, subscription)


def change_card(world: World, session: Item, method: Item) -> None:
    """Charge the donor's subscriptions with another payment method from now on."""
    customers.attach(world, session["customer"], method)
    for subscription in list(world["subscription"].newest_first(customer=session["customer"])):
        if subscription["status"] != "canceled":
            change(world, "customer.subscription.updated", subscription, default_payment_method=method["id"])
