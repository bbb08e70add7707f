"""The audit: every change by staff, searchable, not editable; and the same as a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for

from appeal.office import audit
from appeal.staff import access
from appeal.staff.donations import before_id

routes = Blueprint("audit", __name__, url_prefix="/audit")


@routes.get("")
@access.allow("admin")
def show() -> str:
    """List changes, newest first."""
    wanted = audit.Search(
        actor=_word("actor"), action=_word("action"), subject=_word("subject"), before_id=before_id()
    )
    found, following = audit.entries(wanted)
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name != "before"}
    return render_template(
        "staff/audit.html",
        found=found,
        wanted=wanted,
        actions=audit.actions(),
        first_url=url_for("staff.audit.show", **kept),
        next_url=url_for("staff.audit.show", **{**kept, "before": following}) if following else None,
    )


def _word(name: str) -> str:
    return request.args.get(name, "").strip()[:254].replace("\x00", "")
