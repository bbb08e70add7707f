"""The ways of embedding in a real browser, on another origin with a strict content policy; the origin is the real one."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from appeal.embed.snippets import HEIGHTS
from tests.embed.examples import example
from tests.embed.host import as_amp, as_wordpress, hosting
from tests.support.browser import assert_accessible, browsing

pytestmark = pytest.mark.browser
SLUG = "95-years"


@pytest.fixture(scope="module")
def site(demo_stack):
    with hosting(demo_stack.url) as running:
        yield running


@pytest.fixture
def figure(demo_stack, browser):
    """Give the figure as the origin tells it now."""
    context = browser.new_context()
    answer = context.request.get(f"{demo_stack.url}/api/v1/appeals/{SLUG}").json()
    context.close()
    return answer


def until(page, expression):
    """Wait for an expression to hold; Playwright's own way needs `eval`, which the pages forbid."""
    for _ in range(250):
        if page.evaluate(f"Boolean({expression})"):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never true: {expression}")


def parts(text):
    """Split an example into what belongs into the head and what into the body."""
    head = "".join(re.findall(r"<link[^>]*>|<script[^>]*></script>", text))
    return head, re.sub(r"<link[^>]*>|<script[^>]*></script>", "", text)


def attribution(link):
    query = parse_qs(urlsplit(link).query)
    return query["src"][0], query.get("page", [""])[0]


def test_plain_html(site, page, demo_stack, figure):
    head, body = parts(example("script", demo_stack.url))
    page.goto(site.show(body, head))
    banner = page.locator("appeal-banner")
    assert banner.locator("[part=raised]").inner_text() == figure["formatted"]["raised"]
    assert attribution(banner.locator("a[part=button]").get_attribute("href")) == (
        "localhost:article",
        "/page",
    )


def test_plain_html_with_a_fixed_version(site, page, demo_stack, figure):
    manifest = page.request.get(f"{demo_stack.url}/embed/v1/manifest.json").json()["appeal.js"]
    _head, body = parts(example("script", demo_stack.url))
    script = example("pinned", demo_stack.url)
    script = script.replace("/embed/v1/appeal-0123456789abcdef.js", manifest["url"])
    page.goto(site.show(body, script.replace("sha384-...", manifest["integrity"])))
    assert page.locator("[part=raised]").inner_text() == figure["formatted"]["raised"]


def test_an_unknown_appeal_leaves_the_link_and_says_nothing_in_the_console(site, page, demo_stack):
    head, body = parts(example("script", demo_stack.url))
    with page.expect_response("**/api/v1/appeals/*") as answered:
        page.goto(site.show(body.replace(f'appeal="{SLUG}"', 'appeal="no-such-appeal"'), head))
    assert answered.value.status == 204
    assert page.locator("appeal-banner > a").is_visible()
    assert page.request.get(answered.value.url).status == 404


def test_a_changed_script_is_refused_by_its_hash(site, browser, demo_stack):
    manifest = {"url": "/embed/v1/appeal.js", "integrity": "sha384-" + "A" * 64}
    script = f'<script async src="{demo_stack.url}{manifest["url"]}" integrity="{manifest["integrity"]}" crossorigin="anonymous"></script>'
    context = browser.new_context()
    own = context.new_page()
    own.goto(site.show(parts(example("script", demo_stack.url))[1], script))
    own.wait_for_timeout(200)
    assert own.locator("appeal-banner > a").is_visible()
    assert own.locator("[part=raised]").count() == 0
    context.close()


def test_a_frame_gets_the_height_it_asks_for(site, page, demo_stack, figure):
    head, body = parts(example("frame", demo_stack.url))
    page.goto(site.show(body.replace('height="384"', 'height="90"'), head))
    inside = page.frame_locator("iframe")
    assert inside.locator(".raised").inner_text() == figure["formatted"]["raised"]
    until(page, "document.querySelector('iframe').offsetHeight > 150")
    assert inside.locator("html").evaluate("(one) => one.scrollHeight <= innerHeight")
    assert attribution(inside.locator("a.button").get_attribute("href")) == ("www.example.org:article", "")


def test_a_frame_that_names_no_source_says_which_site_it_stands_on(site, page, demo_stack):
    page.goto(
        site.show(
            f'<iframe src="{demo_stack.url}/embed/{SLUG}/banner?placement=end" title="An appeal"></iframe>'
        )
    )
    links = page.frame_locator("iframe").locator("a")
    until(page, "true")
    links.first.wait_for()
    assert {attribution(link.get_attribute("href"))[0] for link in links.all()} == {"localhost:end"}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("placement", HEIGHTS)
