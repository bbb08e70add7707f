"""What only Stripe can tell, asked by the worker: how open attempts ended, and whose payment some news is about.

Nothing here decides anything: what Stripe answers goes through the same use cases as an event.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy import or_, select, update

from appeal.books import ledger
from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, monthly
from appeal.models import Donation, InboxEvent
from appeal.payments import Gateway, PaymentsError

OPEN_FOR = timedelta(minutes=3)
ASK_EVERY = timedelta(minutes=10)
# A debit takes days; a page that is just open is asked more often.
ON_ITS_WAY_EVERY = timedelta(hours=6)
MOST = 100

log = structlog.get_logger(__name__)


def open_attempts(gateway: Gateway, *, livemode: bool) -> int:
    """Ask how attempts ended that nobody has told of; return how many were asked about.

    Raises:
        PaymentsError: Stripe did not answer; the rest waits for the next time.
    """
    now = clock.now()
    asked = or_(Donation.asked_at.is_(None), Donation.asked_at < now - ASK_EVERY)
    slowly = or_(Donation.asked_at.is_(None), Donation.asked_at < now - ON_ITS_WAY_EVERY)
    young = Donation.created_at < now - OPEN_FOR
    query = select(Donation.id).where(
        young,
        or_(
            Donation.status.in_(("started", "open")) & asked,
            (Donation.status == "on_its_way") & slowly,
        ),
    )
    found = db.session.scalars(query.order_by(Donation.created_at).limit(MOST)).all()
    for donation_id in found:
        _ask(donation_id, gateway, livemode=livemode)
    return len(found)


def _ask(donation_id: int, gateway: Gateway, *, livemode: bool) -> None:
    with writing():
        donation = ledger.lock(donation_id)
        donation.asked_at = clock.now()
        session_id = donation.checkout_session_id
    if session_id is None:
        return _give_up_unopened(donation, gateway)
    told = gateway.read_checkout(session_id)
    return _through(lambda: monthly.settle(told, livemode=livemode))


def _give_up_unopened(donation: Donation, gateway: Gateway) -> None:
    """End an attempt whose page was never heard of: once it has run out nobody can pay on it any more."""
    ends = donation.attempt_expires_at
    if ends is not None and ends > clock.now():
        page = gateway.find_checkout(donation.public_id, donation.created_at)
        if page is not None:
            with writing():
                kept = ledger.lock(donation.id)
                kept.checkout_session_id, kept.checkout_url = page.session_id, page.url
        return
    with writing():
        late = ledger.lock(donation.id)
        if giving.RANK[late.status] < giving.RANK["expired"]:
            late.status, late.ended_at = "expired", clock.now()


def chase(gateway: Gateway, *, livemode: bool) -> int:
    """Find what events wait for: fetch it, or learn that it is not ours; return how many names were chased.

    Raises:
        PaymentsError: Stripe did not answer; the rest waits for the next time.
    """
    query = (
        select(InboxEvent.waits_for)
        .where(InboxEvent.waits_for.is_not(None), InboxEvent.state.in_(("waiting", "parked")))
        .where(InboxEvent.attempts >= 1)
        .distinct()
        .limit(MOST)
    )
    names = [name for name in db.session.scalars(query).all() if name]
    for name in names:
        kind, _, stripe_id = name.partition(":")
        if kind == "pi":
            _chase_payment(name, stripe_id, gateway, livemode=livemode)
        elif kind == "in":
            _chase_invoice(name, stripe_id, gateway)
    return len(names)


def _chase_payment(name: str, payment_intent_id: str, gateway: Gateway, *, livemode: bool) -> None:
    kind, _, owner = gateway.owner_of(payment_intent_id).partition(":")
    if not kind:
        return _not_ours(name)
    if kind == "invoice":
        return _chase_invoice(name, owner, gateway)
    session_id = db.session.scalar(select(Donation.checkout_session_id).where(Donation.public_id == owner))
    if session_id is None:
        return None
    told = gateway.read_checkout(session_id)
    return _through(lambda: monthly.settle(told, livemode=livemode))


def _chase_invoice(name: str, invoice_id: str, gateway: Gateway) -> None:
    instalment = gateway.read_invoice(invoice_id)
    if instalment is None:
        return _not_ours(name)
    payment_intent_id = instalment.payment_intent_id

    def take() -> None:
        monthly.receive(instalment)
        if payment_intent_id:
            monthly.link(invoice_id, payment_intent_id)

    return _through(take)


def _through(apply: Callable[[], object]) -> None:
    try:
        apply()
    except PaymentsError:
        raise
    except DomainError as error:
        log.info("asking.left", problem=error.message)


def _not_ours(name: str) -> None:
    """Let go of events about a payment that another product took on the same Stripe account."""
    with writing() as session:
        change = update(InboxEvent).where(
            InboxEvent.waits_for == name, InboxEvent.state.in_(("waiting", "parked"))
        )
        session.execute(
            change.values(
                state="ignored", problem="Not a gift of ours.", done_at=clock.now(), waits_for=None
            ).execution_options(synchronize_session=False)
        )
