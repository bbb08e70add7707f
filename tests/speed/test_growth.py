"""What is asked of the database does not grow with the number of gifts: counted in SQLite's own steps, without a stopwatch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from appeal import appeals, demo
from appeal.extensions import db
from appeal.office import sign_in, staff_people
from appeal.office.audit import COMMAND_LINE
from tests.support.run import Run

FEW, MANY = 2_000, 10_000
MOST_TIMES = 1.1
ADDRESSES = (
    f"/api/v1/appeals/{demo.SLUG}",
    f"/appeals/{demo.SLUG}",
    f"/appeals/{demo.SLUG}/credits",
    "/staff/",
    "/staff/donations",
)


@pytest.fixture(scope="module")
def urls(run: Run) -> Iterator[list[str]]:
    """Lend two databases, still without gifts."""
    with run.database("sqlite") as few, run.database("sqlite") as many:
        yield [few, many]


def insider(app: Flask, gifts: int) -> FlaskClient:
    """Seed an application's database, and give a client of somebody of the staff's."""
    with app.app_context():
        if demo.is_empty():
            demo.seed(gifts)
            staff_people.add("reader@lantern.example", "admin", COMMAND_LINE)
        person = staff_people.by_email("reader@lantern.example")
        token = sign_in.begin(person, sign_in.Origin("127.0.0.1", "A browser", b"key"))
    client = app.test_client()
    with client.session_transaction("/staff/") as session:
        session["token"] = token
    return client


def steps(app: Flask, client: FlaskClient, address: str) -> int:
    """Count the steps of SQLite's machine that an address takes after a write."""
    assert client.get(address).status_code == 200
    with app.app_context():
        appeals.set_status(demo.SLUG, "open")
        engine = db.engine
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += 1
        return 0

    def count(connection: object, *_rest: object) -> None:
        connection.set_progress_handler(step, 1)  # type: ignore[attr-defined]

    event.listen(engine, "checkout", count)
    assert client.get(address).status_code == 200
    event.remove(engine, "checkout", count)
    assert taken > 0
    return taken


@pytest.mark.parametrize("address", ADDRESSES)
def test_five_times_as_many_gifts_take_the_database_no_more_steps(
    make_app: Callable[..., Flask], urls: list[str], address: str, tmp_path: Path
) -> None:
    found = []
    for url, gifts in zip(urls, (FEW, MANY), strict=True):
        app = make_app(url, instance_dir=tmp_path / str(gifts))
        found.append(steps(app, insider(app, gifts), address))
    few, many = found
    assert many <= few * MOST_TIMES
