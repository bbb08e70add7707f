"""The figure as a picture: SVG and PNG for newsletters and pages without script, and one to share."""

from __future__ import annotations

from babel.dates import format_date
from flask import Response, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.core import clock
from appeal.embed import words
from appeal.embed.answers import THEMES, asked, of_figure
from appeal.embed.blueprint import blueprint
from appeal.embed.lines import MARGIN, WIDTH, Lines

BAR_WIDTH = WIDTH - 2 * MARGIN
HEIGHT, SHARED_HEIGHT = 220, 315
HEADING_LONGEST = 46
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@blueprint.get("/embed/<slug>/progress.svg")
def picture_svg(slug: str) -> BaseResponse:
    """Draw the figure as SVG; `?theme=light|dark|auto&lang=`."""
    figure = reports.figure(slug)
    lines = _lines(figure)
    svg = render_template(
        "embed/progress.svg",
        lines=lines,
        heading=lines.heading
        if len(lines.heading) <= HEADING_LONGEST
        else lines.heading[: HEADING_LONGEST - 1].rstrip() + "\u2026",
        sentence=figure.sentence,
        title=figure.title,
        theme=request.args.get("theme") if request.args.get("theme") in THEMES else "auto",
        accent=words.accent(figure),
        filled=None if lines.tenths is None else BAR_WIDTH * min(lines.tenths, 1000) // 1000,
    )
    response = Response(svg, mimetype="image/svg+xml")
    response.headers["Content-Security-Policy"] = SVG_POLICY
    return of_figure(response, figure, with_query=True)


@blueprint.get("/embed/<slug>/progress.png")
def picture_png(slug: str) -> BaseResponse:
    """Draw the figure as PNG, 600 x 220 px; `?scale=2` for sharp screens, `?theme=light|dark&lang=`."""
    scale = 2 if request.args.get("scale") == "2" else 1
    return _png(reports.figure(slug), HEIGHT, scale)


@blueprint.get("/embed/<slug>/share.png")
def picture_to_share(slug: str) -> BaseResponse:
    """Draw the figure as the picture of a shared link, 1200 x 630 px.

    Source: ogp.me, `og:image`.
    """
    return _png(reports.figure(slug), SHARED_HEIGHT, 2)


def _png(figure: reports.Figure, height: int, scale: int) -> BaseResponse:
    from appeal.embed import drawing  # brings Pillow, which nothing else needs

    look = drawing.look(request.args.get("theme", ""), words.accent(figure))
    body = drawing.png(_lines(figure), height, scale, look)
    return of_figure(Response(body, mimetype="image/png"), figure, with_query=True)


def _lines(figure: reports.Figure) -> Lines:
    """Say the figure in lines; the day is on it, because mail programs keep pictures for ever."""
    what = asked(figure)
    said = words.say(figure, "article", what.lang)
    appeal = figure.facts.appeal
    upcoming = figure.state == "upcoming"
    on = (upcoming and figure.opens_at) or figure.as_of
    return Lines(
        kicker=appeal.publisher or figure.title,
        heading=said.title,
        raised=(figure.formatted.goal or "") if upcoming else said.raised,
        of_goal="" if upcoming else said.of_goal,
        facts="" if upcoming else said.facts,
        day=format_date(
            clock.day_of(on, appeal.time_zone),
            "long",
            locale=words.locale_in(what.lang, appeal.locale),
        ),
        tenths=None if upcoming else figure.percent_tenths,
        rtl=said.dir == "rtl",
    )
