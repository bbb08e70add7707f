"""How the databases are opened, and what a writing transaction promises."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals
from tests.making import open_appeal

THREADS, TIMES = 8, 25


class Crash(Exception):
    """Something that nobody foresaw."""


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("busy_timeout", 10_000),
        ("recursive_triggers", 1),
    ],
)
def test_sqlite_is_opened_as_a_database_of_money_must_be(sqlite_url, make_app, pragma, value) -> None:
    with make_app(sqlite_url).app_context():
        assert db.session.scalar(text(f"PRAGMA {pragma}")) == value


def test_postgresql_speaks_utc_and_gives_up_waiting_in_the_end(postgresql_url, make_app) -> None:
    with make_app(postgresql_url).app_context():
        asked = {name: db.session.scalar(text(f"SHOW {name}")) for name in ("timezone", "lock_timeout")}
        assert {name: value.lower() for name, value in asked.items()} == {
            "timezone": "utc",
            "lock_timeout": "10s",
        }
        assert db.session.scalar(text("SHOW statement_timeout")) == "30s"


def test_everybody_who_reads_before_writing_succeeds(app) -> None:
    with app.app_context():
        open_appeal()
    together = threading.Barrier(THREADS)

    def work(_number: int) -> None:
        together.wait()
        for _ in range(TIMES):
            with app.app_context(), writing() as session:
                totals = session.scalars(select(AppealTotals).with_for_update()).one()
                totals.raised_minor += 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))  # an error of any thread comes out here
    with app.app_context():
        assert db.session.scalar(select(AppealTotals.raised_minor)) == THREADS * TIMES


def test_a_transaction_inside_another_joins_it_and_falls_with_it(session) -> None:
    with contextlib.suppress(Crash), writing():
        assert open_appeal().id
        raise Crash
    assert session.scalars(select(Appeal)).all() == []


def test_after_an_error_the_next_transaction_begins_anew(session) -> None:
    with contextlib.suppress(Crash), writing():
        raise Crash
    open_appeal()
    session.rollback()
    assert session.scalar(select(Appeal.slug)) == "lantern"


def test_what_was_read_before_is_read_anew_inside(app) -> None:
    with app.app_context():
        open_appeal()
        before = db.session.scalars(select(Appeal)).one()

        def rename() -> None:
            with app.app_context(), writing() as other:
                other.scalars(select(Appeal)).one().title = "Renamed"

        thread = threading.Thread(target=rename)
        thread.start()
        thread.join()
        with writing():
            assert before.title == "Renamed"


def test_a_row_that_refers_to_nothing_is_refused(session) -> None:
    with pytest.raises(IntegrityError), writing():
        session.execute(insert(AppealTotals).values(appeal_id=999))
