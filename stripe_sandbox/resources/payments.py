"""Payment intents and charges: collecting money by a test card or a debit, with everything that can go wrong.

`collect` is the one way to take money, whether on the hosted page, for a renewal or for an open invoice. It
leaves the intent `succeeded`, `processing` (a debit under way), `requires_action` (3-D Secure) or
`requires_payment_method` (declined). What an intent was for (a session, an invoice) is told of later news
through `SETTLED`.
"""

from collections.abc import Callable
from typing import Any

from stripe.params import (
    ChargeListParams,
    ChargeRetrieveParams,
    PaymentIntentListParams,
    PaymentIntentModifyParams,
    PaymentIntentRetrieveParams,
)

from stripe_sandbox import cards, listing
from stripe_sandbox.jobs import job
from stripe_sandbox.resources import balance
from stripe_sandbox.resources.charges import new_charge
from stripe_sandbox.resources.metadata import merged, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import emit, new
from stripe_sandbox.store import Item, World

DEBIT_SECONDS = 3 * 24 * 3600
# Filled by sessions and invoices: called with the intent when a debit under way has arrived or failed.
SETTLED: list[Callable[[World, Item], None]] = []
# Filled by disputes: called with the charge of every payment that succeeded.
CHARGED: list[Callable[[World, Item, str], None]] = []


def new_intent(world: World, amount_minor: int, currency: str, types: list[str], **values: Any) -> Item:
    """Create a payment intent and tell of it."""
    intent = new(world, "payment_intent", amount=amount_minor, currency=currency)
    intent |= {
        "amount_capturable": 0,
        "amount_received": 0,
        "amount_details": {"tip": {}},
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "client_secret": f"{intent['id']}_secret_sandbox",
        "payment_method_types": types,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "status": "requires_payment_method",
    } | values
    world.save(intent)
    emit(world, "payment_intent.created", intent)
    return intent


def collect(
    world: World, intent: Item, method: Item, *, off_session: bool = False, authenticated: bool = False
) -> str:
    """Try to take the intent's money by a payment method; return the status in which this leaves the intent."""
    behaviour = world.note(method["id"])
    decline: str | None = behaviour.get("decline")
    if behaviour.get("later") and not off_session:
        decline = None
    if forced := behaviour.get("fail_next"):
        decline = str(forced[0])
        behaviour["fail_next"] = forced[1:]
    intent["next_action"] = None
    if decline:
        return _decline(world, intent, method, decline)
    if behaviour.get("challenge") and not (off_session or authenticated):
        return _challenge(world, intent, method)
    if method["type"] != "card":
        return _start_debit(world, intent, method)
    return _succeed(world, intent, new_charge(world, intent, method))


def refuse_challenge(world: World, intent: Item) -> str:
    """Let the donor fail 3-D Secure."""
    method = world["payment_method"].get(intent["payment_method"])
    intent["next_action"] = None
    message = "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    return _fail(world, intent, _error(method, message, "payment_intent_authentication_failure"))


def _succeed(world: World, intent: Item, charge: Item) -> str:
    charge |= {"paid": True, "captured": True, "amount_captured": charge["amount"], "status": "succeeded"}
    world.save(charge)
    intent |= {
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
        "last_payment_error": None,
        "status": "succeeded",
    }
    world.save(intent)
    emit(world, "charge.succeeded", charge)
    emit(world, "payment_intent.succeeded", intent)
    # The balance transaction comes a moment later, as with Stripe's asynchronous capture.
    world.clock.plan(world.clock.now(), "book_charge", charge["id"])
    return "succeeded"


@job
def book_charge(world: World, charge_id: str) -> None:
    """Give a charge its balance transaction, and start what its card is known for."""
    charge = world["charge"].get(charge_id)
    charge["balance_transaction"] = balance.record_charge(world, charge)["id"]
    world.save(charge)
    emit(world, "charge.updated", charge, {"balance_transaction": None})
    wanted: str = world.note(charge["payment_method"]).get("dispute") or ""
    for told in CHARGED if wanted else []:
        told(world, charge, wanted)


