"""The way to Stripe's payment page, and back from it, for one donation that is committed already.

No transaction is open while Stripe is asked. The idempotency key is the donation and the attempt, both stored
before the call, so that a double click, a reload or a lost answer leads to the same session.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import bindparam, case, func, update

from appeal.books import ledger
from appeal.core import clock
from appeal.core.errors import DoesNotFit
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, limits, monthly
from appeal.models import Donation
from appeal.payments import (
    CheckoutPage,
    CheckoutRequest,
    Gateway,
    PaymentsBusy,
    PaymentsError,
    PaymentsFailed,
    PaymentsRefused,
    PaymentState,
    PaymentsUnderWay,
    PaymentsUnknown,
)

log = structlog.get_logger(__name__)

# A key is replayed by Stripe for at least a day; a session shorter than that never outlives its key.
ASK_AGAIN_AFTER = timedelta(seconds=4)
TRY_AGAIN_WITHIN_SECONDS = 1.5
WAIT_FOR_OTHER_SECONDS, LOOK_EVERY_SECONDS = 8.0, 0.2


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where Stripe sends the person: on success (`{id}` stands for the donation's public id) and on turning back."""

    success: str
    cancel: str


def lead(donation: Donation, gateway: Gateway, addresses: Addresses) -> str:
    """Return the address of the donation's payment page, opening the session if it is not open yet.

    Raises:
        PaymentsError: no page could be had; nobody was charged, and asking again is safe.
    """
    donation = _prepare(donation)
    if donation.status not in {"started", "open"}:
        return addresses.success.format(id=donation.public_id)
    if donation.checkout_url:
        return donation.checkout_url
    return _keep(donation.id, _open(donation, gateway, addresses)).url


def _is_prepared(donation: Donation, now: datetime) -> bool:
    """Say whether this attempt was stored with its end, as a new donation is: then it need not be stored again."""
    ends_at = donation.attempt_expires_at
    return donation.status in {"started", "open"} and ends_at is not None and ends_at > now


def _prepare(donation: Donation) -> Donation:
    """Store when this attempt ends; an attempt whose page has closed is followed by the next."""
    now = clock.now()
    if _is_prepared(donation, now):
        return donation
    with writing():
        donation = ledger.lock(donation.id)
        over = donation.attempt_expires_at is not None and donation.attempt_expires_at <= now
        if donation.status == "expired" or (over and donation.status in {"started", "open"}):
            _next_attempt(donation)
        if donation.attempt_expires_at is None:
            donation.attempt_expires_at = giving.attempt_ends(now)
        return donation


def _next_attempt(donation: Donation) -> None:
    donation.attempt += 1
    donation.attempt_expires_at = None
    donation.checkout_session_id = donation.checkout_url = donation.ended_at = None
    donation.status = "started"


def _open(donation: Donation, gateway: Gateway, addresses: Addresses) -> CheckoutPage:
    """Ask Stripe; once more where that is safe and there is still time."""
    began = time.monotonic()
    try:
        return gateway.open_checkout(_request(donation, addresses))
    except PaymentsBusy:
        raise
    except PaymentsRefused:
        limits.release(donation.id)
        _bump(donation.id, donation.attempt)
        raise
    except PaymentsFailed:
        return _open_after_failure(donation, gateway, addresses)
    except PaymentsUnderWay:
        return _wait_for_other(donation.id)
    except PaymentsUnknown:
        if page := _page_of(donation.id):
            return page
        if time.monotonic() - began > TRY_AGAIN_WITHIN_SECONDS:
            raise
        return gateway.open_checkout(_request(donation, addresses))


def _open_after_failure(donation: Donation, gateway: Gateway, addresses: Addresses) -> CheckoutPage:
    """Follow a definite failure: its key replays it, so look for the session, then ask with the next attempt's key."""
    page = gateway.find_checkout(donation.public_id, donation.created_at)
    if page:
        return page
    following = _bump(donation.id, donation.attempt)
    return _page_of(donation.id) or gateway.open_checkout(_request(following, addresses))


def _bump(donation_id: int, failed_attempt: int) -> Donation:
    """Begin the next attempt, unless the same form, sent twice, has begun it or has its page already."""
    with writing():
        donation = ledger.lock(donation_id)
        if donation.attempt == failed_attempt and donation.checkout_url is None:
            _next_attempt(donation)
            donation.attempt_expires_at = giving.attempt_ends(clock.now())
        return donation


