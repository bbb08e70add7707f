"""What becomes of a gift's money afterwards: refunds, disputes, corrections.

Each refund, each movement of a dispute and each reversal is one fact with its own id. What goes back is taken first
from the gift, then from the fee cover, and only then from the gift again: how much has gone back in all decides the
split, so that the order in which the facts come does not. Source: docs/money-rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from appeal.books import ledger
from appeal.core.errors import DoesNotFit, NotPossible, NotYet
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, LedgerEntry, RefundOrder
from appeal.payments import Dispute, FraudWarning, Movement, Refund
from appeal.queues import notices, outbox

BACK = ("refund", "dispute", "refund_reversed", "dispute_reinstated")


@dataclass(frozen=True, slots=True)
class Standing:
    """A gift in the books: what came, what has gone back of it in all, and which parts are part of *raised*."""

    gift_minor: int
    cover_minor: int
    back_minor: int
    gift_counts: bool
    cover_counts: bool

    @property
    def left_minor(self) -> int:
        """Return what has not gone back, of gift and cover together."""
        return max(0, self.gift_minor + self.cover_minor - self.back_minor)

    @property
    def gone_back(self) -> bool:
        """Return whether nothing of the gift itself is left."""
        return self.back_minor >= self.gift_minor

    def cover_back(self, back_minor: int) -> int:
        """Return how much of a sum that went back falls on the fee cover."""
        return min(max(back_minor - self.gift_minor, 0), self.cover_minor)

    def counted_of(self, amount_minor: int) -> int:
        """Return by how much *raised* falls when a further sum goes back."""
        cover_minor = self.cover_back(self.back_minor + amount_minor) - self.cover_back(self.back_minor)
        gift_minor = amount_minor - cover_minor
        return (gift_minor if self.gift_counts else 0) + (cover_minor if self.cover_counts else 0)


def standing(entries: Iterable[LedgerEntry]) -> Standing | None:
    """Work out how a gift stands from its entries; None when it has not been entered."""
    gift = cover = back = 0
    gift_counts, cover_counts, entered = True, False, False
    for entry in entries:
        if entry.kind in BACK:
            back -= entry.amount_minor
        elif entry.kind == "cover":
            cover, cover_counts = cover + entry.amount_minor, entry.counted
        else:
            gift += entry.amount_minor
            if entry.kind == "gift":
                gift_counts, entered = entry.counted, True
    return Standing(gift, cover, back, gift_counts, cover_counts) if entered else None


def apply_refund(refund: Refund) -> bool:
    """Enter one refund, and its reversal if it failed. Safe to repeat, in any order.

    Raises:
        NotYet: its gift has not been entered.
        DoesNotFit: it is in another currency than the gift.
    """
    with writing():
        if not refund.moved:
            return True
        donation = _locked(refund.payment_intent_id, refund.charge_id)
        _same_currency(donation, refund.currency, refund.refund_id)
        order = _order_of(refund)
        reason, actor = (order.reason, order.actor) if order else ("", "")
        entry = Entering("refund", f"re:{refund.refund_id}", refund.created_at, reason, actor)
        if _enter(donation, entry, -refund.amount_minor):
            _tell_donor(donation, refund)
        if refund.failed:
            back = Entering("refund_reversed", f"re:{refund.refund_id}:failed", refund.told_at)
            if _enter(donation, back, refund.amount_minor):
                _tell_of_failure(donation, refund)
        return True


def _tell_donor(donation: Donation, refund: Refund) -> None:
    if not refund.failed:
        content = {"amount_minor": refund.amount_minor}
        outbox.add("refunded", f"refunded:{refund.refund_id}", donation=donation, content=content)


def _tell_of_failure(donation: Donation, refund: Refund) -> None:
    notices.add(
        "refund_failed",
        f"refund_failed:{refund.refund_id}",
        "A refund did not reach the donor; the money is back with the appeal. Please find another way.",
        donation=donation,
    )


def _order_of(refund: Refund) -> RefundOrder | None:
    """Find what staff ordered; the refund carries the order's name, so it is found whoever tells first."""
    if not refund.request_id:
        return None
    order = db.session.scalars(
        select(RefundOrder).where(RefundOrder.public_id == refund.request_id)
    ).one_or_none()
    if order is not None:
        order.state, order.refund_id = "made", refund.refund_id
    return order


def apply_dispute(dispute: Dispute) -> bool:
    """Enter every movement that a dispute has made so far; an inquiry has none. Safe to repeat, in any order.

    Raises:
        NotYet: its gift has not been entered.
        DoesNotFit: it is in another currency than the gift.
    """
    with writing():
        donation = _locked(dispute.payment_intent_id, dispute.charge_id)
        _same_currency(donation, dispute.currency, dispute.dispute_id)
        for movement in dispute.movements:
            amount_minor = _disputed_minor(dispute, movement)
            kind = "dispute" if amount_minor < 0 else "dispute_reinstated"
            entry = Entering(kind, f"dp:{movement.movement_id}", movement.created_at)
            if amount_minor:
                _enter(donation, entry, amount_minor)
        notices.add(
            "dispute",
            f"dispute:{dispute.dispute_id}",
            "A bank disputes this gift. Answer it in Stripe's dashboard before its deadline.",
            donation=donation,
        )
        return True


