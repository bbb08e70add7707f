"""What a donor (or staff for them) changes about a monthly gift: amount, pause, resume, cancel, card.

Stripe is asked without a transaction open; what it answers is taken over by `monthly.follow`, as an event would be.
New terms are stored before Stripe is asked, so that no instalment ever comes that the books did not agree to.
"""

from __future__ import annotations

from collections.abc import Callable

from appeal.core import clock, money
from appeal.core.errors import InvalidGift, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, monthly
from appeal.models import Appeal, Donation, RecurringGift
from appeal.payments import Gateway, PaymentsRefused, Subscription
from appeal.people import donors
from appeal.queues import outbox

ENDED = "This monthly gift has ended. You are welcome to begin a new one."


def change_amount(gift: RecurringGift, amount_minor: int, gateway: Gateway) -> RecurringGift:
    """Let a monthly gift charge another amount from the next month on; a fee cover grows or shrinks with it.

    Raises:
        InvalidGift: the amount is outside the appeal's bounds.
        NotPossible: the gift has ended.
        PaymentsError: Stripe did not answer or refused; the old amount stays.
    """
    _must_run(gift)
    with writing():
        began = giving.locked(gift.begun_by)
        gift = db.session.get_one(RecurringGift, gift.id, populate_existing=True)
        _within_bounds(began.appeal, amount_minor)
        cover_minor = _cover(began, gift, amount_minor)
        changes = (amount_minor, cover_minor) != (gift.amount_minor, gift.cover_minor)
        if changes:
            gift.terms = [*gift.terms, monthly.term(amount_minor, cover_minor, clock.now())]
    # Under a key of before, Stripe would answer as the gift stood then, or refuse another amount.
    key = f"terms:{gift.public_id}:{len(gift.terms)}" if changes else ""
    charge_minor = amount_minor + cover_minor
    told = _asked(
        gift,
        lambda: gateway.change_amount(gift.subscription_id, charge_minor, gift.currency, key=key),
        gateway,
    )
    return _taken_over(gift, told, "amount")


def _within_bounds(appeal: Appeal, amount_minor: int) -> None:
    if not appeal.minimum_minor <= amount_minor <= appeal.maximum_minor:
        least = money.format_money(appeal.minimum_minor, appeal.currency, appeal.locale)
        most = money.format_money(appeal.maximum_minor, appeal.currency, appeal.locale)
        raise InvalidGift("amount", f"A monthly gift can be between {least} and {most}.")


def _cover(began: Donation, gift: RecurringGift, amount_minor: int) -> int:
    if not gift.cover_minor:
        return 0
    appeal = began.appeal
    step_minor = money.step_minor(appeal.currency)
    return money.cover_for(amount_minor, appeal.cover_percent_bps, appeal.cover_fixed_minor, step_minor)


def _asked(gift: RecurringGift, ask: Callable[[], Subscription], gateway: Gateway) -> Subscription:
    """Ask Stripe for a change; where it refuses because the gift has ended there, learn that it has.

    Raises:
        NotPossible: the gift has ended at Stripe.
        PaymentsError: Stripe did not answer, or refused for another reason.
    """
    try:
        return ask()
    except PaymentsRefused:
        told = gateway.read_subscription(gift.subscription_id)
        if told.status != "ended":
            raise
        with writing():
            monthly.follow(told)
        raise NotPossible(ENDED) from None


def pause(gift: RecurringGift, gateway: Gateway) -> RecurringGift:
    """Charge nothing until resumed."""
    _must_run(gift)
    return _taken_over(gift, _asked(gift, lambda: gateway.pause(gift.subscription_id), gateway), "paused")


def resume(gift: RecurringGift, gateway: Gateway) -> RecurringGift:
    """Charge again from the next month on."""
    _must_run(gift)
    return _taken_over(gift, _asked(gift, lambda: gateway.resume(gift.subscription_id), gateway), "resumed")


def cancel(gift: RecurringGift, gateway: Gateway, *, at_once: bool) -> RecurringGift:
    """End a monthly gift: at once, or when the month that is paid ends."""
    _must_run(gift)
    told = _asked(gift, lambda: gateway.cancel(gift.subscription_id, at_once=at_once), gateway)
    return _taken_over(gift, told, "ended" if at_once else "ending")


def keep(gift: RecurringGift, gateway: Gateway) -> RecurringGift:
    """Take back a cancellation that has not taken effect."""
    _must_run(gift)
    return _taken_over(gift, _asked(gift, lambda: gateway.keep(gift.subscription_id), gateway), "kept")


def card_url(gift: RecurringGift, gateway: Gateway, return_url: str) -> str:
    """Return the address of Stripe's page where the card is changed.

    Raises:
        NotPossible: Stripe's customer is not known yet.
    """
    _must_run(gift)
    if gift.customer_id is None:
        raise NotPossible("We have not heard from Stripe about this gift yet. Please try again in a minute.")
    return gateway.portal_url(gift.customer_id, return_url)


def _must_run(gift: RecurringGift) -> None:
    if gift.status == "ended":
        raise NotPossible(ENDED)


def _taken_over(gift: RecurringGift, told: Subscription, what: str) -> RecurringGift:
    with writing():
        monthly.follow(told)
        began = giving.locked(gift.begun_by)
        changed = db.session.get_one(RecurringGift, gift.id, populate_existing=True)
        outbox.add(
            "monthly_changed",
            f"monthly_changed:{gift.public_id}:{what}:{told.told_at.isoformat()}",
            donation=began,
            content={"what": what, "amount_minor": changed.amount_minor, "cover_minor": changed.cover_minor},
        )
        return changed


def gifts_of(donor_id: int) -> list[RecurringGift]:
    """List a donor's monthly gifts, running ones first."""
    found = donors.recurring_gifts(donor_id)
    return sorted(found, key=lambda gift: (gift.status == "ended", -gift.id))
