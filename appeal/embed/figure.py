"""The figure as JSON, and as a piece of HTML that a host's server puts into its page."""

from __future__ import annotations

from flask import Response, render_template
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.embed import words
from appeal.embed.answers import appeal_url, asked, language, of_figure
from appeal.embed.blueprint import blueprint


@blueprint.get("/api/v1/appeals/<slug>")
def appeal_json(slug: str) -> BaseResponse:
    """Give the figure as JSON, with what the script needs to say it; `?lang=` brings the words of a language."""
    figure = reports.figure(slug)
    document = reports.document(figure, appeal_url(slug))
    lang = language("en")  # the script carries English; a host's page in another language asks for its own
    document["banner"] = words.for_json(figure, lang)
    body, etag = reports.body_and_etag(document)
    return of_figure(Response(body, mimetype="application/json"), figure, etag=etag, with_query=lang != "en")


@blueprint.get("/embed/<slug>/fragment")
def fragment(slug: str) -> BaseResponse:
    """Give the banner as an HTML fragment for server-side includes."""
    figure = reports.figure(slug)
    what = asked(figure)
    html = render_template(
        "embed/fragment.html",
        figure=figure,
        said=words.say(figure, what.placement, what.lang, what.views_left),
        placement=what.placement,
        off=what.placement in figure.facts.appeal.banner_off,
        donate_url=appeal_url(slug, src=what.src or f"fragment:{what.placement}", page=what.page),
    )
    return of_figure(Response(html, mimetype="text/html"), figure, with_query=True)
