"""The dashboard, its live figures, and the view for a screen on the office wall."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal.core import clock, progress
from appeal.office import dashboard
from appeal.queues import notices
from appeal.staff import access, choice

routes = Blueprint("dashboard", __name__)


@routes.get("/")
@access.allow("viewer")
def show() -> str:
    """Show where the appeal stands."""
    found = choice.chosen()
    return render_template(
        "staff/dashboard.html",
        choice=found,
        board=dashboard.board(found.appeal, found.totals),
        notice_names=notices.NAMES,
    )


@routes.get("/wall")
@access.allow("viewer")
def wall() -> str:
    """Show the figure as large as the screen allows."""
    found = choice.chosen()
    pulse = dashboard.pulse(found.appeal, found.totals)
    return render_template(
        "staff/wall.html", choice=found, live=live_values(found.appeal, pulse), figure=pulse.figure
    )


@routes.get("/pulse.json")
@access.allow("viewer", quiet=True)
def pulse() -> BaseResponse:
    """Give the live figures as they are shown, small and often unchanged."""
    found = choice.chosen()
    response = jsonify(live_values(found.appeal, dashboard.pulse(found.appeal, found.totals)))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)


def live_values(appeal: Any, pulse: dashboard.Pulse) -> dict[str, Any]:
    """Write the live figures as text, by the names that the page gives its places."""
    figure = pulse.figure
    tenths = figure.percent_tenths
    return {
        "raised": access.exact(figure.raised_minor, appeal),
        "raised-whole": figure.formatted.raised,
        "remaining": figure.formatted.remaining or "",
        "percent": progress.percent_shown(tenths, appeal.locale) if tenths is not None else "",
        "bar": min(1000, tenths or 0),
        "gifts": f"{figure.gift_count:,}",
        "donors": f"{figure.donor_count:,}",
        "today": access.exact(pulse.today_minor, appeal),
        "today-gifts": f"{pulse.today_gifts:,}",
        "today-words": f"{pulse.today_gifts:,} {'gift' if pulse.today_gifts == 1 else 'gifts'}",
        "waiting": pulse.waiting,
        "days-left": "" if figure.days_left is None else str(figure.days_left),
        "as-of": clock.rfc3339(figure.as_of),
        "reload": url_for("staff.dashboard.show", appeal=appeal.slug),
    }
