"""Invoices of subscriptions and the payments made towards them.

An invoice is drafted, finalized an hour later, and charged; an attempt that fails is repeated after three, five
and seven days. What that means for the subscription is told through `PAID` and `FAILED`.
"""

from collections.abc import Callable
from typing import Any

from stripe.params import (
    InvoiceListParams,
    InvoicePaymentListParams,
    InvoicePaymentRetrieveParams,
    InvoicePayParams,
    InvoiceRetrieveParams,
    InvoiceVoidInvoiceParams,
)

from stripe_sandbox import listing
from stripe_sandbox.errors import ApiError, conflict_of_state
from stripe_sandbox.jobs import job
from stripe_sandbox.resources import payments
from stripe_sandbox.resources.metadata import supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import emit, new
from stripe_sandbox.store import Item, World

RETRY_DAYS = (3, 5, 7)
DAY_SECONDS = 24 * 3600
# Filled by billing: called with the invoice once it is paid, or when an attempt has failed.
PAID: list[Callable[[World, Item], None]] = []
FAILED: list[Callable[[World, Item], None]] = []


def finalize(world: World, invoice: Item, intent: Item | None = None) -> None:
    """Make a draft final, with its payment intent (an existing one, when the first payment came before)."""
    customer = world["customer"].get(invoice["customer"])
    invoice |= {
        "effective_at": world.clock.now(),
        "hosted_invoice_url": f"{world.origin}/i/{invoice['id']}",
        "invoice_pdf": f"{world.origin}/i/{invoice['id']}/pdf",
        "number": f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}",
        "status": "open",
    }
    customer["next_invoice_sequence"] += 1
    invoice["status_transitions"]["finalized_at"] = world.clock.now()
    world.save(invoice)
    if invoice["amount_due"]:
        _open_payment(world, invoice, intent or _new_intent(world, invoice))
    emit(world, "invoice.finalized", invoice)


def _new_intent(world: World, invoice: Item) -> Item:
    return payments.new_intent(
        world,
        invoice["amount_due"],
        invoice["currency"],
        ["card"],
        customer=invoice["customer"],
        description="Subscription update"
        if invoice["billing_reason"] == "subscription_cycle"
        else "Subscription creation",
        setup_future_usage="off_session",
    )


def _open_payment(world: World, invoice: Item, intent: Item) -> None:
    world.note(intent["id"])["invoice"] = invoice["id"]
    world.note(invoice["id"])["intent"] = intent["id"]
    world.save(
        new(
            world,
            "invoice_payment",
            amount_requested=invoice["amount_due"],
            currency=invoice["currency"],
            invoice=invoice["id"],
            is_default=True,
            payment={"payment_intent": intent["id"], "type": "payment_intent"},
            status="open",
            status_transitions={"canceled_at": None, "paid_at": None},
        )
    )


def settle(world: World, invoice: Item) -> None:
    """Mark an invoice as paid, after its intent succeeded or because nothing is due."""
    now = world.clock.now()
    invoice |= {"amount_paid": invoice["amount_due"], "amount_remaining": 0, "next_payment_attempt": None}
    invoice |= {"attempted": True, "auto_advance": False, "status": "paid"}
    invoice["status_transitions"]["paid_at"] = now
    world.save(invoice)
    for payment in list(world["invoice_payment"].newest_first(invoice=invoice["id"])):
        payment |= {"amount_paid": invoice["amount_due"], "status": "paid"}
        payment["status_transitions"]["paid_at"] = now
        world.save(payment)
        emit(world, "invoice_payment.paid", payment)
    emit(world, "invoice.paid", invoice)
    emit(world, "invoice.payment_succeeded", invoice)
    for told in PAID:
        told(world, invoice)


def charge(world: World, invoice: Item, method: Item, *, off_session: bool) -> str:
    """Try to collect an open invoice; return the status in which this leaves its intent."""
    if not invoice["amount_due"]:
        settle(world, invoice)
        return "succeeded"
    intent = world["payment_intent"].get(world.note(invoice["id"])["intent"])
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    world.save(invoice)
    status = payments.collect(world, intent, method, off_session=off_session)
    if status == "succeeded":
        settle(world, invoice)
    elif status == "requires_payment_method":
        fail(world, invoice, intent)
    elif status == "requires_action":
        emit(world, "invoice.payment_action_required", invoice)
    return status


def fail(world: World, invoice: Item, intent: Item) -> None:
    """Tell of a failed attempt and plan the next, if there is to be one."""
    attempt = invoice["attempt_count"]
    again = attempt <= len(RETRY_DAYS) and invoice["billing_reason"] != "subscription_create"
    next_at = world.clock.now() + RETRY_DAYS[attempt - 1] * DAY_SECONDS if again else None
    invoice["next_payment_attempt"] = next_at
    world.save(invoice)
    if next_at:
        world.clock.plan(next_at, "retry_invoice", invoice["id"], attempt)
    if intent["last_payment_error"]["code"] == "authentication_required":
        emit(world, "invoice.payment_action_required", invoice)
    emit(world, "invoice.payment_failed", invoice)
    for told in FAILED:
        told(world, invoice)


