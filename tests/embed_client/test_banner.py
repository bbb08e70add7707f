"""What the banner shows, on the newspaper's page and in a real browser."""

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from babel.numbers import format_decimal
from PIL import Image

from appeal.embed.script import LANGUAGES, banner_words
from tests.embed_client.origin import STATES
from tests.support.browser import FLAGS, assert_accessible, browsing
from tests.support.machine import CHROMIUM

pytestmark = pytest.mark.browser
PLACEMENTS = ("top", "article", "end", "paywall")


def banner(page: Any, placement: str) -> Any:
    return page.locator(f"appeal-banner[placement={placement}]")


def opened(page: Any, address: str) -> Any:
    """Open the address and wait for the four figures."""
    page.goto(address)
    until(
        page,
        "[...document.querySelectorAll('appeal-banner')].every((one) => one.shadowRoot?.querySelector('.title'))",
    )
    return page


def until(page: Any, expression: str) -> None:
    """Wait for an expression to hold, for at most 5 s; Playwright's own way needs `eval`, which the page forbids."""
    for _ in range(250):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def test_all_four_placements_tell_the_figure_after_one_request(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    for placement in PLACEMENTS:
        assert banner(page, placement).locator("[part=figure]").inner_text() == "£61,234 raised of £95,000"
    assert [path for path in origin.asked if path.startswith("/api/")] == ["/api/v1/appeals/95-years"]


def test_the_bar_speaks_in_money(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    bar = banner(page, "article").locator("progress")
    assert bar.get_attribute("aria-valuetext") == "£61,234 raised of £95,000"
    assert bar.get_attribute("aria-label") == "95 years of The Daily Lantern"
    assert bar.evaluate("(bar) => [bar.value, bar.max]") == [6123450, 9500000]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("upcoming", "Our next appeal opens on 7 December"),
        ("nothing_yet", "Readers keep this journalism free"),
        ("last_days", "Last days: £33,766 still to find"),
        ("reached", "You did it: thank you"),
        ("beyond", "Past the goal: thank you"),
        ("ended", "Thank you, all of you"),
    ],
)
def test_the_words_follow_the_state(origin, lantern, reader, state, words):
    origin.say(state)
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "article").locator("[part=title]").inner_text() == words


@pytest.mark.parametrize(("days", "words"), [(1, "Last day"), (2, "2 days left")])
def test_the_closing_day_is_called_the_last_day_as_on_the_appeals_page(origin, lantern, reader, days, words):
    origin.say("last_days", days_left=days)
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "article").locator("[part=facts]").inner_text() == f"1,893 gifts \u00b7 {words}"


def test_an_appeal_without_a_goal_shows_no_bar(origin, lantern, reader):
    origin.say("no_goal")
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "article").locator("[part=figure]").inner_text() == "£61,234"
    assert banner(page, "article").locator("progress").is_hidden()


@pytest.mark.parametrize(
    ("left", "words"),
    [(2, "2 free articles left"), (1, "One free article left"), (0, "You have reached the free limit")],
)
def test_the_paywall_says_how_many_articles_are_left(origin, lantern, reader, left, words):
    page = opened(reader(), f"{lantern}/a/1")
    wall = banner(page, "paywall")
    wall.evaluate("(wall, left) => wall.setAttribute('views-left', left)", left)
    wall.locator(f"[part=title]:text-is('{words}')").wait_for()
    assert wall.locator(".meter .read").count() == 5 - left


def test_the_newspapers_wall_stands_after_five_articles(origin, lantern, reader):
    page = reader()
    for number in range(1, 6):
        opened(page, f"{lantern}/a/{number}")
        assert banner(page, "paywall").get_attribute("views-left") == str(5 - number)
        assert page.locator("article .rest").is_visible()
    opened(page, f"{lantern}/a/6")
    assert banner(page, "paywall").get_attribute("views-left") == "0"
    assert page.locator("article .rest").is_hidden()


