"""One appeal with gifts, and a client that asks for it; SQLite, where the database makes no difference."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal.extensions import db
from appeal.models import Appeal
from tests import making

ACCENT = "#0b5d4b"


@pytest.fixture
def origin(make_app: Callable[..., Flask], sqlite_url: str) -> Flask:
    """Give an application with one open appeal that has two gifts: GBP 75."""
    app = make_app(sqlite_url, public_url="https://give.example.org", trusted_hosts="localhost")
    with app.app_context():
        appeal = making.open_appeal(accent=ACCENT)
        for amount in (2500, 5000):
            making.received(appeal, amount_minor=amount)
    return app


@pytest.fixture
def reader(origin: Flask) -> FlaskClient:
    return origin.test_client(use_cookies=False)


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
