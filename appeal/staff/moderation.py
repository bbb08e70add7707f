"""What donors wrote, to be read before anybody sees it; and the list of words to look at twice."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.core import texts
from appeal.office import moderation, staff_people
from appeal.staff import access, choice

routes = Blueprint("moderation", __name__, url_prefix="/moderation")


@routes.get("")
@access.allow("editor")
def show() -> str:
    """Show what waits, oldest first."""
    found = choice.chosen()
    refused = staff_people.house().refused_words
    waiting = [
        (
            gift,
            reports.credit_line(gift),
            moderation.suspicious(f"{reports.credit_line(gift)} {gift.message}", refused),
        )
        for gift in moderation.queue(found.appeal.id)
    ]
    return render_template("staff/moderation.html", choice=found, waiting=waiting, refused=refused)


@routes.post("/<public_id>")
@access.allow("editor")
def judge(public_id: str) -> BaseResponse:
    """Approve or hide what one donor wrote."""
    verdicts = {part: request.form[part] for part in moderation.PARTS if request.form.get(part)}
    gift = moderation.review(public_id, verdicts, access.actor())
    back = request.form.get("back", "")
    if back == "gift":
        return redirect(url_for("staff.donations.one", public_id=public_id), code=303)
    return redirect(url_for("staff.moderation.show", appeal=gift.appeal.slug), code=303)


@routes.post("/words")
@access.allow("editor")
def words() -> BaseResponse:
    """Keep the list of words to look at twice."""
    lines = [texts.one_line(line)[:60] for line in request.form.get("words", "")[:10_000].splitlines()]
    kept = sorted({line for line in lines if line and not texts.has_control(line)})[:500]
    staff_people.change_house({"refused_words": kept}, staff_people.house().revision, access.actor())
    flash("The list is saved.")
    return redirect(url_for("staff.moderation.show"), code=303)
