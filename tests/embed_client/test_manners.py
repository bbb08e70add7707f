"""The banner's manners: what it stores, when it goes, what it tells the host, and what it leaves alone."""

import json
from datetime import UTC, datetime

import pytest

from tests.embed_client.test_banner import PLACEMENTS, banner, opened, until

pytestmark = pytest.mark.browser
STORED = "localStorage.getItem('appeal:95-years')"


def days_ahead(page):
    record = json.loads(page.evaluate(STORED))
    until = datetime.fromisoformat(record["until"])
    return record["why"], round((until - datetime.now(UTC)).total_seconds() / 86_400, 1)


def test_nothing_is_stored_before_the_reader_acts(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "top").locator("[part=title]").hover()
    until(page, "heard.some(([name]) => name == 'shown')")
    assert page.evaluate("Object.keys(localStorage)") == ["lantern:read"]
    assert page.evaluate("Object.keys(sessionStorage)") == []
    assert page.context.cookies() == []


@pytest.mark.parametrize(
    ("control", "expected"),
    [("Close", ("closed", 14.0)), ("I have given", ("given", 365.0)), ("Remind me later", ("later", 6.0))],
)
def test_each_way_out_is_remembered_for_its_time(origin, lantern, reader, control, expected):
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "article").get_by_role("button", name=control).click()
    assert days_ahead(page) == expected
    for placement in PLACEMENTS:
        assert banner(page, placement).evaluate("(one) => one.offsetHeight") == 0


def test_closed_stays_closed_on_the_next_article(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "top").get_by_role("button", name="Close").click()
    origin.asked.clear()
    page.goto(f"{lantern}/a/2")
    until(page, "customElements.get('appeal-banner')")
    # Its place may stay, empty, where the page was painted before the script came: nothing is to move.
    for placement in PLACEMENTS:
        assert not banner(page, placement).get_by_role("link").is_visible()
    assert not any(path.startswith("/api/") for path in origin.asked)


def test_a_closed_banner_whose_script_is_late_moves_nothing(origin, lantern, reader):
    page = opened(reader(viewport={"width": 1280, "height": 800}), f"{lantern}/a/1")
    banner(page, "top").get_by_role("button", name="Close").click()
    origin.script_delay_seconds = 0.5
    page.goto(f"{lantern}/a/2")
    until(page, "customElements.get('appeal-banner')")
    page.wait_for_timeout(200)
    assert page.evaluate("shifts.reduce((sum, one) => sum + one, 0)") == 0


def test_the_banner_comes_back_when_the_time_is_over(origin, lantern, reader):
    page = reader()
    page.add_init_script(
        f"localStorage.setItem('appeal:95-years', '{json.dumps({'until': '2020-01-01T00:00:00Z', 'why': 'closed'})}')"
    )
    opened(page, f"{lantern}/a/1")
    assert banner(page, "top").is_visible()


