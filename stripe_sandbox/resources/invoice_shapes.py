"""What the draft invoice of a subscription looks like: its sums, its line, and where it comes from."""

from stripe_sandbox.money import shown
from stripe_sandbox.shapes import emit, new
from stripe_sandbox.store import Item, World, new_id


def draft(world: World, subscription: Item, reason: str, period: tuple[int, int], amount_minor: int) -> Item:
    """Create the draft invoice of a subscription for a period, over an amount in minor units."""
    customer = world["customer"].get(subscription["customer"])
    invoice = new(world, "invoice", currency=subscription["currency"], customer=customer["id"])
    amounts = (
        "amount_due",
        "amount_remaining",
        "subtotal",
        "subtotal_excluding_tax",
        "total",
        "total_excluding_tax",
    )
    nothing = (
        *("amount_overpaid", "amount_paid", "amount_shipping", "attempt_count", "starting_balance"),
        *("post_payment_credit_notes_amount", "pre_payment_credit_notes_amount", "amount_paid_off_stripe"),
    )
    invoice |= dict.fromkeys(amounts, amount_minor) | dict.fromkeys(nothing, 0)
    invoice |= {
        "account_country": "GB",
        "account_name": world.merchant,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": dict.fromkeys(("disabled_reason", "liability", "provider", "status"))
        | {"enabled": False},
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "ending_balance": 0,
        "issuer": {"type": "self"},
        "lines": _lines(world, invoice, subscription, period, amount_minor),
        "parent": _parent(subscription),
        "payment_settings": dict.fromkeys(
            ("default_mandate", "payment_method_options", "payment_method_types")
        ),
        "period_end": world.clock.now(),
        "period_start": world.clock.now() if reason == "subscription_create" else subscription["start_date"],
        "status": "draft",
        "status_transitions": dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")
        ),
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
    }
    world.save(invoice)
    world.note(invoice["id"])["subscription"] = subscription["id"]
    subscription["latest_invoice"] = invoice["id"]
    world.save(subscription)
    emit(world, "invoice.created", invoice)
    return invoice


def _parent(subscription: Item) -> Item:
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _lines(
    world: World, invoice: Item, subscription: Item, period: tuple[int, int], amount_minor: int
) -> Item:
    item = subscription["items"]["data"][0]
    price = item["price"]
    details = {"invoice_item": None, "proration": False, "proration_details": {"credited_items": None}}
    details |= {"subscription": subscription["id"], "subscription_item": item["id"]}
    name = world["product"].get(price["product"])["name"]
    rhythm = f"{shown(price['unit_amount'], price['currency'])} / {price['recurring']['interval']}"
    line = {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount_minor,
        "currency": invoice["currency"],
        "description": f"{item['quantity']} × {name} (at {rhythm})",  # noqa: RUF001 - as Stripe writes it
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": details,
            "type": "subscription_item_details",
        },
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subscription": subscription["id"],
        "subtotal": amount_minor,
        "taxes": [],
    }
    return {"object": "list", "data": [line], "has_more": False, "url": f"/v1/invoices/{invoice['id']}/lines"}
