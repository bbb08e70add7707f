"""The addresses that supporters open. Each parses, calls a use case and answers."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, abort, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import fastlane, front, reports
from appeal.context import gateway, settings, visitor
from appeal.core import clock
from appeal.core.errors import AppealNotOpen, FormAlreadyUsed, InvalidGift, NoSuchDonation, TooManyAttempts
from appeal.extensions import db
from appeal.gifts import checkout, giving, receipts
from appeal.models import Appeal
from appeal.payments import PaymentsError
from appeal.rates import limited
from appeal.supporters import blanks, form_token, pages, thanks
from appeal.supporters import reminder as reminders
from appeal.supporters.forms import DonationForm, prefill
from appeal.web import DATABASE_AWAY

log = structlog.get_logger(__name__)
blueprint = Blueprint("supporters", __name__)
FORM_LONGEST_BYTES = 64 * 1024


@blueprint.after_request
def _headers(response: Response) -> Response:
    """Let these pages load nothing but our own styles and pictures, run nothing, and be framed by nobody."""
    config = settings()
    form_action = " ".join(("'self'", *config.form_action_origins))
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


@blueprint.get("/")
def home() -> BaseResponse | str:
    """Lead to the one live appeal, else list them."""
    live = reports.live_appeals()
    if len(live) == 1:
        return redirect(
            pages.with_query(url_for(".appeal", slug=live[0].slug), request.query_string), code=302
        )
    return pages.appeal_list(reports.public_appeals())


@blueprint.get("/appeals/<slug>")
def appeal(slug: str) -> Response:
    """Show the appeal with its form, filled in as the link asks."""
    shown = front.of(slug)
    figure = reports.figure_of(shown.facts, clock.now())
    form = DonationForm(shown.facts.appeal, data=prefill(shown.facts.appeal, request.args))
    form.csrf_token.data, form.src.data, form.page.data = blanks.TOKEN, blanks.SRC, blanks.PAGE
    template = pages.appeal_page(shown, figure, form)
    fill = blanks.Filler(template, settings(), slug)
    keep = fastlane.Keep(
        slug,
        shown,
        figure.holds_from,
        figure.holds_until,
        with_query=True,
        reread=front.reader(db.engine),
        variant=blanks.variant,
        fill=fill,
    )
    fastlane.keep(request.environ, keep)
    response = Response(fill(request.query_string.decode("latin-1")), mimetype="text/html")
    response.vary.add("Accept-Encoding")  # the fast lane packs it
    return response


@blueprint.post("/appeals/<slug>/donations")
@limited("120 per minute; 1200 per hour")
def donate(slug: str) -> BaseResponse:
    """Take the form: 303 to Stripe's page, or the form again with what is wrong."""
    request.max_content_length = FORM_LONGEST_BYTES
    record = reports.kept_appeal(slug)
    form = DonationForm(record, request.form)
    try:
        return _to_checkout(record, form)
    except pages.FormRefused as refused:
        return _again(record, form, refused.problem, refused.status, fresh=refused.fresh)


@blueprint.get("/appeals/<slug>/donations")
def form_again(slug: str) -> BaseResponse:
    """Lead back who opens the address that a form with a mistake left in the browser."""
    return redirect(url_for(".appeal", slug=slug), code=303)


def _to_checkout(record: Appeal, form: DonationForm) -> BaseResponse:
    if not giving.takes_gifts(record, clock.now()):
        raise pages.FormRefused(pages.NOT_OPEN, 409)
    token = _token(record, form)
    if not form.validate():
        raise pages.FormRefused(None, 422)
    try:
        form_token.let_ripen(token, settings())
        gift = form.gift()
        donation = giving.start(record, gift, form_id=token.id, visitor=visitor())
        addresses = checkout.Addresses(
            success=f"{settings().public_url}/donations/{{id}}/thank-you",
            cancel=pages.address_of(record, gift.amount_minor, gift.frequency, src=gift.src, page=gift.page),
        )
        return redirect(checkout.lead(donation, gateway(), addresses), code=303)
    except InvalidGift as error:
        form.form_errors.append(error.message)
        raise pages.FormRefused(None, 422) from error
    except (form_token.TooQuick, FormAlreadyUsed) as error:
        raise pages.FormRefused(pages.check_again(error), 422, fresh=True) from error
    except AppealNotOpen as error:
        raise pages.FormRefused(pages.NOT_OPEN, 409) from error
    except TooManyAttempts as error:
        raise pages.FormRefused(pages.TOO_MANY, 429) from error
    except PaymentsError as error:
        raise pages.FormRefused(pages.STRIPE_AWAY, 503) from error
    except DATABASE_AWAY as error:
        log.warning("supporters.database_away", appeal=record.slug, problem=type(error).__name__)
        db.session.rollback()
        raise pages.FormRefused(pages.BOOKS_AWAY, 503) from error


