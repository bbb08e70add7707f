"""Who may see a donor's pages: somebody who used the link we mailed, within the hour, with this browser."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request, session
from flask_wtf.csrf import CSRFError

from appeal.context import settings
from appeal.core import clock
from appeal.extensions import csrf, db
from appeal.models import Donor

STAY = timedelta(hours=1)
PORTAL = "https://billing.stripe.com"


def enter(donor_id: int) -> None:
    """Let a donor in; whatever the session held before is gone."""
    session.clear()
    session["donor"], session["since"] = donor_id, int(clock.now().timestamp())


def leave() -> None:
    """Let a donor out."""
    session.clear()


def donor() -> Donor | None:
    """Return the donor who is in, or None."""
    since = session.get("since")
    if since is None or clock.now() - clock.from_unix(since) > STAY:
        return None
    found = db.session.get(Donor, session["donor"])
    return found if found is not None and found.erased_at is None else None


def forged() -> bool:
    """Say whether a form did not come from our own page: its token is missing, old or another session's."""
    try:
        csrf.protect()
    except CSRFError:
        return True
    return False


def headers(response: Response) -> Response:
    """Keep these pages out of caches, searches and frames; let forms lead to Stripe's own pages."""
    config = settings()
    targets = " ".join(("'self'", PORTAL, *config.form_action_origins))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
    return response


def is_post() -> bool:
    """Say whether something is to be changed."""
    return request.method == "POST"
