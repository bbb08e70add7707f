"""Where the publisher's own systems are told of gifts: endpoints, their secrets, and what was delivered."""

from __future__ import annotations

from flask import Blueprint, render_template

from appeal import outgoing
from appeal.staff import access

routes = Blueprint("outgoing", __name__, url_prefix="/outgoing")


@routes.get("")
@access.allow("admin")
def show() -> str:
    """Show what can be told, and to whom it is."""
    return render_template("staff/outgoing.html", event_types=outgoing.EVENT_TYPES)