def _decline(world: World, intent: Item, method: Item, decline: str) -> str:
    code, message = cards.DECLINES[decline]
    charge = new_charge(world, intent, method)
    charge |= {"status": "failed", "failure_code": code, "failure_message": message}
    charge["outcome"] |= {
        "network_status": "declined_by_network",
        "reason": decline,
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "issuer_declined",
    }
    world.save(charge)
    intent["latest_charge"] = charge["id"]
    emit(world, "charge.failed", charge)
    shown = decline if code == "card_declined" else None
    return _fail(world, intent, _error(method, message, code, shown, charge_id=charge["id"]))


def _fail(world: World, intent: Item, error: Item) -> str:
    intent |= {"last_payment_error": error, "payment_method": None, "status": "requires_payment_method"}
    world.save(intent)
    emit(world, "payment_intent.payment_failed", intent)
    return "requires_payment_method"


def _error(
    method: Item, message: str, code: str, decline_code: str | None = None, *, charge_id: str | None = None
) -> Item:
    error = {"code": code, "message": message, "payment_method": dict(method), "type": "card_error"}
    error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    return error | {
        name: value
        for name, value in (("decline_code", decline_code), ("charge", charge_id))
        if value is not None
    }


def _challenge(world: World, intent: Item, method: Item) -> str:
    intent |= {
        "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}},
        "payment_method": method["id"],
        "status": "requires_action",
    }
    world.save(intent)
    emit(world, "payment_intent.requires_action", intent)
    return "requires_action"


def _start_debit(world: World, intent: Item, method: Item) -> str:
    charge = new_charge(world, intent, method)
    charge |= {"status": "pending", "captured": True, "amount_captured": charge["amount"]}
    world.save(charge)
    intent |= {"latest_charge": charge["id"], "payment_method": method["id"], "status": "processing"}
    world.save(intent)
    emit(world, "charge.pending", charge)
    emit(world, "payment_intent.processing", intent)
    world.clock.plan(world.clock.now() + DEBIT_SECONDS, "settle_debit", intent["id"])
    return "processing"


@job
def settle_debit(world: World, intent_id: str) -> None:
    """Let a debit under way arrive or fail."""
    intent = world["payment_intent"].get(intent_id)
    if intent["status"] != "processing":
        return
    charge = world["charge"].get(intent["latest_charge"])
    method = world["payment_method"].get(charge["payment_method"])
    if world.note(method["id"])["settles"]:
        _succeed(world, intent, charge)
    else:
        message = "The customer's account has insufficient funds to cover this payment."
        charge |= {
            "status": "failed",
            "failure_code": "payment_method_customer_decline",
            "failure_message": message,
        }
        world.save(charge)
        emit(world, "charge.failed", charge)
        _fail(
            world,
            intent,
            _error(method, message, "payment_intent_payment_attempt_failed", charge_id=charge["id"]),
        )
    for told in SETTLED:
        told(world, intent)


@route("GET", "/v1/payment_intents", PaymentIntentListParams)
def list_intents(world: World, params: dict[str, Any]) -> Item:
    """List payment intents."""
    return listing.of_kind(
        world, "payment_intent", "/v1/payment_intents", params, customer=params.get("customer")
    )


@route("GET", "/v1/payment_intents/{id}", PaymentIntentRetrieveParams)
def retrieve_intent(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one payment intent."""
    return world["payment_intent"].get(wanted, "intent")


@route("POST", "/v1/payment_intents/{id}", PaymentIntentModifyParams)
def update_intent(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Change the description or metadata of a payment intent."""
    supported(params, ("description", "metadata"))
    intent = world["payment_intent"].get(wanted, "intent")
    intent["metadata"] = merged(intent["metadata"], params.get("metadata"))
    intent["description"] = params.get("description", intent["description"])
    return world.save(intent)


@route("GET", "/v1/charges", ChargeListParams)
def list_charges(world: World, params: dict[str, Any]) -> Item:
    """List charges."""
    wanted = {name: params.get(name) for name in ("payment_intent", "customer")}
    return listing.of_kind(world, "charge", "/v1/charges", params, **wanted)


@route("GET", "/v1/charges/{id}", ChargeRetrieveParams)
def retrieve_charge(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one charge."""
    return world["charge"].get(wanted)
