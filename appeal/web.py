"""What every response gets: safe headers, a request id, and one table from the domain's errors to HTTP.

Headers are set with `setdefault`, so that each door may say something stricter or wider first.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime

import structlog
from babel.dates import format_date, format_datetime
from flask import Flask, Response, current_app, g, render_template, request
from jinja2 import StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    SecurityError,
)
from werkzeug.routing import IntegerConverter, Map, RequestRedirect
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.core import clock, errors, ids, money, progress, texts
from appeal.extensions import db
from appeal.payments import PaymentsError, SignatureInvalid
from appeal.settings import Settings

log = structlog.get_logger(__name__)

# What is raised where the database is gone, locked or overrun: told as 503, with a time to come back.
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)
STATUS_OF: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.NoSuchAppeal, 404),
    (errors.NoSuchDonation, 404),
    (errors.NoSuchThing, 404),
    (errors.TooManyAttempts, 429),
    (errors.AppealNotOpen, 409),
    (errors.StaleForm, 409),
    (errors.SlugTaken, 409),
    (errors.Forbidden, 403),
    (errors.NoPrintCode, 400),
    (SignatureInvalid, 400),
    (PaymentsError, 503),
)
TITLES = {
    400: "We could not understand that",
    403: "Not allowed",
    404: "There is nothing here",
    405: "That does not work here",
    409: "That is not possible now",
    413: "That was too much",
    422: "Please check what you sent",
    429: "Too many attempts",
    501: "That is not offered here",
    500: "Something went wrong on our side",
    503: "Please try again in a moment",
}
MESSAGES = {
    400: "The request was not in a form that this site understands.",
    403: "You may not do this from where you are, or not without showing who you are.",
    404: "The page has moved, or the address was mistyped.",
    405: "This address does not take that kind of request.",
    413: "What was sent is larger than this page takes. Nothing of it was kept: please send less.",
    429: "There were many requests from where you are. Please wait a moment and try again.",
    500: "We have been told about it. If you were giving: open your thank-you page again, it tells you what the books say.",
    501: "Only the JSON format is offered.",
    503: "A part of this site is not answering just now. Nothing was lost.",
}
FOREIGN_HOST = (
    "This server does not answer to the name it was asked by. Whoever runs it gives its names in PUBLIC_URL and "
    "TRUSTED_HOSTS."
)
# For any site to read, errors included: what no route answered (405, 404) never reaches that door's own headers.
OPEN_DOORS = ("/api/", "/embed/", "/oembed")
ONLY_FORMS = "This address only takes what a form sends. The form is on the page above it."
JSON_DOORS = ("/api/", "/webhooks/", "/oembed", "/metrics", "/healthz", "/readyz")


class RowNumber(IntegerConverter):
    """What `<int:...>` takes in an address: a number that a row can have. Others lead nowhere."""

    def __init__(self, url_map: Map) -> None:
        """Bound it by what the databases hold."""
        super().__init__(url_map, max=ids.ROW_NUMBER_MOST)


def install(app: Flask, settings: Settings) -> None:
    """Give an application its filters, headers and error table."""
    app.url_map.converters["int"] = RowNumber
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(money=format_money, money_exact=money_exact, day=day, instant=instant)
    app.jinja_env.filters.update(
        isolated=isolated, sentence=sentence, symbol=money.symbol, percent_shown=progress.percent_shown
    )
    app.before_request(_name_request)
    app.before_request(_refuse_odd_addresses)
    app.after_request(lambda response: _headers(response, settings))
    app.register_error_handler(errors.DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    for away in DATABASE_AWAY:
        app.register_error_handler(away, _database_away)


def format_money(minor: int, currency: str, locale: str) -> str:
    """Write an amount for people, without nought pence."""
    return money.format_money(minor, currency, locale)


def money_exact(minor: int, currency: str, locale: str) -> str:
    """Write an amount for people to the last penny."""
    return money.format_money(minor, currency, locale, whole="never")


def day(value: date | datetime, locale: str, time_zone: str = "UTC") -> str:
    """Write a day, or the day of an instant in a zone."""
    on = clock.day_of(value, time_zone) if isinstance(value, datetime) else value
    return format_date(on, format="long", locale=locale)


def instant(value: datetime, locale: str, time_zone: str) -> str:
    """Write an instant to the minute, as a clock in the zone shows it."""
    local = value.astimezone(clock.zone(time_zone))
    return f"{format_date(local, format='long', locale=locale)}, {format_datetime(local, 'HH:mm', locale=locale)}"


def isolated(text: str, *parts: str) -> Markup | str:
    """Keep parts of a text (without any: the whole) from turning what stands around them, where they run from right to left.

    An amount in Hebrew or Arabic within an English sentence would otherwise change places with its neighbours.
    """
    if not any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in text):
        return text
    wanted = "|".join(re.escape(part) for part in sorted(parts or (text,), key=len, reverse=True))
    pieces = re.split(f"({wanted})", text)
    return Markup("").join(
        Markup("<bdi>{}</bdi>").format(piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def sentence(figure: reports.Figure) -> Markup | str:
    """Write a figure's sentence with its amounts kept apart."""
    return isolated(figure.sentence, figure.formatted.raised, *filter(None, [figure.formatted.goal]))


