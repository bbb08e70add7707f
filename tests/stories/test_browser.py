"""The gift as a person gives it: in Chromium, without JavaScript and by keyboard, against three separate processes."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, text

from tests.support.browser import assert_accessible, browsing
from tests.support.processes import Stack
from tests.support.smtp import MailServer, mail_server
from tests.support.waiting import until

pytestmark = pytest.mark.browser
SLUG = "95-years"
GIVEN_MINOR = 2500


@pytest.fixture(scope="module")
def smtp_of_module() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def stack(run: Any, tmp_path_factory: pytest.TempPathFactory, smtp_of_module: MailServer) -> Iterator[Stack]:
    """App, worker and sandbox as processes, with the demonstration appeal and a real mail server."""
    directory = tmp_path_factory.mktemp("browser")
    with run.database("sqlite") as url:
        stack = Stack(directory, url, environment={"MAIL_URL": smtp_of_module.url})
        try:
            stack.flask("demo", "seed", "--donations", "60")
            yield stack.start()
        finally:
            stack.stop()


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the stack's own address
        return str(answer.read().decode())


def figures(stack: Stack) -> dict[str, Any]:
    """Return the figure wherever a machine reads it, and hold the surfaces against each other."""
    told: dict[str, Any] = json.loads(get(f"{stack.url}/api/v1/appeals/{SLUG}"))
    shown = stack.flask_json("appeals", "show", SLUG)
    for name in ("raised_minor", "gift_count", "donor_count", "sources", "formatted", "state", "as_of"):
        assert shown[name] == told[name], name
    assert told["formatted"]["raised"] in get(f"{stack.url}/embed/{SLUG}/fragment")
    return told


def raised_on(page: Page) -> int:
    """Read what the appeal page says was raised, to the penny, from its table of sums."""
    row = page.locator("table.sums tfoot td").inner_text()
    return int(re.sub(r"\D", "", row))


def fill_in(page: Page, email: str) -> None:
    page.get_by_label("£25", exact=True).check()
    page.get_by_label("Your name").fill("Mary Anning")
    page.get_by_label("Your e-mail address").fill(email)


def assert_it_moved(page: Page, stack: Stack, before: dict[str, Any], smtp: MailServer, email: str) -> None:
    """The figure moved by exactly the gift on page, JSON, fragment and command, and the receipt arrived."""
    after = figures(stack)
    assert after["raised_minor"] - before["raised_minor"] == GIVEN_MINOR
    assert after["gift_count"] - before["gift_count"] == 1
    page.goto(f"{stack.url}/appeals/{SLUG}")
    assert raised_on(page) == after["raised_minor"]
    expect(page.locator(".tally-sum").first).to_contain_text(after["formatted"]["raised"])
    until(lambda: [email] in smtp.recipients, what="the receipt", seconds=20)
    message = smtp.messages[smtp.recipients.index([email])]
    assert "£25.00" in message.get_body(("plain",)).get_content()
    assert [part.get_content_type() for part in message.iter_attachments()] == ["application/pdf"]
    assert stack.flask_json("ledger", "verify")["differences"] == []


def test_a_gift_without_javascript_moves_the_figure_by_exactly_its_amount(
    stack: Stack, smtp_of_module: MailServer, page_without_script: Page
) -> None:
    page, before = page_without_script, figures(stack)
    page.goto(stack.url)
    assert page.url == f"{stack.url}/appeals/{SLUG}"
    assert raised_on(page) == before["raised_minor"]
    fill_in(page, "mary@example.org")
    page.locator("form.gift button[type=submit]").click()
    assert page.url.startswith(stack.sandbox_url)
    expect(page.get_by_test_id("amount")).to_contain_text("25")
    page.get_by_test_id("pay").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert_it_moved(page, stack, before, smtp_of_module, "mary@example.org")


def press_until(page: Page, focused: str, *, most: int = 60) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", focused):
            return
    raise AssertionError(f"Tab never came to {focused}")


def test_a_gift_with_the_keyboard_alone(stack: Stack, smtp_of_module: MailServer, page: Page) -> None:
    before = figures(stack)
    page.goto(f"{stack.url}/appeals/{SLUG}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    press_until(page, "[name=frequency]")
    press_until(page, "[name=amount]")
    expect(page.locator("[name=amount]:checked")).to_have_value("25.00")
    press_until(page, "[name=name]")
    page.keyboard.type("Mary Anning")
    press_until(page, "[name=email]")
    page.keyboard.type("keys@example.org")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.sandbox_url}/**")
    press_until(page, "[data-testid=pay]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert_accessible(page)
    assert_it_moved(page, stack, before, smtp_of_module, "keys@example.org")


def test_whoever_turns_back_at_stripe_finds_the_form_as_it_was(stack: Stack, page: Page) -> None:
    before = figures(stack)
    page.goto(f"{stack.url}/appeals/{SLUG}?amount=33.50&src=print-a")
    fill_in(page, "back@example.org")
    page.locator("[name=amount][value=other]").check()
    page.locator("[name=other_amount]").fill("33.50")
    page.locator("form.gift button[type=submit]").click()
    page.get_by_test_id("cancel").click()
    expect(page.locator("[name=other_amount]")).to_have_value("33.50")
    assert figures(stack)["raised_minor"] == before["raised_minor"]


def test_a_form_that_does_not_fit_says_so_on_top_and_at_the_field(stack: Stack, page: Page) -> None:
    page.goto(f"{stack.url}/appeals/{SLUG}")
    page.locator("form.gift button[type=submit]").click()
    assert page.title().startswith("Error: ")
    summary = page.locator("[role=alert], .summary").first
    expect(summary).to_be_visible()
    for name in ("name", "email"):
        expect(page.locator(f"[name={name}]")).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)


STATES = {
    "running": "",
    "nothing yet": "",
    "reached": "UPDATE appeals SET goal_minor = 100",
    "last days": "UPDATE appeals SET goal_minor = 900000000, closes_at = datetime('now', '+2 days')",
    "upcoming": "UPDATE appeals SET opens_at = datetime('now', '+1 day')",
    "ended": "UPDATE appeals SET status = 'closed', opens_at = NULL",
    "no goal": "UPDATE appeals SET status = 'open', closes_at = NULL, goal_minor = NULL",
}


def test_axe_finds_nothing_on_any_page_or_state(stack: Stack, browser: Any) -> None:
    """The appeal page in each of its states, light and dark, and the pages around it; the console stays empty."""
    engine = create_engine(stack.settings["DATABASE_URL"])
    addresses = [f"/appeals/{SLUG}", "/nowhere", f"/appeals/{SLUG}/credits"]
    with engine.connect() as database:
        paid = database.scalar(text("SELECT public_id FROM donations WHERE status = 'received'"))
        begun = database.scalar(text("SELECT public_id FROM donations WHERE status = 'open'"))
    addresses += [f"/donations/{name}/thank-you" for name in (paid, begun) if name]
    with browsing(browser) as light, browsing(browser, color_scheme="dark") as dark:
        for page in (light.new_page(), dark.new_page()):
            for address in addresses:
                page.goto(stack.url + address)
                assert_accessible(page)
        page = light.pages[0]
        for name, statement in STATES.items():
            if statement:
                with engine.begin() as database:
                    database.execute(text(statement))
            page.goto(f"{stack.url}/appeals/{SLUG}")
            assert page.locator("h1").count() == 1, name
            assert_accessible(page)
        page.goto(f"{stack.url}/")
        assert_accessible(page)
    engine.dispose()
