"""The post room in Chromium: typed with the keyboard alone, without script, and axe finds nothing on any of its pages."""

from typing import Any

import pytest

from tests.staff.test_browser import office_stack, sign_in
from tests.support.browser import assert_accessible, browsing
from tests.support.processes import Stack

pytestmark = pytest.mark.browser
__all__ = ["office_stack"]

PAGES = ("post", "post/promises", "post/statements", "column", "column?ever=1", "reconcile")
LOOKS: tuple[dict[str, Any], ...] = (
    {"viewport": {"width": 1366, "height": 768}},
    {"viewport": {"width": 390, "height": 844}},
    {"viewport": {"width": 1366, "height": 768}, "color_scheme": "dark"},
)


def open_batch(page: Any, stack: Stack, count: int, total: str, label: str) -> None:
    """Open a batch by keyboard: Tab from field to field, Enter at the end."""
    page.goto(f"{stack.url}/staff/post")
    page.focus("[name=count]")
    for text in (str(count), total):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.fill("[name=label]", label)
    page.press("[name=label]", "Enter")
    page.wait_for_selector(f"h1:has-text('{label}')")


def test_a_pile_is_typed_without_a_mouse_and_without_script(browser: Any, office_stack: Stack) -> None:
    with browsing(browser, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page, office_stack)
        open_batch(page, office_stack, 2, "30.00", "By keyboard")
        for number, (name, amount) in enumerate((("Harriet Vane", "10"), ("Peter Wimsey", "20")), 1):
            page.wait_for_selector("[name=name]:focus")
            page.keyboard.type(name)
            page.keyboard.press("Tab")
            page.keyboard.type(amount)
            page.keyboard.press("Enter")
            page.wait_for_selector(f".lines tbody tr:nth-child({number})")
        page.press("button:has-text('Close the batch')", "Enter")
        page.wait_for_selector("text=every gift is in the books")


@pytest.mark.parametrize("look", LOOKS, ids=["laptop", "phone", "dark"])
def test_axe_finds_nothing_in_the_post_room(browser: Any, office_stack: Stack, look: dict[str, Any]) -> None:
    with browsing(browser, **look) as context:
        page = context.new_page()
        sign_in(page, office_stack)
        for address in PAGES:
            page.goto(f"{office_stack.url}/staff/{address}")
            _fine(page, address)
        open_batch(page, office_stack, 1, "5", "Looked at")
        _fine(page, "an empty batch")
        page.fill("[name=amount]", "five")
        page.press("[name=amount]", "Enter")
        page.wait_for_selector("text=This line is not entered yet")
        _fine(page, "a line that is wrong")
        page.fill("#amount", "5")
        page.press("#amount", "Enter")
        page.wait_for_selector(".lines")
        _fine(page, "a batch with a line")
        page.click(".lines a:has-text('Change')")
        _fine(page, "a line")


def _fine(page: Any, where: str) -> None:
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
