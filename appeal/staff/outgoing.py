"""What the publisher's own systems and people are told: endpoints, their secrets, what was delivered, the daily letter."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse
from wtforms import Form, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, Length
from wtforms.widgets import CheckboxInput

from appeal.context import settings
from appeal.core import clock, ids
from appeal.core.errors import DomainError, NotPossible, StaleForm
from appeal.extensions import db
from appeal.models import Appeal, OutgoingEndpoint
from appeal.outgoing import addresses, bodies, digest, endpoints, events, sending
from appeal.staff import access, choice, sure
from appeal.staff.forms import clean, trim

routes = Blueprint("outgoing", __name__, url_prefix="/outgoing")
KINDS = ("webhook", "chat")


class EndpointForm(Form):
    """Whom to tell of what."""

    name = StringField(
        "Name",
        filters=[trim],
        validators=[DataRequired("Give it a name, such as the system’s."), Length(max=80), clean],  # noqa: RUF001
    )
    address = StringField("Address", filters=[trim], validators=[Length(max=500), clean])
    appeal_id = SelectField("Which appeal", coerce=int)
    event_types = SelectMultipleField(
        "What it is told of",
        choices=[SelectChoice(*pair) for pair in events.EVENT_TYPES.items()],
        option_widget=CheckboxInput(),
    )
    personal = SelectMultipleField(
        "What it may learn about the donor",
        choices=[SelectChoice(*pair) for pair in bodies.PERSONAL.items()],
        option_widget=CheckboxInput(),
    )


def _form(endpoint: OutgoingEndpoint | None = None) -> EndpointForm:
    """Make the form: of what was typed, else of what is stored, else ready for a new one."""
    if request.method == "POST":
        form = EndpointForm(request.form)
    elif endpoint is None:
        form = EndpointForm(data={"event_types": list(events.EVENT_TYPES), "appeal_id": 0})
    else:
        stored = {"event_types": endpoint.event_types.split(), "appeal_id": endpoint.appeal_id or 0}
        form = EndpointForm(data={"name": endpoint.name, "personal": endpoint.personal, **stored})
    appeals = db.session.execute(select(Appeal.id, Appeal.title).order_by(Appeal.id.desc()))
    form.appeal_id.choices = [
        SelectChoice(0, "Every appeal"),
        *(SelectChoice(number, title) for number, title in appeals),
    ]
    return form


def _wanted(form: EndpointForm, kind: str) -> endpoints.Wanted:
    return endpoints.Wanted(
        kind=kind,
        name=form.name.data or "",
        address=form.address.data or "",
        event_types=tuple(form.event_types.data or ()),
        personal=tuple(form.personal.data or ()),
        appeal_id=form.appeal_id.data or None,
    )


@routes.get("")
@access.allow("admin")
def show() -> str:
    """List the endpoints."""
    return render_template("staff/outgoing.html", endpoints=endpoints.every(), counts=endpoints.counts())


@routes.get("/new/<kind>")
@access.allow("admin")
def new(kind: str) -> str:
    """Offer the form of a new endpoint."""
    return _new(_known(kind), _form())


def _known(kind: str) -> str:
    return kind if kind in KINDS else abort(404)


def _new(kind: str, form: EndpointForm) -> str:
    return render_template("staff/outgoing_new.html", form=form, kind=kind)


@routes.post("/new/<kind>")
@access.allow("admin", fresh=True)
def add(kind: str) -> BaseResponse | str:
    """Add an endpoint; its secret is shown once."""
    form = _form()
    if form.validate():
        try:
            endpoint, secret = endpoints.add(_wanted(form, _known(kind)), access.actor(), settings())
        except (addresses.NotAllowed, NotPossible) as error:
            _say(form, error)
        else:
            return _after(endpoint, secret)
    return make_response(_new(_known(kind), form), 422)


def _say(form: EndpointForm, error: DomainError) -> None:
    db.session.rollback()
    field = form.address if isinstance(error, addresses.NotAllowed) else form.event_types
    field.errors = [error.message]


def _after(endpoint: OutgoingEndpoint, secret: str) -> BaseResponse | str:
    if secret:
        return render_template("staff/outgoing_secret.html", endpoint=endpoint, secret=secret)
    flash("Added. Send a test to see whether it arrives.")
    return redirect(url_for("staff.outgoing.one", number=endpoint.id), code=303)


@routes.get("/<int:number>")
@access.allow("admin")
def one(number: int) -> str:
    """Show one endpoint and what was delivered to it."""
    endpoint = endpoints.one(number)
    return _one(endpoint, _form(endpoint))


def _one(endpoint: OutgoingEndpoint, form: EndpointForm, problem: str = "") -> str:
    before = request.args.get("before", type=ids.row_number)
    log = endpoints.deliveries(endpoint.id, before_id=before if before and before < 2**62 else None)
    return render_template(
        "staff/outgoing_one.html",
        endpoint=endpoint,
        form=form,
        problem=problem,
        log=log,
        first=before is None,
        counts=endpoints.counts(),
        rolling=bool(endpoint.old_until and endpoint.old_until > clock.now()),
    )


@routes.post("/<int:number>")
@access.allow("admin", fresh=True)
def change(number: int) -> BaseResponse:
    """Change an endpoint."""
    endpoint = endpoints.one(number)
    form, problem, status = _form(endpoint), "", 422
    if form.validate():
        revision = request.form.get("revision", 0, type=ids.row_number)
        try:
            endpoints.change(number, _wanted(form, endpoint.kind), revision, access.actor(), settings())
        except StaleForm:
            db.session.rollback()
            problem, status = "Somebody else changed this meanwhile. What you typed is still here.", 409
        except (addresses.NotAllowed, NotPossible) as error:
            _say(form, error)
        else:
            flash("Kept.")
            return _back(number)
    return make_response(_one(endpoints.one(number), form, problem), status)


def _back(number: int) -> BaseResponse:
    return redirect(url_for("staff.outgoing.one", number=number), code=303)


@routes.post("/<int:number>/roll")
@access.allow("admin", fresh=True)
def roll(number: int) -> str:
    """Make a new secret, shown once; the old one signs beside it for a day."""
    secret = endpoints.roll(number, access.actor(), settings())
    return render_template("staff/outgoing_secret.html", endpoint=endpoints.one(number), secret=secret)


@routes.post("/<int:number>/rolled")
@access.allow("admin", fresh=True)
def rolled(number: int) -> BaseResponse:
    """Drop the old secret."""
    asked = sure.ask(
        "Drop the old secret?",
        f"From now on messages to “{endpoints.one(number).name}” carry one signature, by the new secret. "
        "Whoever still checks by the old one refuses them.",
        button="Drop it",
        back=url_for("staff.outgoing.one", number=number),
    )
    if asked:
        return asked
    endpoints.finish_roll(number, access.actor())
    flash("The old secret signs no more.")
    return _back(number)


@routes.post("/<int:number>/switch")
@access.allow("admin", fresh=True)
def switch(number: int) -> BaseResponse:
    """Switch an endpoint on or off."""
    endpoints.switch(number, access.actor(), on=request.form.get("to") == "on")
    return _back(number)


@routes.post("/<int:number>/test")
@access.allow("admin")
def test(number: int) -> BaseResponse:
    """Deliver a test message at once."""
    outcome = sending.try_out(endpoints.one(number), settings())
    flash(*(("It arrived.", "good") if outcome.taken else (f"Not taken. {outcome.problem}", "bad")))
    return _back(number)


@routes.post("/<int:number>/again")
@access.allow("admin")
def again(number: int) -> BaseResponse:
    """Try every parked message again."""
    count = endpoints.send_parked(number, access.actor())
    flash(f"{count} messages are tried again.")
    return _back(number)


@routes.get("/digest")
@access.allow("viewer")
def daily() -> str:
    """Show yesterday's letter, and whether one gets it."""
    found = choice.if_any()
    text = ""
    if found is not None:
        yesterday = clock.today(found.appeal.time_zone) - timedelta(days=1)
        told = digest.digest_of(found.appeal, yesterday)
        text = digest.render(told, access.person(), settings())[1]
    return render_template(
        "staff/digest.html",
        choice=found,
        text=text,
        hour=digest.HOUR,
        wanted=digest.wants(access.person().id),
    )


@routes.post("/digest")
@access.allow("viewer")
def choose_daily() -> BaseResponse:
    """Begin or stop getting the letter."""
    wanted = request.form.get("wanted") == "yes"
    digest.choose(access.person().id, wanted=wanted)
    flash("The letter comes every morning." if wanted else "The letter comes no more.")
    return redirect(url_for("staff.outgoing.daily"), code=303)