def test_the_link_carries_site_placement_and_page(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/3")
    link = urlsplit(banner(page, "article").locator("a[part=button]").get_attribute("href"))
    assert (link.netloc, link.path) == ("appeal.example", "/appeals/95-years")
    assert parse_qs(link.query) == {"src": ["127.0.0.1:article"], "page": ["/a/3"]}


def test_an_amount_leads_into_the_prefilled_form(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    amounts = banner(page, "end").locator("[part=amount]")
    assert amounts.all_inner_texts() == ["£10", "£25", "£50"]
    query = parse_qs(urlsplit(amounts.nth(1).get_attribute("href")).query)
    assert (query["amount"], query["frequency"], query["src"]) == (["25.00"], ["once"], ["127.0.0.1:end"])


@pytest.mark.parametrize(
    "value",
    [
        '"><img src=x onerror=alert(1)>&src=evil&amount=1',
        "x" * 5000,
        "\ud800\u202e\x00",
        "javascript:alert(1)",
    ],
)
def test_a_hostile_page_is_one_short_encoded_value(origin, lantern, reader, value):
    page = opened(reader(), f"{lantern}/a/1")
    article = banner(page, "article")
    article.evaluate("(one, value) => one.setAttribute('page', value)", value)
    article.locator("a[part=button]").wait_for()
    query = parse_qs(urlsplit(article.locator("a[part=button]").get_attribute("href")).query)
    assert query["src"] == ["127.0.0.1:article"]
    assert len(query["page"]) == 1
    assert len(query["page"][0]) <= 200
    assert "amount" not in query
    assert page.locator("appeal-banner img").count() == 0


def test_words_of_the_appeal_are_text_and_never_markup(origin, lantern, reader):
    evil = "<img src=x onerror=alert(1)>{constructor}"
    origin.say(
        title=evil,
        banner={"words": {"article": {"title": evil, "button": evil}}, "accent": "red;}*{color:red"},
    )
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "article").locator("img").count() == 0
    assert "<img src=x" in banner(page, "article").locator("[part=title]").inner_text()


def test_an_address_that_is_no_web_address_is_not_linked(origin, lantern, reader):
    origin.say(donate_url="javascript:alert(1)")
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "article").locator("a[part=button]").get_attribute("href") is None


def test_words_and_colour_of_the_staff_replace_the_defaults(origin, lantern, reader):
    origin.say(banner={"words": {"top": {"title": "Only {remaining} to go"}}, "accent": "#0a5c36"})
    page = opened(reader(), f"{lantern}/a/1")
    assert banner(page, "top").locator("[part=title]").inner_text() == "Only £33,766 to go"
    colour = (
        banner(page, "top")
        .locator("[part=button]")
        .evaluate("(one) => getComputedStyle(one).backgroundColor")
    )
    assert colour == "rgb(10, 92, 54)"


def test_the_hosts_own_colour_wins_over_the_staffs(origin, lantern, reader):
    origin.say(banner={"accent": "#0a5c36"})
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "top").evaluate("(one) => one.style.setProperty('--appeal-accent', '#123456')")
    colour = (
        banner(page, "top")
        .locator("[part=button]")
        .evaluate("(one) => getComputedStyle(one).backgroundColor")
    )
    assert colour == "rgb(18, 52, 86)"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_other_languages_come_with_the_figure(origin, lantern, reader, language):
    origin.say(banner=banner_words(language, "running"))
    page = opened(reader(), f"{lantern}/a/1")
    article = banner(page, "article")
    article.evaluate("(one, language) => one.setAttribute('lang', language)", language)
    article.locator(f"section[lang={language}]").wait_for()
    assert f"/api/v1/appeals/95-years?lang={language}" in origin.asked
    assert article.locator("section").get_attribute("dir") == ("rtl" if language == "ar" else "")
    assert format_decimal(1893, locale=language) in article.locator("[part=facts]").inner_text()


def test_right_to_left_mirrors_the_banner(origin, lantern, reader):
    page = opened(reader(viewport={"width": 1280, "height": 800}), f"{lantern}/a/1")
    top = banner(page, "top")
    top.evaluate("(one) => { one.dir = 'rtl'; one.setAttribute('page', '/rtl'); }")
    box, close = top.bounding_box(), top.locator("[part=closed]").bounding_box()
    assert close["x"] < box["x"] + 10
    title = top.locator("[part=title]").bounding_box()
    assert title["x"] + title["width"] > box["width"] - 30


