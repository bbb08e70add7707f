"""Tomorrow's thank-you column: what to print, as text to copy, and what was printed."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.extensions import db
from appeal.models import Appeal
from appeal.office import column
from appeal.staff import access, choice

routes = Blueprint("column", __name__, url_prefix="/column")
DAYS_BACK = 13


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show the lines that are ready to be printed."""
    return _page(choice.chosen())


def _page(found: choice.Choice, problem: str = "") -> str:
    since, until = _period(found.appeal)
    proposal = column.propose(found.appeal, since, until)
    above = column.head(found.appeal)
    return render_template(
        "staff/column.html",
        choice=found,
        since=since,
        until=until,
        ever=since is None,
        proposal=proposal,
        head=above,
        run_in=column.run_in(proposal, above),
        one_a_line=column.one_a_line(proposal, above),
        tomorrow=clock.today(found.appeal.time_zone) + timedelta(days=1),
        printed=column.printed(found.appeal.id),
        problem=problem,
    )


def _period(appeal: Appeal) -> tuple[date | None, date]:
    """Read the days asked for; without any, the last two weeks."""
    today = clock.today(appeal.time_zone)
    since = _day(request.values.get("since", ""))
    if since is None and "ever" not in request.values:
        since = today - timedelta(days=DAYS_BACK)
    return since, _day(request.values.get("until", "")) or today


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(1990, 1, 1) <= day <= date(2200, 1, 1) else None


@routes.post("")
@access.allow("editor")
def mark() -> BaseResponse:
    """Note that the column is printed."""
    found = choice.chosen()
    since, until = _period(found.appeal)
    printed_on = _day(request.form.get("printed_on", ""))
    if printed_on is None:
        return make_response(_page(found, "Enter the day on which the paper prints it."), 422)
    try:
        column.mark_printed(
            found.appeal,
            since,
            until,
            fingerprint=request.form.get("fingerprint", "")[:64],
            printed_on=printed_on,
            actor=access.actor(),
        )
    except DomainError as error:
        db.session.rollback()
        return make_response(_page(choice.chosen(), error.message), 409)
    flash("Noted as printed. These gifts will be in no later column.")
    return redirect(url_for("staff.column.show", appeal=found.appeal.slug), code=303)


@routes.get("/<int:number>")
@access.allow("viewer")
def one(number: int) -> str:
    """Show a column that was printed."""
    found, proposal = column.as_printed(number)
    appeal = db.session.get_one(Appeal, found.appeal_id)
    words = column.run_in(proposal, found.text)
    return render_template(
        "staff/column_printed.html", column=found, a=appeal, proposal=proposal, words=words
    )


@routes.post("/<int:number>/undo")
@access.allow("editor")
def undo(number: int) -> BaseResponse:
    """Take a column back that was not printed after all."""
    gone = column.undo(number, access.actor())
    flash("Taken back: its gifts are to be thanked for again.")
    appeal = db.session.get_one(Appeal, gone.appeal_id)
    return redirect(url_for("staff.column.show", appeal=appeal.slug), code=303)
