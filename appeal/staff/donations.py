"""Gifts: the list, one gift with all that is known of it, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.books import fees, ledger, refunding
from appeal.books.standing import Standing, standing
from appeal.context import gateway
from appeal.core import ids, money
from appeal.core.errors import DomainError
from appeal.core.ids import public_id as new_id
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import AuditEntry, Donation, LedgerEntry, Note, Notice, OutboxItem, Payout, RefundOrder
from appeal.models.donation import FREQUENCIES, SOURCES, STATUSES
from appeal.office import audit, moderation, money_back, search
from appeal.people import notes
from appeal.queues import notices, outbox
from appeal.staff import access, choice, sure

routes = Blueprint("donations", __name__, url_prefix="/donations")


class WhyIsMissing(DomainError):
    """Say why: it stays beside the entry in the books."""


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """List gifts, newest first."""
    found = choice.chosen()
    wanted = search.Wanted(
        appeal_id=found.appeal.id,
        currency=found.appeal.currency,
        locale=found.appeal.locale,
        text=request.args.get("q", "")[:200].replace("\x00", ""),
        status=request.args.get("status", "received" if "q" not in request.args else ""),
        source=request.args.get("source", ""),
        frequency=request.args.get("frequency", ""),
        before_id=before_id(),
        by_email=access.may("editor"),
    )
    gifts, following = search.donations(wanted)
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name != "before"}
    return render_template(
        "staff/donations.html",
        choice=found,
        gifts=gifts,
        wanted=wanted,
        choices={"status": STATUSES, "source": SOURCES, "frequency": FREQUENCIES},
        first_url=url_for("staff.donations.show", **kept),
        next_url=url_for("staff.donations.show", **{**kept, "before": following}) if following else None,
    )


def before_id() -> int | None:
    """Return the id before which a page of a list goes on."""
    value = request.args.get("before", type=ids.row_number)
    return value or None


@dataclass(frozen=True, slots=True)
class Gift:
    """One gift with all that is known of it."""

    donation: Donation
    entries: list[LedgerEntry]
    stands: Standing | None
    letters: list[OutboxItem]
    orders: list[RefundOrder]
    notes: list[Note]
    changes: list[AuditEntry]
    refundable_minor: int
    why_not: str
    net: fees.Net | None
    payouts: list[Payout]
    to_see: list[Notice]


def gift(public_id: str) -> Gift:
    """Gather one gift.

    Raises:
        NoSuchDonation: there is none.
    """
    donation = giving.by_public_id(public_id)
    mine: Any = select(OutboxItem).where(OutboxItem.donation_id == donation.id).order_by(OutboxItem.id.desc())
    orders = select(RefundOrder).where(RefundOrder.donation_id == donation.id).order_by(RefundOrder.id.desc())
    changes, _ = audit.entries(audit.Search(subject=f"donation:{donation.public_id}"), most=20)
    entries = ledger.entries_of(donation)
    return Gift(
        donation,
        entries,
        standing(entries),
        list(db.session.scalars(mine.limit(20))),
        list(db.session.scalars(orders)),
        notes.about([donation.donor_id]),
        changes,
        refunding.refundable_minor(donation),
        refunding.why_not(donation),
        fees.net_of(donation),
        fees.payouts_of(donation),
        notices.unseen(donation=donation),
    )


@routes.get("/<public_id>")
@access.allow("viewer")
def one(public_id: str) -> str:
    """Show one gift."""
    return _page(public_id)


def _page(public_id: str, typed: dict[str, str] | None = None, problem: str = "", at: str = "") -> str:
    found = gift(public_id)
    return render_template(
        "staff/donation.html",
        gift=found,
        d=found.donation,
        a=found.donation.appeal,
        shown_as=reports.credit_line(found.donation),
        names=notices.NAMES,
        key=request.form.get("key") or new_id(),
        typed=typed or {},
        problem=problem,
        problem_at=at,
    )


def _done(public_id: str, words: str) -> BaseResponse:
    flash(words)
    return redirect(url_for("staff.donations.one", public_id=public_id), code=303)


def _refused(public_id: str, error: DomainError, at: str) -> tuple[str, int]:
    db.session.rollback()
    return _page(public_id, request.form.to_dict(), error.message, at), 422


@routes.post("/<public_id>/refund")
@access.allow("admin", fresh=True)
def refund(public_id: str) -> BaseResponse | tuple[str, int]:
    """Refund a gift, whole or in part, once its amount was confirmed."""
    donation = giving.by_public_id(public_id)
    try:
        minor, reason = _amount("amount", donation), _why()
        sum_in_words = access.exact(minor, donation.appeal)
        asked = sure.ask(
            f"Refund {sum_in_words}?",
            f"{sum_in_words} of {access.exact(refunding.refundable_minor(donation), donation.appeal)} goes back "
            f"to {donation.name or 'the donor'}, the way it came. {_public_effect(donation, minor)}",
            "A refund cannot be taken back. Stripe keeps its fee.",
            button=f"Refund {sum_in_words}",
            back=url_for("staff.donations.one", public_id=public_id),
        )
        if asked:
            refunding.must_be_possible(donation, minor, reason=reason, actor=access.actor().email)
        else:
            money_back.refund(donation, minor, access.actor(), reason=reason, key=_key(), gateway=gateway())
    except DomainError as error:
        return _refused(public_id, error, _at(error, "refund-reason", "refund-amount"))
    return asked or _done(public_id, f"{sum_in_words} goes back to the donor.")


def _public_effect(donation: Donation, minor: int) -> str:
    stands = standing(ledger.entries_of(donation))
    counted_minor = stands.counted_of(minor) if stands else 0
    if not counted_minor:
        return "The public figure stays as it is: this money was never part of it."
    return f"The public figure falls by {access.exact(counted_minor, donation.appeal)} at once."


def _amount(name: str, donation: Donation) -> int:
    return money.parse_amount(request.form.get(name, "")[:40], donation.currency, donation.appeal.locale)


def _why() -> str:
    reason = request.form.get("reason", "")[:2000]
    if not reason.strip():
        raise WhyIsMissing
    return reason


def _at(error: DomainError, reason: str, amount: str) -> str:
    """Return the id of the field that an error is about."""
    return reason if isinstance(error, WhyIsMissing) else amount


def _key() -> str:
    """Return what makes a form do its work once, however often it is sent."""
    key = request.form.get("key", "")
    return key if len(key) == len(new_id()) and key.isalnum() else new_id()


@routes.post("/<public_id>/correct")
@access.allow("admin", fresh=True)
def correct(public_id: str) -> BaseResponse | tuple[str, int]:
    """Correct what was entered for a gift, by a new entry that says why."""
    donation = giving.by_public_id(public_id)
    try:
        minor, reason = _change(donation), _why()
        after = access.exact(donation.standing_minor + minor, donation.appeal)
        asked = sure.ask(
            f"Correct the books to {after}?",
            f"The gift of {donation.name or 'no name'} stands at "
            f"{access.exact(donation.standing_minor, donation.appeal)}; after this it stands at {after}.",
            "No money moves. Both entries stay to be seen, with your name and your reason.",
            button=f"Correct it to {after}",
            back=url_for("staff.donations.one", public_id=public_id),
        )
        if asked:
            money_back.must_be_correctable(donation, minor, access.actor(), reason=reason)
        else:
            money_back.correct(donation, minor, access.actor(), reason=reason, key=_key())
    except DomainError as error:
        return _refused(public_id, error, _at(error, "correct-reason", "change"))
    return asked or _done(public_id, "The books are corrected; both entries stay to be seen.")


def _change(donation: Donation) -> int:
    text = request.form.get("change", "").strip()[:40].replace("\u2212", "-")
    minor = money.parse_amount(text.lstrip("+-"), donation.currency, donation.appeal.locale)
    return -minor if text.startswith("-") else minor


@routes.post("/<public_id>/credit")
@access.allow("editor")
def credit(public_id: str) -> BaseResponse | tuple[str, int]:
    """Change how a gift is named."""
    form = request.form
    try:
        moderation.recredit(
            public_id,
            form.get("credit", ""),
            form.get("credit_line", ""),
            access.actor(),
            reason=form.get("reason", "")[:500],
        )
    except moderation.CreditRefused as error:
        return _refused(public_id, error, "credit")
    return _done(public_id, "The gift is named as you chose.")


@routes.post("/<public_id>/note")
@access.allow("editor")
def note(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write a note about a gift and its donor."""
    donation = giving.by_public_id(public_id)
    try:
        notes.add(donation.donor, request.form.get("text", ""), access.actor(), donation=donation)
    except notes.NoteRefused as error:
        return _refused(public_id, error, "note")
    return _done(public_id, "Your note is saved.")


@routes.post("/<public_id>/receipt")
@access.allow("editor")
def receipt(public_id: str) -> BaseResponse | tuple[str, int]:
    """Send the receipt once more."""
    donation = giving.by_public_id(public_id)
    if donation.status != "received" or not donation.donor.email:
        return _refused(
            public_id, DomainError("There is no receipt to send, or no address to send it to."), "receipt"
        )
    with writing():
        outbox.add("receipt", f"receipt:{public_id}:{new_id()}", donation=donation)
        audit.write(access.actor(), "donation.receipt_sent", f"donation:{public_id}")
    return _done(public_id, "The receipt leaves by mail.")
