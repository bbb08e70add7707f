"""The appeal page is rendered once for everybody, and is still each reader's own."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal import appeals
from appeal.database import writing
from appeal.gifts import giving
from tests.making import SLUG, form, open_appeal, post_form, received
from tests.speed.counting import behind_the_lane, statements

PAGE = f"/appeals/{SLUG}"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
QUERIES = (
    "",
    "?amount=50",
    "?amount=33.33&frequency=monthly",
    "?src=www.example.org:article&page=/a/1?b=2&amount=25",
    "?src=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&page=%F0%9F%92%9B",
    "?src=one&src=two&amount=nonsense&frequency=weekly",
    "?src=%FF%00&amount=%D9%A3",
)


@pytest.fixture
def asked(app: Flask) -> FlaskClient:
    """Give a client of an application with one open appeal and a credit line."""
    with app.app_context():
        donation = received(open_appeal(), credit="name")
        with writing():
            donation.credit_review = "approved"
    return app.test_client()


def without_token(page: str) -> str:
    return TOKEN.sub("", page)


@pytest.mark.parametrize("query", QUERIES)
def test_a_kept_page_is_the_flask_routes_own_but_for_the_token(
    app: Flask, asked: FlaskClient, query: str
) -> None:
    asked.get(PAGE)
    asked.get(PAGE + query)
    with statements(app) as seen:
        kept = asked.get(PAGE + query)
    fresh = behind_the_lane(app).get(PAGE + query)
    assert not seen
    assert without_token(kept.text) == without_token(fresh.text)
    ours = [set(one.headers) - {("X-Request-Id", one.headers["X-Request-Id"])} for one in (kept, fresh)]
    assert ours[0] == ours[1]
    assert int(kept.headers["Content-Length"]) == len(kept.data)


def test_where_a_reader_came_from_is_filled_in_and_never_markup(asked: FlaskClient) -> None:
    asked.get(PAGE)
    text = asked.get(f"{PAGE}?src=%22%3E%3Cscript%3E&page=/a/1").text
    assert "&#34;&gt;&lt;script&gt;" in text
    assert 'value="/a/1"' in text
    assert "blank-" not in text


def test_each_reader_has_a_token_of_their_own_that_works_once(app: Flask, asked: FlaskClient) -> None:
    tokens = [TOKEN.search(asked.get(PAGE).text)[1] for _ in range(3)]
    assert len(set(tokens)) == 3
    answer = post_form(asked, form(app, csrf_token=tokens[-1], amount="nonsense"))
    assert answer.status_code == 422
    assert "open for a long time" not in answer.text


def test_a_gift_and_a_credit_line_show_at_once(app: Flask, asked: FlaskClient) -> None:
    before = asked.get(PAGE).text
    with app.app_context():
        donation = received(
            appeals.by_slug(SLUG), name="Grace Darling", credit="name", email="grace@example.org"
        )
    after = asked.get(PAGE).text
    assert "£25 " in before
    assert "£50 " in after
    assert "Grace Darling" not in after
    with app.app_context(), writing():
        giving.by_public_id(donation.public_id).credit_review = "approved"
    assert "Grace Darling" in asked.get(PAGE).text


def test_readers_who_come_from_many_articles_share_one_rendering(app: Flask, asked: FlaskClient) -> None:
    asked.get(PAGE)
    for number in range(20):
        with statements(app) as seen:
            text = asked.get(f"{PAGE}?src=www.example.org:end&page=/a/{number}").text
        assert not seen
        assert f'value="/a/{number}"' in text
