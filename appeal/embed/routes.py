"""What other people's pages ask for. No cookie is set or read; everything may be cached and says for how long."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import clock, fastlane, reports
from appeal.context import settings

blueprint = Blueprint("embed", __name__)

# A CDN asks at most every 30 s; while it asks, and while we are away, it shows what it has.
CACHE = "public, max-age=10, s-maxage=30, stale-while-revalidate=30, stale-if-error=86400"


@blueprint.after_request
def _headers(response: Response) -> Response:
    response.headers.setdefault("Access-Control-Allow-Origin", "*")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if response.status_code >= 400:
        response.headers.setdefault("Cache-Control", "public, max-age=5")
    return response


@blueprint.get("/api/v1/appeals/<slug>")
def appeal_json(slug: str) -> BaseResponse:
    """Give the figure as JSON."""
    figure = reports.figure(slug)
    body, etag = reports.body_and_etag(reports.document(figure, _donate_url(slug)))
    return _cacheable(Response(body, mimetype="application/json"), etag, figure)


@blueprint.get("/embed/<slug>/fragment")
def fragment(slug: str) -> BaseResponse:
    """Give the banner as an HTML fragment for server-side includes."""
    figure = reports.figure(slug)
    html = render_template("embed/fragment.html", figure=figure, donate_url=_donate_url(slug))
    _body, etag = reports.body_and_etag({"html": html})
    return _cacheable(Response(html, mimetype="text/html"), etag, figure)


def _donate_url(slug: str) -> str:
    return f"{settings().public_url}{url_for('supporters.appeal', slug=slug)}"


def _cacheable(
    response: Response, etag: str, figure: reports.Figure, *, with_query: bool = False
) -> BaseResponse:
    """Let CDNs and the fast lane keep an answer for as long as its figure holds.

    `with_query` keeps an answer for each query string as well: for addresses whose answer depends on it.
    """
    keep = fastlane.Keep(
        figure.slug, figure.facts, figure.holds_from, figure.holds_until, with_query=with_query
    )
    fastlane.keep(request.environ, keep)
    response.headers["Cache-Control"] = CACHE
    response.set_etag(etag)
    response.last_modified = min(figure.as_of, clock.now())
    # Without If-None-Match a date decides; a state can change without a new entry, so only the tag is believed.
    if not request.if_none_match:
        return response
    return response.make_conditional(request)
