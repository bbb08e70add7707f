"""Appeals: the list with its archive, a new one, editing with a preview, and the steps of one click."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import appeals
from appeal.core import clock, markdown, money
from appeal.core.errors import DomainError, InvalidGift, StaleForm
from appeal.extensions import db
from appeal.models import Appeal
from appeal.office import dashboard, editing
from appeal.staff import access, sure
from appeal.staff.appeal_form import AppealForm, NewAppealForm, read_logo, shown

routes = Blueprint("appeals", __name__, url_prefix="/appeals")


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """List the appeals: open, drafts, archive."""
    return render_template("staff/appeals.html", everything=dashboard.appeals_with_totals(), now=clock.now())


@routes.get("/new")
@access.allow("editor")
def new() -> str:
    """Offer the form of a new appeal."""
    return render_template("staff/appeal_new.html", form=NewAppealForm())


@routes.post("/new")
@access.allow("editor")
def create() -> BaseResponse:
    """Add an appeal as a draft."""
    form = NewAppealForm(request.form)
    if form.validate():
        try:
            appeal = editing.create(form.new(), access.actor())
            return redirect(url_for("staff.appeals.edit", slug=appeal.slug), code=303)
        except InvalidGift as error:
            form.closes.errors = [error.message]
        except money.AmountError as error:
            form.goal.errors = [error.message]
        except DomainError as error:
            form.slug.errors = [error.message]
    return make_response(render_template("staff/appeal_new.html", form=form), 422)


@routes.get("/<slug>")
@access.allow("editor")
def edit(slug: str) -> str:
    """Offer an appeal for editing."""
    appeal = appeals.by_slug(slug)
    return _page(appeal, AppealForm(appeal))


def _page(appeal: Appeal, form: AppealForm, **more: Any) -> str:
    context = {"preview": None, "stale": None, "problem": "", "step_problem": ""} | more
    return render_template("staff/appeal_edit.html", appeal=appeal, form=form, **context)


@routes.post("/<slug>")
@access.allow("editor")
def save(slug: str) -> BaseResponse:
    """Keep what was edited, or show it as it would look."""
    appeal = appeals.by_slug(slug)
    form = AppealForm(appeal, request.form)
    if not form.validate():
        return make_response(_page(appeal, form), 422)
    if "preview" in request.form:
        return make_response(_page(appeal, form, preview=_preview(appeal, form)))
    try:
        logo = read_logo(request.files.get("logo"))
        editing.change(slug, form.values(), int(form.revision.data or 0), access.actor(), logo=logo)
    except StaleForm:
        return _stale(slug, form)
    except editing.ChangeRefused as error:
        db.session.rollback()
        return make_response(_page(appeals.by_slug(slug), form, problem=error.message), 422)
    flash("Kept. Every page and banner follows within seconds.")
    return redirect(url_for("staff.appeals.edit", slug=slug), code=303)


def _stale(slug: str, form: AppealForm) -> BaseResponse:
    """Show what somebody else has written meanwhile beside what was typed; sending again takes the typed."""
    db.session.rollback()
    appeal = appeals.by_slug(slug)
    theirs, mine = shown(appeal), form.data
    differing = [
        (form[name].label.text, theirs[name], mine[name])
        for name in theirs
        if name in mine and name != "revision" and str(theirs[name]).split() != str(mine[name]).split()
    ]
    form.revision.data = str(appeal.revision)
    form.revision.raw_data = None
    stale = {"by": editing.last_change(appeal), "differing": differing}
    return make_response(_page(appeal, form, stale=stale), 409)


def _preview(appeal: Appeal, form: AppealForm) -> dict[str, Any]:
    values = form.values()
    prose = ("story_markdown", "other_ways_markdown", "terms_markdown", "thanks_markdown")
    return values | {
        "html": {name: markdown.render(values[name]) for name in prose},
        "amounts": [
            money.format_money(minor, appeal.currency, values["locale"]) for minor in values["presets_minor"]
        ],
    }


@routes.post("/<slug>/open")
@access.allow("editor")
def open_(slug: str) -> BaseResponse:
    """Publish an appeal."""
    return _step(slug, "The appeal is open.", lambda: editing.set_status(slug, "open", access.actor()))


@routes.post("/<slug>/close")
@access.allow("editor")
def close(slug: str) -> BaseResponse:
    """Close an appeal; it stays public and takes no more gifts online."""
    appeal = appeals.by_slug(slug)
    asked = sure.ask(
        f"Close {appeal.title}?",
        "Its page stays and says thank you; it takes no more gifts online, and every banner says that it has ended.",
        "Monthly gifts run on as its settings say. You can open it again.",
        button="Close the appeal",
        back=url_for("staff.appeals.edit", slug=slug),
    )
    return asked or _step(
        slug, "The appeal is closed.", lambda: editing.set_status(slug, "closed", access.actor())
    )


@routes.post("/<slug>/extend")
@access.allow("editor")
def extend(slug: str) -> BaseResponse:
    """Move the closing day."""

    def step() -> Appeal:
        try:
            day = date.fromisoformat(request.form.get("last_day", ""))
        except ValueError:
            raise editing.ChangeRefused("Enter a day such as 2026-12-31.") from None
        return editing.extend(slug, day, access.actor())

    return _step(slug, "The appeal runs longer; every page says so.", step)


@routes.post("/<slug>/stretch")
@access.allow("editor")
def stretch(slug: str) -> BaseResponse:
    """Raise the goal."""

    def step() -> Appeal:
        appeal = appeals.by_slug(slug)
        try:
            minor = money.parse_amount(request.form.get("goal", "")[:40], appeal.currency, appeal.locale)
        except money.AmountError as error:
            raise editing.ChangeRefused(error.message) from None
        return editing.stretch(slug, minor, access.actor())

    return _step(slug, "The goal is higher now; every page says so.", step)


def _step(slug: str, words: str, step: Any) -> BaseResponse:
    try:
        step()
    except editing.ChangeRefused as error:
        db.session.rollback()
        appeal = appeals.by_slug(slug)
        return make_response(_page(appeal, AppealForm(appeal), step_problem=error.message), 422)
    flash(words)
    return redirect(url_for("staff.appeals.edit", slug=slug), code=303)
