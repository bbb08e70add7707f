"""The banner as a page of its own, for an iframe: the figure is in the first paint, script or no script."""

from __future__ import annotations

from flask import Response, render_template
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.context import settings
from appeal.core import money
from appeal.core.errors import NoSuchAppeal
from appeal.embed import assets, words
from appeal.embed.answers import Asked, appeal_url, asked, of_figure, public
from appeal.embed.blueprint import blueprint

AMOUNTS = 3


@blueprint.get("/embed/<slug>/banner")
def frame(slug: str) -> BaseResponse:
    """Give the banner as a page; `?placement=&theme=&lang=&src=&page=&views_left=&view_limit=`."""
    try:
        figure = reports.figure(slug)
    except NoSuchAppeal:
        return _framed(Response(render_template("embed/gone.html"), status=404))
    what = asked(figure)
    html = render_template(
        "embed/banner.html",
        figure=figure,
        what=what,
        said=words.say(figure, what.placement, what.lang, what.views_left),
        off=what.placement in figure.facts.appeal.banner_off,
        donate_url=_donate_url(slug, what),
        amounts=_amounts(figure, what),
        meter=_meter(what),
        style_url=public(assets.hashed_url("frame.css")),
        colours_url=public(f"/embed/{slug}/colours.css"),
        script_url=public(assets.hashed_url("frame.js")),
    )
    return of_figure(_framed(Response(html)), figure, with_query=True)


@blueprint.get("/embed/<slug>/colours.css")
def colours(slug: str) -> BaseResponse:
    """Give the appeal's colour to its frame."""
    figure = reports.figure(slug)
    return of_figure(Response(f":root{{--brand:{words.accent(figure)}}}", mimetype="text/css"), figure)


def _framed(response: Response) -> Response:
    """Let the registered sites frame the page. The origin is written out: in a sandbox, nothing is 'self'."""
    own, ancestors = settings().public_origin, settings().embed_ancestors
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {own}; script-src {own}; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {' '.join(ancestors.replace(',', ' ').split())}"
    )
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _donate_url(slug: str, what: Asked, **more: str) -> str:
    return appeal_url(slug, src=what.src or f"frame:{what.placement}", page=what.page, **more)


def _amounts(figure: reports.Figure, what: Asked) -> list[tuple[str, str]]:
    """Return what the buttons of the large banner say and where they lead: the form with the amount filled in."""
    if what.placement != "end" or figure.state in {"upcoming", "ended"}:
        return []
    currency, locale = figure.currency, figure.locale
    return [
        (
            money.format_money(minor, currency, locale),
            _donate_url(figure.slug, what, amount=money.plain(minor, currency), frequency="once"),
        )
        for minor in figure.facts.appeal.presets_minor[:AMOUNTS]
    ]


def _meter(what: Asked) -> list[bool]:
    """Return a mark for each free article, true for those that were read; empty where it would say nothing."""
    if what.placement != "paywall" or what.views_left is None or not 0 < (what.view_limit or 0) < 13:
        return []
    limit = what.view_limit or 0
    return [spot < limit - what.views_left for spot in range(limit)]
