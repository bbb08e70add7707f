"""Paying: what happens when a donor submits the hosted page, or a test pays without it.

The outcome says what the donor sees next: `paid` (back to the success address), `challenge` (the 3-D Secure
page) or `declined` with a message.
"""

from typing import NamedTuple

from stripe_sandbox import cards
from stripe_sandbox.errors import ApiError, conflict_of_state
from stripe_sandbox.jobs import run_due
from stripe_sandbox.resources import billing, charges, customers, payments, sessions
from stripe_sandbox.store import Item, World


class Outcome(NamedTuple):
    """What came of trying to pay."""

    result: str
    message: str | None = None


def pay(world: World, session_id: str, means_text: str, email: str | None, name: str | None) -> Outcome:
    """Pay an open session by a test card's number or a debit's key.

    Raises:
        ApiError: there is no such session, or it is no longer open.
    """
    with world.lock:
        session = _open_session(world, session_id)
        try:
            means = cards.chosen(means_text)
        except ApiError as refusal:
            return Outcome("declined", refusal.message)
        if means.type not in session["payment_method_types"]:
            return Outcome("declined", f"{means.title} is not offered for this payment.")
        email = session["customer_email"] or email
        method = charges.new_method(world, means, email, name)
        world.note(session_id)["payer"] = [email, name]
        if not session["amount_total"]:
            return _finish(world, session, method, None)
        intent = _intent(world, session, method)
        return _after(world, session, method, intent, payments.collect(world, intent, method))


def answer_challenge(world: World, session_id: str, *, passed: bool) -> Outcome:
    """Pass or fail 3-D Secure for the payment that waits for it.

    Raises:
        ApiError: nothing waits for an answer.
    """
    with world.lock:
        session = _open_session(world, session_id)
        intent = world["payment_intent"].get(world.note(session_id).get("intent", ""))
        if intent["status"] != "requires_action":
            raise conflict_of_state("This payment is not waiting for 3-D Secure.")
        method = world["payment_method"].get(intent["payment_method"])
        if passed:
            status = payments.collect(world, intent, method, authenticated=True)
        else:
            status = payments.refuse_challenge(world, intent)
        return _after(world, session, method, intent, status)


def _open_session(world: World, session_id: str) -> Item:
    run_due(world)
    session = world["checkout.session"].get(session_id, "session")
    if session["status"] != "open":
        raise conflict_of_state(f"This Checkout Session is no longer open: it is {session['status']}.")
    return session


def _intent(world: World, session: Item, method: Item) -> Item:
    """Return the session's payment intent, made when the donor first tries to pay."""
    note = world.note(session["id"])
    if "intent" in note:
        return world["payment_intent"].get(note["intent"])
    data: Item = (
        note["intent_data"] if session["mode"] == "payment" else {"description": "Subscription creation"}
    )
    intent = payments.new_intent(
        world,
        session["amount_total"],
        session["currency"],
        session["payment_method_types"],
        customer=_customer(world, session, method),
        description=data.get("description"),
        metadata=dict(data.get("metadata", {})),
        receipt_email=data.get("receipt_email"),
        setup_future_usage="off_session"
        if session["mode"] == "subscription"
        else data.get("setup_future_usage"),
        statement_descriptor_suffix=data.get("statement_descriptor_suffix"),
    )
    note["intent"] = intent["id"]
    world.note(intent["id"])["session"] = session["id"]
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
        world.save(session)
    return intent


def _customer(world: World, session: Item, method: Item) -> str | None:
    """Return the customer who pays; subscriptions need one, single payments only when asked for."""
    if session["customer"] is None and session["customer_creation"] == "always":
        details = method["billing_details"]
        session["customer"] = customers.new_customer(world, details["email"], details["name"])["id"]
        world.save(session)
    customer: str | None = session["customer"]
    return customer


def _after(world: World, session: Item, method: Item, intent: Item, status: str) -> Outcome:
    if status == "requires_action":
        return Outcome("challenge")
    if status == "requires_payment_method":
        return Outcome("declined", intent["last_payment_error"]["message"])
    return _finish(world, session, method, intent)


def _finish(world: World, session: Item, method: Item, intent: Item | None) -> Outcome:
    if session["mode"] == "subscription":
        _customer(world, session, method)
        billing.start(world, session, method, intent)
    status = (
        "no_payment_required" if intent is None else "paid" if intent["status"] == "succeeded" else "unpaid"
    )
    email, name = world.note(session["id"])["payer"]
    sessions.mark_complete(world, session, status, email, name)
    run_due(world)
    return Outcome("paid")


payments.SETTLED.append(sessions.debit_settled)