def test_the_cap_counts_only_for_a_reader_who_closed_a_banner_before(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    until(page, "heard.some(([name]) => name == 'shown')")
    page.evaluate(
        "localStorage.setItem('appeal:95-years', JSON.stringify({until: '2020-01-01T00:00:00Z', why: 'closed'}))"
    )
    for number, seen in ((2, 1), (3, 2), (4, 3)):
        opened(page, f"{lantern}/a/{number}")
        until(page, "heard.some(([name]) => name == 'shown')")
        assert json.loads(page.evaluate(STORED))["seen"] == seen
    banner(page, "article").evaluate(
        "(one) => { one.setAttribute('cap', '2'); one.setAttribute('page', '/again'); }"
    )
    until(
        page,
        "getComputedStyle(document.querySelector('appeal-banner[placement=article]').shadowRoot.firstChild).visibility == 'hidden'",
    )


@pytest.mark.parametrize(
    "stored", ["7", "null", "[]", "{", '"x"', '{"until": "never"}', '{"until": 1e99, "seen": "x"}']
)
def test_a_spoilt_record_is_no_record(origin, lantern, reader, stored):
    page = reader()
    page.add_init_script(f"localStorage.setItem('appeal:95-years', {json.dumps(stored)})")
    opened(page, f"{lantern}/a/1")
    until(page, "heard.some(([name]) => name == 'shown')")
    assert banner(page, "top").is_visible()


def test_a_browser_that_stores_nothing_still_shows_and_closes(origin, lantern, reader):
    page = reader()
    page.add_init_script(
        "Object.defineProperty(self, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    )
    opened(page, f"{lantern}/a/1")
    banner(page, "article").get_by_role("button", name="Close").click()
    assert banner(page, "article").evaluate("(one) => one.offsetHeight") == 0


def test_escape_closes_only_from_within(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    page.keyboard.press("Escape")
    assert banner(page, "top").is_visible()
    banner(page, "top").locator("[part=button]").focus()
    page.keyboard.press("Escape")
    assert banner(page, "top").is_hidden()


def test_the_banner_takes_no_focus_and_all_of_it_is_reached_by_the_keyboard(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    assert page.evaluate("document.activeElement == document.body")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.shadowRoot || document).activeElement.textContent")
        )
    assert reached == ["Skip to the story", "Give now", "\u00d7"]


def test_a_click_beside_the_buttons_does_nothing(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    until(page, "heard.length")
    for part in ("title", "body", "figure", "bar"):
        banner(page, "article").locator(f"[part={part}]").click()
    assert [name for name, _ in page.evaluate("heard")] == ["shown", "shown"]
    assert banner(page, "article").is_visible()


def test_the_host_hears_what_happens(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    until(page, "heard.length")
    page.route("https://appeal.example/**", lambda route: route.abort())
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    banner(page, "top").locator("[part=button]").click()
    banner(page, "top").get_by_role("button", name="Close").click()
    top = {"appeal": "95-years", "placement": "top"}
    assert page.evaluate("heard") == [["shown", top], ["click", top], ["dismiss", {**top, "why": "closed"}]]


def test_a_donors_way_back_is_remembered_told_once_and_taken_out_of_the_address(origin, lantern, reader):
    page = reader()
    page.goto(f"{lantern}/a/1?from=mail&appeal_thanks=pass.123#story")
    until(page, "heard.length")
    assert page.evaluate("heard") == [
        ["thanks", {"appeal": "95-years", "placement": "top", "token": "pass.123"}]
    ]
    assert page.url == f"{lantern}/a/1?from=mail#story"
    assert days_ahead(page) == ("given", 365.0)
    for placement in PLACEMENTS:
        assert not banner(page, placement).is_visible()


def test_a_sampled_view_sends_no_identifier(origin, lantern, reader):
    page = reader()
    page.add_init_script("Math.random = () => 0")
    with page.expect_response("**/embed/v1/beacon"):
        opened(page, f"{lantern}/a/1")
    assert {"host": "127.0.0.1", "placement": "top"}.items() <= origin.beacons[0].items()
    assert set(origin.beacons[0]) <= {"host", "placement", "version", "blocked"}


def test_a_host_can_switch_the_sample_off(origin, lantern, reader):
    page = reader()
    page.add_init_script(
        "Math.random = () => 0; document.addEventListener('DOMContentLoaded', () => "
        "document.querySelectorAll('appeal-banner').forEach((one) => one.setAttribute('beacon', 'off')))"
    )
    origin.json_delay_seconds = 0.2
    opened(page, f"{lantern}/a/1")
    until(page, "heard.length")
    page.wait_for_timeout(100)
    assert origin.beacons == []


def test_the_script_costs_the_page_under_five_milliseconds(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    source = page.evaluate("""async () => {
        const banner = document.createElement("appeal-banner");
        for (const name of ["appeal", "src-base", "placement"])
            banner.setAttribute(name, document.querySelector("appeal-banner[placement=end]").getAttribute(name));
        const times = [];
        for (let round = 0; round < 5; round++) {
            const copy = banner.cloneNode();
            const start = performance.now();
            document.body.append(copy);
            await new Promise(queueMicrotask);
            while (!copy.shadowRoot.querySelector(".title")) await null;
            times.push(performance.now() - start);
            copy.remove();
        }
        return times.sort((one, other) => one - other)[2];
    }""")
    assert source < 5
