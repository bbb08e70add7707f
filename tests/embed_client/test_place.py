"""The banner keeps its place: nothing on the page moves, whatever comes late or not at all."""

import pytest

from tests.embed_client.origin import STATES
from tests.embed_client.test_banner import PLACEMENTS, banner, opened

pytestmark = pytest.mark.browser
WIDTHS = (360, 768, 1280)


def shift(page):
    """Scroll through the whole page and give what the browser counted."""
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 300) {
            scrollTo(0, y);
            await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
        }
    }""")
    return page.evaluate("shifts.reduce((sum, one) => sum + one, 0)")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", STATES)
def test_every_state_fits_the_place_that_was_kept(origin, lantern, reader, width, state):
    origin.say(state)
    page = opened(reader(viewport={"width": width, "height": 800}), f"{lantern}/a/1")
    for placement in PLACEMENTS:
        height, kept = banner(page, placement).evaluate(
            "(one) => [one.offsetHeight, parseFloat(getComputedStyle(one).minHeight)]"
        )
        assert height == kept, placement


@pytest.mark.parametrize("width", WIDTHS)
def test_a_late_script_and_a_late_answer_move_nothing(origin, lantern, reader, width):
    origin.script_delay_seconds = origin.json_delay_seconds = 0.5
    page = opened(reader(viewport={"width": width, "height": 800}), f"{lantern}/a/1")
    assert page.evaluate("performance.getEntriesByType('paint').length > 0")
    assert shift(page) == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_an_answer_that_makes_no_sense_moves_nothing_and_leaves_the_link(origin, lantern, reader, width):
    origin.json_delay_seconds = 0.3
    origin.json_body = b'{"state": '
    page = reader(viewport={"width": width, "height": 800})
    with page.expect_response("**/api/v1/appeals/95-years"):
        page.goto(f"{lantern}/a/1")
    page.wait_for_timeout(100)
    assert shift(page) == 0
    for placement in PLACEMENTS:
        link = banner(page, placement).get_by_role("link", name="Support The Daily Lantern")
        assert link.is_visible()
        assert banner(page, placement).evaluate("(one) => one.offsetHeight") > 60


def test_an_unknown_appeal_leaves_the_link_and_an_empty_console(origin, lantern, reader):
    origin.answers = {"95-years": None}
    page = reader()
    with page.expect_response("**/api/v1/appeals/95-years") as answered:
        page.goto(f"{lantern}/a/1")
    page.wait_for_timeout(100)
    assert answered.value.status == 204
    assert shift(page) == 0
    for placement in PLACEMENTS:
        assert banner(page, placement).get_by_role("link", name="Support The Daily Lantern").is_visible()


def test_a_broken_server_leaves_the_link(origin, lantern, browser):
    origin.json_status = 500
    origin.json_body = b'{"error": "no figure"}'
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    # Chromium itself notes every answer of 5xx; the script adds nothing to that one line.
    page.on("console", lambda message: said.append(message.location["url"]))
    page.on("pageerror", lambda error: said.append(str(error)))
    with page.expect_response("**/api/v1/appeals/95-years"):
        page.goto(f"{lantern}/a/1")
    page.wait_for_timeout(100)
    assert said == [f"{origin.url}/api/v1/appeals/95-years"]
    assert banner(page, "end").get_by_role("link", name="Support The Daily Lantern").is_visible()
    context.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appeal", "../../etc"),
        ("appeal", "<b>"),
        ("src-base", "no address"),
        ("src-base", "javascript:1"),
        ("src-base", "ftp://127.0.0.1"),
        ("src-base", "file:///etc"),
        ("appeal", ""),
    ],
)
def test_a_bad_attribute_leaves_the_link(origin, lantern, reader, name, value):
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "article").evaluate("(one, [name, value]) => one.setAttribute(name, value)", [name, value])
    link = banner(page, "article").get_by_role("link", name="Support The Daily Lantern")
    link.wait_for()
    assert banner(page, "article").locator("[part=figure]").count() == 0


def test_an_unknown_placement_is_the_box(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    page.evaluate("document.querySelector('appeal-banner[placement=end]').setAttribute('placement', 'sky')")
    page.locator("appeal-banner[placement=sky] .article [part=title]").wait_for()


def test_the_link_is_there_without_script(origin, lantern, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{lantern}/a/1")
    for placement in PLACEMENTS:
        assert banner(page, placement).get_by_role("link", name="Support The Daily Lantern").is_visible()
        assert banner(page, placement).evaluate("(one) => one.offsetHeight") < 80, (
            "no place is kept for nothing"
        )
    context.close()


def test_the_kill_switch_empties_one_placement_without_a_jump(origin, lantern, reader):
    origin.say(banner={"off": ["top"]})
    page = reader(viewport={"width": 1280, "height": 800})
    page.goto(f"{lantern}/a/1")
    banner(page, "article").locator("[part=title]").wait_for()
    assert shift(page) == 0
    assert not banner(page, "top").is_visible()
    assert banner(page, "article").is_visible()
