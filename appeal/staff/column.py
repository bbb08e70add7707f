"""Tomorrow's thank-you column: what to print, as text to copy, and what was printed."""

from __future__ import annotations

from flask import Blueprint, render_template

from appeal.staff import access, choice

routes = Blueprint("column", __name__, url_prefix="/column")


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show the lines that are ready to be printed."""
    return render_template("staff/column.html", choice=choice.chosen())
