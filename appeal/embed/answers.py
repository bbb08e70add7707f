"""What the embed addresses share: reading what an address asks for, writing links, and saying how long to keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appeal import fastlane, reports
from appeal.context import settings
from appeal.core import clock, placements, texts
from appeal.embed.blueprint import CACHE, EVERGREEN, IMMUTABLE
from appeal.embed.script import LANGUAGES

THEMES = ("auto", "light", "dark")
SRC_LONGEST, PAGE_LONGEST = 120, 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query of an embed address asks for; whatever cannot be meant has its default, never an error.

    `views_left` and `view_limit` count free articles, or are None where the host has no meter.
    """

    placement: str
    theme: str
    lang: str
    src: str
    page: str
    views_left: int | None
    view_limit: int | None


def asked(figure: reports.Figure) -> Asked:
    """Read the query of the present request."""
    args = request.args
    return Asked(
        placement=_one_of(args.get("placement"), placements.BANNER, "article"),
        theme=_one_of(args.get("theme"), THEMES, "auto"),
        lang=language(figure.locale),
        src=texts.storable(args.get("src", ""), SRC_LONGEST),
        page=texts.storable(args.get("page", ""), PAGE_LONGEST),
        views_left=_small(args.get("views_left")),
        view_limit=_small(args.get("view_limit")),
    )


def language(locale: str) -> str:
    """Return the two letters of the language asked for, else of the appeal's own, else English."""
    own = _one_of(locale[:2].lower(), LANGUAGES, "en")
    return _one_of(request.args.get("lang", "")[:2].lower(), LANGUAGES, own)


def _one_of(value: str | None, known: tuple[str, ...], otherwise: str) -> str:
    return value if value in known else otherwise


def _small(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 3 else None


def public(path: str) -> str:
    """Return the whole public address of a path of ours."""
    return settings().public_url + path


def appeal_url(slug: str, **query: str) -> str:
    """Return the appeal's address; `src` and `page` in its query reach the donation."""
    address = public(url_for("supporters.appeal", slug=slug))
    filled = {name: value for name, value in query.items() if value}
    return f"{address}?{urlencode(filled)}" if filled else address


def of_figure(
    response: Response, figure: reports.Figure, *, etag: str = "", with_query: bool = False
) -> BaseResponse:
    """Let CDNs and the fast lane keep an answer for as long as its figure holds.

    `with_query` keeps an answer for each query string as well: for addresses whose answer depends on it.
    """
    keep = fastlane.Keep(
        figure.slug, figure.facts, figure.holds_from, figure.holds_until, with_query=with_query
    )
    fastlane.keep(request.environ, keep)
    response.headers["Cache-Control"] = CACHE
    response.set_etag(etag or _tag(response))
    response.last_modified = min(figure.as_of, clock.now())
    # Without If-None-Match a date decides; a state can change without a new entry, so only the tag is believed.
    return response.make_conditional(request) if request.if_none_match else response


def of_build(response: Response, *, immutable: bool = False) -> BaseResponse:
    """Let everybody keep a part of the build: the same bytes for as long as this version runs."""
    fastlane.keep(request.environ, fastlane.Keep())
    response.headers["Cache-Control"] = IMMUTABLE if immutable else EVERGREEN
    response.set_etag(_tag(response))
    return response.make_conditional(request) if request.if_none_match else response


def _tag(response: Response) -> str:
    return hashlib.sha256(response.get_data()).hexdigest()[:20]
