"""Giving: a donation is started, and later settled by whoever hears first that it was paid.

`start` commits the row before Stripe is called; `appeal.gifts.checkout` leads the person to Stripe's page; `settle` is the
one function that the event, the thank-you page and reconcile all call, in any order and as often as they like.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import set_committed_value

from appeal.books import ledger
from appeal.core import clock, ids, money, placements
from appeal.core.errors import (
    AppealNotOpen,
    DoesNotFit,
    FormAlreadyUsed,
    GivingPaused,
    InvalidGift,
    NoSuchDonation,
)
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import limits
from appeal.gifts.limits import Visitor
from appeal.models import Appeal, Donation
from appeal.payments import Payment
from appeal.people import donors
from appeal.queues import notices, outbox

SESSION_LIFE = timedelta(hours=1)
# A donation only ever moves to the right: any order of events ends in the same state.
RANK = {"started": 0, "open": 1, "expired": 2, "on_its_way": 3, "failed": 4, "received": 5}


@dataclass(frozen=True, slots=True)
class Gift:
    """What a supporter asks for, parsed and within bounds of length. Amounts in the appeal's minor units."""

    amount_minor: int
    frequency: str
    name: str
    email: str
    credit: str = "anonymous"
    credit_line: str = ""
    message: str = ""
    cover_fee: bool = False
    updates: bool = False
    updates_wording: str = ""
    src: str = ""
    page: str = ""

    def digest(self) -> str:
        """Return a digest of all that was asked: the same form with another content is another gift."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def start(appeal: Appeal, gift: Gift, *, form_id: str, visitor: Visitor) -> Donation:
    """Write the donation that this form asks for, or return the one it made before.

    Raises:
        AppealNotOpen: the appeal is not taking gifts now.
        InvalidGift: the amount is outside the appeal's bounds, or the rhythm is not offered.
        FormAlreadyUsed: the same form came before with another content.
        TooManyAttempts: too many unpaid attempts from there.
    """
    check(appeal, gift)
    try:
        with writing():
            return _known(form_id, gift) or _add(appeal, gift, form_id, visitor)
    except IntegrityError:  # the same form, sent twice at the same moment
        donation = _known(form_id, gift)
        if donation is None:
            raise
        return donation
    except GivingPaused:
        notices.add(
            "cards_tried",
            f"cards_tried:{appeal.id}:{clock.now():%Y-%m-%d}",
            "It looks as if stolen cards were tried on this appeal: many pages for payment were opened and hardly any "
            "paid. Until that ends it takes one gift every few minutes; the other ways to give stay open.",
            appeal_id=appeal.id,
        )
        raise


def check(appeal: Appeal, gift: Gift) -> None:
    """Hold a gift against its appeal: open, rhythm offered, amount within bounds."""
    if not takes_gifts(appeal, clock.now()):
        raise AppealNotOpen
    if gift.frequency == "monthly" and not appeal.monthly_offered:
        raise InvalidGift("frequency", "Monthly gifts are not offered for this appeal.")
    if gift.amount_minor < appeal.minimum_minor:
        least = money.format_money(appeal.minimum_minor, appeal.currency, appeal.locale)
        raise InvalidGift("amount", f"The smallest gift we can take by card is {least}.")
    if gift.amount_minor > appeal.maximum_minor:
        most = money.format_money(appeal.maximum_minor, appeal.currency, appeal.locale)
        raise InvalidGift(
            "amount", f"The largest gift we can take by card is {most}. For more, please write to us."
        )


def takes_gifts(appeal: Appeal, now: datetime) -> bool:
    """Say whether an appeal takes gifts online at an instant; its closing time itself is past."""
    if appeal.status != "open" or (appeal.opens_at and now < appeal.opens_at):
        return False
    return appeal.closes_at is None or now < appeal.closes_at


def _known(form_id: str, gift: Gift) -> Donation | None:
    donation = _named("form_id", form_id)
    if donation and donation.form_digest != gift.digest():
        raise FormAlreadyUsed
    return donation


def _add(appeal: Appeal, gift: Gift, form_id: str, visitor: Visitor) -> Donation:
    with writing() as session:
        now = clock.now()
        donor = donors.find_or_add(gift.email, gift.name)
        donation = Donation(
            public_id=ids.public_id(),
            appeal_id=appeal.id,
            donor_id=donor.id,
            frequency=gift.frequency,
            currency=appeal.currency,
            amount_minor=gift.amount_minor,
            cover_minor=cover_for(appeal, gift),
            name=gift.name,
            credit=gift.credit,
            credit_line=gift.credit_line if gift.credit == "custom" else "",
            credit_review="none" if gift.credit == "anonymous" else "waiting",
            message=gift.message,
            message_review="waiting" if gift.message else "none",
            src=gift.src,
            page=gift.page,
            placement=placements.of_src(gift.src),
            form_id=form_id,
            form_digest=gift.digest(),
            created_at=now,
            attempt_expires_at=attempt_ends(now),
        )
        session.add(donation)
        session.flush()
        # At hand already: whoever goes on with this donation need not read them again.
        set_committed_value(donation, "appeal", appeal)
        set_committed_value(donation, "donor", donor)
        limits.take(donation, visitor, donors.email_key(gift.email))
        donors.answer_marketing(
            donor, given=gift.updates, wording=gift.updates_wording, form=f"appeal {appeal.slug}"
        )
        return donation


def attempt_ends(now: datetime) -> datetime:
    """Return when an attempt at Stripe that begins now ends: the instant to which its page stays open."""
    return (now + SESSION_LIFE).replace(microsecond=0)


def cover_for(appeal: Appeal, gift: Gift) -> int:
    """Return what the donor adds so that the gift arrives whole, in minor units; nothing unless they asked for it."""
    if not (gift.cover_fee and appeal.cover_offered):
        return 0
    step_minor = money.step_minor(appeal.currency)
    return money.cover_for(gift.amount_minor, appeal.cover_percent_bps, appeal.cover_fixed_minor, step_minor)


def by_public_id(public_id: str) -> Donation:
    """Find a donation by the name the outside knows.

    Raises:
        NoSuchDonation: there is none.
    """
    donation = _named("public_id", public_id)
    if donation is None:
        raise NoSuchDonation
    return donation


def _named(column: str, value: str) -> Donation | None:
    return db.session.scalars(_by(column), {"wanted": value}).one_or_none()


@lru_cache(maxsize=2)
def _by(name: str) -> Select[Donation]:
    """Build the question once: that takes longer than its answer."""
    column = Donation.__table__.c[name]
    return select(Donation).where(column == bindparam("wanted", type_=column.type))


def is_known(public_id: str) -> bool:
    """Say whether there is a donation of that name: attempts that came to nothing are not kept for ever."""
    return db.session.scalar(select(Donation.id).where(Donation.public_id == public_id)) is not None


def settle(payment: Payment, *, livemode: bool) -> Donation:
    """Bring a donation to what Stripe tells of its payment, in one transaction. Safe to repeat, in any order.

    Raises:
        DoesNotFit: the donation is unknown, or amount, currency or mode are not what was stored.
    """
    with writing():
        donation = locked(payment.donation_public_id)
        _must_fit(donation, payment, livemode=livemode)
        if payment.state == "paid":
            # Of a monthly gift the paid invoice is the money fact, never the session or the payment.
            if donation.frequency == "once":
                _receive(donation, payment)
        elif payment.state == "on_its_way":
            _advance(donation, "on_its_way", payment)
        elif payment.state == "failed":
            _advance(donation, "failed", payment)
        elif payment.state == "expired" and donation.checkout_session_id in {None, payment.session_id}:
            _advance(donation, "expired", payment)
        return donation


def locked(public_id: str) -> Donation:
    """Load a donation for change by the name the outside knows.

    Raises:
        DoesNotFit: there is none.
    """
    donation = ledger.lock_by_public_id(public_id)
    if donation is None:
        raise DoesNotFit(f"There is no gift {public_id!r} in these books.")
    return donation


def _must_fit(donation: Donation, payment: Payment, *, livemode: bool) -> None:
    """Hold what Stripe tells against what was stored: the outside never decides the money."""
    if payment.livemode != livemode:
        raise DoesNotFit(f"The event is {'live' if payment.livemode else 'a test'}, and these books are not.")
    if payment.currency != donation.currency:
        raise DoesNotFit(f"The payment is in {payment.currency}, the gift in {donation.currency}.")
    if payment.charged_minor != donation.charge_minor:
        charged = money.format_money(payment.charged_minor, donation.currency)
        agreed = money.format_money(donation.charge_minor, donation.currency)
        raise DoesNotFit(f"The payment is {charged}, the gift {agreed}.")
    known, told = donation.payment_intent_id, payment.payment_intent_id
    if known and told and known != told and payment.state == "paid":
        raise DoesNotFit(f"The gift was paid by {known}; {told} would be a second payment of it.")


def _advance(donation: Donation, status: str, payment: Payment) -> None:
    if RANK[status] <= RANK[donation.status]:
        return
    donation.status = status
    if status in {"failed", "expired"}:
        donation.ended_at = payment.told_at
        if status == "failed":
            outbox.add("not_completed", f"not_completed:{donation.public_id}", donation=donation)
    if status == "on_its_way":
        outbox.add("on_its_way", f"on_its_way:{donation.public_id}", donation=donation)


def _receive(donation: Donation, payment: Payment) -> None:
    """Enter a paid gift: its ledger entries, its state, its thanks; the fact is the payment itself."""
    if not payment.payment_intent_id:
        raise DoesNotFit("The payment has no payment intent, so nothing names it.")
    donation.charge_id = donation.charge_id or payment.charge_id
    if donation.status == "received":
        return
    donation.payment_intent_id = payment.payment_intent_id
    donation.checkout_session_id = donation.checkout_session_id or payment.session_id
    mark_received(donation, f"pi:{payment.payment_intent_id}", payment.told_at)


def mark_received(donation: Donation, fact: str, received_at: datetime, *, counted: bool = True) -> None:
    """Enter a gift whose money is here, and send its receipt; in the caller's transaction."""
    donation.status = "received"
    donation.received_at = received_at
    donation.ended_at = None
    outbox.add("receipt", f"receipt:{donation.public_id}", donation=donation)
    db.session.flush()
    # Last: whoever enters a gift holds the appeal's totals until it is committed, and everybody else waits for them.
    enter_gift(donation, fact, received_at, counted=counted)


def enter_gift(donation: Donation, fact: str, occurred_at: datetime, *, counted: bool = True) -> bool:
    """Write the entries of one received gift: the gift, and apart from it the fee cover; False when known already."""
    new = ledger.record(
        donation, ledger.Fact("gift", fact, donation.amount_minor, occurred_at, counted=counted)
    )
    if donation.cover_minor:
        counts = counted and donation.appeal.cover_counts
        ledger.record(
            donation, ledger.Fact("cover", f"{fact}:cover", donation.cover_minor, occurred_at, counted=counts)
        )
    return new
