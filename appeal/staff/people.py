"""The people of the staff: invited, given a role, shut out; and what the publisher asks of everybody."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, Length

from appeal.core import ids
from appeal.core.errors import DomainError, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models.people import ROLES
from appeal.office import audit, sign_in, staff_people
from appeal.staff import access, sure
from appeal.staff.forms import clean, trim

routes = Blueprint("people", __name__, url_prefix="/people")
ROLE_WORDS = {
    "viewer": "Viewer: sees totals and gifts, no e-mail addresses",
    "editor": "Editor: enters and edits",
    "admin": "Admin: refunds, people, erasing",
}


class InviteForm(Form):
    """Whom to invite, as what."""

    email = StringField(
        "E-mail address",
        filters=[trim],
        validators=[DataRequired("Enter an e-mail address."), Length(max=254), clean],
    )
    name = StringField("Name", filters=[trim], validators=[Length(max=120), clean])
    role = SelectField("Role", choices=[SelectChoice(*pair) for pair in ROLE_WORDS.items()])


@routes.get("")
@access.allow("admin")
def show() -> str:
    """List everybody, and offer an invitation."""
    return _page(InviteForm())


def _page(form: InviteForm, problem: str = "") -> str:
    return render_template(
        "staff/people.html",
        form=form,
        problem=problem,
        everybody=staff_people.everybody(),
        house=staff_people.house(),
        roles=ROLES,
    )


@routes.post("")
@access.allow("admin", fresh=True)
def invite() -> BaseResponse:
    """Add somebody and send them a letter."""
    form = InviteForm(request.form)
    if form.validate():
        try:
            person = staff_people.invite(
                form.email.data or "",
                form.role.data,
                form.name.data or "",
                access.actor(),
                access.digest_key(),
            )
            flash(f"An invitation to {person.email} leaves by mail.")
            return redirect(url_for("staff.people.show"), code=303)
        except staff_people.PersonRefused as error:
            form.email.errors = [error.message]
    return make_response(_page(form), 422)


@routes.get("/<int:person_id>")
@access.allow("admin")
def one(person_id: int) -> str:
    """Show one person and where they are signed in."""
    return _one(person_id)


def _one(person_id: int, problem: str = "") -> str:
    person = staff_people.by_id(person_id)
    return render_template(
        "staff/person.html",
        person=person,
        sign_ins=sign_in.running(person.id),
        roles=ROLE_WORDS,
        problem=problem,
    )


@routes.post("/<int:person_id>")
@access.allow("admin", fresh=True)
def change(person_id: int) -> BaseResponse:
    """Change somebody's name and role, or whether they may sign in."""
    form = request.form
    values = {
        "name": form.get("name", "").strip()[:120],
        "role": form.get("role", ""),
        "active": form.get("active") == "yes",
    }
    try:
        if values["role"] not in ROLES:
            raise staff_people.PersonRefused("Choose a role.")  # noqa: TRY301 - one answer for all refusals
        staff_people.change(person_id, values, form.get("revision", 0, type=ids.row_number), access.actor())
    except StaleForm:
        db.session.rollback()
        return make_response(
            _one(
                person_id,
                f"Somebody else changed this person meanwhile. You typed: {values['name']}, {values['role']}.",
            ),
            409,
        )
    except staff_people.PersonRefused as error:
        db.session.rollback()
        return make_response(_one(person_id, error.message), 422)
    flash("Kept.")
    return redirect(url_for("staff.people.one", person_id=person_id), code=303)


@routes.post("/<int:person_id>/letter")
@access.allow("admin", fresh=True)
def letter(person_id: int) -> BaseResponse:
    """Send somebody a link to choose a password."""
    person = staff_people.by_id(person_id)
    purpose = "reset" if person.password_hash else "invitation"
    with writing():
        sent = staff_people.send_letter(person, purpose, access.digest_key())
        if sent:
            audit.write(
                access.actor(), "person.letter_sent", f"person:{person.email}", after={"letter": purpose}
            )
    flash(
        "A letter leaves by mail." if sent else "Several letters went there lately. Wait an hour.",
        "good" if sent else "bad",
    )
    return redirect(url_for("staff.people.one", person_id=person_id), code=303)


@routes.post("/<int:person_id>/sign-out")
@access.allow("admin", fresh=True)
def sign_out(person_id: int) -> BaseResponse:
    """End every session of somebody."""
    staff_people.sign_out(staff_people.by_id(person_id).id, access.actor())
    flash("They are signed out everywhere.")
    return redirect(url_for("staff.people.one", person_id=person_id), code=303)


@routes.post("/<int:person_id>/second-factor/off")
@access.allow("admin", fresh=True)
def forget_factor(person_id: int) -> BaseResponse:
    """Take a lost second factor off somebody."""
    person = staff_people.by_id(person_id)
    asked = sure.ask(
        f"Take the second factor off {person.email}?",
        "Until they set up a new one, their password alone lets them in. They are signed out everywhere.",
        "Be sure that it was really they who asked: ring them on a number you know.",
        button="Take it off",
        back=url_for("staff.people.one", person_id=person_id),
    )
    if asked:
        return asked
    staff_people.forget_second_factor(person.id, access.actor())
    flash("Their second factor is off; they are signed out.")
    return redirect(url_for("staff.people.one", person_id=person_id), code=303)


@routes.post("/house")
@access.allow("admin", fresh=True)
def house() -> BaseResponse:
    """Decide whether everybody needs a second factor."""
    try:
        values = {"second_factor_required": request.form.get("second_factor_required") == "yes"}
        staff_people.change_house(
            values, request.form.get("revision", 0, type=ids.row_number), access.actor()
        )
    except DomainError as error:
        db.session.rollback()
        return make_response(_page(InviteForm(), error.message), 409)
    flash("Kept.")
    return redirect(url_for("staff.people.show"), code=303)
