"""The figure as JSON, and as a piece of HTML that a host's server puts into its page."""

from __future__ import annotations

from flask import Response, after_this_request, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.core.errors import NoSuchAppeal
from appeal.embed import words
from appeal.embed.answers import appeal_url, asked, language, of_figure
from appeal.embed.blueprint import REFUSED, blueprint

# What the banner's script accepts, and nobody else: it is told of an unknown appeal by 204 (docs/adr/0041).
BANNER_TYPE = "application/vnd.appeal+json"


@blueprint.get("/api/v1/appeals/<slug>")
def appeal_json(slug: str) -> BaseResponse:
    """Give the figure as JSON, with what the script needs to say it; `?lang=` brings the words of a language."""
    try:
        figure = reports.figure(slug)
    except NoSuchAppeal:
        after_this_request(_depends_on_accept)
        if request.headers.get("Accept") == BANNER_TYPE:
            return Response(status=204, headers={"Cache-Control": REFUSED})
        raise
    document = reports.document(figure, appeal_url(slug))
    lang = language("en")  # the script carries English; a host's page in another language asks for its own
    document["banner"] = words.for_json(figure, lang)
    body, etag = reports.body_and_etag(document)
    return of_figure(Response(body, mimetype="application/json"), figure, etag=etag, with_query=lang != "en")


def _depends_on_accept(response: Response) -> Response:
    response.vary.add("Accept")
    return response


@blueprint.get("/embed/<slug>/fragment")
def fragment(slug: str) -> BaseResponse:
    """Give the banner as an HTML fragment for server-side includes; of an unknown appeal 404, told where no reader sees it."""
    try:
        figure = reports.figure(slug)
    except NoSuchAppeal as error:
        return Response(f"<!-- {error.message} -->", status=404, mimetype="text/html")
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
