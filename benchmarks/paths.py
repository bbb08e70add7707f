"""The paths of the application, each ready to be gone over and over in this very process: no socket, no server.

Every call goes through the shipped WSGI application with all of its middleware. What a path needs once (a seeded
database, somebody signed in, gifts that wait for their event) is made beforehand, and so are the requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from appeal import create_app
from appeal.database import writing
from appeal.models import AppealTotals
from appeal.settings import Settings, load
from benchmarks import raw
from benchmarks import writing as posts
from benchmarks.load import Request
from benchmarks.reading import JSON, PAGE
from benchmarks.servers import SECRET, Bench
from tests.making import signature

Environ = dict[str, Any]
Supply = Iterator[Environ]


class House:
    """An application of this process on a seeded database, with a Stripe that answers at once."""

    def __init__(self, bench: Bench, kind: str, gifts: int) -> None:
        """Make database and application."""
        self.url = bench.database(kind, f"profile_{kind}", gifts)
        stripe = bench.stripe()
        named = bench.environment(
            self.url, STRIPE_API_BASE=stripe.url, CHECKOUT_ORIGINS=stripe.url, PROXY_HOPS="1"
        )
        values = {
            name.lower(): value
            for name, value in named.items()
            if value and name.lower() in Settings.model_fields
        }
        self.settings = load(_env_file=None, **values)
        self.app: Flask = create_app(self.settings)

    def ask(self, environ: Environ) -> None:
        """Send one request through the whole application and read the answer to its end.

        Raises:
            RuntimeError: it was refused.
        """
        _body, status, _headers = run_wsgi_app(self.app.wsgi_app, environ, buffered=True)
        if int(status.split()[0]) >= 400:
            raise RuntimeError(f"{environ['PATH_INFO']} answered {status}")

    def write_something(self) -> None:
        """Commit a change of the totals, so that what was kept is no longer true."""
        with self.app.app_context(), writing() as session:
            totals = session.query(AppealTotals).first()
            totals.online_minor += 1  # type: ignore[union-attr]  # seeded
            totals.raised_minor += 1  # type: ignore[union-attr]

    def get(self, path: str, **headers: str) -> Environ:
        """Make a request that reads."""
        return EnvironBuilder(
            path, base_url=self.settings.public_url, headers=list(headers.items())
        ).get_environ()

    def post(self, request: Request) -> Environ:
        """Make a request that writes."""
        return EnvironBuilder(
            request.path,
            base_url=self.settings.public_url,
            method="POST",
            data=request.body,
            headers=dict(request.headers),
        ).get_environ()

    def cookie(self) -> str:
        """Sign somebody in as admin; return the cookie."""
        from appeal.office import sign_in, staff_people
        from appeal.office.audit import COMMAND_LINE

        with self.app.app_context():
            person = staff_people.add(f"{uuid4().hex}@example.org", "admin", COMMAND_LINE)
            token = sign_in.begin(person, sign_in.Origin("127.0.0.1", "a profile", b"a key of no worth"))
        client = self.app.test_client()
        with client.session_transaction("/staff/") as session:
            session["token"] = token
        return str(client.get("/staff/").request.environ["HTTP_COOKIE"])


def reading(path: str) -> Callable[[House, int], Supply]:
    """Read an address over and over."""
    return lambda house, _times: (house.get(path) for _ in repeat(None))


def reading_anew(path: str) -> Callable[[House, int], Supply]:
    """Read an address after a write each time; the write is no part of what is measured."""

    def supply(house: House, _times: int) -> Supply:
        while True:
            house.write_something()
            yield house.get(path)

    return supply


def office(path: str) -> Callable[[House, int], Supply]:
    """Read an address of the staff's."""

    def supply(house: House, _times: int) -> Supply:
        cookie = house.cookie()
        return (house.get(path, Cookie=cookie) for _ in repeat(None))

    return supply


def events(house: House, times: int) -> Supply:
    """Deliver the event that a gift was paid, each for a gift of its own."""
    for event in raw.open_gifts(posts.driver_url(house.url), times):
        body = json.dumps(event).encode()
        marks = {"Stripe-Signature": signature(body, SECRET), "Content-Type": "application/json"}
        yield house.post(Request("/webhooks/stripe", body, marks))


def forms(house: House, _times: int) -> Supply:
    """Post the donation form, each from an address of its own, up to the 303."""
    posts.release_at_once(house.url)
    while True:
        yield house.post(posts.form(house.settings))


PATHS: dict[str, Callable[[House, int], Supply]] = {
    "figure": reading(JSON),
    "figure-anew": reading_anew(JSON),
    "page": reading(PAGE),
    "page-anew": reading_anew(PAGE),
    "credits": reading(f"{PAGE}/credits"),
    "event": events,
    "form": forms,
    "dashboard": office("/staff/"),
    "list": office("/staff/donations"),
    "export": office("/staff/donations.csv"),
}
