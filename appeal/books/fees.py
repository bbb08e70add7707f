"""Fees and payouts: Stripe's own statement, kept beside the ledger so that a bank statement can be tied to gifts.

*Raised* is before fees and never depends on anything here. Movements are fetched by the worker, because events name
them without their fee; each is tied to the donation it came of, and to the payout that paid it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from appeal import payments
from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import BalanceMovement, Donation, Payout
from appeal.payments import Gateway, Movement
from appeal.queues import waiting

BATCH = 100
# A payout only ever moves to the right: any order of what is told ends in the same standing.
RANK = {"pending": 0, "in_transit": 1, "paid": 2, "canceled": 3, "failed": 3}


def link_charge(charge_id: str, payment_intent_id: str | None) -> bool:
    """Note which charge took a payment; False for a charge that is not ours or not known to be.

    A charge whose gift has not been told is no news to wait for: its gift brings the payment, which is enough.
    """
    if payment_intent_id is None:
        return False
    with writing() as session:
        change = update(Donation).where(
            Donation.payment_intent_id == payment_intent_id, Donation.charge_id.is_(None)
        )
        linked = session.execute(
            change.values(charge_id=charge_id).execution_options(synchronize_session=False)
        ).rowcount  # type: ignore[attr-defined]
        if linked:
            waiting.wake(f"ch:{charge_id}")
        return bool(linked)


def note_payout(told: payments.Payout, told_at: datetime) -> bool:
    """Keep a payout, moved on to what is told; an earlier standing told late changes nothing."""
    with writing() as session:
        values = {
            "payout_id": told.payout_id,
            "amount_minor": told.amount_minor,
            "currency": told.currency,
            "status": told.status,
            "arrives_at": told.arrives_at,
            "created_at": told.created_at,
            "told_at": told_at,
        }
        if ledger.insert_once(session, Payout, values, key="payout_id") is None:
            earlier = [status for status, rank in RANK.items() if rank < RANK.get(told.status, 0)]
            change = update(Payout).where(Payout.payout_id == told.payout_id, Payout.status.in_(earlier))
            change = change.values(status=told.status, told_at=told_at, movements_read_at=None)
            session.execute(change.execution_options(synchronize_session=False))
        return True


def pull(gateway: Gateway, since: datetime) -> int:
    """Fetch the movements made since an instant; return how many were new.

    Raises:
        PaymentsError: Stripe did not answer; what came before is kept.
    """
    found: list[Movement] = []
    new = 0
    for raw in gateway.listed("movements", since):
        found.append(payments.movement_of(raw))
        if len(found) == BATCH:
            new += keep(found)
            found.clear()
    return new + keep(found)


def keep(movements: Sequence[Movement]) -> int:
    """Store movements that are not known yet, each tied to its donation; return how many were new."""
    if not movements:
        return 0
    with writing() as session:
        owners = _owners(movements)
        new = 0
        for movement in movements:
            values = {
                "movement_id": movement.movement_id,
                "kind": movement.kind,
                "source_id": movement.source_id,
                "payment_intent_id": movement.payment_intent_id,
                "donation_id": owners.get(movement.movement_id),
                "amount_minor": movement.amount_minor,
                "fee_minor": movement.fee_minor,
                "net_minor": movement.net_minor,
                "currency": movement.currency,
                "created_at": movement.created_at,
                "available_at": movement.available_at,
            }
            new += ledger.insert_once(session, BalanceMovement, values, key="movement_id") is not None
        return new


def _owners(movements: Sequence[Movement]) -> dict[str, int]:
    """Say which donation each movement belongs to: a charge's, a refund's and a dispute's name the payment."""
    intents = {movement.payment_intent_id for movement in movements if movement.payment_intent_id}
    query = select(Donation.payment_intent_id, Donation.id).where(Donation.payment_intent_id.in_(intents))
    by_intent = {row.payment_intent_id: row.id for row in db.session.execute(query)}
    return {
        movement.movement_id: by_intent[movement.payment_intent_id]
        for movement in movements
        if movement.payment_intent_id in by_intent
    }


