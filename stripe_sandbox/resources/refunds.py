"""Refunds: whole or partial, pending for a while, or failing after they seemed done."""

from typing import Any

from stripe.params import RefundCreateParams, RefundListParams, RefundModifyParams, RefundRetrieveParams

from stripe_sandbox import listing
from stripe_sandbox.errors import conflict_of_state, invalid
from stripe_sandbox.jobs import job
from stripe_sandbox.money import shown
from stripe_sandbox.resources import balance, disputes
from stripe_sandbox.resources.metadata import check_limits, merged, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, emit, new
from stripe_sandbox.store import Item, World

LATER_SECONDS = 24 * 3600


@route("POST", "/v1/refunds", RefundCreateParams)
def create_refund(world: World, params: dict[str, Any]) -> Item:
    """Give money back."""
    check_limits(params)
    supported(params, ("amount", "charge", "metadata", "payment_intent", "reason"))
    charge = _charge(world, params)
    amount_minor = _amount_minor(charge, params)
    behaviour = world.note(charge["payment_method"]).get("refund")
    refund = new(world, "refund", amount=amount_minor, charge=charge["id"], currency=charge["currency"])
    refund |= {
        "customer": charge["customer"],
        "destination_details": _destination(charge, behaviour),
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "pending_reason": "processing" if behaviour == "pending" else None,
        "reason": params.get("reason"),
        "status": "pending" if behaviour == "pending" else "succeeded",
    }
    movement = balance.record(
        world,
        _kind(charge, "refund"),
        refund,
        -amount_minor,
        category="refund",
        description="REFUND FOR CHARGE",
    )
    refund["balance_transaction"] = movement["id"]
    world.save(refund)
    if behaviour:
        world.clock.plan(world.clock.now() + LATER_SECONDS, "settle_refund", refund["id"], behaviour)
    emit(world, "refund.created", refund)
    _count(world, charge, amount_minor)
    if charge["refunded"]:
        disputes.drop_inquiries(world, charge["id"])
    return refund


def _charge(world: World, params: dict[str, Any]) -> Item:
    """Return the charge to refund."""
    if "charge" in params:
        charge = world["charge"].get(params["charge"], "charge")
    elif "payment_intent" in params:
        intent = world["payment_intent"].get(params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise conflict_of_state(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = world["charge"].get(intent["latest_charge"])
    else:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge."
        )
    if charge["status"] != "succeeded":
        raise conflict_of_state(
            f"Charge {charge['id']} has not succeeded and cannot be refunded.", "charge_not_refundable"
        )
    if not charge["refunded"] and world.note(charge["id"]).get("unrefundable"):
        raise conflict_of_state(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", "charge_disputed"
        )
    if charge["refunded"]:
        raise conflict_of_state(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    return charge


def _amount_minor(charge: Item, params: dict[str, Any]) -> int:
    left_minor: int = charge["amount"] - charge["amount_refunded"]
    amount_minor: int = params.get("amount", left_minor)
    if amount_minor < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount_minor > left_minor:
        currency = charge["currency"]
        raise conflict_of_state(
            f"Refund amount ({shown(amount_minor, currency)}) is greater than unrefunded amount on charge "
            f"({shown(left_minor, currency)})",
            param="amount",
        )
    return amount_minor


def _kind(charge: Item, kind: str) -> str:
    return kind if charge["payment_method_details"]["type"] == "card" else f"payment_{kind}"


def _destination(charge: Item, behaviour: str | None) -> Item:
    if charge["payment_method_details"]["type"] != "card":
        return {"type": charge["payment_method_details"]["type"]}
    status = "pending" if behaviour == "pending" else "available"
    card = {"reference_status": status, "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "card": card | ({} if behaviour == "pending" else {"reference": "74320000000000000000000"}),
        "type": "card",
    }


def _count(world: World, charge: Item, amount_minor: int) -> None:
    """Take a refund (or, negative, its failure) into the charge's own sums."""
    refunded_minor = charge["amount_refunded"] + amount_minor
    kind = "charge.refunded" if amount_minor > 0 else "charge.updated"
    change(world, kind, charge, amount_refunded=refunded_minor, refunded=refunded_minor == charge["amount"])


@job
def settle_refund(world: World, refund_id: str, behaviour: str) -> None:
    """Let a pending refund succeed, or a refund that seemed done fail."""
    refund = world["refund"].get(refund_id)
    if behaviour == "fails":
        if refund["status"] != "failed":
            fail_refund(world, refund_id)
    elif refund["status"] == "pending":
        details = _destination(world["charge"].get(refund["charge"]), None)
        change(
            world,
            "refund.updated",
            refund,
            status="succeeded",
            pending_reason=None,
            destination_details=details,
        )
        emit(world, "charge.refund.updated", refund)


def fail_refund(world: World, refund_id: str, reason: str = "expired_or_canceled_card") -> Item:
    """Let a refund fail: the money comes back into the account.

    Raises:
        ApiError: it has failed already.
    """
    refund = world["refund"].get(refund_id)
    if refund["status"] not in ("pending", "succeeded"):
        raise conflict_of_state(f"The refund is {refund['status']} already.")
    charge = world["charge"].get(refund["charge"])
    back = balance.record(
        world,
        _kind(charge, "refund_failure")
        if charge["payment_method_details"]["type"] == "card"
        else "payment_failure_refund",
        refund,
        refund["amount"],
        category="refund_failure",
        description="REFUND FAILURE",
    )
    values = {"status": "failed", "failure_reason": reason, "failure_balance_transaction": back["id"]}
    refund |= values | {"pending_reason": None}
    world.save(refund)
    emit(world, "refund.failed", refund)
    emit(world, "refund.updated", refund, {"status": "succeeded"})
    emit(world, "charge.refund.updated", refund, {"status": "succeeded"})
    _count(world, charge, -refund["amount"])
    return refund


@route("GET", "/v1/refunds", RefundListParams)
def list_refunds(world: World, params: dict[str, Any]) -> Item:
    """List refunds."""
    wanted = {name: params.get(name) for name in ("payment_intent", "charge")}
    return listing.of_kind(world, "refund", "/v1/refunds", params, **wanted)


@route("GET", "/v1/refunds/{id}", RefundRetrieveParams)
def retrieve_refund(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one refund."""
    return world["refund"].get(wanted)


@route("POST", "/v1/refunds/{id}", RefundModifyParams)
def update_refund(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Change a refund's metadata."""
    check_limits(params)
    refund = world["refund"].get(wanted)
    change(world, "refund.updated", refund, metadata=merged(refund["metadata"], params.get("metadata")))
    return refund


def _refunds_of(world: World, charge: Item) -> Item:
    data = list(world["refund"].newest_first(charge=charge["id"]))
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}


listing.EXTRAS["charge", "refunds"] = _refunds_of
