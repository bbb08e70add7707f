"""The life of a subscription in time: its start, its renewals, its failures and its end."""

from typing import Any

from stripe_sandbox.jobs import job
from stripe_sandbox.resources import customers, invoice_shapes, invoices
from stripe_sandbox.resources.periods import period_end
from stripe_sandbox.shapes import change, emit, new
from stripe_sandbox.store import Item, World

DAY_SECONDS = 24 * 3600
# A renewal's invoice stays a draft for an hour before it is charged.
DRAFT_SECONDS = 3600


def start(world: World, session: Item, method: Item, intent: Item | None) -> Item:
    """Begin the subscription that a Checkout session sold; the first payment (if any) has been made or is under way."""
    customers.attach(world, session["customer"], method)
    data = world.note(session["id"])["subscription_data"]
    line = next(line for line in world.note(session["id"])["lines"] if line["price"]["recurring"])
    subscription = _new_subscription(world, session, data, method)
    now = world.clock.now()
    trial_days = data.get("trial_period_days", 0)
    trial_end = data.get("trial_end") or (now + trial_days * DAY_SECONDS if trial_days else None)
    end = trial_end or period_end(now, now, *_rhythm(line["price"]))
    subscription["items"] = _items(world, subscription, line["price"], line["quantity"], (now, end))
    subscription |= {"trial_start": now if trial_end else None, "trial_end": trial_end}
    subscription["billing_cycle_anchor"] = trial_end or now
    world.save(subscription)
    emit(world, "customer.subscription.created", subscription)
    invoice = invoice_shapes.draft(
        world, subscription, "subscription_create", (now, end), session["amount_total"]
    )
    invoices.finalize(world, invoice, intent)
    session |= {"subscription": subscription["id"], "invoice": invoice["id"]}
    world.save(session)
    change(world, "customer.subscription.updated", subscription, status="trialing" if trial_end else "active")
    if intent is None or intent["status"] == "succeeded":
        invoice["attempt_count"] = 1 if intent else 0
        invoices.settle(world, invoice)
    plan_renewal(world, subscription)
    return subscription


def _rhythm(price: Item) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _new_subscription(world: World, session: Item, data: dict[str, Any], method: Item) -> Item:
    subscription = new(world, "subscription", currency=session["currency"], customer=session["customer"])
    return subscription | {
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": world.clock.now(),
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": None,
        },
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict.fromkeys(("comment", "feedback", "reason")),
        "collection_method": "charge_automatically",
        "default_payment_method": method["id"],
        "default_tax_rates": [],
        "description": data.get("description"),
        "discounts": [],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "metadata": dict(data.get("metadata", {})),
        "payment_settings": {"payment_method_options": None, "payment_method_types": None}
        | {"save_default_payment_method": "off"},
        "start_date": world.clock.now(),
        "status": "incomplete",
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


def _items(world: World, subscription: Item, price: Item, quantity: int, period: tuple[int, int]) -> Item:
    item = new(world, "subscription_item", price=price, quantity=quantity, subscription=subscription["id"])
    item |= {
        "current_period_start": period[0],
        "current_period_end": period[1],
        "discounts": [],
        "tax_rates": [],
    }
    item["plan"] = plan_of(price)
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return {"object": "list", "data": [item], "has_more": False, "url": url}


def plan_of(price: Item) -> Item:
    """Return a price in the older form that items still carry."""
    names = (
        "active",
        "billing_scheme",
        "created",
        "currency",
        "id",
        "livemode",
        "metadata",
        "nickname",
        "product",
    )
    interval, count = _rhythm(price)
    return {name: price[name] for name in names} | {
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def amount_minor(subscription: Item) -> int:
    """Return what one period costs, in minor units."""
    return sum(item["price"]["unit_amount"] * item["quantity"] for item in subscription["items"]["data"])


def plan_renewal(world: World, subscription: Item) -> None:
    """Let the subscription renew (or end) when its current period does, or end when it is to be cancelled."""
    end = subscription["items"]["data"][0]["current_period_end"]
    at = min(end, subscription["cancel_at"] or end)
    world.note(subscription["id"])["renews_at"] = at
    world.clock.plan(at, "renew", subscription["id"], at)


@job
def renew(world: World, subscription_id: str, at: int) -> None:
    """Begin the next period with its draft invoice, or end the subscription if so decided."""
    subscription = world["subscription"].get(subscription_id)
    if world.note(subscription_id).get("renews_at") != at or subscription["status"] in ("canceled", "paused"):
        return
    if subscription["cancel_at"] and subscription["cancel_at"] <= at:
        end(world, subscription)
        return
    begin_period(world, subscription, at)


def begin_period(world: World, subscription: Item, at: int) -> None:
    """Move the subscription into the period that begins at the instant `at`."""
    item = subscription["items"]["data"][0]
    stop = period_end(subscription["billing_cycle_anchor"], at, *_rhythm(item["price"]))
    item |= {"current_period_start": at, "current_period_end": stop}
    values: Item = {"items": subscription["items"]}
    if subscription["status"] == "trialing":
        values["status"] = "active"
    invoice = invoice_shapes.draft(
        world, subscription, "subscription_cycle", (at, stop), amount_minor(subscription)
    )
    change(world, "customer.subscription.updated", subscription, **values)
    world.clock.plan(at + DRAFT_SECONDS, "finalize_invoice", invoice["id"])
    plan_renewal(world, subscription)


@job
def finalize_invoice(world: World, invoice_id: str) -> None:
    """Make a renewal's draft final and charge it, unless collection is paused."""
    invoice = world["invoice"].get(invoice_id)
    subscription = invoices.subscription_of(world, invoice)
    if invoice["status"] != "draft" or subscription["status"] == "canceled":
        return
    pause = subscription["pause_collection"]
    if pause and pause["behavior"] == "keep_as_draft":
        invoice["auto_advance"] = False
        world.save(invoice)
        return
    invoices.finalize(world, invoice)
    if pause:
        (invoices.void if pause["behavior"] == "void" else invoices.give_up)(world, invoice)
    else:
        invoices.charge(world, invoice, invoices.method_of(world, subscription), off_session=True)


@job
def resume_collection(world: World, subscription_id: str, at: int) -> None:
    """End a pause whose time is over."""
    subscription = world["subscription"].get(subscription_id)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"] == at and subscription["status"] != "canceled":
        change(world, "customer.subscription.updated", subscription, pause_collection=None)


def end(world: World, subscription: Item, reason: str | None = None) -> None:
    """End a subscription for good."""
    now = world.clock.now()
    details = subscription["cancellation_details"]
    details["reason"] = reason or details["reason"] or "cancellation_requested"
    subscription |= {"status": "canceled", "ended_at": now, "canceled_at": subscription["canceled_at"] or now}
    world.save(subscription)
    emit(world, "customer.subscription.deleted", subscription)


def _paid(world: World, invoice: Item) -> None:
    """Bring a subscription back in order once its invoice is paid."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription["status"] in ("past_due", "unpaid") and subscription["latest_invoice"] == invoice["id"]:
        change(world, "customer.subscription.updated", subscription, status="active")


def _failed(world: World, invoice: Item) -> None:
    """Let a subscription fall behind, or end when no further attempt is planned."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription["status"] == "canceled":
        return
    if invoice["next_payment_attempt"] is None:
        end(world, subscription, "payment_failed")
    elif subscription["status"] != "past_due":
        change(world, "customer.subscription.updated", subscription, status="past_due")


invoices.PAID.append(_paid)
invoices.FAILED.append(_failed)
