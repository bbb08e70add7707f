"""What an admin does about a gift's money: a refund ordered, the books corrected; each audited as it is stored."""

from __future__ import annotations

from sqlalchemy import select

from appeal.books import adjustments, ledger, refunding
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, LedgerEntry, RefundOrder
from appeal.office import audit
from appeal.office.audit import Actor
from appeal.payments import Gateway


def refund(
    donation: Donation, amount_minor: int, actor: Actor, *, reason: str, key: str, gateway: Gateway
) -> RefundOrder:
    """Order a refund, once for the form it was typed in, and ask Stripe for it.

    Raises:
        NotPossible: the amount or the gift does not allow it, or no reason is given; nothing was asked.
        PaymentsRefused: Stripe said no; nothing moved.
        PaymentsError: Stripe did not answer; the worker asks again with the same key.
    """
    with writing():
        new = _order_of(key) is None
        order = refunding.order(donation, amount_minor, reason=reason, actor=actor.email, key=key)
        if new:
            after = {"amount_minor": amount_minor, "order": order.public_id}
            audit.write(
                actor, "donation.refunded", f"donation:{donation.public_id}", after=after, reason=reason
            )
    return refunding.finish(order, gateway)


def _order_of(key: str) -> RefundOrder | None:
    return db.session.scalars(select(RefundOrder).where(RefundOrder.public_id == key)).one_or_none()


def must_be_correctable(donation: Donation, change_minor: int, actor: Actor, *, reason: str) -> None:
    """Refuse what `correct` would refuse.

    Raises:
        NotPossible: nothing was entered for it, no reason is given, or less than nothing would be left.
    """
    adjustments.correctable(_entry_id(donation), change_minor, reason=reason, actor=actor.email)


def correct(donation: Donation, change_minor: int, actor: Actor, *, reason: str, key: str) -> None:
    """Correct what was entered for a gift, by a signed change, once for the form it was typed in.

    Raises:
        NotPossible: nothing was entered for it, no reason is given, or less than nothing would be left.
    """
    with writing() as session:
        donation = ledger.lock(donation.id)
        if session.scalar(select(LedgerEntry.id).where(LedgerEntry.fact == f"co:{key}")) is not None:
            return
        adjustments.correct(_entry_id(donation), change_minor, reason=reason, actor=actor.email, key=key)
        after = {"change_minor": change_minor}
        audit.write(actor, "donation.corrected", f"donation:{donation.public_id}", after=after, reason=reason)


def _entry_id(donation: Donation) -> int:
    return next((one.id for one in ledger.entries_of(donation) if one.kind == "gift"), 0)
