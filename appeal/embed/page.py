"""The public page "put this appeal on your site": choose, look, copy. The one page of this door that runs a script."""

from __future__ import annotations

import re

from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.context import settings
from appeal.core import placements
from appeal.embed import qr
from appeal.embed.answers import THEMES, appeal_url, asked, of_figure, public
from appeal.embed.assets import built, hashed_url
from appeal.embed.blueprint import blueprint
from appeal.embed.script import LANGUAGES
from appeal.embed.snippets import Choice, snippets

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
LANGUAGE_NAMES = {"ar": "العربية", "de": "Deutsch", "en": "English", "fr": "Français"}
PLACEMENT_NAMES = {
    "top": "Top: one line",
    "article": "Article: a box",
    "end": "End: large, with amounts",
    "paywall": "Paywall: at the limit",
}


@blueprint.get("/embed/<slug>")
def put_on_your_site(slug: str) -> BaseResponse:
    """Show every way to embed the appeal, filled in as chosen, with a live preview."""
    figure = reports.figure(slug)
    choice = _choice(figure)
    html = render_template(
        "embed/page.html",
        figure=figure,
        choice=choice,
        ways=snippets(choice),
        publisher=figure.facts.appeal.publisher,
        appeal_url=appeal_url(slug),
        placements=[(name, PLACEMENT_NAMES[name]) for name in placements.BANNER],
        themes=THEMES,
        languages=[
            ("", "As the page around it"),
            *((code, LANGUAGE_NAMES.get(code, code)) for code in LANGUAGES),
        ],
        base=settings().public_url,
    )
    response = Response(html)
    own = settings().public_origin
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self' {own}; font-src 'self'; img-src 'self' data: {own}; "
        f"script-src 'self' {own}; connect-src {own}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return of_figure(response, figure, with_query=True)


def _choice(figure: reports.Figure) -> Choice:
    what = asked(figure)
    site, code = request.args.get("site", ""), request.args.get("code", "")
    return Choice(
        base=public(""),
        slug=figure.slug,
        title=figure.title,
        sentence=figure.sentence,
        placement=what.placement,
        theme=what.theme,
        lang=what.lang if request.args.get("lang") in LANGUAGES else "",
        site=site if _HOST.fullmatch(site) else "www.example.org",
        code=code if qr.CODE.fullmatch(code) else "november",
        pinned=hashed_url("appeal.js"),
        integrity=built()["appeal.js"].integrity,
    )
