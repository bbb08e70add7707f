"""The appeal as a feed of one item, for readers and newsletters that are filled from feeds.

The item gets a new name when the state changes, so that a feed reader tells of the opening, of the last days and of
the end, and is silent about every gift in between.
"""

from __future__ import annotations

from email.utils import format_datetime

from flask import Response, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.embed import words
from appeal.embed.answers import appeal_url, language, of_figure, public
from appeal.embed.blueprint import blueprint


@blueprint.get("/embed/<slug>/feed.xml")
def feed(slug: str) -> BaseResponse:
    """Give the feed. Source: RSS 2.0.1, rssboard.org."""
    figure = reports.figure(slug)
    body = render_template(
        "embed/feed.xml",
        figure=figure,
        said=words.say(figure, "article", language(figure.locale)),
        publisher=figure.facts.appeal.publisher,
        link=appeal_url(slug),
        item_link=appeal_url(slug, src="feed"),
        guid=f"{appeal_url(slug)}#{figure.state}",
        own_url=public(url_for("embed.feed", slug=slug)),
        as_of=format_datetime(figure.as_of),
    )
    return of_figure(
        Response(body, content_type="application/rss+xml; charset=utf-8"), figure, with_query=True
    )
