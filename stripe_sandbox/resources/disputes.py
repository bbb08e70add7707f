"""Disputes and early fraud warnings: banks that take money back, or only ask."""

from typing import Any

from stripe.params import DisputeListParams, DisputeRetrieveParams
from stripe.params.radar import EarlyFraudWarningListParams, EarlyFraudWarningRetrieveParams

from stripe_sandbox import listing
from stripe_sandbox.errors import conflict_of_state
from stripe_sandbox.money import DISPUTE_FEE_MINOR
from stripe_sandbox.resources import balance, payments
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, emit, new
from stripe_sandbox.store import Item, World

RESPONSE_SECONDS = 9 * 24 * 3600
_EVIDENCE = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *(
        "cancellation_rebuttal",
        "customer_communication",
        "customer_email_address",
        "customer_name",
        "customer_purchase_ip",
    ),
    *(
        "customer_signature",
        "duplicate_charge_documentation",
        "duplicate_charge_explanation",
        "duplicate_charge_id",
    ),
    *(
        "product_description",
        "receipt",
        "refund_policy",
        "refund_policy_disclosure",
        "refund_refusal_explanation",
    ),
    *("service_date", "service_documentation", "shipping_address", "shipping_carrier", "shipping_date"),
    *("shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text"),
)


def _charge(world: World, wanted: str) -> Item:
    """Return the succeeded charge with this id or of this payment intent."""
    if wanted.startswith("pi_"):
        wanted = world["payment_intent"].get(wanted)["latest_charge"] or wanted
    charge = world["charge"].get(wanted)
    if charge["status"] != "succeeded":
        raise conflict_of_state("Only a charge that succeeded can be disputed.")
    return charge


