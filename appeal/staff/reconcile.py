"""What waits for a person: events put aside, letters that could not be sent, differences from Stripe, payouts, seals."""

from __future__ import annotations

from flask import Blueprint, render_template

from appeal.staff import access

routes = Blueprint("reconcile", __name__, url_prefix="/reconcile")


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show everything that does not yet fit together."""
    return render_template("staff/reconcile.html")
