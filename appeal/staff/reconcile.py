"""What waits for a person: events put aside, letters that could not be sent, differences from Stripe, payouts, seals."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.books import fees, reconcile, reconcile_runs, seals
from appeal.context import gateway, settings
from appeal.core import clock, ids
from appeal.core.errors import NoSuchThing, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Payout
from appeal.office import audit
from appeal.payments import PaymentsError
from appeal.queues import inbox, notices, parked
from appeal.staff import access

routes = Blueprint("reconcile", __name__, url_prefix="/reconcile")
LOOK_BACK = timedelta(days=2)


class NoSuchPayout(NoSuchThing):
    """There is no such payout."""


@routes.get("")
@access.allow("editor")
def show() -> str:
    """Show everything that does not yet fit together."""
    return _page()


def _page(problem: str = "", problem_at: str = "") -> str:
    letters, more_letters = parked.letters(before_id=request.args.get("letters", type=ids.row_number))
    events, more_events = parked.events(before_id=request.args.get("events", type=ids.row_number))
    unseen = notices.unseen()
    told_of = [*(one.donation_id for one in letters), *(one.donation_id for one in unseen)]
    return render_template(
        "staff/reconcile.html",
        events=events,
        more_events=more_events,
        letters=letters,
        more_letters=more_letters,
        notices=notices.by_kind(unseen),
        names=notices.NAMES,
        gifts=_gifts({one for one in told_of if one}),
        run=next(iter(reconcile_runs.latest()), None),
        payouts=fees.payouts(12),
        seals=seals.latest(),
        reason=request.form.get("reason", ""),
        problem=problem,
        problem_at=problem_at,
    )


def _gifts(donation_ids: set[int]) -> dict[int, Donation]:
    query = db.session.query(Donation).where(Donation.id.in_(donation_ids))
    return {gift.id: gift for gift in query} if donation_ids else {}


def _back() -> BaseResponse:
    return redirect(url_for("staff.reconcile.show"), code=303)


def _refused(error: NotPossible, place: str) -> BaseResponse:
    db.session.rollback()
    return make_response(_page(error.message, place), 422)


@routes.post("/events/<int:number>/retry")
@access.allow("editor")
def retry(number: int) -> BaseResponse:
    """Try an event again, at once."""
    row = parked.retry_event(number, access.actor())
    if inbox.apply(row, livemode=settings().livemode):
        flash("The event is applied.")
    else:
        flash("It still cannot be applied. The reason is below.", "bad")
    return _back()


@routes.post("/events/<int:number>/aside")
@access.allow("editor")
def set_event_aside(number: int) -> BaseResponse:
    """Set an event aside for good."""
    try:
        parked.set_event_aside(number, access.actor(), reason=request.form.get("reason", "")[:500])
    except NotPossible as error:
        return _refused(error, f"event-{number}")
    flash("Set aside, with your reason.")
    return _back()


@routes.post("/letters/<int:number>/again")
@access.allow("editor")
def send_again(number: int) -> BaseResponse:
    """Send a letter again; the worker takes it up at once."""
    parked.send_again(number, access.actor())
    flash("It is being sent again.")
    return _back()


@routes.post("/letters/<int:number>/aside")
@access.allow("editor")
def set_letter_aside(number: int) -> BaseResponse:
    """Give a letter up."""
    try:
        parked.set_letter_aside(number, access.actor(), reason=request.form.get("reason", "")[:500])
    except NotPossible as error:
        return _refused(error, f"letter-{number}")
    flash("Set aside, with your reason.")
    return _back()


@routes.post("/notices/<int:number>/seen")
@access.allow("editor")
def put_away(number: int) -> BaseResponse:
    """Put a notice away."""
    with writing():
        notices.put_away(number, access.actor().email)
        audit.write(access.actor(), "notice.put_away", f"notice:{number}")
    gift = request.form.get("gift", "")
    return redirect(url_for("staff.donations.one", public_id=gift), code=303) if gift else _back()


@routes.post("/run")
@access.allow("admin")
def run() -> BaseResponse:
    """Hold the last two days at Stripe against the books, now."""
    try:
        report = reconcile.run(gateway(), since=clock.now() - LOOK_BACK, livemode=settings().livemode)
    except PaymentsError as error:
        db.session.rollback()
        flash(f"{error.message} What was put right before stays.", "bad")
        return _back()
    with writing():
        reconcile_runs.keep(report, access.actor().email)
        after = {"objects": report.objects, "differences": len(report.differences), "left": len(report.open)}
        audit.write(access.actor(), "stripe.reconciled", "stripe", after=after)
    flash("Compared. The result is below.")
    return _back()


@routes.get("/payouts/<int:number>")
@access.allow("editor")
def payout(number: int) -> str:
    """Show what a payout paid out, gift by gift."""
    found = db.session.get(Payout, number) if number < 2**62 else None
    if found is None:
        raise NoSuchPayout
    lines = fees.lines_of(found)
    return render_template("staff/payout.html", payout=found, lines=lines, total=fees.total(lines))