def open_dispute(
    world: World,
    charge_id: str,
    *,
    inquiry: bool = False,
    amount: int | None = None,
    reason: str = "fraudulent",
) -> Item:
    """Let the bank dispute a charge (id of the charge or of its payment intent).

    An inquiry moves no money. A dispute withdraws `amount` minor units, by default what has not been refunded, and
    the bank's fee.

    Raises:
        ApiError: the charge has not succeeded, is disputed already or has nothing left to dispute.
    """
    charge = _charge(world, charge_id)
    left_minor = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] or not left_minor:
        raise conflict_of_state("The charge is disputed already, or has nothing left to dispute.")
    dispute = new(world, "dispute", amount=left_minor if amount is None else amount, charge=charge["id"])
    dispute |= {
        "balance_transactions": [],
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE)
        | {"customer_email_address": charge["billing_details"]["email"], "enhanced_evidence": {}},
        "evidence_details": _deadline(world),
        "is_charge_refundable": inquiry,
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _method(charge, inquiry=inquiry),
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    if charge["payment_method_details"]["type"] != "card":
        dispute.pop("payment_method_details")
    world.save(dispute)
    change(world, "charge.updated", charge, disputed=True)
    emit(world, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def _deadline(world: World) -> Item:
    return {
        "due_by": world.clock.now() + RESPONSE_SECONDS,
        "enhanced_eligibility": {},
        "has_evidence": False,
    } | {
        "past_due": False,
        "submission_count": 0,
        "submission_method": "not_submitted",
    }


def _method(charge: Item, *, inquiry: bool) -> Item:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    case = "inquiry" if inquiry else "chargeback"
    return {
        "card": {"brand": brand, "case_type": case, "network": brand, "network_reason_code": "10.4"},
        "type": "card",
    }


def _withdraw(world: World, dispute: Item) -> None:
    charge_id, currency = dispute["charge"], dispute["currency"]
    fee_minor = DISPUTE_FEE_MINOR.get(currency, 0)
    taken = balance.record(
        world,
        "adjustment",
        dispute,
        -dispute["amount"],
        fee_minor=fee_minor,
        category="dispute",
        description=f"Chargeback withdrawal for {charge_id}",
    )
    world.note(charge_id)["unrefundable"] = True
    dispute |= {
        "balance_transactions": [*dispute["balance_transactions"], taken],
        "is_charge_refundable": False,
    }
    world.save(dispute)
    emit(world, "charge.dispute.funds_withdrawn", dispute)


def escalate(world: World, dispute_id: str) -> Item:
    """Turn an inquiry into a dispute proper.

    Raises:
        ApiError: it is none.
    """
    dispute = world["dispute"].get(dispute_id)
    if not dispute["status"].startswith("warning_") or dispute["status"] == "warning_closed":
        raise conflict_of_state("Only an open inquiry can become a dispute.")
    details = dispute.get("payment_method_details")
    if details:
        details["card"]["case_type"] = "chargeback"
    change(world, "charge.dispute.updated", dispute, status="needs_response", is_charge_refundable=False)
    _withdraw(world, dispute)
    return dispute


def close(world: World, dispute_id: str, outcome: str) -> Item:
    """Let a dispute end: `won` gives the funds back, `lost` keeps them, `warning_closed` ends an inquiry.

    Raises:
        ApiError: the dispute cannot end so.
    """
    dispute = world["dispute"].get(dispute_id)
    inquiry = dispute["status"].startswith("warning_")
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise conflict_of_state(f"The dispute is {dispute['status']} already.")
    if outcome not in (("warning_closed",) if inquiry else ("won", "lost")):
        raise conflict_of_state(f"This dispute cannot end as {outcome}.")
    dispute["status"] = outcome
    world.save(dispute)
    if outcome == "won":
        _reinstate(world, dispute)
    emit(world, "charge.dispute.closed", dispute)
    if outcome == "warning_closed":
        change(world, "charge.updated", world["charge"].get(dispute["charge"]), disputed=False)
    return dispute


def drop_inquiries(world: World, charge_id: str) -> None:
    """Close the open inquiries about a charge: it has been refunded in full."""
    for dispute in list(world["dispute"].newest_first(charge=charge_id)):
        if dispute["status"] in ("warning_needs_response", "warning_under_review"):
            close(world, dispute["id"], "warning_closed")


def _reinstate(world: World, dispute: Item) -> None:
    back = balance.record(
        world,
        "adjustment",
        dispute,
        dispute["amount"],
        category="dispute_reversal",
        description=f"Chargeback reversal for {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], back]
    world.save(dispute)
    emit(world, "charge.dispute.funds_reinstated", dispute)


def warn(world: World, charge_id: str) -> Item:
    """Let the bank warn of fraud before any dispute."""
    charge = _charge(world, charge_id)
    warning = new(
        world,
        "radar.early_fraud_warning",
        actionable=not charge["refunded"] and not charge["disputed"],
        charge=charge["id"],
        fraud_type="unauthorized_use_of_card",
        payment_intent=charge["payment_intent"],
    )
    world.save(warning)
    emit(world, "radar.early_fraud_warning.created", warning)
    return warning


def _by_card(world: World, charge: Item, behaviour: str) -> None:
    """Do what the test card is known for."""
    if behaviour == "warning":
        warn(world, charge["id"])
    else:
        open_dispute(world, charge["id"], inquiry=behaviour == "inquiry")


payments.CHARGED.append(_by_card)


@route("GET", "/v1/disputes", DisputeListParams)
def list_disputes(world: World, params: dict[str, Any]) -> Item:
    """List disputes."""
    wanted = {name: params.get(name) for name in ("payment_intent", "charge")}
    return listing.of_kind(world, "dispute", "/v1/disputes", params, **wanted)


@route("GET", "/v1/disputes/{id}", DisputeRetrieveParams)
def retrieve_dispute(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one dispute."""
    return world["dispute"].get(wanted)


@route("GET", "/v1/radar/early_fraud_warnings", EarlyFraudWarningListParams)
def list_warnings(world: World, params: dict[str, Any]) -> Item:
    """List early fraud warnings."""
    wanted = {name: params.get(name) for name in ("payment_intent", "charge")}
    return listing.of_kind(
        world, "radar.early_fraud_warning", "/v1/radar/early_fraud_warnings", params, **wanted
    )


@route("GET", "/v1/radar/early_fraud_warnings/{id}", EarlyFraudWarningRetrieveParams)
def retrieve_warning(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one early fraud warning."""
    return world["radar.early_fraud_warning"].get(wanted)