def tie_loose(most: int = 500) -> int:
    """Tie movements to donations that were entered after them; return how many were tied."""
    # Joined, so that another product's movements, which stay loose for ever, never stand in the way of ours.
    loose = (
        select(BalanceMovement, Donation.id)
        .join(Donation, Donation.payment_intent_id == BalanceMovement.payment_intent_id)
        .where(BalanceMovement.donation_id.is_(None))
        .limit(most)
    )
    with writing() as session:
        rows = session.execute(loose).all()
        for movement, donation_id in rows:
            movement.donation_id = donation_id
        return len(rows)


def read_payouts(gateway: Gateway, *, most: int = 20) -> int:
    """Ask for the movements of finished payouts that were not asked for yet; return how many payouts were read."""
    due = select(Payout).where(Payout.movements_read_at.is_(None), Payout.status.in_(("paid", "failed")))
    rows = db.session.scalars(due.order_by(Payout.created_at).limit(most)).all()
    for payout in rows:
        movements = list(gateway.movements_of(payout.payout_id))
        with writing() as session:
            keep(movements)
            _untie(payout)
            ids = [movement.movement_id for movement in movements]
            change = update(BalanceMovement).where(BalanceMovement.movement_id.in_(ids))
            session.execute(change.values(payout_id=payout.id).execution_options(synchronize_session=False))
            session.get_one(Payout, payout.id, populate_existing=True).movements_read_at = clock.now()
    return len(rows)


def _untie(payout: Payout) -> None:
    """Let go of what a payout paid out before it failed: it is paid out again by another."""
    change = update(BalanceMovement).where(BalanceMovement.payout_id == payout.id).values(payout_id=None)
    db.session.execute(change.execution_options(synchronize_session=False))


def newest_movement_at() -> datetime | None:
    """Return when the newest movement that is known was made."""
    return db.session.scalar(select(func.max(BalanceMovement.created_at)))


def since_last(overlap: timedelta) -> datetime:
    """Return from when on to ask for movements: a little before the newest that is known."""
    return (newest_movement_at() or clock.now() - timedelta(days=31)) - overlap


@dataclass(frozen=True, slots=True)
class Net:
    """What a donation or a payout brought after Stripe's fees, in the account's currency; None parts while nothing is known."""

    currency: str
    amount_minor: int
    fee_minor: int
    net_minor: int


def net_of(donation: Donation) -> Net | None:
    """Add up the movements of one donation; None while Stripe's statement has none."""
    rows = db.session.scalars(select(BalanceMovement).where(BalanceMovement.donation_id == donation.id)).all()
    return _sum(rows)


def total(lines: Iterable[PayoutLine]) -> Net | None:
    """Add up the lines of a payout; None while there are none."""
    return _sum(line.movement for line in lines)


def _sum(rows: Iterable[BalanceMovement]) -> Net | None:
    rows = list(rows)
    if not rows:
        return None
    return Net(
        rows[0].currency,
        sum(row.amount_minor for row in rows),
        sum(row.fee_minor for row in rows),
        sum(row.net_minor for row in rows),
    )


def payouts_of(donation: Donation) -> list[Payout]:
    """List the payouts that brought a donation's money to the bank, or took it back, the latest first."""
    paying = select(BalanceMovement.payout_id).where(BalanceMovement.donation_id == donation.id)
    query = select(Payout).where(Payout.id.in_(paying)).order_by(Payout.arrives_at.desc())
    return list(db.session.scalars(query))


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One line of a payout: a movement and, where it is a gift's, the gift's public id and name."""

    movement: BalanceMovement
    donation_public_id: str | None
    donor_name: str | None


def lines_of(payout: Payout) -> list[PayoutLine]:
    """List what a payout paid out, itself excluded; the nets add up to its amount."""
    # Stripe's own fees have no source: a plain `!=` would leave them out, and the sum would not be what the bank got.
    of_others = BalanceMovement.source_id.is_distinct_from(payout.payout_id)
    query = (
        select(BalanceMovement, Donation.public_id, Donation.name)
        .join(Donation, Donation.id == BalanceMovement.donation_id, isouter=True)
        .where(BalanceMovement.payout_id == payout.id, of_others)
        .order_by(BalanceMovement.created_at, BalanceMovement.id)
    )
    return [PayoutLine(*row) for row in db.session.execute(query)]


def payouts(most: int = 50) -> list[Payout]:
    """List the payouts, newest first."""
    return list(db.session.scalars(select(Payout).order_by(Payout.created_at.desc()).limit(most)))
