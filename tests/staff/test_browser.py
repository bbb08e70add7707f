"""The office in Chromium: axe finds nothing, no page is wider than a phone, a keyboard is enough, script is not needed."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from tests.support.browser import assert_accessible, browsing
from tests.support.processes import Stack

pytestmark = pytest.mark.browser
EMAIL, PASSWORD = "office@lantern.example", "lantern oil and printing ink"
PAGES = (
    "", "donations", "donors", "moderation", "sources", "appeals", "appeals/95-years", "appeals/new", "exports", "people",
    "audit", "embeds", "account/", "account/second-factor", "wall",
)  # fmt: skip


@pytest.fixture(scope="session")
def office_stack(demo_stack: Stack) -> Stack:
    """Add somebody of the staff to the demonstration, unless another module of this process has."""
    if EMAIL not in {one["email"] for one in demo_stack.flask_json("staff", "list")}:
        demo_stack.flask("staff", "add", EMAIL, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    return demo_stack


def sign_in(page: Any, stack: Stack) -> None:
    page.goto(f"{stack.url}/staff/")
    page.fill("#email", EMAIL)
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{stack.url}/staff/")


LOOKS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "laptop": ({"viewport": {"width": 1366, "height": 768}}, PAGES[::2]),
    "phone": ({"viewport": {"width": 390, "height": 844}}, PAGES),
    "dark": (
        {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark"},
        ("", "donations", "people"),
    ),
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_no_page_is_wider_than_its_window(
    browser: Any, office_stack: Stack, look: str
) -> None:
    options, addresses = LOOKS[look]
    with browsing(browser, **options) as context:
        page = context.new_page()
        sign_in(page, office_stack)
        for address in addresses:
            page.goto(f"{office_stack.url}/staff/{address}")
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_the_way_in_is_accessible_too(page: Any, office_stack: Stack) -> None:
    page.goto(f"{office_stack.url}/staff/login")
    assert_accessible(page)
    page.click("text=Forgotten your password?")
    assert_accessible(page)


def test_a_keyboard_is_enough_to_find_a_gift_and_open_it(page: Any, office_stack: Stack) -> None:
    page.goto(f"{office_stack.url}/staff/login")
    press = page.keyboard
    tab_to(page, "email")
    press.type(EMAIL)
    tab_to(page, "password")
    press.type(PASSWORD)
    press.press("Enter")
    page.wait_for_url(f"{office_stack.url}/staff/")
    page.goto(f"{office_stack.url}/staff/donations")
    tab_to(page, "q")
    press.type("Powell")
    press.press("Enter")
    page.wait_for_url("**q=Powell**")
    for _ in range(60):
        press.press("Tab")
        if "/staff/donations/" in (page.evaluate("document.activeElement.getAttribute('href')") or ""):
            break
    press.press("Enter")
    page.wait_for_selector("h1:has-text('Powell')")


def tab_to(page: Any, element_id: str) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == element_id:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never came to #{element_id}")


def test_without_script_everything_but_the_charts_is_there(
    page_without_script: Any, office_stack: Stack
) -> None:
    page = page_without_script
    sign_in(page, office_stack)
    assert page.locator(".hero-raised").inner_text().startswith("£")
    page.click("summary:has-text('The days as a table')")
    assert page.locator("#days tbody tr").count() > 30
    assert not page.locator(".chart-box").first.is_visible()


def test_the_charts_are_drawn_from_the_tables(page: Any, office_stack: Stack) -> None:
    page.set_viewport_size({"width": 1366, "height": 900})
    sign_in(page, office_stack)
    assert page.locator(".uplot canvas").count() == 3


def test_the_dashboard_prints_on_one_page(page: Any, office_stack: Stack) -> None:
    sign_in(page, office_stack)
    pdf = page.pdf(format="A4", print_background=True)
    assert len(PdfReader(io.BytesIO(pdf)).pages) == 1
