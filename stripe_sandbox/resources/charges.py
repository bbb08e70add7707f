"""The shapes of charges and payment methods: what a card or a debit looks like to an application."""

from datetime import UTC, datetime
from typing import Any

from stripe_sandbox.cards import Means
from stripe_sandbox.shapes import new
from stripe_sandbox.store import Item, World, new_id

_NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def new_method(world: World, means: Means, email: str | None, name: str | None) -> Item:
    """Create a payment method that behaves as the test card or debit does."""
    method = new(world, "payment_method", type=means.type, allow_redisplay="limited")
    method["billing_details"] = billing(email, name)
    method[means.type] = _method_details(world, means)
    world.note(method["id"]).update(means.behaviour())
    return world.save(method)


def billing(email: str | None, name: str | None) -> Item:
    """Return billing details without an address, as a page that asks for none gives them."""
    return {"address": dict(_NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


def _method_details(world: World, means: Means) -> Item:
    fingerprint = f"sandbox{means.key[-9:]}"
    if means.type == "bacs_debit":
        return {"fingerprint": fingerprint, "last4": means.last4, "sort_code": "108800"}
    if means.type == "sepa_debit":
        return {"bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": fingerprint} | {
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": means.last4,
        }
    return {
        "brand": means.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "GB",
        "display_brand": means.brand,
        "exp_month": 12,
        "exp_year": datetime.fromtimestamp(world.clock.now(), UTC).year + 3,
        "fingerprint": fingerprint,
        "funding": "credit",
        "generated_from": None,
        "last4": means.last4,
        "networks": {"available": [means.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def new_charge(world: World, intent: Item, method: Item) -> Item:
    """Return a charge of the intent by the method, neither paid nor failed yet, and not saved."""
    charge = new(world, "charge", amount=intent["amount"], currency=intent["currency"])
    charge["created"] = world.clock.now()
    return charge | {
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": method["type"], method["type"]: _charge_details(world, method)},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_url": f"{world.origin}/receipts/{charge['id']}",
        "refunded": False,
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
    }


def _outcome() -> Item:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _charge_details(world: World, method: Item) -> dict[str, Any]:
    own = method[method["type"]]
    if method["type"] != "card":
        kept = {name: value for name, value in own.items() if name != "generated_from"}
        return kept | {"mandate": f"mandate_{method['id'][3:]}"}
    names = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
        "regulated_status",
    )
    result = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    return {name: own[name] for name in names} | {
        "installments": None,
        "mandate": None,
        "network": own["brand"],
        "network_transaction_id": new_id("ntx")[4:19],
        "three_d_secure": result if world.note(method["id"]).get("challenge") else None,
        "wallet": None,
    }
