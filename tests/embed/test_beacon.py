"""Reports from other people's pages: counted by day, without identifiers, and never an error in a host's console."""

from datetime import date

import pytest

from appeal import embed_health
from appeal.core import clock
from appeal.database import writing
from appeal.embed.assets import built
from appeal.embed_health import Report
from appeal.extensions import db
from appeal.models import EmbedSighting

ADDRESS = "/embed/v1/beacon"


@pytest.fixture
def version():
    return built()["appeal.js"].version


@pytest.fixture
def send(reader, version):
    """Send a beacon as the script does."""

    def post(origin="https://news.example", **values):
        said = {"host": "news.example", "placement": "end", "version": version, "blocked": ""} | values
        headers = {"Origin": origin} if origin else {}
        return reader.post(ADDRESS, data=said, headers=headers)

    return post


def rows(app):
    with app.app_context():
        found = [
            (row.host, row.placement, row.blocked, row.current, row.count)
            for row in db.session.query(EmbedSighting).order_by(EmbedSighting.id)
        ]
        db.session.remove()
        return found


def test_what_was_shown_is_added_up(send, origin):
    assert [send().status_code, send().status_code] == [204, 204]
    assert send(blocked="img-src").status_code == 204
    assert rows(origin) == [("news.example", "end", "", True, 2), ("news.example", "end", "img-src", True, 1)]


def test_the_host_is_what_the_browser_vouches_for(send, origin):
    send(origin="https://true.example", host="said.example")
    send(origin="null", host="said.example")
    assert [row[0] for row in rows(origin)] == ["true.example", "said.example"]


@pytest.mark.parametrize(
    "values",
    [
        {"placement": "sky"},
        {"version": "<b>"},
        {"blocked": "javascript:alert(1)"},
        {"origin": "", "host": "a b"},
        {"origin": "", "host": "x" * 300},
        {"origin": "", "host": ""},
        {"host": "y" * 2000},
        {"origin": "http://[", "host": "\x00"},
    ],
)
def test_what_makes_no_sense_is_dropped_in_silence(send, origin, values):
    answer = send(**values)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert not rows(origin)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"&&&&", b"a" * 100_000, b"host=" + b"%00" * 50])
def test_any_body_is_answered_with_nothing(reader, origin, body):
    answer = reader.post(ADDRESS, data=body, content_type="text/plain")
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert "Vary" not in answer.headers
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not rows(origin)


def test_a_database_that_is_away_is_nothing_a_host_hears_of(make_app, tmp_path, version):
    app = make_app(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    data = {"host": "news.example", "placement": "end", "version": version, "blocked": ""}
    assert app.test_client().post(ADDRESS, data=data).status_code == 204


def test_no_more_than_a_burst_is_written_in_a_moment():
    bucket = embed_health._Bucket()
    let_through = sum(bucket.take() for _ in range(5000))
    assert embed_health.BURST <= let_through <= embed_health.BURST + 20


def seen(host="news.example", placement="end", version="0123abcd", blocked="", current="0123abcd"):
    assert embed_health.note(Report(host, placement, version, blocked), current_version=current)


def test_the_report_shows_hosts_placements_versions_and_what_was_blocked(session, travel):
    travel("2026-11-20T12:00:00Z")
    seen()
    seen(placement="top", version="aaaaaaaa")
    travel("2026-11-23T12:00:00Z")
    seen()
    seen(blocked="style-src")
    health = embed_health.report()
    assert (health.shown, health.blocked) == (3, 1)
    end, top = health.seen
    assert (end.host, end.placement, end.shown, end.blocked) == ("news.example", "end", 2, {"style-src": 1})
    assert (end.last_on, end.outdated) == (date(2026, 11, 23), False)
    assert (top.placement, top.versions, top.outdated) == ("top", ("aaaaaaaa",), True)


def test_the_report_looks_back_no_further_than_asked(session, travel):
    travel("2026-11-01T12:00:00Z")
    seen()
    travel("2026-11-23T12:00:00Z")
    assert not embed_health.report(days=14).seen
    assert embed_health.report(days=30).seen


def test_a_crowd_of_invented_hosts_is_counted_as_one(session):
    with writing():
        today = clock.now().date()
        session.add_all(
            EmbedSighting(
                day=today, host=f"h{n}.example", placement="end", version="0123abcd", current=True, count=1
            )
            for n in range(embed_health.MOST_ROWS_A_DAY)
        )
    seen(host="one-more.example")
    seen(host="h7.example")
    hosts = {one.host: one.shown for one in embed_health.report().seen}
    assert hosts[embed_health.OTHERS] == 1
    assert hosts["h7.example"] == 2


def test_what_is_older_than_ninety_days_is_forgotten(session, travel):
    travel("2026-08-01T12:00:00Z")
    seen()
    travel("2026-11-23T12:00:00Z")
    seen()
    embed_health.forget_old()
    assert len(embed_health.report(days=365).seen) == 1
    assert embed_health.report(days=365).shown == 1
