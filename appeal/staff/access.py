"""The guard: who is signed in, what their role allows, and that a form came from our own page.

A route says `@allow("editor")`, or `@allow("admin", fresh=True)` where the password must have been given within the
last minutes. A route that says nothing is closed. Nothing typed is lost when a form arrives too late: the page that
says so carries it along and sends it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import (
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from appeal.context import settings
from appeal.core import money, texts
from appeal.core.errors import Forbidden
from appeal.extensions import csrf
from appeal.models import Appeal, Person
from appeal.office import dashboard, passwords, sign_in
from appeal.office.audit import Actor
from appeal.office.second_factor import SecondFactor
from appeal.office.sign_in import Origin, Signed

RANK = {"viewer": 0, "editor": 1, "admin": 2}
CONFIRM = "confirm_password"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """What a route asks of whoever comes. An empty role is open to everybody."""

    role: str
    fresh: bool = False
    without_factor: bool = False
    quiet: bool = False


def allow(
    role: str, *, fresh: bool = False, without_factor: bool = False, quiet: bool = False
) -> Callable[[View], View]:
    """Open a route to a role and those above it; a quiet one is asked by a script and does not count as use."""

    def mark(view: View) -> View:
        view.staff_access = Access(role, fresh, without_factor, quiet)  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Open a route to strangers: only the way in."""
    view.staff_access = Access("")  # type: ignore[attr-defined]
    return view


def access_of(endpoint: str) -> Access | None:
    """Return what a route asks, or None when it says nothing and is closed."""
    return getattr(current_app.view_functions[endpoint], "staff_access", None)


def guard() -> BaseResponse | None:
    """Let through who may pass."""
    asked = access_of(request.endpoint or "")
    token = session.get("token")
    quiet = asked is not None and asked.quiet and "wall" not in request.args
    g.signed = sign_in.of_token(token, seen=not quiet) if token else None
    g.csrf_failed = _csrf_failed()
    if asked is None:
        raise Forbidden
    if not asked.role:
        return None
    if g.signed is None:
        return _ask_in()
    return _hold_up(asked, g.signed)


def _hold_up(asked: Access, signed: Signed) -> BaseResponse | None:
    if signed.second_factor_required and not signed.person.second_factor and not asked.without_factor:
        return redirect(url_for("staff.account.second_factor"), code=303)
    if RANK[signed.person.role] < RANK[asked.role]:
        raise Forbidden
    if g.csrf_failed:
        return _again("late", 400)
    if asked.fresh and request.method == "POST" and not signed.fresh:
        return _confirm(signed)
    return None


def _csrf_failed() -> bool:
    if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
        return False
    try:
        csrf.protect()
    except CSRFError:
        return True
    return False


def _ask_in() -> BaseResponse:
    if request.method in {"GET", "HEAD"}:
        wanted = request.full_path.rstrip("?")
        return redirect(url_for("staff.session.login", next=wanted), code=303)
    return _again("signed_out", 401)


def _confirm(signed: Signed) -> BaseResponse | None:
    """Ask for the password before something grave, and go on with the same form once it was given."""
    given = request.form.get(CONFIRM)
    if given is None:
        return _again("confirm", 403)
    try:
        sign_in.refuse_too_many(signed.person.email, origin())
        if not passwords.fits(signed.person.password_hash, given):
            sign_in.failed(signed.person.email, origin())
            return _again("confirm", 403, problem="That is not your password.")
    except sign_in.TooManySignIns as error:
        return _again("confirm", 429, problem=error.message)
    sign_in.renew(signed.sign_in)
    return None


def _again(why: str, status: int, problem: str = "") -> BaseResponse:
    """Show what held the form up, and carry everything typed along."""
    return make_response(
        render_template(
            "staff/again.html", why=why, problem=problem, fields=kept(request.form), action=request.full_path
        ),
        status,
    )


def kept(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    """List what was typed, for a page that carries it along: all but the token and passwords."""
    return [
        (name, value)
        for name, value in form.items(multi=True)
        if name != "csrf_token" and "password" not in name
    ]


def headers(response: Response) -> Response:
    """Let these pages run our own script alone, be framed by nobody and kept by no cache."""
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Frame-Options"] = "DENY"
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def template_values() -> dict[str, Any]:
    """Give every page who is signed in and what they may do."""
    signed = cast("Signed | None", g.get("signed"))
    return {
        "me": signed.person if signed else None,
        "may": may,
        "exact": exact,
        "short": short,
        "has": has,
        "seen": seen,
        "desk_zone": desk_zone,
    }


def desk_zone() -> str:
    """Return the zone of times on pages about no appeal; asked once a request."""
    if "desk_zone" not in g:
        g.desk_zone = dashboard.desk_zone()
    return cast(str, g.desk_zone)


def seen(text: str) -> str:
    """Write what people typed, or who did something, as this reader may see it: a viewer sees no e-mail address."""
    return text if may("editor") else texts.with_masked_emails(text)


def has(endpoint: str) -> bool:
    """Say whether there is such a page."""
    return endpoint in current_app.view_functions


def exact(minor: int, appeal: Appeal) -> str:
    """Write an amount to the penny, in an appeal's money."""
    return texts.isolated(money.format_money(minor, appeal.currency, appeal.locale, whole="never"))


def short(minor: int, appeal: Appeal) -> str:
    """Write an amount in whole units, rounded down, in an appeal's money."""
    return texts.isolated(money.format_money(minor, appeal.currency, appeal.locale, whole="down"))


def person() -> Person:
    """Return who is signed in; only behind the guard."""
    return cast(Signed, g.signed).person


def actor() -> Actor:
    """Return who is signed in, as the audit names them."""
    one = person()
    return Actor(one.email, one.id)


def may(role: str) -> bool:
    """Say whether whoever is signed in has this role or one above it."""
    signed = cast("Signed | None", g.get("signed"))
    return signed is not None and RANK[signed.person.role] >= RANK[role]


def origin() -> Origin:
    """Say where this request comes from."""
    return Origin(request.remote_addr or "unknown", _browser(), digest_key())


def digest_key() -> bytes:
    """Return the key of this installation's digests."""
    return settings().secret_key.get_secret_value().encode()


def factor() -> SecondFactor:
    """Return the second factor of this installation."""
    config = settings()
    keys = [config.secret_key, *config.secret_key_fallbacks]
    return SecondFactor([key.get_secret_value() for key in keys], config.public_parts.hostname or "Appeal")


def _browser() -> str:
    """Say in two words what somebody signs in with."""
    agent = request.user_agent.string
    names = (("Edg/", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (("Android", "Android"), ("iPhone", "iPhone"), ("Windows", "Windows"), ("Mac OS", "macOS"))
    name = next((told for mark, told in names if mark in agent), "A browser")
    system = next((told for mark, told in (*systems, ("Linux", "Linux")) if mark in agent), "")
    return f"{name} on {system}" if system else name
