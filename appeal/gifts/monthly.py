"""Monthly gifts: the standing promise, and each instalment that comes of it.

`receive` enters one paid invoice, whoever tells of it and however often: the first settles the donation that began
the gift, each later one makes a donation of its own with the name, credit and origin of the first. The money fact is
the invoice. `follow` takes over how the subscription stands; it never moves money. Everything about one monthly gift
happens under the lock of the donation that began it, so that any order and any race ends in the same books.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from appeal.books import ledger
from appeal.core import ids, money
from appeal.core.errors import DoesNotFit, NotYet
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, running
from appeal.models import Appeal, Donation, RecurringGift
from appeal.outgoing import events as outgoing
from appeal.payments import FailedInstalment, Instalment, Payment, Subscription
from appeal.people import donors
from appeal.queues import notices, outbox, waiting

NOT_TOLD = datetime(1970, 1, 1, tzinfo=UTC)


def settle(payment: Payment, *, livemode: bool) -> Donation:
    """Bring a donation to what Stripe tells of its Checkout session: of a monthly gift, by its first invoice.

    Raises:
        DoesNotFit: it is not what was stored.
    """
    if payment.instalment is None:
        return giving.settle(payment, livemode=livemode)
    with writing():
        donation = giving.settle(payment, livemode=livemode)
        receive(payment.instalment)
        return donation


def receive(instalment: Instalment) -> Donation:
    """Enter one paid invoice as a donation and its ledger entries, in one transaction. Safe to repeat, in any order.

    Raises:
        DoesNotFit: the gift is unknown, or subscription, currency or amount are not what was stored.
    """
    with writing():
        began = giving.locked(instalment.begun_by)
        known = _by_invoice(instalment.invoice_id)
        if known is not None:
            if instalment.payment_intent_id:
                link(instalment.invoice_id, instalment.payment_intent_id)
            return known
        gift, new = _gift(began, instalment.subscription_id)
        gift.customer_id = gift.customer_id or instalment.customer_id
        donation = _first(began, instalment) if instalment.first else _later(began, gift, instalment)
        _enter(donation, gift, instalment)
        if new:  # the row of totals is locked last, as everywhere
            running.move(gift, running.bucket(gift))
        return donation


def link(invoice_id: str, payment_intent_id: str) -> Donation:
    """Note which payment paid an invoice, so that refunds and disputes find their instalment.

    Raises:
        NotYet: the invoice has not been entered.
    """
    with writing():
        donation = _by_invoice(invoice_id)
        if donation is None:
            raise NotYet(f"in:{invoice_id}")
        if donation.payment_intent_id is None:
            donation = ledger.lock(donation.id)
            donation.payment_intent_id = payment_intent_id
            waiting.wake(f"pi:{payment_intent_id}")
        return donation


def is_paid(invoice_id: str) -> bool:
    """Say whether an invoice has been entered as an instalment."""
    return _by_invoice(invoice_id) is not None


def _by_invoice(invoice_id: str) -> Donation | None:
    return db.session.scalars(select(Donation).where(Donation.invoice_id == invoice_id)).one_or_none()


def _gift(began: Donation, subscription_id: str) -> tuple[RecurringGift, bool]:
    """Return the monthly gift that a donation began, and whether this is the first that is heard of it."""
    gift = of_donation(began)
    new = gift is None
    if gift is None:
        gift = RecurringGift(
            public_id=ids.public_id(),
            appeal_id=began.appeal_id,
            donor_id=began.donor_id,
            begun_by=began.public_id,
            subscription_id=subscription_id,
            currency=began.currency,
            amount_minor=began.amount_minor,
            cover_minor=began.cover_minor,
            started_at=began.created_at,
            told_at=NOT_TOLD,
            anchor_day=began.created_at.day,
            terms=[term(began.amount_minor, began.cover_minor, began.created_at)],
        )
        db.session.add(gift)
        db.session.flush()
    if gift.subscription_id != subscription_id:
        raise DoesNotFit(f"The gift {began.public_id} is {gift.subscription_id}, not also {subscription_id}.")
    return gift, new


def term(amount_minor: int, cover_minor: int, since: datetime) -> dict[str, Any]:
    """Write down what a monthly gift charges from an instant on."""
    return {"amount_minor": amount_minor, "cover_minor": cover_minor, "since": since.isoformat()}


def of_donation(began: Donation) -> RecurringGift | None:
    """Find the monthly gift that a donation began."""
    query = select(RecurringGift).where(RecurringGift.begun_by == began.public_id)
    return db.session.scalars(query).one_or_none()


def terms_for(gift: RecurringGift, charge_minor: int, at: datetime) -> tuple[int, int] | None:
    """Return gift and cover of the newest terms up to an instant that add up to a charge; None if there are none."""
    fitting = [one for one in gift.terms if one["amount_minor"] + one["cover_minor"] == charge_minor]
    before = [one for one in fitting if datetime.fromisoformat(one["since"]) <= at]
    found = (before or fitting)[-1:]
    return (found[0]["amount_minor"], found[0]["cover_minor"]) if found else None


def _first(began: Donation, instalment: Instalment) -> Donation:
    if (instalment.paid_minor, instalment.currency) != (began.charge_minor, began.currency):
        told = money.format_money(instalment.paid_minor, instalment.currency)
        agreed = money.format_money(began.charge_minor, began.currency)
        raise DoesNotFit(f"The first invoice is {told}, the gift {agreed}.")
    if began.invoice_id not in {None, instalment.invoice_id}:
        raise DoesNotFit(
            f"The gift was paid by {began.invoice_id}; {instalment.invoice_id} would be a second."
        )
    return began


def _later(began: Donation, gift: RecurringGift, instalment: Instalment) -> Donation:
    fitting = terms_for(gift, instalment.paid_minor, instalment.paid_at)
    if fitting is None or instalment.currency != gift.currency:
        told = money.format_money(instalment.paid_minor, instalment.currency)
        raise DoesNotFit(f"The instalment is {told}, which this monthly gift never was.")
    amount_minor, cover_minor = fitting
    donation = Donation(
        public_id=ids.public_id(),
        appeal_id=began.appeal_id,
        donor_id=began.donor_id,
        currency=began.currency,
        amount_minor=amount_minor,
        cover_minor=cover_minor,
        frequency="monthly",
        source="online",
        name=began.name,
        credit=began.credit,
        credit_line=began.credit_line,
        credit_review=began.credit_review,
        src=began.src,
        page=began.page,
        placement=began.placement,
        created_at=instalment.paid_at,
    )
    db.session.add(donation)
    db.session.flush()
    return donation


def _enter(donation: Donation, gift: RecurringGift, instalment: Instalment) -> None:
    donation.recurring_gift_id = gift.id
    donation.invoice_id = instalment.invoice_id
    donation.payment_intent_id = donation.payment_intent_id or instalment.payment_intent_id
    if gift.failed_at is not None and gift.failed_at <= instalment.paid_at:  # it is put right
        gift.failed_invoice_url, gift.failed_at = "", None
        notices.settle(_failure_names(instalment.invoice_id))
    counted = counts(donation.appeal, instalment.paid_at, first=instalment.first)
    giving.mark_received(donation, f"in:{instalment.invoice_id}", instalment.paid_at, counted=counted)
    donors.remember_customer(donation.donor_id, instalment.customer_id)
    if instalment.payment_intent_id:  # the invoice is the fact here, and what waits for it is due already
        waiting.wake(f"pi:{instalment.payment_intent_id}")


def counts(appeal: Appeal, paid_at: datetime, *, first: bool) -> bool:
    """Say whether an instalment counts toward the appeal: by its choice and its closing time, never by the clock.

    The first always does. Later ones count until the closing time, or until staff closed it (`until_close`), `always`,
    or `never`; in the books they all are.
    """
    if first or appeal.late_instalments == "always":
        return True
    if appeal.late_instalments == "never":
        return False
    return all(end is None or paid_at < end for end in (appeal.closes_at, appeal.closed_at))


def follow(told: Subscription) -> RecurringGift | None:
    """Take over how a subscription stands, unless something newer was told already. None while nothing was paid yet.

    Raises:
        DoesNotFit: the gift is unknown, or the subscription is not the one it began.
    """
    with writing():
        began = giving.locked(told.begun_by)
        if told.status == "begun":
            return None
        gift, new = _gift(began, told.subscription_id)
        known = (told.told_at, told.mark) <= (gift.told_at, gift.told_mark)
        if (known and not told.asked) or gift.status == "ended":
            return gift
        before = 0 if new else running.bucket(gift), gift.anchor_day
        _take_over(gift, began, told)
        if gift.status == "ended":
            outgoing.tell_of_end(db.session(), gift)
        running.shift(gift, *before)
        return gift


def _take_over(gift: RecurringGift, began: Donation, told: Subscription) -> None:
    if told.currency != gift.currency:
        raise DoesNotFit(f"The subscription is in {told.currency}, the gift in {gift.currency}.")
    gift.status = told.status
    gift.told_at, gift.told_mark = max(told.told_at, gift.told_at), told.mark
    gift.customer_id = told.customer_id or gift.customer_id
    gift.anchor_day, gift.next_due_at = told.anchor_day, told.next_due_at
    gift.ends_at_period_end, gift.ended_at = told.ends_at_period_end, told.ended_at
    if told.status != "past_due":
        gift.failed_invoice_url, gift.failed_at = "", None
    fitting = terms_for(gift, told.charge_minor, told.told_at)
    if fitting is not None:
        gift.amount_minor, gift.cover_minor = fitting
        return
    notices.add(
        "unknown_terms",
        f"unknown_terms:{gift.public_id}:{told.charge_minor}",
        f"At Stripe a monthly gift charges {money.format_money(told.charge_minor, told.currency)}, which nobody here agreed to. "
        "Its next instalments will be parked until the amount is put right there.",
        donation=began,
    )


def renewal_failed(failed: FailedInstalment) -> bool:
    """Note that a renewal could not be charged: the donor gets a letter with the link, staff a notice. No money moves.

    Returns False for a first invoice: that is Checkout's own matter.

    Raises:
        DoesNotFit: the gift is unknown.
    """
    if failed.first:
        return False
    with writing():
        began = giving.locked(failed.begun_by)
        if _by_invoice(failed.invoice_id) is not None:
            return True  # paid since
        gift, new = _gift(began, failed.subscription_id)
        if gift.failed_at is None or gift.failed_at < failed.told_at:
            gift.failed_at, gift.failed_invoice_url = failed.told_at, failed.pay_url
        outbox.add(
            "renewal_failed",
            f"renewal_failed:{failed.invoice_id}:{failed.attempt}",
            donation=began,
            content={
                "pay_url": failed.pay_url,
                "invoice_id": failed.invoice_id,
                "amount_minor": gift.amount_minor,
                "last": failed.last,
            },
        )
        _tell_staff_of_failure(began, failed)
        if new:
            running.move(gift, running.bucket(gift))
        return True


def _tell_staff_of_failure(began: Donation, failed: FailedInstalment) -> None:
    """Write a notice of a failed renewal, and in its place another of its last try; in whatever order they are told."""
    try_again, last = _failure_names(failed.invoice_id)
    if failed.last:
        notices.settle([try_again])
        sentence = "A monthly gift could not be charged at the last try; the donor was written to. Nothing more comes unless they act."
        notices.add("renewal_failed", last, sentence, donation=began)
    elif not notices.any_known([last]):
        sentence = "A monthly gift could not be charged; the donor was written to, and Stripe tries again."
        notices.add("renewal_failed", try_again, sentence, donation=began)


def _failure_names(invoice_id: str) -> tuple[str, str]:
    """Name the notices of an invoice that could not be charged: while it is tried again, and after the last try."""
    return f"renewal_failed:{invoice_id}", f"renewal_failed:{invoice_id}:last"


def instalments_of(gift: RecurringGift) -> Iterator[Donation]:
    """Yield the donations that came of a monthly gift, newest first."""
    query = select(Donation).where(Donation.recurring_gift_id == gift.id).order_by(Donation.id.desc())
    yield from db.session.scalars(query)
