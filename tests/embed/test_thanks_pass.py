"""The "thank you" pass: on the way back from a gift, checked by hosts, and silent about who gave."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from appeal.core import thanks_pass
from tests import making

KEYS = ("an old key of the house", "the present key of the house")


@pytest.fixture
def back_link(origin):
    """Give the link back to the article on the thank-you page of a gift from that page."""

    def link(page, state="received"):
        with origin.app_context():
            from appeal import reports

            appeal = reports.appeal_by_slug(making.SLUG)
            donation = (
                making.received(appeal, page=page)
                if state == "received"
                else making.started(appeal, page=page)
            )
            address = f"/donations/{donation.public_id}/thank-you"
        html = origin.test_client().get(address).get_data(as_text=True)
        found = re.search(r'href="(https://www\.dailylantern\.example/[^"]+)"', html)
        return found[1].replace("&amp;", "&") if found else None

    return link


@pytest.fixture(autouse=True)
def publisher(change):
    change(publisher_url="https://www.dailylantern.example", return_hosts=["www.dailylantern.example"])


def test_the_way_back_carries_a_pass_that_a_host_can_check(back_link, reader):
    link = urlsplit(back_link("/2026/11/story?id=7#comments"))
    query = parse_qs(link.query)
    assert (link.path, link.fragment, query["id"]) == ("/2026/11/story", "comments", ["7"])
    answer = reader.get(f"/embed/v1/thanks/{query['appeal_thanks'][0]}")
    assert answer.get_json() == {"appeal": making.SLUG, "issued_on": datetime.now(UTC).date().isoformat()}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers


def test_a_gift_that_has_not_arrived_gives_no_pass(back_link):
    assert back_link("/2026/11/story", state="started") in {
        None,
        "https://www.dailylantern.example/2026/11/story",
    }


def test_a_foreign_site_is_not_led_back_to(back_link):
    assert back_link("https://evil.example/") is None
    assert back_link("//evil.example/") is None


@pytest.mark.parametrize("token", ["x", "a.b.c", "lantern.AAAA.BBBB", "%00", "x" * 5000])
def test_what_we_did_not_sign_is_no_pass(reader, token):
    assert reader.get(f"/embed/v1/thanks/{token}").status_code == 404


def test_a_pass_runs_out_after_thirty_days_and_outlives_a_change_of_keys():
    token = thanks_pass.issue(KEYS[:1], "lantern")
    found = thanks_pass.read(KEYS, token)
    assert found is not None
    assert found.appeal == "lantern"
    assert thanks_pass.read(KEYS[1:], token) is None
    assert thanks_pass.read(KEYS, token[:-2] + "zz") is None


def test_two_passes_of_one_day_tell_nothing_apart_but_the_second():
    first, second = (thanks_pass.issue(KEYS, "lantern") for _ in range(2))
    assert first.split(".")[0] == second.split(".")[0] == "lantern"
    assert len(first.split(".")) == 3