def _token(record: Appeal, form: DonationForm) -> form_token.FormToken:
    try:
        form_token.refuse_foreign(request, settings())
        return form_token.read(settings(), record.slug, form.csrf_token.data or "")
    except form_token.FormUnusable as error:
        form.validate()  # so that everything that needs attention is said at once
        raise pages.FormRefused(pages.check_again(error), 422, fresh=True) from error


def _again(
    record: Appeal, form: DonationForm, problem: pages.Problem | None, status: int, *, fresh: bool
) -> BaseResponse:
    """Show the form again with everything that was typed; its token stays unless it is of no use any more."""
    if fresh or not form.csrf_token.data:
        form.csrf_token.data = form_token.issue(settings(), record.slug)
    shown = front.of(record.slug)
    figure = reports.figure_of(shown.facts, clock.now())
    response = make_response(pages.appeal_page(shown, figure, form, problem), status)
    if status in {429, 503}:
        response.headers["Retry-After"] = "3600" if status == 429 else "30"
    return response


@blueprint.get("/appeals/<slug>/brand.css")
def brand(slug: str) -> BaseResponse:
    """Give the appeal's colours as custom properties, so that no page needs an inline style."""
    response = Response(pages.brand_css(reports.appeal_by_slug(slug)), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/appeals/<slug>/logo")
def logo(slug: str) -> BaseResponse:
    """Give the publisher's logo."""
    record = reports.appeal_by_slug(slug)
    if not record.logo or not record.logo_type:
        abort(404)
    response = Response(record.logo, mimetype=record.logo_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/appeals/<slug>/credits")
def credit_lines(slug: str) -> str:
    """List the published credit lines, page by page."""
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**63:
        abort(404)
    return pages.credits_page(reports.appeal_by_slug(slug), before)


@blueprint.get("/appeals/<slug>/reminder.ics")
def reminder(slug: str) -> Response:
    """Give a day for the reader's own calendar: to give again, or that the appeal opens."""
    record, after = reports.appeal_by_slug(slug), request.args.get("after", "")
    on = reminders.day_of(record, after)
    if on is None:
        abort(404)
    response = Response(
        reminders.calendar(record, after, on, settings().public_url), mimetype="text/calendar"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{record.slug}-reminder.ics"'
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@blueprint.get("/donations/<public_id>/thank-you")
def thank_you(public_id: str) -> Response:
    """Thank, in the words of what the books say; settle first if Stripe's event has not come yet."""
    _refuse_odd_id(public_id)
    back = checkout.come_back(public_id, gateway(), livemode=settings().livemode)
    response = make_response(thanks.page(back))
    # A header, not an element of the page: it ends after a few looks, and takes no reader's place away for long.
    if again := thanks.refresh(back, request.args.get("look", 0, type=int)):
        response.headers["Refresh"] = again
    return _unkept(response)


@blueprint.get("/donations/<public_id>/receipt.pdf")
def receipt(public_id: str) -> Response:
    """Give the receipt of a received gift as PDF."""
    _refuse_odd_id(public_id)
    donation = giving.by_public_id(public_id)
    if donation.status != "received":
        raise NoSuchDonation
    response = Response(receipts.as_pdf(donation, settings()), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="receipt-{public_id}.pdf"'
    return _unkept(response)


def _refuse_odd_id(public_id: str) -> None:
    if not (public_id.isascii() and public_id.isalnum() and len(public_id) <= 32):
        raise NoSuchDonation


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
