"""Bank statements: handed in as a file, columns named once, lines chosen, and a batch made of them."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.core import bank_statements
from appeal.core.bank_statements import Reading, StatementUnreadable
from appeal.core.errors import NotPossible
from appeal.extensions import db
from appeal.models import Appeal, BankStatement
from appeal.office import post_import
from appeal.staff import access, choice, sure

routes = Blueprint("statements", __name__, url_prefix="/post/statements")
LARGEST_BYTES = 900 * 1024


@routes.get("")
@access.allow("editor")
def show() -> str:
    """Offer to hand in a file, and list those that are not finished."""
    return _page(choice.chosen())


def _page(found: choice.Choice, problem: str = "") -> str:
    waiting = post_import.waiting(found.appeal.id)
    return render_template("staff/statements.html", choice=found, waiting=waiting, problem=problem)


@routes.post("")
@access.allow("editor")
def hand_in() -> BaseResponse:
    """Take a file."""
    found = choice.chosen()
    file = request.files.get("file")
    if file is None or not file.filename:
        return make_response(_page(found, "Choose a file: CSV or CAMT.053 (XML)."), 422)
    raw = file.read(LARGEST_BYTES + 1)
    if len(raw) > LARGEST_BYTES:
        return make_response(_page(found, "The file is larger than 900 KB. Hand it in by the month."), 422)
    try:
        statement = post_import.hand_in(found.appeal, file.filename, raw, access.actor())
    except StatementUnreadable as error:
        db.session.rollback()
        return make_response(_page(found, error.message), 422)
    return redirect(url_for("staff.statements.one", number=statement.id), code=303)


@routes.get("/<int:number>")
@access.allow("editor")
def one(number: int) -> str:
    """Show what a statement proposes, and its columns to name."""
    return _one(post_import.statement(number))


def _one(statement: BankStatement, problem: str = "") -> str:
    appeal = db.session.get_one(Appeal, statement.appeal_id)
    table = post_import.sheet_of(statement)
    reading = Reading([], [])
    try:
        reading = post_import.read(statement, appeal)
    except StatementUnreadable as error:
        problem = problem or error.message
    return render_template(
        "staff/statement.html",
        statement=statement,
        a=appeal,
        table=table,
        roles=bank_statements.ROLES,
        orders=bank_statements.DATE_ORDERS,
        proposals=post_import.proposals(reading, appeal),
        left_out=reading.left_out,
        problem=problem,
        chosen=set(request.form.getlist("pick")) if request.method == "POST" else None,
    )


@routes.post("/<int:number>/columns")
@access.allow("editor")
def columns(number: int) -> BaseResponse:
    """Keep what the columns hold."""
    named = {name: value[:60] for name, value in request.form.items()}
    post_import.name_columns(number, named, access.actor())
    return redirect(url_for("staff.statements.one", number=number), code=303)


@routes.post("/<int:number>/batch")
@access.allow("editor")
def make_batch(number: int) -> BaseResponse:
    """Make a batch of the chosen lines."""
    try:
        batch = post_import.make_batch(number, request.form.getlist("pick"), access.actor())
    except (NotPossible, StatementUnreadable) as error:
        db.session.rollback()
        return make_response(_one(post_import.statement(number), error.message), 422)
    flash("The lines are in a batch. Look through them, then close it.")
    return redirect(url_for("staff.post.one", number=batch.id), code=303)


@routes.post("/<int:number>/forget")
@access.allow("editor")
def forget(number: int) -> BaseResponse:
    """Throw a statement away."""
    asked = sure.ask(
        f"Throw {post_import.statement(number).name} away?",
        "Nothing of it is in a batch. Handing the file in again brings it back.",
        button="Throw it away",
        back=url_for("staff.statements.one", number=number),
    )
    if asked:
        return asked
    post_import.forget(number, access.actor())
    flash("The file is thrown away.")
    return redirect(url_for("staff.statements.show"), code=303)
