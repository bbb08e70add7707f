"""Balance transactions: every movement of money in the account, and the balance that they add up to."""

from typing import Any

from stripe.params import (
    BalanceRetrieveParams,
    BalanceTransactionListParams,
    BalanceTransactionRetrieveParams,
)

from stripe_sandbox import listing, money
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import new
from stripe_sandbox.store import Item, World

AVAILABLE_AFTER_SECONDS = 3 * 24 * 3600


def record(
    world: World,
    kind: str,
    source: Item,
    amount_minor: int,
    *,
    fee_minor: int = 0,
    category: str,
    description: str | None,
) -> Item:
    """Write down one movement of money; amounts are signed minor units, the fee is what it cost."""
    now = world.clock.now()
    fees = [
        {
            "amount": fee_minor,
            "application": None,
            "currency": source["currency"],
            "description": why,
            "type": "stripe_fee",
        }
        for why in ["Dispute fee" if category == "dispute" else "Stripe processing fees"]
        if fee_minor
    ]
    return world.save(
        new(
            world,
            "balance_transaction",
            amount=amount_minor,
            available_on=now + (AVAILABLE_AFTER_SECONDS if kind in ("charge", "payment") else 0),
            balance_type="payments",
            currency=source["currency"],
            description=description,
            fee=fee_minor,
            fee_details=fees,
            net=amount_minor - fee_minor,
            reporting_category=category,
            source=source["id"],
            status="pending" if kind in ("charge", "payment") else "available",
            type=kind,
        )
    )


def record_charge(world: World, charge: Item) -> Item:
    """Write down that a payment came in, with its fee."""
    fee_minor = money.fee_minor(charge["amount"], charge["currency"])
    kind = "charge" if charge["payment_method_details"]["type"] == "card" else "payment"
    return record(
        world,
        kind,
        charge,
        charge["amount"],
        fee_minor=fee_minor,
        category="charge",
        description=charge["description"],
    )


def refresh(world: World, item: Item) -> Item:
    """Let a transaction become available once its day has come."""
    if item["status"] == "pending" and item["available_on"] <= world.clock.now():
        item["status"] = "available"
    return item


@route("GET", "/v1/balance_transactions", BalanceTransactionListParams)
def list_transactions(world: World, params: dict[str, Any]) -> Item:
    """List movements of money; `payout` gives those that a payout paid out, itself included."""
    collection = world["balance_transaction"]
    filters = {name: params[name] for name in ("type", "source", "currency") if name in params}
    found = (refresh(world, item) for item in collection.newest_first(**filters))
    if "payout" in params:
        world["payout"].get(params["payout"], "payout")
        found = (item for item in found if world.notes.get(item["id"], {}).get("payout") == params["payout"])
    return listing.page("/v1/balance_transactions", found, params, collection.positions)


@route("GET", "/v1/balance_transactions/{id}", BalanceTransactionRetrieveParams)
def retrieve_transaction(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one movement of money."""
    return refresh(world, world["balance_transaction"].get(wanted))


@route("GET", "/v1/balance", BalanceRetrieveParams)
def retrieve_balance(world: World, params: dict[str, Any]) -> Item:
    """Return what is in the account, by currency."""
    sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    for item in world["balance_transaction"].items.values():
        by_currency = sums[refresh(world, item)["status"]]
        by_currency[item["currency"]] = by_currency.get(item["currency"], 0) + item["net"]
    currencies = sorted(sums["available"] | sums["pending"]) or ["gbp"]
    return {"object": "balance", "livemode": False} | {
        name: [
            {
                "amount": held.get(currency, 0),
                "currency": currency,
                "source_types": {"card": held.get(currency, 0)},
            }
            for currency in currencies
        ]
        for name, held in sums.items()
    }
