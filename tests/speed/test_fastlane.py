"""The fast lane gives what Flask would give: the same bytes and headers, the same refusals, at every instant."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appeal import appeals
from tests.making import SLUG, open_appeal, received
from tests.speed.counting import behind_the_lane, statements

ADDRESSES = (f"/api/v1/appeals/{SLUG}", f"/embed/{SLUG}/fragment")
JSON = ADDRESSES[0]
OWN_EACH_TIME = {"X-Request-Id", "Date"}


@pytest.fixture
def asked(app: Flask) -> FlaskClient:
    """Give a client of an application with one open appeal and one gift."""
    with app.app_context():
        received(open_appeal())
    return app.test_client()


def head_of(answer: TestResponse) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers if name not in OWN_EACH_TIME)


def same(one: TestResponse, other: TestResponse) -> bool:
    return (one.status, head_of(one), one.data) == (other.status, head_of(other), other.data)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_kept_answer_is_byte_for_byte_and_header_by_header_the_flask_routes_own(
    app: Flask, asked: FlaskClient, address: str, method: str
) -> None:
    asked.get(address)
    with statements(app) as seen:
        kept = asked.open(address, method=method)
    assert not seen
    assert same(kept, behind_the_lane(app).open(address, method=method))


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("asking", ["{0}", "W/{0}", '"other", {0}', "*"])
def test_a_kept_answer_that_the_asker_has_is_304_with_the_flask_routes_own_headers(
    app: Flask, asked: FlaskClient, address: str, asking: str
) -> None:
    condition = {"If-None-Match": asking.format(asked.get(address).headers["ETag"])}
    kept = asked.get(address, headers=condition)
    assert kept.status_code == 304
    assert same(kept, behind_the_lane(app).get(address, headers=condition))


def test_another_tag_gets_the_whole_answer(asked: FlaskClient) -> None:
    asked.get(JSON)
    assert asked.get(JSON, headers={"If-None-Match": '"something else"'}).status_code == 200


def test_each_kept_answer_has_a_request_id_of_its_own(asked: FlaskClient) -> None:
    ids = {asked.get(JSON).headers["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(len(one) == 16 for one in ids)


def test_a_foreign_host_is_refused_however_often_the_right_one_was_answered(asked: FlaskClient) -> None:
    asked.get(JSON)
    asked.get(JSON)
    assert asked.get(JSON, headers={"Host": "evil.example"}).status_code == 400
    assert asked.get(JSON).status_code == 200


def test_a_method_that_does_not_fit_is_flasks_to_refuse(app: Flask, asked: FlaskClient) -> None:
    asked.get(JSON)
    refused = asked.post(JSON)
    assert refused.status_code == 405
    assert same(refused, behind_the_lane(app).post(JSON))


def test_an_unknown_appeal_stays_unknown_until_it_is_there(app: Flask, asked: FlaskClient) -> None:
    assert asked.get("/api/v1/appeals/later").status_code == 404
    with app.app_context():
        open_appeal("later")
    assert asked.get("/api/v1/appeals/later").status_code == 200


def test_an_appeal_that_is_taken_back_is_gone_at_once(app: Flask, asked: FlaskClient) -> None:
    asked.get(JSON)
    with app.app_context():
        appeals.set_status(SLUG, "draft")
    assert asked.get(JSON).status_code == 404


def test_a_query_nobody_knows_gets_the_same_figure(asked: FlaskClient) -> None:
    assert asked.get(f"{JSON}?utm_source=x").data == asked.get(JSON).data


def test_what_is_written_shows_at_once_and_changes_the_tag(app: Flask, asked: FlaskClient) -> None:
    before = asked.get(JSON)
    with app.app_context():
        received(appeals.by_slug(SLUG), amount_minor=1234)
    after = asked.get(JSON)
    assert after.json["raised_minor"] == before.json["raised_minor"] + 1234
    assert after.headers["ETag"] != before.headers["ETag"]


def test_what_does_not_change_the_figure_does_not_make_it_anew(app: Flask, asked: FlaskClient) -> None:
    asked.get(JSON)
    with app.app_context():
        open_appeal("another")
    with statements(app) as seen:
        asked.get(JSON)
    assert len(seen) == 1  # the facts, read again and found the same; nothing rendered


def test_the_figure_follows_the_clock_though_nothing_is_written(
    app: Flask, travel: Callable[[str], datetime]
) -> None:
    moments = {
        "2026-11-01T12:00:00Z": ("upcoming", 30),
        "2026-11-10T00:00:00Z": ("running", 21),
        "2026-11-10T23:59:59Z": ("running", 21),
        "2026-11-11T00:00:00Z": ("running", 20),
        "2026-11-28T00:00:00Z": ("last_days", 3),
        "2026-11-30T23:59:59Z": ("last_days", 1),
        "2026-12-01T00:00:00Z": ("ended", 0),
    }
    with app.app_context():
        times = {"opens_at": "2026-11-10T00:00:00+00:00", "closes_at": "2026-12-01T00:00:00+00:00"}
        open_appeal(**{name: datetime.fromisoformat(text) for name, text in times.items()})
    client = app.test_client()
    for there_and_back in (list(moments), list(reversed(moments))):
        for moment in there_and_back:
            travel(moment)
            for _ in range(2):
                told = client.get(JSON).json
                assert (told["state"], told["days_left"]) == moments[moment], moment


def test_however_many_ask_one_reads_and_the_others_wait(app: Flask, asked: FlaskClient) -> None:
    asked.get(JSON)
    with app.app_context():
        received(appeals.by_slug(SLUG))
    start, answers = threading.Barrier(24), []

    def ask() -> None:
        client = app.test_client()
        start.wait()
        answers.append(client.get(JSON).data)

    crowd = [threading.Thread(target=ask) for _ in range(24)]
    with statements(app) as seen:
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
    assert len(answers) == 24
    assert len(set(answers)) == 1
    assert len(seen) == 1
