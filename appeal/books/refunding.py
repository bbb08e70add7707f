"""Refunds that staff order: refused where Stripe would refuse, stored before Stripe is asked, never made twice."""

from __future__ import annotations

from sqlalchemy import select

from appeal.books import adjustments, ledger, standing
from appeal.core import clock, ids, money
from appeal.core.errors import NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, RefundOrder
from appeal.payments import Gateway, PaymentsError, PaymentsRefused, RefundRequest


def refundable_minor(donation: Donation) -> int:
    """Return how much of a gift and its cover can still be refunded, orders under way taken out, in minor units."""
    stands = standing.of(donation)
    if stands is None or why_not(donation):
        return 0
    return max(0, stands.left_minor - _under_way_minor(donation))


def why_not(donation: Donation) -> str:
    """Say why a gift cannot be refunded at all; an empty text when it can."""
    if donation.source != "online":
        return "This gift did not come through Stripe; give it back the way it came."
    if donation.status != "received" or not donation.payment_intent_id:
        return "There is no payment to refund yet."
    taken = sum(
        entry.amount_minor
        for entry in ledger.entries_of(donation)
        if entry.kind in {"dispute", "dispute_reinstated"}
    )
    return "A bank has taken this gift back in a dispute; a refund would give it twice." if taken < 0 else ""


def _under_way_minor(donation: Donation) -> int:
    orders = select(RefundOrder).where(RefundOrder.donation_id == donation.id, RefundOrder.state == "asked")
    return sum(order.amount_minor for order in db.session.scalars(orders))


def refund(
    donation: Donation, amount_minor: int, *, reason: str, actor: str, gateway: Gateway
) -> RefundOrder:
    """Order a refund, ask Stripe for it, and enter it. The order is stored first and says who and why.

    Raises:
        NotPossible: the amount or the gift does not allow it; nothing was asked.
        PaymentsRefused: Stripe said no; nothing moved.
        PaymentsError: Stripe did not answer; `finish` asks again with the same key.
    """
    return finish(order(donation, amount_minor, reason=reason, actor=actor), gateway)


def order(donation: Donation, amount_minor: int, *, reason: str, actor: str, key: str = "") -> RefundOrder:
    """Store the order of a refund, once for its key, before Stripe is asked: `finish` asks.

    Raises:
        NotPossible: the amount or the gift does not allow it, or the key was used for something else.
    """
    key = key or ids.public_id()
    with writing() as session:
        donation = ledger.lock(donation.id)
        known = session.scalars(select(RefundOrder).where(RefundOrder.public_id == key)).one_or_none()
        if known is not None:
            return _same(known, donation, amount_minor)
        must_be_possible(donation, amount_minor, reason=reason, actor=actor)
        order = RefundOrder(
            public_id=key,
            donation_id=donation.id,
            amount_minor=amount_minor,
            currency=donation.currency,
            reason=reason,
            actor=actor,
            created_at=clock.now(),
        )
        session.add(order)
        return order


def _same(known: RefundOrder, donation: Donation, amount_minor: int) -> RefundOrder:
    if (known.donation_id, known.amount_minor) != (donation.id, amount_minor):
        raise NotPossible("This form has ordered another refund already. Open the gift again.")
    return known


def must_be_possible(donation: Donation, amount_minor: int, *, reason: str, actor: str) -> None:
    """Refuse what Stripe or the books would refuse.

    Raises:
        NotPossible: the amount or the gift does not allow it, or who and why are not said.
    """
    if not reason.strip() or not actor.strip():
        raise NotPossible("A refund says why, and who ordered it.")
    if problem := why_not(donation):
        raise NotPossible(problem)
    most_minor = refundable_minor(donation)
    if not 0 < amount_minor <= most_minor:
        most = money.format_money(most_minor, donation.currency, donation.appeal.locale)
        raise NotPossible(f"At most {most} of this gift can be refunded.")


def finish(order: RefundOrder, gateway: Gateway) -> RefundOrder:
    """Ask Stripe for a stored order, as often as needed: its key makes it one refund.

    Raises:
        PaymentsRefused: Stripe said no; nothing moved.
        PaymentsError: Stripe did not answer.
    """
    if order.state != "asked":
        return order
    donation = db.session.get_one(Donation, order.donation_id)
    request = RefundRequest(
        key=f"refund:{order.public_id}",
        request_id=order.public_id,
        payment_intent_id=donation.payment_intent_id or "",
        amount_minor=order.amount_minor,
        currency=order.currency,
    )
    try:
        made = gateway.refund(request)
    except PaymentsRefused as error:
        with writing() as session:
            refused = session.get_one(RefundOrder, order.id, populate_existing=True)
            refused.state, refused.problem = "refused", error.message[:500]
        raise
    with writing() as session:
        adjustments.apply_refund(made)
        kept = session.get_one(RefundOrder, order.id, populate_existing=True)
        kept.state, kept.refund_id = "made", made.refund_id
        return kept


def finish_all(gateway: Gateway) -> int:
    """Ask again for every order whose answer was lost; return how many were settled."""
    settled = 0
    for order in db.session.scalars(select(RefundOrder).where(RefundOrder.state == "asked")).all():
        try:
            finish(order, gateway)
        except PaymentsRefused:
            settled += 1
        except PaymentsError:
            break
        else:
            settled += 1
    return settled
