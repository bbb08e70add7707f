"""Checkout sessions: made by the application, paid on the hosted page, expired by either or by time."""

from typing import Any

from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionLineItemListParams,
    SessionListParams,
    SessionRetrieveParams,
    SessionUpdateParams,
)

from stripe_sandbox import cards, listing
from stripe_sandbox.errors import conflict_of_state
from stripe_sandbox.jobs import job
from stripe_sandbox.resources import catalogue, session_rules
from stripe_sandbox.resources.metadata import check_limits, merged, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import emit, new
from stripe_sandbox.store import Item, World, new_id


@route("POST", "/v1/checkout/sessions", SessionCreateParams)
def create_session(world: World, params: dict[str, Any]) -> Item:
    """Make a session with its hosted page."""
    session_rules.check_session(world, params)
    lines = [_line(world, line, params["mode"]) for line in params["line_items"]]
    currency = lines[0]["currency"]
    due_minor = 0 if _has_trial(params) else sum(line["amount_total"] for line in lines)
    session_rules.check_total(due_minor, currency)
    session = _blank_session(world, params, currency, due_minor)
    note = world.note(session["id"])
    note["lines"] = lines
    note["intent_data"] = params.get("payment_intent_data", {})
    note["subscription_data"] = params.get("subscription_data", {})
    # The caller's clock may lag behind the sandbox's: a session lives as long as the caller meant it to.
    world.clock.plan(
        session["expires_at"] + world.clock.offset_seconds * ("expires_at" in params), "expire", session["id"]
    )
    return world.save(session)


def _has_trial(params: dict[str, Any]) -> bool:
    data = params.get("subscription_data", {})
    return bool(data.get("trial_period_days") or data.get("trial_end"))


def _line(world: World, given: dict[str, Any], mode: str) -> Item:
    if "price" in given:
        price = world["price"].get(given["price"], "line_items[0][price]")
    else:
        price = catalogue.inline_price(world, given["price_data"])
    if mode == "subscription" and "product_data" in given.get("price_data", {}) and price["recurring"]:
        world["product"].get(price["product"])["active"] = True
    total_minor = price["unit_amount"] * given["quantity"]
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total_minor,
        "amount_tax": 0,
        "amount_total": total_minor,
        "currency": price["currency"],
        "description": world["product"].get(price["product"])["name"],
        "price": price,
        "quantity": given["quantity"],
    }


def _blank_session(world: World, params: dict[str, Any], currency: str, due_minor: int) -> Item:
    session = new(world, "checkout.session")
    optional = (
        *(
            "allow_promotion_codes",
            "billing_address_collection",
            "cancel_url",
            "client_reference_id",
            "consent_collection",
        ),
        *(
            "customer",
            "customer_email",
            "integration_identifier",
            "locale",
            "origin_context",
            "submit_type",
            "success_url",
        ),
    )
    session |= {name: params.get(name) for name in optional}
    automatic_tax = {"enabled": params.get("automatic_tax", {}).get("enabled", False), "liability": None}
    return session | {
        "adaptive_pricing": {"enabled": params.get("adaptive_pricing", {}).get("enabled", True)},
        "amount_subtotal": due_minor,
        "amount_total": due_minor,
        "automatic_tax": automatic_tax | {"provider": None, "status": None},
        "currency": currency,
        "branding_settings": _branding(world, params.get("branding_settings", {})),
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        )
        | params.get("custom_text", {}),
        "customer_creation": _customer_creation(params),
        "expires_at": params.get("expires_at", world.clock.now() + session_rules.LONGEST_LIFE_SECONDS),
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_method_collection": params.get(
            "payment_method_collection", "if_required" if params["mode"] == "payment" else "always"
        ),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": _types(currency, params),
        "payment_status": "unpaid" if due_minor else "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{world.origin}/c/pay/{session['id']}",
    }


