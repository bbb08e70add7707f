"""oEmbed 1.0: whoever pastes the appeal's address into a system that knows oEmbed gets the banner.

Source: oembed.com. WordPress keeps only a blockquote with a link and one iframe with a title, so that is all.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Response, abort, request, url_for
from markupsafe import escape
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.context import settings
from appeal.core import texts
from appeal.core.errors import NoSuchAppeal
from appeal.embed.answers import PAGE_LONGEST, SRC_LONGEST, appeal_url, of_figure, public
from appeal.embed.blueprint import blueprint

WIDEST, HIGH = 600, 384
_APPEAL_PATH = re.compile(r"/appeals/([a-z0-9-]{1,80})/?")
CACHE_AGE_SECONDS = 3600


@blueprint.get("/oembed")
def oembed() -> BaseResponse:
    """Describe the banner for the appeal at `?url=`; 501 to another format, 404 to an address that is not ours."""
    if request.args.get("format", "json") != "json":
        abort(501)
    address = request.args.get("url", "")
    slug = _slug_of(address)
    figure = reports.figure(slug)
    content = _content(figure, _attribution(address))
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return of_figure(Response(body, mimetype="application/json"), figure)


def _slug_of(address: str) -> str:
    """Return which appeal an address leads to.

    Raises:
        NoSuchAppeal: it is none of ours.
    """
    try:
        parts = urlsplit(address)
        path = parts.path.removeprefix(settings().public_parts.path)
        host = (parts.hostname, parts.port)
    except ValueError:
        raise NoSuchAppeal from None
    own = settings().public_parts
    found = _APPEAL_PATH.fullmatch(path)
    if parts.scheme not in {"http", "https"} or host != (own.hostname, own.port) or found is None:
        raise NoSuchAppeal
    return found[1]


def _attribution(address: str) -> dict[str, str]:
    """Return the `src` and `page` that the address carries; without them the frame says `oembed`."""
    query = parse_qs(urlsplit(address).query, max_num_fields=None)
    src = texts.storable((query.get("src") or ["oembed:article"])[0], SRC_LONGEST)
    page = texts.storable((query.get("page") or [""])[0], PAGE_LONGEST)
    return {"src": src, "page": page} if page else {"src": src}


def _content(figure: reports.Figure, attribution: dict[str, str]) -> dict[str, object]:
    width, height = _size()
    publisher = figure.facts.appeal.publisher
    frame = (
        public(url_for("embed.frame", slug=figure.slug))
        + "?"
        + urlencode({"placement": "article", **attribution})
    )
    link = appeal_url(figure.slug, **attribution)
    return {
        "version": "1.0",
        "type": "rich",
        "title": figure.title,
        "provider_name": publisher or figure.title,
        "provider_url": settings().public_url,
        "cache_age": CACHE_AGE_SECONDS,
        "thumbnail_url": public(url_for("embed.picture_to_share", slug=figure.slug)),
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
        "width": width,
        "height": height,
        "html": f'<blockquote><a href="{escape(link)}">{escape(figure.title)}</a></blockquote>'
        f'<iframe src="{escape(frame)}" width="{width}" height="{height}" title="{escape(figure.title)}" '
        'frameborder="0" scrolling="no"></iframe>',
    }


def _size() -> tuple[int, int]:
    """Return width and height of the iframe in px, never beyond what the asker has room for."""
    width = min(WIDEST, _room("maxwidth") or WIDEST)
    return width, min(HIGH, _room("maxheight") or HIGH)


def _room(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None
