"""Donors: found however their name is spelt, their whole history, notes, and duplicates made one."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from appeal.core.errors import NoSuchThing, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, Donor
from appeal.office import audit, search
from appeal.people import merging, notes, privacy
from appeal.staff import access
from appeal.staff.donations import before_id

routes = Blueprint("donors", __name__, url_prefix="/donors")


@routes.get("")
@access.allow("editor")
def show() -> str:
    """List donors, or those who fit what was typed."""
    text = request.args.get("q", "")[:200].replace("\x00", "")
    found, following = search.found_donors(text, before_id=before_id())
    return render_template(
        "staff/donors.html",
        found=found,
        text=text,
        first_url=url_for("staff.donors.show"),
        next_url=url_for("staff.donors.show", before=following) if following else None,
        first=before_id() is None,
    )


@routes.get("/<public_id>")
@access.allow("editor")
def one(public_id: str) -> str | BaseResponse:
    """Show one donor's whole history."""
    donor = merging.by_public_id(public_id)
    if donor.merged_into_id:
        kept = db.session.get_one(Donor, donor.merged_into_id)
        return redirect(url_for("staff.donors.one", public_id=kept.public_id), code=303)
    return _page(donor)


def _page(donor: Donor, problem: str = "", at: str = "", typed: str = "") -> str:
    """Draw a donor; `problem` is about the field `at`, which keeps what was typed, or about the whole."""
    steps = merging.steps_of(donor)
    others = {
        one.id: one
        for one in db.session.scalars(select(Donor).where(Donor.id.in_([s.merged_id for s in steps])))
    }
    history = merging.history(donor)
    appeals = {
        one.id: one
        for one in db.session.scalars(
            select(Appeal).where(Appeal.id.in_([s.appeal_id for s in history.standings]))
        )
    }
    return render_template(
        "staff/donor.html",
        donor=donor,
        history=history,
        appeals=appeals,
        notes=notes.about([donor.id, *others]),
        steps=[(step, others[step.merged_id]) for step in steps],
        alike=merging.likely_same(donor),
        problem=problem,
        problem_at=at,
        typed=typed,
    )


@routes.post("/<public_id>/note")
@access.allow("editor")
def note(public_id: str) -> BaseResponse | tuple[str, int]:
    """Write a note about a donor."""
    donor = merging.by_public_id(public_id)
    try:
        notes.add(donor, request.form.get("text", ""), access.actor())
    except notes.NoteRefused as error:
        return _page(donor, error.message, "text", request.form.get("text", "")), 422
    flash("Your note is saved.")
    return redirect(url_for("staff.donors.one", public_id=public_id), code=303)


@routes.post("/<public_id>/merge")
@access.allow("editor")
def merge(public_id: str) -> BaseResponse | tuple[str, int]:
    """Make another donor and this one the same person."""
    kept = merging.by_public_id(public_id)
    typed = request.form.get("other", "").strip()[:254]
    try:
        merging.merge(kept, merging.by_email_or_public_id(typed), access.actor())
    except (merging.MergeRefused, NoSuchThing) as error:
        return _page(merging.by_public_id(public_id), error.message, "other", typed), 422
    flash("The two are one now. It can be taken back below.")
    return redirect(url_for("staff.donors.one", public_id=public_id), code=303)


@routes.post("/<public_id>/merges/<int:step_id>/undo")
@access.allow("editor")
def undo(public_id: str, step_id: int) -> BaseResponse | tuple[str, int]:
    """Take a merge back."""
    try:
        merging.undo(step_id, access.actor())
    except merging.MergeRefused as error:
        return _page(merging.by_public_id(public_id), error.message), 422
    flash("They are two again.")
    return redirect(url_for("staff.donors.one", public_id=public_id), code=303)


@routes.get("/<public_id>/data.json")
@access.allow("admin")
def data(public_id: str) -> BaseResponse:
    """Give everything that is held about a person, for the person."""
    donor = merging.by_public_id(public_id)
    audit.write(access.actor(), "donor.data_given", f"donor:{public_id}")
    response = jsonify(privacy.export(donor))
    response.headers["Content-Disposition"] = f'attachment; filename="donor-{public_id}.json"'
    return response


@routes.post("/<public_id>/erase")
@access.allow("admin", fresh=True)
def erase(public_id: str) -> BaseResponse | tuple[str, int]:
    """Take a person out of the books; amounts, days and Stripe's ids stay."""
    donor = merging.by_public_id(public_id)
    if request.form.get("sure") != "yes":
        return _page(donor, "Tick the box to say that you are sure: this cannot be taken back."), 422
    try:
        with writing():
            privacy.erase(donor)
            search.file_anew(merging.by_public_id(public_id))
            audit.write(access.actor(), "donor.erased", f"donor:{public_id}")
    except NotPossible as error:
        db.session.rollback()
        return _page(merging.by_public_id(public_id), error.message), 422
    flash("This person is out of the books; the gifts stay, without a name.")
    return redirect(url_for("staff.donors.one", public_id=public_id), code=303)