def _wait_for_other(donation_id: int) -> CheckoutPage:
    """Wait for the page that the same form, sent twice, is being given through the other request."""
    until = time.monotonic() + WAIT_FOR_OTHER_SECONDS
    while time.monotonic() < until:
        if page := _page_of(donation_id):
            return page
        time.sleep(LOOK_EVERY_SECONDS)
    raise PaymentsUnknown("the same form is still being worked on")


def _page_of(donation_id: int) -> CheckoutPage | None:
    """Look anew whether a donation has its page: the same form may have been sent twice."""
    db.session.rollback()
    donation = db.session.get_one(Donation, donation_id, populate_existing=True)
    if donation.checkout_url and donation.checkout_session_id:
        return CheckoutPage(donation.checkout_session_id, donation.checkout_url)
    return None


def _request(donation: Donation, addresses: Addresses) -> CheckoutRequest:
    appeal = donation.appeal
    if donation.attempt_expires_at is None:
        raise PaymentsRefused("The attempt has no end.")
    return CheckoutRequest(
        donation_public_id=donation.public_id,
        key=f"donation:{donation.public_id}:{donation.attempt}",
        amount_minor=donation.amount_minor,
        cover_minor=donation.cover_minor,
        currency=donation.currency,
        frequency=donation.frequency,
        product=_product(donation),
        email=donation.donor.email or "",
        locale=appeal.locale.partition("_")[0] or "auto",
        success_url=addresses.success.format(id=donation.public_id),
        cancel_url=addresses.cancel,
        expires_at=donation.attempt_expires_at,
    )


def _product(donation: Donation) -> str:
    appeal = donation.appeal
    rhythm = "Monthly gift" if donation.frequency == "monthly" else "Gift"
    return f"{rhythm} to {appeal.title}" + (f", {appeal.publisher}" if appeal.publisher else "")


def _keep(donation_id: int, page: CheckoutPage) -> CheckoutPage:
    """Store a donation's page in one statement; a page that it has already stays."""
    with writing() as session:
        values = {"of_donation": donation_id, "session_id": page.session_id, "url": page.url}
        session.connection().execute(_page_kept(), values)
    return page


@lru_cache(maxsize=1)
def _page_kept() -> Any:
    change = update(Donation).where(Donation.id == bindparam("of_donation"))
    return change.values(
        status=case((Donation.status == "started", "open"), else_=Donation.status),
        checkout_session_id=func.coalesce(Donation.checkout_session_id, bindparam("session_id")),
        checkout_url=func.coalesce(Donation.checkout_url, bindparam("url")),
    )


@dataclass(frozen=True, slots=True)
class Back:
    """Somebody back from Stripe: their donation as the books have it, and what Stripe said of its page just now.

    `told` is None where Stripe was not asked (the books know the end, or it was asked a moment ago) or did not answer.
    `page_url` leads to the payment page while Stripe says that it is open; empty otherwise.
    """

    donation: Donation
    told: PaymentState | None = None
    page_url: str = ""


def come_back(public_id: str, gateway: Gateway, *, livemode: bool) -> Back:
    """Return the donation of someone back from Stripe, settled if Stripe says so and no event has come yet.

    Stripe is asked at most every few seconds a donation, and trouble with it is no trouble of the donor's: the
    donation is then returned as it stands. An answer is never kept for the next time: somebody may have paid since.

    Raises:
        NoSuchDonation: there is none of that name.
    """
    donation = giving.by_public_id(public_id)
    session_id = donation.checkout_session_id
    if donation.status not in {"open", "on_its_way", "started"} or session_id is None:
        return Back(donation)
    if not _may_ask(donation.id, clock.now()):
        return Back(donation)
    try:
        told = gateway.read_checkout(session_id)
        donation = monthly.settle(told, livemode=livemode)
    except PaymentsError:
        return Back(giving.by_public_id(public_id))
    except DoesNotFit as error:  # the event about it is parked, where staff see it
        log.warning("checkout.does_not_fit", donation=public_id, problem=error.message)
        return Back(giving.by_public_id(public_id))
    still_open = (
        donation.status == "open" and told.state == "open" and donation.checkout_session_id == session_id
    )
    return Back(donation, told.state, (donation.checkout_url or "") if still_open else "")


def _may_ask(donation_id: int, now: datetime) -> bool:
    with writing():
        donation = ledger.lock(donation_id)
        if donation.asked_at is not None and donation.asked_at > now - ASK_AGAIN_AFTER:
            return False
        donation.asked_at = now
        return True