def _disputed_minor(dispute: Dispute, movement: Movement) -> int:
    """Return what a movement takes (negative) or gives back, in the gift's currency, without the bank's fee."""
    if movement.currency == dispute.currency:
        return movement.amount_minor
    # The account is kept in another currency: the sum disputed is the one that both sides know.
    sign = (movement.amount_minor > 0) - (movement.amount_minor < 0)
    return sign * dispute.amount_minor


def flag(warning: FraudWarning) -> bool:
    """Flag the gift that a bank warns of. No money moves.

    Raises:
        NotYet: its gift has not been entered.
    """
    with writing():
        donation = _locked(warning.payment_intent_id, warning.charge_id)
        if donation.fraud_warning_at is None or warning.created_at < donation.fraud_warning_at:
            donation.fraud_warning_at = warning.created_at
        notices.add(
            "fraud_warning",
            f"fraud_warning:{warning.warning_id}",
            "A bank warns that this card was used without its owner. Refund the gift before it is disputed.",
            donation=donation,
        )
        return True


def find(payment_intent_id: str | None, charge_id: str | None) -> int | None:
    """Return the id of the donation that a payment or charge paid; None when none is known."""
    known = [
        column == value
        for column, value in (
            (Donation.payment_intent_id, payment_intent_id),
            (Donation.charge_id, charge_id),
        )
        if value
    ]
    return db.session.scalar(select(Donation.id).where(or_(*known)).limit(1)) if known else None


def _locked(payment_intent_id: str | None, charge_id: str | None) -> Donation:
    donation_id = find(payment_intent_id, charge_id)
    if donation_id is None:
        raise NotYet(f"pi:{payment_intent_id}" if payment_intent_id else f"ch:{charge_id}")
    return ledger.lock(donation_id)


def _same_currency(donation: Donation, currency: str, what: str) -> None:
    if currency != donation.currency:
        raise DoesNotFit(f"{what} is in {currency}, the gift in {donation.currency}.")


@dataclass(frozen=True, slots=True)
class Entering:
    """A fact about to be entered: what it is, its own id, when it happened; for an order, why and who."""

    kind: str
    fact: str
    occurred_at: datetime
    reason: str = ""
    actor: str = ""


def _enter(donation: Donation, entering: Entering, amount_minor: int) -> bool:
    """Write the one or two entries of a fact, split between gift and cover; False when it is known already.

    Raises:
        NotYet: the gift itself has not been entered.
    """
    entries = ledger.entries_of(donation)
    stands = standing(entries)
    if stands is None:
        raise NotYet(f"pi:{donation.payment_intent_id}")
    on_cover = f"{entering.fact}:cover"
    if any(entry.fact in {entering.fact, on_cover} for entry in entries):
        return False
    cover_minor = stands.cover_back(stands.back_minor) - stands.cover_back(stands.back_minor - amount_minor)
    parts = (
        (entering.fact, amount_minor - cover_minor, stands.gift_counts),
        (on_cover, cover_minor, stands.cover_counts),
    )
    for fact, part_minor, counted in parts:
        if part_minor:
            ledger.record(
                donation,
                ledger.Fact(
                    entering.kind,
                    fact,
                    part_minor,
                    entering.occurred_at,
                    counted=counted,
                    reason=entering.reason,
                    actor=entering.actor,
                ),
            )
    return True


def correct(entry_id: int, amount_minor: int, *, reason: str, actor: str, key: str) -> LedgerEntry:
    """Correct an entry with a new one that names it; `amount_minor` is the signed change, `key` makes it happen once.

    Raises:
        NotPossible: there is no such entry, it is not a gift's, or less than nothing would be left.
    """
    with writing() as session:
        old = correctable(entry_id, amount_minor, reason=reason, actor=actor)
        donation = ledger.lock(old.donation_id)
        _leaves_enough(donation, amount_minor)
        fact = ledger.Fact(
            "correction",
            f"co:{key}",
            amount_minor,
            old.occurred_at,
            counted=old.counted,
            corrects_id=old.id,
            reason=reason,
            actor=actor,
        )
        ledger.record(donation, fact)
        return session.scalars(select(LedgerEntry).where(LedgerEntry.fact == fact.fact)).one()


def correctable(entry_id: int, amount_minor: int, *, reason: str, actor: str) -> LedgerEntry:
    """Return the entry that a correction would name.

    Raises:
        NotPossible: there is no such entry, it is not a gift's, or less than nothing would be left.
    """
    if not reason.strip() or not actor.strip() or not amount_minor:
        raise NotPossible("A correction says by how much, why, and who.")
    old = db.session.get(LedgerEntry, entry_id)
    if old is None or old.kind not in {"gift", "correction"}:
        raise NotPossible("Only the entry of a gift can be corrected; refunds and disputes are Stripe's.")
    _leaves_enough(db.session.get_one(Donation, old.donation_id), amount_minor)
    return old


def _leaves_enough(donation: Donation, amount_minor: int) -> None:
    stands = standing(ledger.entries_of(donation))
    if stands is None or amount_minor < -stands.left_minor:
        raise NotPossible("The correction is larger than what is left of the gift.")