def _types(currency: str, params: dict[str, Any]) -> list[str]:
    """Return the kinds of payment method that a session offers."""
    excluded = params.get("excluded_payment_method_types", [])
    allowed = params.get("allowed_payment_method_types")
    return [kind for kind in cards.types_for(currency, allowed) if kind not in excluded]


def _branding(world: World, given: dict[str, Any]) -> Item:
    colours = {"background_color": "#ffffff", "button_color": "#4338a8"}
    shape = {"border_style": "rounded", "font_family": "default", "icon": None, "logo": None}
    return (
        colours
        | shape
        | {"display_name": world.merchant}
        | {name: value for name, value in given.items() if value}
    )


def _customer_creation(params: dict[str, Any]) -> str | None:
    if "customer" in params:
        return None
    return "always" if params["mode"] == "subscription" else params.get("customer_creation", "if_required")


@route("GET", "/v1/checkout/sessions", SessionListParams)
def list_sessions(world: World, params: dict[str, Any]) -> Item:
    """List sessions."""
    supported(
        params, (*listing.PAGING, "payment_intent", "subscription", "customer", "status", "customer_details")
    )
    wanted = {name: params.get(name) for name in ("payment_intent", "subscription", "customer", "status")}
    found = world["checkout.session"].newest_first(
        **{name: value for name, value in wanted.items() if value is not None}
    )
    email = params.get("customer_details", {}).get("email")
    if email:
        found = (item for item in found if (item["customer_details"] or {}).get("email") == email)
    return listing.page("/v1/checkout/sessions", found, params, world["checkout.session"].positions)


@route("GET", "/v1/checkout/sessions/{id}", SessionRetrieveParams)
def retrieve_session(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one session."""
    return world["checkout.session"].get(wanted, "session")


@route("POST", "/v1/checkout/sessions/{id}", SessionUpdateParams)
def update_session(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Change a session's metadata."""
    check_limits(params)
    supported(params, ("metadata",))
    session = world["checkout.session"].get(wanted, "session")
    session["metadata"] = merged(session["metadata"], params.get("metadata"))
    return world.save(session)


@route("POST", "/v1/checkout/sessions/{id}/expire", SessionExpireParams)
def expire_session(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """End an open session before its time."""
    session = world["checkout.session"].get(wanted, "session")
    if session["status"] != "open":
        raise conflict_of_state(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of {session["status"]}.'
        )
    _expire(world, session)
    return session


@route("GET", "/v1/checkout/sessions/{id}/line_items", SessionLineItemListParams)
def list_lines(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """List what a session sells."""
    return _lines(world, world["checkout.session"].get(wanted, "session"))


def _lines(world: World, session: Item) -> Item:
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": world.note(session["id"])["lines"], "has_more": False, "url": url}


listing.EXTRAS["checkout.session", "line_items"] = _lines


@job
def expire(world: World, session_id: str) -> None:
    """End a session whose time has come, if it is still open."""
    session = world["checkout.session"].get(session_id)
    if session["status"] == "open":
        _expire(world, session)


def _expire(world: World, session: Item) -> None:
    session |= {"status": "expired", "url": None}
    world.save(session)
    emit(world, "checkout.session.expired", session)


def mark_complete(
    world: World, session: Item, payment_status: str, email: str | None, name: str | None
) -> None:
    """Close a session that a donor has finished."""
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    session |= {
        "status": "complete",
        "payment_status": payment_status,
        "url": None,
        "customer_details": {
            "address": address | {"country": "GB"},
            "business_name": None,
            "email": email,
            "individual_name": None,
            "name": name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    world.save(session)
    emit(world, "checkout.session.completed", session)


def debit_settled(world: World, intent: Item) -> None:
    """Tell of a session whose debit has arrived or failed days later."""
    session_id = world.note(intent["id"]).get("session")
    if session_id is None:
        return
    session = world["checkout.session"].get(session_id)
    if intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        world.save(session)
        emit(world, "checkout.session.async_payment_succeeded", session)
    else:
        emit(world, "checkout.session.async_payment_failed", session)
