"""The daily letter: once for each appeal, day and reader, after its hour, with the dashboard's figures."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, OutboxItem, Person
from appeal.office import dashboard, staff_people
from appeal.office.audit import COMMAND_LINE
from appeal.outgoing import digest
from appeal.queues import jobs
from tests.making import open_appeal, received, utc
from tests.support.settings import test_settings

BEFORE = "2026-11-20T06:59:00+00:00"
AFTER = "2026-11-20T07:01:00+00:00"


@pytest.fixture
def settings(database_url, tmp_path, smtp):
    return test_settings(
        database_url, tmp_path, mail_url=smtp.url, mail_from="The Lantern <a@lantern.example>"
    )


@pytest.fixture
def reader(session) -> int:
    """Add somebody who wants the letter."""
    person = staff_people.add("ed@lantern.example", "viewer", COMMAND_LINE, name="Ed")
    digest.choose(person.id, wanted=True)
    return person.id


def written(session) -> list[str]:
    return list(session.scalars(select(OutboxItem.dedupe).where(OutboxItem.kind == digest.KIND)))


def letters(smtp):
    return [message for message in smtp.messages if "yesterday" in message["Subject"]]


def test_the_letter_tells_of_yesterday_with_the_dashboards_figures(
    session, settings, reader, smtp, travel
) -> None:
    travel("2026-11-19T12:00:00+00:00")
    appeal = open_appeal(goal_minor=10_000)
    received(appeal, amount_minor=2500)
    received(appeal, amount_minor=1000, email="two@example.org", message="Read me")
    travel(AFTER)
    received(appeal, amount_minor=400, email="today@example.org")
    assert digest.write_due() == 1
    jobs.round_once(settings)
    [message] = letters(smtp)
    assert message["To"] == "ed@lantern.example"
    assert message["Subject"] == "Keep the lantern lit: £35 yesterday, £39 in all"
    board = dashboard.board(*dashboard.appeals_with_totals()[0])
    assert (board.figure.raised_minor, board.yesterday.net_minor) == (3900, 3500)
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert "£39.00" in text
        assert "39%" in text
        assert "£35.00" in text
        assert "Online, once" in text
        assert "1 credit line" in text
        assert "mary@example.org" not in text


def test_it_leaves_after_its_hour_by_the_clock_of_the_appeals_zone(session, reader, travel) -> None:
    travel("2026-11-18T12:00:00+00:00")
    open_appeal()
    open_appeal("auckland", time_zone="Pacific/Auckland")
    travel(BEFORE)
    digest.write_due()
    assert [one.split(":")[2] for one in written(session)] == ["2026-11-19"]  # already evening there
    travel(AFTER)
    digest.write_due()
    assert len(written(session)) == 2


def test_it_comes_once_a_day_and_again_the_next(session, reader, travel) -> None:
    travel("2026-11-18T12:00:00+00:00")
    open_appeal()
    travel(AFTER)
    assert [digest.write_due() for _ in range(3)] == [1, 0, 0]
    travel("2026-11-21T12:00:00+00:00")
    assert [digest.write_due() for _ in range(2)] == [1, 0]


def test_it_comes_once_with_four_workers(app, settings, reader, smtp, travel) -> None:
    travel("2026-11-18T12:00:00+00:00")
    open_appeal()
    travel(AFTER)
    db.session.remove()

    def work() -> None:
        with app.app_context():
            digest.write_due()
            while jobs.round_once(settings):
                pass
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(written(db.session)) == 1
    assert len(letters(smtp)) == 1


def test_the_worker_writes_it_on_its_schedule(session, settings, reader, travel) -> None:
    travel("2026-11-18T12:00:00+00:00")
    open_appeal()
    travel(AFTER)
    for name in ("digests", "milestones"):
        assert jobs.schedule()[name].every <= timedelta(minutes=5)
        jobs.schedule()[name].run(settings, None)
    assert len(written(session)) == 1


def test_whoever_stops_it_or_leaves_gets_none_even_if_it_was_written(
    session, settings, reader, smtp, travel
) -> None:
    travel("2026-11-18T12:00:00+00:00")
    open_appeal()
    travel(AFTER)
    digest.write_due()
    digest.choose(reader, wanted=False)
    jobs.round_once(settings)
    assert letters(smtp) == []
    digest.choose(reader, wanted=True)
    with writing() as live:
        live.get(Person, reader).active = False
    travel("2026-11-21T12:00:00+00:00")
    assert digest.write_due() == 0


def test_an_appeal_that_is_over_or_not_begun_is_not_told_of(session, reader, travel) -> None:
    travel("2026-11-10T12:00:00+00:00")
    open_appeal("over", closes_at=utc("2026-11-19T00:00:00+00:00"))
    open_appeal("closed", status="closed")
    open_appeal("later", opens_at=utc("2026-11-21T00:00:00+00:00"))
    open_appeal("last-day", closes_at=utc("2026-11-20T00:00:00+00:00"))
    travel(AFTER)
    digest.write_due()
    assert [one.split(":")[2] for one in written(session)] == ["2026-11-19"]
    [item] = session.scalars(select(OutboxItem).where(OutboxItem.kind == digest.KIND))
    assert session.get(Appeal, item.content["appeal_id"]).slug == "last-day"