def debit_settled(world: World, intent: Item) -> None:
    """Take in that a debit towards an invoice has arrived or failed."""
    invoice_id = world.note(intent["id"]).get("invoice")
    if invoice_id is None:
        return
    invoice = world["invoice"].get(invoice_id)
    if intent["status"] == "succeeded":
        settle(world, invoice)
    else:
        invoice["attempt_count"] = max(1, invoice["attempt_count"])
        fail(world, invoice, intent)


payments.SETTLED.append(debit_settled)


def void(world: World, invoice: Item) -> None:
    """Declare that an invoice is not to be paid."""
    invoice |= {"status": "void", "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"]["voided_at"] = world.clock.now()
    world.save(invoice)
    emit(world, "invoice.voided", invoice)


def give_up(world: World, invoice: Item) -> None:
    """Declare that an invoice will not be paid."""
    invoice |= {"status": "uncollectible", "next_payment_attempt": None, "auto_advance": False}
    invoice["status_transitions"]["marked_uncollectible_at"] = world.clock.now()
    world.save(invoice)
    emit(world, "invoice.marked_uncollectible", invoice)


def subscription_of(world: World, invoice: Item) -> Item:
    """Return the subscription that an invoice belongs to."""
    return world["subscription"].get(world.note(invoice["id"])["subscription"])


def method_of(world: World, subscription: Item) -> Item:
    """Return the payment method that a subscription is charged with."""
    customer = world["customer"].get(subscription["customer"])
    wanted = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return world["payment_method"].get(wanted or "", "default_payment_method")


@job
def retry_invoice(world: World, invoice_id: str, attempt: int) -> None:
    """Try again to collect an invoice, unless it has been paid or given up meanwhile."""
    invoice = world["invoice"].get(invoice_id)
    if invoice["status"] == "open" and invoice["attempt_count"] == attempt:
        charge(world, invoice, method_of(world, subscription_of(world, invoice)), off_session=True)


@route("GET", "/v1/invoices", InvoiceListParams)
def list_invoices(world: World, params: dict[str, Any]) -> Item:
    """List invoices."""
    supported(params, (*listing.PAGING, "customer", "status", "subscription"))
    wanted = {name: params.get(name) for name in ("customer", "status") if name in params}
    found = world["invoice"].newest_first(**wanted)
    if "subscription" in params:
        owner = params["subscription"]
        found = (item for item in found if world.note(item["id"])["subscription"] == owner)
    return listing.page("/v1/invoices", found, params, world["invoice"].positions)


@route("GET", "/v1/invoices/{id}", InvoiceRetrieveParams)
def retrieve_invoice(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one invoice."""
    return world["invoice"].get(wanted)


@route("POST", "/v1/invoices/{id}/pay", InvoicePayParams)
def pay_invoice(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Try to collect an open invoice now."""
    supported(params, ("payment_method", "off_session"))
    invoice = _open_invoice(world, wanted)
    if "payment_method" in params:
        method = world["payment_method"].get(params["payment_method"], "payment_method")
    else:
        method = method_of(world, subscription_of(world, invoice))
    if (
        charge(world, invoice, method, off_session=params.get("off_session", True))
        == "requires_payment_method"
    ):
        error = world["payment_intent"].get(world.note(wanted)["intent"])["last_payment_error"]
        raise ApiError(
            402,
            error["message"],
            kind="card_error",
            code=error["code"],
            decline_code=error.get("decline_code"),
        )
    return invoice


@route("POST", "/v1/invoices/{id}/void", InvoiceVoidInvoiceParams)
def void_invoice(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Declare that an open invoice is not to be paid."""
    invoice = _open_invoice(world, wanted)
    void(world, invoice)
    return invoice


def _open_invoice(world: World, wanted: str) -> Item:
    invoice = world["invoice"].get(wanted)
    if invoice["status"] != "open":
        raise conflict_of_state(f"Invoice is {invoice['status']}, not open.", "invoice_not_editable")
    return invoice


@route("GET", "/v1/invoice_payments", InvoicePaymentListParams)
def list_payments(world: World, params: dict[str, Any]) -> Item:
    """List payments towards invoices, also by the payment intent that made them."""
    wanted = {name: params.get(name) for name in ("invoice", "status") if name in params}
    intent = params.get("payment", {}).get("payment_intent")
    if intent:
        wanted["invoice"] = world.note(intent).get("invoice")
    found = world["invoice_payment"].newest_first(**wanted)
    return listing.page("/v1/invoice_payments", found, params, world["invoice_payment"].positions)


@route("GET", "/v1/invoice_payments/{id}", InvoicePaymentRetrieveParams)
def retrieve_payment(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one payment towards an invoice."""
    return world["invoice_payment"].get(wanted)


def _payments_of(world: World, invoice: Item) -> Item:
    data = list(world["invoice_payment"].newest_first(invoice=invoice["id"]))
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/invoice_payments"}


listing.EXTRAS["invoice", "payments"] = _payments_of
