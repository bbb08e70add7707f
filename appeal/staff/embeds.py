"""Banners on other sites: where they are seen, which placements are on, and their words by placement and state."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import banners, embed_health
from appeal.core import ids, placements
from appeal.extensions import db
from appeal.staff import access, choice

routes = Blueprint("embeds", __name__, url_prefix="/embeds")
PARTS = ("title", "body", "button")
STATE_WORDS = {
    "upcoming": "Before it opens",
    "running": "While it runs",
    "last_days": "In the last three days",
    "reached": "Once the goal is reached",
    "ended": "When it has ended",
}


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show where banners are seen and what they say."""
    return _page()


def _page(typed: banners.Words | None = None, problem: str = "") -> str:
    found = choice.chosen()
    return render_template(
        "staff/embeds.html",
        choice=found,
        words=found.appeal.banner_words if typed is None else typed,
        health=embed_health.report(),
        one_in=embed_health.SAMPLED_ONE_IN,
        placements=placements.BANNER,
        states=STATE_WORDS,
        parts=PARTS,
        longest=banners.LONGEST,
        problem=problem,
    )


@routes.post("/words")
@access.allow("editor")
def words() -> BaseResponse:
    """Keep the banners' words, unless somebody else has changed the appeal meanwhile."""
    found = choice.chosen()
    typed = _typed()
    if request.form.get("revision", 0, type=ids.row_number) != found.appeal.revision:
        problem = (
            "Somebody else changed this appeal while you were writing. Your words are below, not saved yet; "
            "look at theirs on the appeal's page, then keep yours again."
        )
        return make_response(_page(typed, problem), 409)
    try:
        banners.set_words(found.appeal.slug, typed, access.actor())
    except banners.InvalidWords as error:
        db.session.rollback()
        return make_response(_page(typed, error.message), 422)
    flash("Kept. Every banner says so within a minute.")
    return redirect(url_for("staff.embeds.show", appeal=found.appeal.slug), code=303)


def _typed() -> banners.Words:
    return {
        placement: {
            state: {part: request.form.get(f"{placement}.{state}.{part}", "")[:400] for part in PARTS}
            for state in STATE_WORDS
        }
        for placement in placements.BANNER
    }


@routes.post("/switch")
@access.allow("editor")
def switch() -> BaseResponse:
    """Switch a placement on or off, on every site."""
    found = choice.chosen()
    banners.switch(
        found.appeal.slug,
        request.form.get("placement", ""),
        access.actor(),
        on=request.form.get("on") == "yes",
    )
    return redirect(url_for("staff.embeds.show", appeal=found.appeal.slug), code=303)
