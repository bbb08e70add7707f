"""The pages a donor of a monthly gift meets: an open invoice to pay, and the portal."""

from datetime import UTC, datetime

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from stripe_sandbox import cards
from stripe_sandbox.errors import ApiError
from stripe_sandbox.jobs import run_due
from stripe_sandbox.page_parts import chosen_means, rhythm, shown
from stripe_sandbox.resources import charges, customers, invoices, portal
from stripe_sandbox.shapes import change
from stripe_sandbox.store import Item, World


def invoice_pages(world: World) -> Blueprint:
    """Return the pages of invoices."""
    pages = Blueprint("invoices", __name__)

    @pages.get("/i/<invoice_id>")
    def invoice_page(invoice_id: str) -> Response:
        return _invoice_page(world, invoice_id)

    @pages.post("/i/<invoice_id>")
    def pay_invoice(invoice_id: str) -> AnyResponse:
        message = _pay_invoice(world, invoice_id, chosen_means(request.form))
        if message:
            return _invoice_page(world, invoice_id, message)
        return redirect(f"/i/{invoice_id}", 303)

    @pages.get("/i/<invoice_id>/pdf")
    def invoice_pdf(invoice_id: str) -> tuple[str, int]:
        world["invoice"].get(invoice_id)
        return render_template("sorry.html", message="The sandbox prints no invoices."), 404

    return pages


def _invoice_page(world: World, invoice_id: str, message: str | None = None) -> Response:
    invoice = world["invoice"].get(invoice_id)
    return shown(
        "invoice.html",
        [],
        invoice=invoice,
        merchant=world.merchant,
        means=cards.offered(["card"]),
        message=message,
        good_card=cards.GOOD_CARD,
    )


def _pay_invoice(world: World, invoice_id: str, means_text: str) -> str | None:
    """Pay an open invoice by another card, which is kept for later; return a message if that fails."""
    with world.lock:
        invoice = world["invoice"].get(invoice_id)
        if invoice["status"] != "open":
            return "This invoice is no longer open."
        try:
            means = cards.chosen(means_text)
        except ApiError as refusal:
            return refusal.message
        method = charges.new_method(world, means, invoice["customer_email"], invoice["customer_name"])
        # The page stands in for the bank's own confirmation as well.
        world.note(method["id"])["challenge"] = False
        if invoices.charge(world, invoice, method, off_session=False) != "succeeded":
            error = world["payment_intent"].get(world.note(invoice_id)["intent"])["last_payment_error"]
            return str(error["message"])
        customers.attach(world, invoice["customer"], method)
        subscription = invoices.subscription_of(world, invoice)
        if subscription["status"] != "canceled":
            change(world, "customer.subscription.updated", subscription, default_payment_method=method["id"])
        run_due(world)
        return None


def portal_pages(world: World) -> Blueprint:
    """Return the pages of the portal."""
    pages = Blueprint("portal", __name__)

    @pages.get("/p/session/<session_id>")
    def home(session_id: str) -> Response:
        return _portal(world, session_id)

    @pages.post("/p/session/<session_id>/subscriptions/<subscription_id>")
    def decide(session_id: str, subscription_id: str) -> AnyResponse:
        with world.lock:
            session = world["billing_portal.session"].get(session_id)
            portal.decide(world, session, subscription_id, request.form.get("decision", ""))
        return _back(session)

    @pages.post("/p/session/<session_id>/card")
    def card(session_id: str) -> AnyResponse:
        try:
            means = cards.chosen(chosen_means(request.form))
        except ApiError as refusal:
            return _portal(world, session_id, refusal.message)
        if means.decline and not means.later:
            return _portal(world, session_id, cards.DECLINES[means.decline][1])
        with world.lock:
            session = world["billing_portal.session"].get(session_id)
            customer = world["customer"].get(session["customer"])
            portal.change_card(
                world, session, charges.new_method(world, means, customer["email"], customer["name"])
            )
        return _back(session)

    return pages


def _back(session: Item) -> AnyResponse:
    """Send the donor where the session's flow says, or back to the portal."""
    after = (session["flow"] or {}).get("after_completion", {})
    if after.get("type") == "redirect":
        return redirect(after["redirect"]["return_url"], 303)
    return redirect(f"/p/session/{session['id']}", 303)


def _portal(world: World, session_id: str, message: str | None = None) -> Response:
    session = world["billing_portal.session"].get(session_id)
    customer = world["customer"].get(session["customer"])
    own = [_gift(world, item) for item in world["subscription"].newest_first(customer=customer["id"])]
    after = (session["flow"] or {}).get("after_completion", {}).get("redirect") or {}
    return shown(
        "portal.html",
        [session["return_url"], after.get("return_url")],
        session=session,
        customer=customer,
        merchant=world.merchant,
        gifts=own,
        means=cards.offered(["card"]),
        message=message,
        good_card=cards.GOOD_CARD,
    )


def _gift(world: World, subscription: Item) -> Item:
    """Return what the portal shows of a subscription."""
    item = subscription["items"]["data"][0]
    method = invoices.method_of(world, subscription)
    return {
        "id": subscription["id"],
        "name": world["product"].get(item["price"]["product"])["name"],
        "amount_minor": item["price"]["unit_amount"] * item["quantity"],
        "currency": subscription["currency"],
        "rhythm": rhythm(item["price"]),
        "status": subscription["status"],
        "ends": subscription["cancel_at"] is not None,
        "paused": subscription["pause_collection"] is not None,
        "next_on": datetime.fromtimestamp(item["current_period_end"], UTC).strftime("%-d %B %Y"),
        "last4": method[method["type"]]["last4"],
    }
