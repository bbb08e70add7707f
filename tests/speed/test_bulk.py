"""Sample data in bulk: books as true as if each gift had come by itself, the same gifts every time."""

from typing import Any

from sqlalchemy import func, select

from appeal import appeals, demo, reports
from appeal.books import proof
from appeal.models import Donation, Donor
from tests.making import received

FIRST = ("0pgbx6kcws20wm7fqjpcmt4k3r", 5_000, "Thomas Fernandes")
SUM_MINOR = 48_000


def test_the_books_of_the_sample_data_are_true(session: Any) -> None:
    demo.seed(3_000)  # more than one batch
    assert proof.differences() == []
    figure = reports.figure(demo.SLUG)
    assert figure.gift_count == 3_000
    assert sum(figure.sources.values()) == figure.raised_minor > 0


def test_a_gift_that_comes_after_the_sample_data_is_entered_like_any_other(session: Any) -> None:
    demo.seed(50)
    received(appeals.by_slug(demo.SLUG))
    assert proof.differences() == []
    assert reports.figure(demo.SLUG).gift_count == 51


def test_every_seventh_gift_is_from_somebody_who_gave_before(session: Any) -> None:
    demo.seed(140)
    assert session.scalar(select(func.count()).select_from(Donor)) == 120
    assert reports.figure(demo.SLUG).donor_count == 120


def test_the_sample_data_is_the_same_every_time(session: Any) -> None:
    demo.seed(21)
    found = session.execute(
        select(Donation.public_id, Donation.amount_minor, Donation.name).order_by(Donation.id)
    ).all()
    assert (found[0].public_id, found[0].amount_minor, found[0].name) == FIRST
    assert sum(row.amount_minor for row in found) == SUM_MINOR
