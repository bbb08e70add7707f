"""One appeal with gifts, and a client that asks for it; SQLite, where the database makes no difference."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal import create_app
from appeal.extensions import db
from appeal.models import Appeal
from tests import making
from tests.support.run import Run
from tests.support.settings import test_settings

ACCENT = "#0b5d4b"


PUBLIC_URL = "https://give.example.org"


def fill(app: Flask) -> None:
    """Make one open appeal that has two gifts: GBP 75."""
    with app.app_context():
        appeal = making.open_appeal(accent=ACCENT)
        for amount in (2500, 5000):
            making.received(appeal, amount_minor=amount)


@pytest.fixture(scope="session")
def standing(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """Give a client of an application that no test changes."""
    directory = tmp_path_factory.mktemp("standing")
    with run.database("sqlite") as url:
        app = create_app(test_settings(url, directory, public_url=PUBLIC_URL, trusted_hosts="localhost"))
        fill(app)
        yield app.test_client(use_cookies=False)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def origin(make_app: Callable[..., Flask], sqlite_url: str) -> Flask:
    """Give an application with one open appeal that has two gifts: GBP 75."""
    app = make_app(sqlite_url, public_url=PUBLIC_URL, trusted_hosts="localhost")
    fill(app)
    return app


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> FlaskClient:
    """Give a client without cookies: of the test's own application where it changes something, else of the shared one."""
    if {"origin", "change"} & set(request.fixturenames):
        own: Flask = request.getfixturevalue("origin")
        return own.test_client(use_cookies=False)
    shared: FlaskClient = request.getfixturevalue("standing")
    return shared


@pytest.fixture
def change(origin: Flask) -> Iterator[Callable[..., None]]:
    """Change columns of the appeal: `change(title="...", goal_minor=None)`."""

    def apply(**values: Any) -> None:
        with origin.app_context():
            from appeal.database import writing

            with writing() as session:
                appeal = session.query(Appeal).filter_by(slug=making.SLUG).one()
                for name, value in values.items():
                    setattr(appeal, name, value)
            db.session.remove()

    return apply
