"""Asking first: before something that cannot be taken back, a page says in words what will happen.

It carries the form along, so that no script is needed and nothing is typed twice.
"""

from __future__ import annotations

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from appeal.staff import access

SURE = "sure"


def ask(title: str, *sentences: str, button: str, back: str) -> BaseResponse | None:
    """Return the page that asks, or None once whoever is signed in has said yes."""
    if request.form.get(SURE) == "yes":
        return None
    fields = [pair for pair in access.kept(request.form) if pair[0] != SURE]
    return make_response(
        render_template(
            "staff/sure.html",
            title=title,
            sentences=sentences,
            button=button,
            back=back,
            action=request.full_path.rstrip("?"),
            fields=fields,
        )
    )