def test_a_sensitive_story_shows_nothing_and_keeps_no_place(origin, lantern, reader):
    page = opened(reader(), f"{lantern}/a/1")
    banner(page, "article").evaluate("(one) => one.setAttribute('quiet', '')")
    assert banner(page, "article").is_hidden()
    assert banner(page, "article").evaluate("(one) => one.offsetHeight") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(origin, lantern, examined, state, scheme):
    origin.say(state)
    assert_accessible(opened(examined(color_scheme=scheme), f"{lantern}/a/1"))


def test_the_filling_is_drawn_in_forced_colours(origin, lantern, examined):
    page = opened(examined(forced_colors="active"), f"{lantern}/a/1")
    assert_accessible(page)
    picture = Image.open(io.BytesIO(banner(page, "article").locator("progress").screenshot())).convert("RGB")
    middle = picture.height // 2
    assert picture.getpixel((picture.width // 4, middle)) != picture.getpixel(
        (picture.width * 9 // 10, middle)
    )


def filled(page: Any) -> float:
    """Give the part of the top bar that is drawn as filled, from a picture of it."""
    picture = Image.open(io.BytesIO(banner(page, "top").locator("progress").screenshot())).convert("RGB")
    row = [picture.getpixel((column, picture.height // 2)) for column in range(picture.width)]
    return sum(pixel == row[2] for pixel in row) / len(row)


def test_the_filling_moves_for_less_than_a_second_and_the_number_stands_still(origin, lantern, reader):
    page = opened(reader(reduced_motion="no-preference"), f"{lantern}/a/1")
    banner(page, "top").evaluate("(one) => one.setAttribute('page', '/again')")
    assert banner(page, "top").locator("[part=raised]").inner_text() == "£61,234"
    assert filled(page) < 0.6
    page.wait_for_timeout(1000)
    assert filled(page) == pytest.approx(0.644, abs=0.01)


def test_nothing_moves_for_readers_who_asked_for_stillness(origin, lantern, reader):
    page = opened(reader(reduced_motion="reduce"), f"{lantern}/a/1")
    banner(page, "top").evaluate("(one) => one.setAttribute('page', '/again')")
    assert filled(page) == pytest.approx(0.644, abs=0.01)


# Words that stand on more than one line, in what is visible of one banner.
BROKEN_WORDS = """(one) => {
  const broken = [], range = document.createRange();
  const texts = document.createTreeWalker(one.shadowRoot, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    for (const word of texts.currentNode.data.matchAll(/\\S+/g)) {
      range.setStart(texts.currentNode, word.index);
      range.setEnd(texts.currentNode, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map((part) => part.top)).size > 1) broken.push(word[0]);
    }
  return broken;
}"""


@pytest.fixture(scope="module")
def large_print(browser: Any) -> Any:
    """Give a browser whose reader has set text to twice the size."""
    own = browser.browser_type.launch(
        executable_path=CHROMIUM.need(), args=[*FLAGS, "--blink-settings=defaultFontSize=32"]
    )
    yield own
    own.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("state", ["upcoming", "running", "beyond", "ended"])
def test_text_of_twice_the_size_keeps_its_place_and_its_words_whole(
    origin, lantern, large_print, width, state
):
    origin.say(state)
    with browsing(large_print, reduced_motion="reduce", viewport={"width": width, "height": 800}) as context:
        page = opened(context.new_page(), f"{lantern}/a/1")
        for placement in PLACEMENTS:
            one = banner(page, placement)
            assert one.evaluate("(one) => getComputedStyle(one).fontSize") == "32px"
            assert one.evaluate(BROKEN_WORDS) == [], placement
            inside = "(one) => one.shadowRoot.firstChild.scrollWidth <= one.clientWidth"
            assert one.evaluate(inside), placement
            height, kept = one.evaluate(
                "(one) => [one.offsetHeight, parseFloat(getComputedStyle(one).minHeight)]"
            )
            assert height == kept, placement


def test_every_control_is_large_enough_to_touch(origin, lantern, reader):
    page = opened(reader(viewport={"width": 360, "height": 800}), f"{lantern}/a/1")
    controls = page.locator("appeal-banner a[part], appeal-banner button").all()
    assert len(controls) >= len(PLACEMENTS)
    for control in controls:
        box = control.bounding_box()
        assert min(box["width"], box["height"]) >= 24, control.inner_text()
