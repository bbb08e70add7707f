"""What donors open under `/giving`: the way in, their gifts, their monthly gifts, their data."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.books import standing
from appeal.context import gateway, settings
from appeal.core import money
from appeal.core.errors import DomainError, NoSuchDonation
from appeal.donor_pages import guard
from appeal.gifts import giving, managing, receipts
from appeal.models import Donor, RecurringGift
from appeal.payments import Gateway, PaymentsError
from appeal.people import complaints, donor_links, privacy
from appeal.rates import limited

blueprint = Blueprint("giving", __name__, url_prefix="/giving")
blueprint.after_request(guard.headers)
OPEN = frozenset({"giving.home", "giving.ask", "giving.sent", "giving.enter", "giving.come_in"})
AWAY = "Our payment service did not answer. Nothing was changed; please try again in a moment."
FORM_LONGEST_BYTES = 32 * 1024


@blueprint.before_request
def _guard() -> BaseResponse | None:
    """Let in who used a link; take no form that is not ours."""
    request.max_content_length = FORM_LONGEST_BYTES
    if guard.is_post() and guard.forged():
        flash(
            "This page was open for too long, or your browser did not send our cookie back. Please try again."
        )
        return redirect(url_for(".home"), code=303)
    g.donor = guard.donor()
    if g.donor is None and request.endpoint not in OPEN:
        return redirect(url_for(".home"), code=303)
    return None


def _donor() -> Donor:
    donor: Donor | None = g.donor
    if donor is None:
        abort(403)
    return donor


# -- the way in


@blueprint.get("")
def home() -> str:
    """Show a donor's gifts, or ask for the address to send a link to."""
    return _ask() if g.donor is None else _gifts()


@blueprint.get("/link")
@blueprint.get("/monthly/<public_id>/amount")
def form_again(public_id: str = "") -> BaseResponse:
    """Lead back who opens the address that a form with a mistake left in the browser."""
    del public_id
    return redirect(url_for(".home"), code=303)


def _ask(typed: str = "", problem: str = "") -> str:
    return render_template("donors/ask.html", typed=typed, problem=problem)


def _gifts(typed: str = "", problem: str = "", at: str = "") -> str:
    """Draw the donor's gifts; `problem` is about the new amount of the monthly gift `at`."""
    gifts = privacy.gifts_of(g.donor)
    return render_template(
        "donors/home.html",
        donor=g.donor,
        typed=typed,
        problem=problem,
        problem_at=at,
        gifts=gifts,
        standings=standing.of_all(gifts),
        monthly=managing.gifts_of(g.donor.id),
    )


@blueprint.post("/link")
@limited("6 per minute; 30 per hour")
def ask() -> BaseResponse | tuple[str, int]:
    """Send a link; the answer is the same for every address."""
    email = request.form.get("email", "").strip()
    if "@" not in email or len(email) > 254 or not email.isprintable():
        return _ask(email[:254], "Enter an e-mail address such as name@example.org."), 422
    donor_links.ask(email)
    return redirect(url_for(".sent"), code=303)


