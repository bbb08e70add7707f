"""The way in and out: password, then a code; a link for a forgotten password or an invitation; signing out.

All of the way in lies at one address, so that nothing else under `/staff` is open to strangers.
"""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Person
from appeal.office import passwords, sign_in, staff_people
from appeal.staff import access
from appeal.staff.forms import ChooseForm, CodeForm, ForgottenForm, SignInForm

routes = Blueprint("session", __name__)
HALF_SECONDS = 600
COOKIES = (
    "This page was open for too long, or your browser did not send our cookie back. "
    "Please allow cookies for this site and try again."
)


@routes.get("/login")
@access.open_to_all
def login() -> BaseResponse | str:
    """Ask who somebody is; or take a letter's link; or offer a letter."""
    if request.args.get("token"):
        return _choose_page(request.args["token"], ChooseForm())
    if "forgotten" in request.args:
        return _page("forgotten", ForgottenForm())
    if g.signed:
        return redirect(url_for("staff.dashboard.show"), code=303)
    return _page("password", SignInForm(next=request.args.get("next", "")))


@routes.post("/login")
@access.open_to_all
def sign_somebody_in() -> BaseResponse | str:
    """Take one step of the way in."""
    if "token" in request.form:
        return _choose(request.form["token"])
    if "forgotten" in request.form:
        return _forgotten()
    if "code" in request.form and "email" not in request.form:
        return _code()
    return _password()


@routes.post("/logout")
@access.allow("viewer", without_factor=True)
def logout() -> BaseResponse:
    """End this session."""
    sign_in.end(access.person().id, g.signed.sign_in.id)
    session.clear()
    return redirect(url_for("staff.session.login"), code=303)


def _password() -> BaseResponse | str:
    form = SignInForm(request.form)
    if g.csrf_failed:
        return _page("password", form, 400, COOKIES)
    if not form.validate():
        return _page("password", form, 422)
    try:
        person = sign_in.check_password(form.email.data or "", form.password.data or "", access.origin())
        if person.second_factor and not request.form.get("code"):
            session.clear()
            session["half"] = [person.id, int(clock.now().timestamp()), form.next.data or ""]
            return _page("code", CodeForm())
        if person.second_factor:
            sign_in.check_code(person, request.form["code"], access.factor(), access.origin())
    except DomainError as error:
        return _page("password", form, _status(error), error.message)
    return _in(person, form.next.data or "")


def _code() -> BaseResponse | str:
    form = CodeForm(request.form)
    person_id, at, wanted = session.get("half") or (0, 0, "")
    person = db.session.get(Person, person_id)
    if g.csrf_failed or person is None or clock.now().timestamp() - at > HALF_SECONDS:
        return _page("password", SignInForm(next=wanted), 400, COOKIES)
    if not form.validate():
        return _page("code", form, 422)
    try:
        sign_in.check_code(person, form.code.data or "", access.factor(), access.origin())
    except DomainError as error:
        return _page("code", form, _status(error), error.message)
    return _in(person, wanted)


def _in(person: Person, wanted: str) -> BaseResponse:
    """Open a session under a new name, whatever the browser had before."""
    session.clear()
    session["token"] = sign_in.begin(person, access.origin())
    return redirect(_within(wanted) or url_for("staff.dashboard.show"), code=303)


def _within(wanted: str) -> str:
    """Return an address if it lies among the staff's own pages."""
    fine = wanted.startswith("/staff/") and wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if fine and not wanted.startswith(("/staff/log",)) else ""


def _forgotten() -> BaseResponse | str:
    """Send a letter, if there is anybody to send it to; the answer is the same."""
    form = ForgottenForm(request.form)
    if g.csrf_failed:
        return _page("forgotten", form, 400, COOKIES)
    if not form.validate():
        return _page("forgotten", form, 422)
    email = form.email.data or ""
    try:
        sign_in.refuse_too_many(email, access.origin())
    except sign_in.TooManySignIns as error:
        return _page("forgotten", form, 429, error.message)
    with writing():
        person = staff_people.by_email(email)
        if person and person.active:
            staff_people.send_letter(person, "reset", access.digest_key())
        sign_in.failed(f"letter to {email}", access.origin())
    return _page("sent", form)


def _choose_page(token: str, form: ChooseForm, status: int = 200, problem: str = "") -> BaseResponse:
    try:
        person = staff_people.owner_of(token)
    except staff_people.TokenUnusable as error:
        return _page("forgotten", ForgottenForm(), 403, error.message)
    return _page("choose", form, status, problem, token=token, email=person.email)


def _choose(token: str) -> BaseResponse | str:
    form = ChooseForm(request.form)
    if g.csrf_failed:
        return _choose_page(token, form, 400, COOKIES)
    if not form.validate():
        return _choose_page(token, form, 422)
    try:
        staff_people.choose_password(token, form.password.data or "")
    except passwords.WeakPassword as error:
        return _choose_page(token, form, 422, error.message)
    except staff_people.TokenUnusable as error:
        return _page("forgotten", ForgottenForm(), 403, error.message)
    return _page("password", SignInForm(), said="Your password is set. Sign in with it now.")


def _page(
    step: str,
    form: Form,
    status: int = 200,
    problem: str = "",
    *,
    said: str = "",
    token: str = "",
    email: str = "",
) -> BaseResponse:
    page = render_template(
        "staff/login.html", step=step, form=form, problem=problem, said=said, token=token, email=email
    )
    response = make_response(page, status)
    if status == 429:
        response.headers["Retry-After"] = str(int(sign_in.WINDOW.total_seconds()))
    return response


def _status(error: DomainError) -> int:
    return 429 if isinstance(error, sign_in.TooManySignIns) else 422
