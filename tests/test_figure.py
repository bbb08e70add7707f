"""The figure: one source, word for word as the contract has it, the same on every surface, cacheable and exact."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import Appeal
from appeal.reports import appeal_by_slug
from tests.making import SLUG, open_appeal, paid, received, started

ADDRESS = f"/api/v1/appeals/{SLUG}"
FRAGMENT = f"/embed/{SLUG}/fragment"
KEYS = [
    "slug", "title", "currency", "goal_minor", "raised_minor", "percent", "gift_count", "donor_count",
    "promised_minor", "projected_monthly_minor", "state", "opens_at", "closes_at", "days_left", "sources",
    "formatted", "donate_url", "as_of",
]  # fmt: skip


@pytest.fixture
def told(app, client):
    """Ask for the figure as JSON."""
    return lambda **headers: client.get(ADDRESS, headers=headers)


@pytest.fixture
def change(app):
    """Do something with the records, as another request would."""

    def do(work, *args, **kwargs):
        with app.app_context(), writing():
            return work(*args, **kwargs)

    return do


def set_appeal(**values) -> None:
    db.session.execute(update(Appeal).values(**values))


def give(minor: int = 2500, email: str = "mary@example.org") -> None:
    received(appeal_by_slug(SLUG), amount_minor=minor, email=email)


def test_every_key_of_the_contract_is_there_and_in_its_order(told, change) -> None:
    change(open_appeal)
    assert [name for name in told().get_json() if name in KEYS] == KEYS


def test_the_figure_is_the_contracts_word_for_word(told, change) -> None:
    closes_at = clock.now().replace(microsecond=0) + timedelta(days=30)
    change(open_appeal, closes_at=closes_at)
    change(give, 123_456)
    change(give, 2500, "other@example.org")
    found = told().get_json()
    as_of, days_left = found["as_of"], found["days_left"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", as_of)
    assert days_left in {30, 31}
    assert {name: found[name] for name in KEYS} == {
        "slug": SLUG,
        "title": "Keep the lantern lit",
        "currency": "gbp",
        "goal_minor": 9_500_000,
        "raised_minor": 125_956,
        "percent": 1.3,
        "gift_count": 2,
        "donor_count": 2,
        "promised_minor": 0,
        "projected_monthly_minor": 0,
        "state": "running",
        "opens_at": None,
        "closes_at": clock.rfc3339(closes_at),
        "days_left": days_left,
        "sources": {"online": 125_956, "post": 0, "bank": 0},
        "formatted": {"raised": "£1,259", "goal": "£95,000", "remaining": "£93,741"},
        "donate_url": f"http://127.0.0.1:8000/appeals/{SLUG}",
        "as_of": as_of,
    }


@pytest.mark.parametrize(
    ("goal_minor", "minor", "expected"),
    [
        (10_000, 2500, ("running", 25.0)),
        (10_000, 9_999, ("running", 99.9)),
        (10_000, 10_000, ("reached", 100.0)),
        (10_000, 25_050, ("reached", 250.5)),
        (None, 2500, ("running", None)),
    ],
)
def test_percent_is_rounded_down_and_may_pass_a_hundred(told, change, goal_minor, minor, expected) -> None:
    change(open_appeal, goal_minor=goal_minor)
    change(give, minor)
    found = told().get_json()
    assert (found["state"], found["percent"]) == expected


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"opens_at": timedelta(days=1)}, "upcoming"),
        ({"closes_at": timedelta(days=30)}, "running"),
        ({"closes_at": timedelta(hours=71)}, "last_days"),
        ({"closes_at": timedelta(seconds=-1)}, "ended"),
        ({"status": "closed"}, "ended"),
    ],
)
def test_the_state_follows_the_clock(told, change, values, state) -> None:
    change(open_appeal)
    now = clock.now()
    change(set_appeal, **{key: now + by if isinstance(by, timedelta) else by for key, by in values.items()})
    assert told().get_json()["state"] == state


def test_an_appeal_closed_before_its_day_has_no_days_left(told, change) -> None:
    change(open_appeal, closes_at=clock.now() + timedelta(days=12))
    assert told().get_json()["days_left"] > 0
    change(set_appeal, status="closed")
    assert told().get_json()["days_left"] == 0


@pytest.mark.parametrize("address", [ADDRESS, FRAGMENT])
def test_it_may_be_cached_by_anyone_and_read_from_anywhere_without_a_cookie(change, client, address) -> None:
    change(open_appeal)
    answer = client.get(address, headers={"Cookie": "appeal_session=x", "Origin": "https://www.example.org"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    assert "cookie" not in answer.headers.get("Vary", "").lower()
    for word in ("public", "max-age=", "s-maxage=", "stale-while-revalidate=", "stale-if-error="):
        assert word in answer.headers["Cache-Control"]
    assert answer.headers["ETag"]
    assert answer.headers["Last-Modified"]


@pytest.mark.parametrize("address", [ADDRESS, FRAGMENT])
def test_whoever_has_it_already_gets_304_and_nothing_else(change, client, address) -> None:
    change(open_appeal)
    change(give)
    etag = client.get(address).headers["ETag"]
    for tags in (etag, f'W/{etag}, "other"', f'"other", {etag}', "*"):
        again = client.get(address, headers={"If-None-Match": tags})
        assert (again.status_code, again.data) == (304, b""), tags
        assert again.headers["ETag"].removeprefix("W/") == etag.removeprefix("W/")
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert "max-age=" in again.headers["Cache-Control"]
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_tag_changes_with_a_figure_or_the_state_and_with_nothing_else(told, change, app, travel) -> None:
    change(open_appeal, closes_at=clock.now() + timedelta(days=20), goal_minor=3000)
    change(give)
    tag = told().headers["ETag"]
    begun = change(lambda: started(appeal_by_slug(SLUG), email="begun@example.org"))
    travel((clock.now() + timedelta(minutes=2)).isoformat())
    assert told().headers["ETag"] == tag
    change(lambda: giving.settle(paid(begun), livemode=False))
    given = told().headers["ETag"]
    assert given != tag
    change(set_appeal, status="closed")
    assert told().headers["ETag"] != given


def test_the_figure_is_the_same_on_every_surface(app, client, change) -> None:
    change(open_appeal)
    change(give, 123_456)
    figure = client.get(ADDRESS).get_json()
    runner = app.test_cli_runner()
    shown = json.loads(runner.invoke(args=["appeals", "show", SLUG, "--json"]).output)
    assert {name: shown[name] for name in KEYS} == {name: figure[name] for name in KEYS}
    for address in (f"/appeals/{SLUG}", FRAGMENT, f"/appeals/{SLUG}/credits"):
        page = client.get(address).get_data(as_text=True)
        assert figure["formatted"]["raised"] in page, address
        assert "£95,000" in page, address
    assert "£1,234.56" in client.get(f"/appeals/{SLUG}").get_data(as_text=True)


@pytest.mark.parametrize("slug", ["nowhere", "LANTERN", "draft", "%00", "%ff%fe", "a" * 3000, "%f0%9f%92%b8"])
@pytest.mark.parametrize("address", ["/api/v1/appeals/{}", "/embed/{}/fragment"])
def test_an_appeal_that_is_not_public_is_404_and_may_be_asked_for_again_soon(
    change, client, address, slug
) -> None:
    change(open_appeal)
    change(open_appeal, "draft", status="draft")
    answer = client.get(address.format(slug))
    assert answer.status_code == 404
    assert "max-age" in answer.headers["Cache-Control"]
    if address.startswith("/api"):
        assert answer.get_json()["message"]


def test_a_gift_that_went_back_is_taken_out(app, told, change) -> None:
    change(open_appeal)
    change(give)

    def refund() -> None:
        donation = ledger.lock(1)
        ledger.record(donation, ledger.Fact("refund", "re:1", -2500, clock.now()))

    change(refund)
    found = told().get_json()
    assert (found["raised_minor"], found["gift_count"], found["donor_count"]) == (0, 0, 0)
