"""Promises: gifts announced by post or bank, entered by staff, waited for, withdrawn."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.core import ids
from appeal.core.errors import NotPossible
from appeal.extensions import db
from appeal.models import Appeal
from appeal.office import promises
from appeal.staff import access, choice
from appeal.staff.post_forms import PromiseForm

routes = Blueprint("promises", __name__, url_prefix="/post/promises")


@routes.get("")
@access.allow("editor")
def show() -> str:
    """List the open promises."""
    found = choice.chosen()
    return _page(found, PromiseForm(found.appeal, data={"source": "post"}))


def _page(found: choice.Choice, form: PromiseForm, problem: str = "", problem_at: int = 0) -> str:
    before = request.args.get("before", type=ids.row_number)
    listed, following = promises.open_ones(found.appeal.id, before_id=before)
    slug = found.appeal.slug
    return render_template(
        "staff/promises.html",
        choice=found,
        form=form,
        promises=listed,
        first=before is None,
        next_url=url_for("staff.promises.show", appeal=slug, before=following) if following else None,
        problem=problem,
        problem_at=problem_at,
    )


@routes.post("")
@access.allow("editor")
def add() -> BaseResponse:
    """Note a promise."""
    found = choice.chosen()
    form = PromiseForm(found.appeal, request.form)
    if not form.validate():
        return make_response(_page(found, form), 422)
    promise = promises.add(found.appeal, form.new(), access.actor())
    flash(f"Noted as {promise.reference}. Ask for this reference on the cheque or the transfer.")
    return redirect(url_for("staff.promises.show", appeal=found.appeal.slug), code=303)


@routes.post("/<int:number>/withdraw")
@access.allow("editor")
def withdraw(number: int) -> BaseResponse:
    """Stop waiting for a promise."""
    try:
        gone = promises.withdraw(number, access.actor(), reason=request.form.get("reason", "")[:500])
    except NotPossible as error:
        db.session.rollback()
        found = choice.chosen()
        return make_response(_page(found, PromiseForm(found.appeal), error.message, number), 422)
    flash(f"{gone.reference} is not waited for any more.")
    appeal = db.session.get_one(Appeal, gone.appeal_id)
    return redirect(url_for("staff.promises.show", appeal=appeal.slug), code=303)
