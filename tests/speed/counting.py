"""Counting what a request asks of the database, and leaving the fast lane out."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from appeal.extensions import db


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """List the statements that the application sends meanwhile, BEGIN and its kind left out."""
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.upper().startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            seen.append(" ".join(statement.split()))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def behind_the_lane(app: Flask) -> FlaskClient:
    """Give a client whose requests always reach Flask itself."""
    plain = Flask("behind")
    plain.wsgi_app = app.wsgi_app.behind  # type: ignore[method-assign, attr-defined]
    return plain.test_client()
