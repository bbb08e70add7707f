"""How many statements each thing asks of the database, whatever the number of gifts."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal import appeals, demo
from tests.making import completed, deliver, started
from tests.speed.counting import statements

JSON, PAGE = f"/api/v1/appeals/{demo.SLUG}", f"/appeals/{demo.SLUG}"
# Five is what is asked of an applied event; docs/scale.md says what each of the others is for.
EVENT = 11


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