@blueprint.get("/sent")
def sent() -> str:
    """Say that a letter is on its way, if the address is known."""
    return render_template("donors/sent.html", minutes=int(donor_links.LIFE.total_seconds() // 60))


@blueprint.get("/enter/<token>")
def enter(token: str) -> str:
    """Ask for one press of a button: mail programs open links by themselves, and the link works once."""
    return render_template("donors/enter.html", token=token[:100])


@blueprint.post("/enter")
@limited("20 per minute")
def come_in() -> BaseResponse | tuple[str, int]:
    """Use up a link."""
    donor_id = donor_links.use(request.form.get("token", "")[:100])
    if donor_id is None:
        flash("This link has been used or has run out. Ask for a new one; it takes a minute.")
        return redirect(url_for(".home"), code=303)
    guard.enter(donor_id)
    return redirect(url_for(".home"), code=303)


@blueprint.post("/leave")
def leave() -> BaseResponse:
    """End the session."""
    guard.leave()
    return redirect(url_for(".home"), code=303)


@blueprint.get("/receipts/<public_id>.pdf")
def receipt(public_id: str) -> Response:
    """Give the receipt of one of the donor's own gifts."""
    donation = giving.by_public_id(public_id)
    if donation.status != "received" or donation.id not in {gift.id for gift in privacy.gifts_of(_donor())}:
        raise NoSuchDonation
    file = receipts.as_attachment(donation, settings())
    disposition = f'attachment; filename="{file.name}"'
    return Response(file.content, mimetype="application/pdf", headers={"Content-Disposition": disposition})


# -- monthly gifts

ACTIONS: dict[str, Callable[[RecurringGift, Gateway], object]] = {
    "pause": managing.pause,
    "resume": managing.resume,
    "end": lambda gift, stripe: managing.cancel(gift, stripe, at_once=True),
    "leave": lambda gift, stripe: managing.cancel(gift, stripe, at_once=False),
    "keep": managing.keep,
}
DONE = {
    "amount": "The new amount holds from the next month on.",
    "pause": "Paused. Nothing is charged until you resume it.",
    "resume": "Your monthly gift goes on.",
    "end": "Your monthly gift has ended. Thank you for all you gave.",
    "leave": "Your monthly gift ends when the month you have paid for ends.",
    "keep": "Your monthly gift goes on after all. Thank you.",
}


@blueprint.post("/monthly/<public_id>/<action>")
@limited("30 per hour")
def change_monthly(public_id: str, action: str) -> BaseResponse | tuple[str, int]:
    """Change one of the donor's own monthly gifts."""
    gift = next((one for one in managing.gifts_of(_donor().id) if one.public_id == public_id), None)
    if gift is None or (action not in ACTIONS and action not in {"amount", "card"}):
        abort(404)
    try:
        if action == "card":
            back = f"{settings().public_url}{url_for('.home')}"
            return redirect(managing.card_url(gift, gateway(), back), code=303)
        if action == "amount":
            return _change_amount(gift, request.form.get("amount", ""))
        ACTIONS[action](gift, gateway())
        flash(DONE[action])
    except PaymentsError:
        flash(AWAY)
    except DomainError as error:
        flash(error.message)
    return redirect(url_for(".home"), code=303)


def _change_amount(gift: RecurringGift, typed: str) -> BaseResponse | tuple[str, int]:
    try:
        managing.change_amount(gift, money.parse_amount(typed, gift.currency, gift.appeal.locale), gateway())
    except PaymentsError:
        raise
    except DomainError as error:
        return _gifts(typed[:20], error.message, gift.public_id), 422
    flash(DONE["amount"])
    return redirect(url_for(".home"), code=303)


# -- privacy


@blueprint.get("/privacy")
def privacy_page() -> str:
    """Offer the donor's data, its erasure, and a complaint."""
    return render_template("donors/privacy.html", donor=_donor())


@blueprint.post("/privacy/export")
def export() -> Response:
    """Hand over everything that is held about the donor."""
    body = json.dumps(privacy.export(_donor()), ensure_ascii=False, indent=2)
    disposition = 'attachment; filename="my-data.json"'
    return Response(body, mimetype="application/json", headers={"Content-Disposition": disposition})


@blueprint.post("/privacy/erase")
def erase() -> BaseResponse:
    """Take the donor out of the books, once they have said so with a tick."""
    if request.form.get("sure") != "yes":
        flash("Please tick the box to say that you are sure. Nothing was erased.")
        return redirect(url_for(".privacy_page"), code=303)
    try:
        privacy.erase(_donor())
    except DomainError as error:
        flash(error.message)
        return redirect(url_for(".privacy_page"), code=303)
    guard.leave()
    flash("Your name, address and words are gone. What you gave stays in the books without you.")
    return redirect(url_for(".home"), code=303)


@blueprint.post("/complaint")
@limited("5 per hour")
def complain() -> BaseResponse:
    """Take a complaint about data; it is acknowledged by mail."""
    text = request.form.get("text", "").strip()
    if not text:
        flash("Please write what your complaint is about.")
        return redirect(url_for(".privacy_page"), code=303)
    reference = complaints.receive(_donor(), text[: complaints.LONGEST])
    flash(f"We have your complaint, reference {reference}. An e-mail that says so is on its way to you.")
    return redirect(url_for(".privacy_page"), code=303)
