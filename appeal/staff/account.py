"""One's own account: password, second factor, and where one is signed in."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.database import writing
from appeal.extensions import db
from appeal.models import Person
from appeal.office import audit, passwords, sign_in, staff_people
from appeal.staff import access, sure
from appeal.staff.forms import ChangePasswordForm, CodeForm

routes = Blueprint("account", __name__, url_prefix="/account")


@routes.get("/")
@access.allow("viewer", without_factor=True)
def show() -> str:
    """Show one's own account."""
    return _page(ChangePasswordForm())


def _page(form: ChangePasswordForm) -> str:
    return render_template(
        "staff/account.html",
        form=form,
        sign_ins=sign_in.running(access.person().id),
        this_id=g.signed.sign_in.id,
    )


@routes.post("/password")
@access.allow("viewer", without_factor=True)
def change_password() -> BaseResponse | str:
    """Set a new password; every other session ends."""
    form = ChangePasswordForm(request.form)
    person = access.person()
    if form.validate():
        try:
            sign_in.check_password(person.email, form.current.data or "", access.origin())
            staff_people.change_password(person, form.password.data or "", keep_session=g.signed.sign_in.id)
            return redirect(url_for("staff.account.show"), code=303)
        except sign_in.SignInRefused:
            form.current.errors = ["That is not your present password."]
        except (passwords.WeakPassword, sign_in.TooManySignIns) as error:
            form.password.errors = [error.message]
    return make_response(_page(form), 422)


@routes.post("/sign-ins/<int:sign_in_id>/end")
@access.allow("viewer", without_factor=True)
def end(sign_in_id: int) -> BaseResponse:
    """End one of one's own sessions."""
    with writing():
        sign_in.end(access.person().id, sign_in_id)
        audit.write(access.actor(), "person.session_ended", f"person:{access.person().email}")
    return redirect(url_for("staff.account.show"), code=303)


@routes.get("/second-factor")
@access.allow("viewer", without_factor=True)
def second_factor() -> BaseResponse | str:
    """Offer a secret for an authenticator app."""
    if access.person().second_factor:
        return redirect(url_for("staff.account.show"), code=303)
    offer = access.factor().offer(access.person())
    session["offer"] = [offer.sealed, offer.uri, offer.key]
    return _offer_page(CodeForm())


def _offer_page(form: CodeForm) -> str:
    import segno

    _sealed, uri, key = session["offer"]
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=2)
    return render_template(
        "staff/second_factor.html",
        form=form,
        key=key,
        picture=picture,
        required=g.signed.second_factor_required,
    )


@routes.post("/second-factor")
@access.allow("viewer", fresh=True, without_factor=True)
def turn_on() -> BaseResponse | str:
    """Put the offered secret in force once a code proves that the app has it."""
    form = CodeForm(request.form)
    if "offer" not in session:
        return redirect(url_for("staff.account.second_factor"), code=303)
    if form.validate():
        with writing():
            person = db.session.get_one(Person, access.person().id)
            codes = access.factor().accept(
                person, session["offer"][0], (form.code.data or "").replace(" ", "")
            )
            if codes:
                audit.write(access.actor(), "person.second_factor_on", f"person:{person.email}")
        if codes:
            session.pop("offer")
            return render_template("staff/recovery_codes.html", codes=codes)
        form.code.errors = ["That code does not fit. Codes change every 30 seconds: try the next one."]
    return make_response(_offer_page(form), 422)


@routes.post("/second-factor/off")
@access.allow("viewer", fresh=True)
def turn_off() -> BaseResponse:
    """Take one's own second factor off."""
    asked = sure.ask(
        "Take your second factor off?",
        "Your password alone will let you in, and whoever has it. You are signed out, and sign in anew.",
        button="Take it off",
        back=url_for("staff.account.show"),
    )
    if asked:
        return asked
    staff_people.forget_second_factor(access.person().id, access.actor())
    session.clear()
    return redirect(url_for("staff.session.login"), code=303)
