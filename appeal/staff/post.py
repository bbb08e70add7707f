"""The post room: batches of cheques and statement lines, typed from paper with a keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.core import ids, money
from appeal.core.errors import DomainError, StaleForm
from appeal.extensions import db
from appeal.models import Appeal, Donation, PostBatch, PostLine
from appeal.office import post, post_closing, post_duplicates, post_import, promises
from appeal.staff import access, choice, sure
from appeal.staff.post_forms import BatchForm, CorrectionForm, EntryForm, RecountForm

routes = Blueprint("post", __name__, url_prefix="/post")


# -- batches


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show the batches that are open, and those closed lately."""
    found = choice.chosen()
    return _overview(found, BatchForm(found.appeal))


def _overview(found: choice.Choice, form: BatchForm) -> str:
    before = request.args.get("before", type=ids.row_number)
    closed, following = post.batches(found.appeal.id, closed=True, before_id=before)
    return render_template(
        "staff/post.html",
        choice=found,
        form=form,
        open=post.batches(found.appeal.id, closed=False, most=100)[0],
        closed=closed,
        next_url=url_for("staff.post.show", appeal=found.appeal.slug, before=following)
        if following
        else None,
        first=before is None,
        differs=post_closing.difference,
        promise_count=promises.open_count(found.appeal.id),
        statements=len(post_import.waiting(found.appeal.id)),
    )


@routes.post("")
@access.allow("editor")
def open_batch() -> BaseResponse:
    """Open a batch."""
    found = choice.chosen()
    form = BatchForm(found.appeal, request.form)
    if form.validate():
        try:
            batch = post.open_batch(found.appeal, form.new(), access.actor())
            return redirect(url_for("staff.post.one", number=batch.id), code=303)
        except DomainError as error:
            form.received_on.errors = [error.message]
    return make_response(_overview(found, form), 422)


@routes.get("/<int:number>")
@access.allow("viewer")
def one(number: int) -> str:
    """Show one batch, with the line to type next."""
    return _page(number)


def _page(number: int, form: EntryForm | None = None, **more: Any) -> str:
    batch = post.batch(number)
    appeal = db.session.get_one(Appeal, batch.appeal_id)
    lines = post.lines(batch.id)
    tally = post.tally(batch.id)
    is_open = batch.closed_at is None
    context = {
        "batch": batch,
        "a": appeal,
        "form": form or EntryForm.empty(appeal, batch.received_on),
        "control": _control_form(batch, appeal),
        "lines": lines[::-1],
        "numbers": {line.id: number for number, line in enumerate(lines, 1)},
        "tally": tally,
        "difference": post_closing.difference(batch, tally),
        "in_words": post_closing.in_words(batch, tally, appeal),
        "alike": post_duplicates.of_lines(appeal, lines) if is_open and access.may("editor") else {},
        "suggested": promises.suggested(appeal.id, lines) if is_open and access.may("editor") else {},
        "promises": promises.by_ids(line.promise_id for line in lines if line.promise_id),
        "gifts": {} if is_open else _gifts(lines),
        "problem": "",
    }
    return render_template("staff/post_batch.html", **(context | more))


def _again(
    show: Callable[..., str], number: int, form: Any = None, *, status: int = 422, **more: Any
) -> BaseResponse:
    """Show a batch or a line again, as it is now, with what was typed and what was wrong with it."""
    db.session.rollback()
    return make_response(show(number, form, **more), status)


def _appeal(batch_id: int) -> Appeal:
    return db.session.get_one(Appeal, post.batch(batch_id).appeal_id)


def _control_form(batch: PostBatch, appeal: Appeal) -> RecountForm:
    amount = money.plain(batch.control_minor, appeal.currency)
    return RecountForm(appeal, data={"count": batch.control_count, "amount": amount})


def _gifts(lines: list[PostLine]) -> dict[int, Donation]:
    wanted = [line.donation_id for line in lines if line.donation_id]
    return {gift.id: gift for gift in db.session.query(Donation).where(Donation.id.in_(wanted))}


@routes.post("/<int:number>/lines")
@access.allow("editor")
def enter(number: int) -> BaseResponse:
    """Enter a line, and lead to the next."""
    form = EntryForm(_appeal(number), request.form)
    if not form.validate():
        return _again(_page, number, form)
    try:
        post.add_line(number, form.entry(), access.actor(), fact=f"typed:{form.form.data or ids.public_id()}")
    except DomainError as error:
        return _again(_page, number, form, problem=error.message)
    return redirect(url_for("staff.post.one", number=number), code=303)


@routes.post("/<int:number>/control")
@access.allow("editor")
def recount(number: int) -> BaseResponse:
    """Write another count and total on a batch."""
    form = RecountForm(_appeal(number), request.form)
    if not form.validate():
        return _again(_page, number, control=form)
    post.change_control(number, int(form.count.data or 0), form.amount_minor, access.actor())
    flash("The new count and total are saved.")
    return redirect(url_for("staff.post.one", number=number), code=303)