def _name_request() -> None:
    g.request_id = ids.request_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _refuse_odd_addresses() -> None:
    """Find nothing under an address with control signs in it: PostgreSQL would not even look.

    Of a query, werkzeug raises where its bytes are no UTF-8, and where a redirect would carry a line break along.
    """
    if texts.has_control(request.path):
        raise NotFound
    query = request.query_string
    try:
        query.decode()
    except UnicodeDecodeError:
        raise BadRequest from None
    if query and min(query) < ord(" "):
        raise BadRequest


def _headers(response: Response, settings: Settings) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    if (
        response.mimetype == "text/html"
    ):  # of anything else they say nothing, and a figure is sent by the million
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
    headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'",
    )
    headers.setdefault("X-Request-Id", g.get("request_id", ""))
    if request.path.startswith(OPEN_DOORS):
        headers.setdefault("Access-Control-Allow-Origin", "*")
        headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    if settings.production:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def status_of(error: errors.DomainError) -> int:
    """Return the HTTP status that stands for a domain error."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 422)


def _domain_error(error: errors.DomainError) -> BaseResponse:
    response = answer(status_of(error), error.message)
    if isinstance(error, errors.TooManyAttempts):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _http_error(error: HTTPException) -> BaseResponse:
    if error.code is None or error.code < 400:
        return error.get_response()
    if isinstance(error, InternalServerError):
        log.error(
            "web.unforeseen", path=request.path, problem=type(error.original_exception or error).__name__
        )
    response = answer(error.code, MESSAGES.get(error.code, MESSAGES[400]))
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}:
            response.headers[name] = value
    return response


def _database_away(error: Exception) -> BaseResponse:
    log.warning("web.database_away", path=request.path, problem=str(getattr(error, "orig", error))[:200])
    db.session.rollback()
    response = answer(503, MESSAGES[503])
    response.headers["Retry-After"] = "5"
    return response


def answer(status: int, message: str) -> BaseResponse:
    """Answer with an error: as JSON for machines, as a page for people. Needs no database."""
    title = TITLES.get(status, "That did not work")
    foreign_host = isinstance(request.routing_exception, SecurityError)
    message = FOREIGN_HOST if foreign_host else message
    if request.path.startswith(JSON_DOORS):
        body = json.dumps({"error": title, "message": message}, ensure_ascii=False)
        return Response(body + "\n", status=status, mimetype="application/json")
    if foreign_host:  # to a Host that is not ours no address leads
        return Response(f"{title}\n{message}\n", status=status, mimetype="text/plain")
    home_url, home = (
        ("/staff/", "the dashboard") if request.path.startswith("/staff/") else ("/", "the start")
    )
    if status == 405 and request.method == "GET":
        message, home_url, home = ONLY_FORMS, _page_above(request.path), "that page"
    page = render_template(
        "errors/error.html", status=status, title=title, message=message, home_url=home_url, home=home
    )
    return Response(page, status=status, mimetype="text/html")


def _page_above(path: str) -> str:
    """Return the nearest address above that shows a page: it has the form whose answer a browser stands at."""
    addresses = current_app.create_url_adapter(request)
    while addresses and (path := path.rpartition("/")[0]):
        try:
            addresses.match(path, method="GET")
        except RequestRedirect:
            return path
        except (NotFound, MethodNotAllowed):
            continue
        return path
    return "/"
