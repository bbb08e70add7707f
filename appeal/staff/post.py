"""The post room: batches of cheques and statement lines, typed from paper with a keyboard alone."""

from __future__ import annotations

from flask import Blueprint, render_template

from appeal.staff import access, choice

routes = Blueprint("post", __name__, url_prefix="/post")


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show the batches that are open, and those closed lately."""
    return render_template("staff/post.html", choice=choice.chosen())