@routes.post("/<int:number>/close")
@access.allow("editor")
def close(number: int) -> BaseResponse:
    """Enter a batch in the books."""
    try:
        new = post_closing.close(number, access.actor())
    except post_closing.ControlDiffers as error:
        return _again(_page, number, problem=f"The batch is still open. {error.message}")
    words = "Closed: every gift is in the books and in the public figure."
    flash(words if new else "It was closed already, once.")
    return redirect(url_for("staff.post.one", number=number), code=303)


@routes.post("/<int:number>/discard")
@access.allow("editor")
def discard(number: int) -> BaseResponse:
    """Take away an empty batch."""
    appeal = _appeal(number)
    post.discard(number, access.actor())
    flash("The empty batch is gone.")
    return redirect(url_for("staff.post.show", appeal=appeal.slug), code=303)


# -- lines


@routes.get("/lines/<int:number>")
@access.allow("editor")
def line(number: int) -> str:
    """Offer a line for change, or once it is in the books, for correction."""
    return _line_page(number)


def _line_page(number: int, form: EntryForm | CorrectionForm | None = None, **more: Any) -> str:
    found = post.line(number)
    batch = post.batch(found.batch_id)
    appeal = db.session.get_one(Appeal, batch.appeal_id)
    gift = db.session.get(Donation, found.donation_id) if found.donation_id else None
    if gift is not None and not isinstance(form, CorrectionForm):
        form = CorrectionForm(appeal, data={"form": ids.public_id()})
    context = {
        "line": found,
        "batch": batch,
        "a": appeal,
        "form": form or EntryForm.of(appeal, found),
        "gift": gift,
        "stale": None,
        "problem": "",
    }
    return render_template("staff/post_line.html", **(context | more))


@routes.post("/lines/<int:number>")
@access.allow("editor")
def change(number: int) -> BaseResponse:
    """Change a line; where somebody else was quicker, show both."""
    form = EntryForm(_appeal(post.line(number).batch_id), request.form)
    if not form.validate():
        return _again(_line_page, number, form)
    seen = form.revision.data or ""
    try:
        changed = post.change_line(number, form.entry(), int(seen) if seen.isdecimal() else 0, access.actor())
    except post.BatchClosed:
        db.session.rollback()
        raise
    except StaleForm as error:
        db.session.rollback()
        theirs = post.line(number)
        form.revision.data = str(theirs.revision)
        stale = post.as_entry(theirs)
        return _again(_line_page, number, form, status=409, stale=stale, problem=error.message)
    except DomainError as error:
        return _again(_line_page, number, form, problem=error.message)
    return redirect(url_for("staff.post.one", number=changed.batch_id), code=303)


@routes.post("/lines/<int:number>/remove")
@access.allow("editor")
def remove(number: int) -> BaseResponse:
    """Take a line out of an open batch."""
    found = post.line(number)
    sum_in_words = access.exact(found.amount_minor, _appeal(found.batch_id))
    asked = sure.ask(
        f"Take {sum_in_words} from {found.name or 'no name'} out of the batch?",
        "The line goes, with all that was typed in it.",
        button="Take it out",
        back=url_for("staff.post.one", number=found.batch_id),
    )
    if asked:
        return asked
    gone = post.remove_line(number, access.actor())
    flash(f"The line of {gone.name or 'no name'} is taken out.")
    return redirect(url_for("staff.post.one", number=gone.batch_id), code=303)


@routes.post("/lines/<int:number>/match")
@access.allow("editor")
def match(number: int) -> BaseResponse:
    """Match a line to a promise, or take the match off."""
    promise_id = request.form.get("promise", type=ids.row_number)
    matched = promises.match(number, promise_id, access.actor())
    return redirect(url_for("staff.post.one", number=matched.batch_id), code=303)


@routes.post("/lines/<int:number>/correct")
@access.allow("admin", fresh=True)
def correct(number: int) -> BaseResponse:
    """Correct a line of a closed batch by an entry of its own."""
    found = post.line(number)
    appeal = _appeal(found.batch_id)
    form = CorrectionForm(appeal, request.form)
    if not form.validate():
        return _again(_line_page, number, form)
    sum_in_words = access.exact(form.amount_minor, appeal)
    asked = sure.ask(
        f"Correct this gift to {sum_in_words}?",
        f"The line says {access.exact(found.amount_minor, appeal)}. The correction is an entry of its own: "
        "both stay to be seen, with your name and your reason, and the public figure follows at once.",
        button=f"Correct it to {sum_in_words}",
        back=url_for("staff.post.line", number=number),
    )
    if asked:
        return asked
    try:
        post_closing.correct(
            number,
            form.amount_minor,
            access.actor(),
            reason=form.reason.data or "",
            key=form.form.data or "once",
        )
    except DomainError as error:
        return _again(_line_page, number, form, problem=error.message)
    flash("Corrected: the new entry names the old one.")
    return redirect(url_for("staff.post.one", number=found.batch_id), code=303)