def test_a_frame_of_the_height_we_give_people_never_scrolls(site, page, demo_stack, width, placement):
    """Without the small script the height stays as it is, on a telephone too."""
    page.set_viewport_size({"width": width, "height": 800})
    body = parts(example("frame", demo_stack.url))[1]
    body = body.replace("=article", f"={placement}").replace('height="384"', f'height="{HEIGHTS[placement]}"')
    page.goto(site.show(body))
    inside = page.query_selector("iframe").content_frame()
    inside.wait_for_selector(".raised")
    inside.wait_for_load_state()
    root = "document.documentElement"
    assert inside.evaluate(f"{root}.scrollHeight <= innerHeight && {root}.scrollWidth <= innerWidth")


def test_a_frame_without_script_tells_the_figure(site, page_without_script, demo_stack, figure):
    page_without_script.goto(site.show(parts(example("frame", demo_stack.url))[1]))
    inside = page_without_script.frame_locator("iframe")
    assert inside.locator(".raised").inner_text() == figure["formatted"]["raised"]


def test_wordpress(site, page, demo_stack, figure):
    pasted = example("wordpress", demo_stack.url)
    discovery = re.search(r'application/json\+oembed" href="([^"]+)"', page.request.get(pasted).text())[1]
    # WordPress asks for the address that was pasted, with its query.
    address = discovery.replace("&amp;", "&").partition("url=")[0] + urlencode({"url": pasted})
    head, body = as_wordpress(page.request.get(address).json()["html"])
    page.goto(site.show(body, head))
    inside = page.frame_locator("iframe")
    assert inside.locator(".raised").inner_text() == figure["formatted"]["raised"]
    until(page, "document.querySelector('blockquote').hidden")
    assert 200 <= int(page.locator("iframe").get_attribute("height")) <= 1000
    with page.expect_navigation():
        inside.locator("a.button").click()
    assert page.url.startswith(f"{demo_stack.url}/appeals/{SLUG}")
    assert attribution(page.url)[0] == "www.example.org:article"


def test_amp(site, page, demo_stack, figure):
    head, body = as_amp(example("amp", demo_stack.url))
    page.goto(site.show(body, head))
    inside = page.frame_locator("iframe")
    assert inside.locator(".raised").inner_text() == figure["formatted"]["raised"]
    until(page, "document.querySelector('iframe').getAttribute('height') != '90'")
    with page.expect_navigation():
        inside.locator("a.button").click()
    assert attribution(page.url)[0] == "www.example.org:article"


def test_drupal(site, page, demo_stack, figure):
    library = example("drupal-library", demo_stack.url)
    style, script = re.findall(r"(http[^ ]+\.(?:css|js)):", library)
    head = f'<link rel="stylesheet" href="{style}"><script src="{script}" async></script>'
    body = re.sub(r"{{ attach_library.*?}}", "", example("drupal", demo_stack.url))
    page.goto(site.show(re.sub(r"{{ path.*? }}", "/node/5", body), head))
    banner = page.locator("appeal-banner")
    assert banner.locator("[part=raised]").inner_text() == figure["formatted"]["raised"]
    assert attribution(banner.locator("a[part=button]").get_attribute("href")) == (
        "localhost:article",
        "/node/5",
    )


def test_a_newsletter(site, page, demo_stack):
    page.goto(site.show(example("newsletter", demo_stack.url)))
    picture = page.locator("img")
    until(page, "document.images[0].complete")
    assert picture.evaluate("(one) => [one.naturalWidth, one.naturalHeight]") == [1200, 440]
    assert attribution(page.locator("a").get_attribute("href"))[0] == "newsletter-november"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_frame(browser, demo_stack, theme):
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    for placement in ("top", "article", "end", "paywall"):
        query = f"placement={placement}&theme={theme}&views_left=1&view_limit=5"
        page.goto(f"{demo_stack.url}/embed/{SLUG}/banner?{query}")
        assert_accessible(page)
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_on_the_page_with_the_instructions(browser, demo_stack, width):
    context = browser.new_context(
        bypass_csp=True, reduced_motion="reduce", viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    page.goto(f"{demo_stack.url}/embed/{SLUG}")
    page.locator("appeal-banner [part=raised]").wait_for()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_the_page_with_the_instructions_previews_and_copies(browser, demo_stack, figure):
    with browsing(browser, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{demo_stack.url}/embed/{SLUG}")
        assert page.locator("appeal-banner [part=raised]").inner_text() == figure["formatted"]["raised"]
        with page.expect_navigation():
            page.select_option("#placement", "paywall")
        assert page.locator("appeal-banner [part=title]").inner_text() == "You have reached the free limit"
        page.locator("#script .copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert 'placement="paywall"' in page.evaluate("navigator.clipboard.readText()")


def test_the_page_with_the_instructions_works_without_script(page_without_script, demo_stack):
    page = page_without_script
    page.goto(f"{demo_stack.url}/embed/{SLUG}")
    page.select_option("#placement", "end")
    page.get_by_role("button", name="Show").click()
    assert 'placement="end"' in page.locator("#script-code").inner_text()
    assert page.locator(".copy").first.is_hidden()
