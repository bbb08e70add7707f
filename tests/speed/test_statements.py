"""How many statements each thing asks of the database, whatever the number of gifts."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal import appeals, demo
from appeal.extensions import db
from appeal.supporters import form_token
from tests.gateways import FakeGateway
from tests.making import completed, deliver, started
from tests.speed.counting import statements

JSON, PAGE = f"/api/v1/appeals/{demo.SLUG}", f"/appeals/{demo.SLUG}"
# An event: kept, its donation read, its entry (the totals follow by trigger), its donation written, its letter.
EVENT = 5
# A form, in two commits: the appeal, the same form before, the donor added and read, the donation, the limits counted,
# its slots, the answer about news; then its page at Stripe. PostgreSQL also lets those who count take turns.
FORM = {"sqlite": 9, "postgresql": 10}


@pytest.fixture(params=[10, 300])
def asked(request: pytest.FixtureRequest, app: Flask) -> FlaskClient:
    """Give a client of an application with few and with more gifts."""
    with app.app_context():
        demo.seed(request.param)
    client = app.test_client()
    client.get(JSON)
    client.get(PAGE)
    return client


def told(what: str, count: int) -> int:
    print(f"statements: {what} {count}")
    return count


def write_something(app: Flask) -> None:
    with app.app_context():
        appeals.set_status(demo.SLUG, "open")


def test_a_kept_figure_asks_nothing_and_a_new_one_once(app: Flask, asked: FlaskClient) -> None:
    with statements(app) as kept:
        asked.get(JSON)
    write_something(app)
    with statements(app) as anew:
        asked.get(JSON)
    assert told("figure, kept", len(kept)) == 0
    assert told("figure, after a write", len(anew)) == 1


def test_a_kept_page_asks_nothing_and_a_new_one_twice(app: Flask, asked: FlaskClient) -> None:
    with statements(app) as kept:
        asked.get(PAGE)
    write_something(app)
    with statements(app) as anew:
        asked.get(PAGE)
    assert told("page, kept", len(kept)) == 0
    assert told("page, after a write", len(anew)) == 2


def test_an_event_is_stored_and_applied_with_few_statements(app: Flask, asked: FlaskClient) -> None:
    with app.app_context():
        event = completed(started(appeals.by_slug(demo.SLUG), src="www.example.org:end", page="/a/1"))
    with statements(app) as seen:
        assert deliver(asked, event).status_code == 200
    assert told("event applied", len(seen)) <= EVENT


def test_a_form_leads_to_stripe_with_few_statements(app: Flask, asked: FlaskClient) -> None:
    app.extensions["appeal.gateway"] = FakeGateway()
    settings = app.extensions["appeal.settings"]
    values = {"csrf_token": form_token.issue(settings, demo.SLUG), "amount": "25", "frequency": "once"}
    values |= {"name": "Mary Anning", "email": "mary@example.org", "credit": "anonymous"}
    with statements(app) as seen:
        assert asked.post(f"{PAGE}/donations", data=values).status_code == 303
    with app.app_context():
        most = FORM[db.engine.dialect.name]
    assert told("form to the 303", len(seen)) <= most
