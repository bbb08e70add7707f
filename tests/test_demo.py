"""The demonstration: the same every time, true books, and where `/` leads."""

import json

import pytest
from sqlalchemy import func, select

from appeal import demo
from appeal.books import ledger, proof
from appeal.core import clock
from appeal.core.errors import SlugTaken
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, Donation, LedgerEntry

NOW = "2026-11-20T12:00:00Z"


def seeded(app, count: int) -> list[tuple[object, ...]]:
    with app.app_context():
        demo.seed(count)
        query = select(
            Donation.public_id, Donation.amount_minor, Donation.name, Donation.src, Donation.credit_line
        )
        return [tuple(row) for row in db.session.execute(query.order_by(Donation.id))]


def test_it_is_the_same_every_time_on_both_databases(make_app, sqlite_url, postgresql_url, travel) -> None:
    travel(NOW)
    one, other = (seeded(make_app(url), 150) for url in (sqlite_url, postgresql_url))
    assert one == other
    assert len(one) == 150


def test_its_books_are_true(app) -> None:
    seeded(app, 120)
    with app.app_context():
        assert proof.differences() == []
        appeal = db.session.scalars(select(Appeal)).one()
        assert ledger.sum_minor(appeal.id) > 0
        counted = select(func.count()).select_from(LedgerEntry).where(LedgerEntry.counted.is_(True))
        assert db.session.scalar(counted) >= 120
        newest = db.session.scalar(select(func.max(LedgerEntry.occurred_at)))
        assert newest <= clock.now()


def test_its_gifts_came_one_after_the_other_so_that_lists_read_in_order(app) -> None:
    with app.app_context():
        demo.seed(60)
        moments = list(db.session.scalars(select(Donation.received_at).order_by(Donation.id)))
    assert len(moments) == 60
    assert moments == sorted(moments)


def test_the_first_address_leads_to_it_and_it_takes_gifts(app, client) -> None:
    seeded(app, 30)
    answer = client.get("/", follow_redirects=True)
    assert answer.request.path == f"/appeals/{demo.SLUG}"
    assert "<form" in answer.get_data(as_text=True)
    figure = client.get(f"/api/v1/appeals/{demo.SLUG}").get_json()
    assert figure["gift_count"] == 30
    assert figure["state"] in {"running", "last_days"}


def test_it_is_not_made_twice(app) -> None:
    seeded(app, 10)
    with app.app_context(), pytest.raises(SlugTaken):
        demo.seed(10)
    done = app.test_cli_runner().invoke(args=["demo", "seed", "--if-empty", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output)["donations"] == 0


def test_reset_empties_what_cannot_be_emptied_otherwise(app) -> None:
    seeded(app, 10)
    done = app.test_cli_runner().invoke(args=["demo", "reset", "--yes"])
    assert done.exit_code == 0, done.output
    with app.app_context(), writing() as session:
        assert demo.is_empty()
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0
