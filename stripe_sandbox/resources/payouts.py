"""Payouts: what the bank account receives, and the movements of money that make it up."""

from typing import Any

from stripe.params import PayoutListParams, PayoutRetrieveParams

from stripe_sandbox import listing
from stripe_sandbox.resources import balance
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, emit, new
from stripe_sandbox.store import Item, World


def pay_out(world: World, currency: str, *, everything: bool = False, fail: bool = False) -> Item | None:
    """Pay out all available money in a currency (or `everything`, available or not); None if nothing is due.

    With `fail` the bank refuses it: the money comes back, and its movements are free to be paid out again.
    """
    movements = [
        item
        for item in world["balance_transaction"].items.values()
        if item["currency"] == currency
        and "payout" not in world.note(item["id"])
        and (everything or balance.refresh(world, item)["status"] == "available")
    ]
    amount_minor = sum(item["net"] for item in movements)
    if amount_minor <= 0:
        return None
    payout = _new_payout(world, currency, amount_minor)
    for item in movements:
        world.note(item["id"])["payout"] = payout["id"]
    paid = balance.record(
        world, "payout", payout, -amount_minor, category="payout", description="STRIPE PAYOUT"
    )
    world.note(paid["id"])["payout"] = payout["id"]
    payout["balance_transaction"] = paid["id"]
    world.save(payout)
    emit(world, "payout.created", payout)
    change(world, "payout.updated", payout, status="in_transit")
    if fail:
        _fail(world, payout, movements)
    else:
        change(world, "payout.paid", payout, status="paid", reconciliation_status="completed")
        emit(world, "payout.reconciliation_completed", payout)
    return payout


def _new_payout(world: World, currency: str, amount_minor: int) -> Item:
    return new(
        world,
        "payout",
        amount=amount_minor,
        arrival_date=world.clock.now() + 24 * 3600,
        automatic=True,
        currency=currency,
        description="STRIPE PAYOUT",
        destination="ba_sandbox",
        method="standard",
        reconciliation_status="in_progress",
        source_type="card",
        status="pending",
        trace_id={"status": "pending", "value": None},
        type="bank_account",
    )


def _fail(world: World, payout: Item, movements: list[Item]) -> None:
    for item in movements:
        world.note(item["id"]).pop("payout")
    back = balance.record(
        world,
        "payout_failure",
        payout,
        payout["amount"],
        category="payout_reversal",
        description="STRIPE PAYOUT FAILURE",
    )
    world.note(back["id"])["payout"] = payout["id"]
    payout |= {
        "failure_balance_transaction": back["id"],
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
    }
    change(world, "payout.failed", payout, status="failed", reconciliation_status="completed")


@route("GET", "/v1/payouts", PayoutListParams)
def list_payouts(world: World, params: dict[str, Any]) -> Item:
    """List payouts."""
    return listing.of_kind(world, "payout", "/v1/payouts", params, status=params.get("status"))


@route("GET", "/v1/payouts/{id}", PayoutRetrieveParams)
def retrieve_payout(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one payout."""
    return world["payout"].get(wanted)
