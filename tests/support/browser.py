"""Chromium, driven by Playwright, that cannot reach beyond this machine and fails a test for a noisy console.

Playwright's own browsers are never downloaded: Debian's Chromium is found by `CHROMIUM` or on the PATH.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.support.machine import CHROMIUM

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_AXE = Axe()
_REFUSED_PAGE = "Failed to load resource: the server responded with a status of 4"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start one browser."""
    path = CHROMIUM.need()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Console:
    """What the pages of one context said that they should not have."""

    def __init__(self, context: BrowserContext) -> None:
        """Listen to every page that the context has or opens."""
        self.problems: list[str] = []
        self._documents: set[str] = set()
        context.on("console", self._message)
        context.on("weberror", lambda error: self.problems.append(f"uncaught: {error.error}"))
        context.on("response", self._response)

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._documents.add(response.url)

    def _message(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        url = message.location.get("url", "")
        # Chromium reports a page that was itself answered with 4xx; that is for the test to judge.
        if message.text.startswith(_REFUSED_PAGE) and url in self._documents:
            return
        self.problems.append(f"{message.type}: {message.text} ({url})")

    def assert_silent(self) -> None:
        """Fail, naming everything that was said."""
        assert not self.problems, "the browser's console is not empty:\n" + "\n".join(self.problems)


@contextmanager
def browsing(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """Open a fresh context (no cookies); at its end the console must have stayed empty.

    Options are Playwright's, such as `java_script_enabled=False`, `color_scheme="dark"`, `viewport=...`.
    """
    context = browser.new_context(**({"locale": "en-GB", "timezone_id": "Europe/London"} | options))
    context.set_default_timeout(10_000)
    console = Console(context)
    try:
        yield context
    finally:
        context.close()
    console.assert_silent()


def assert_accessible(page: Page, *, without: tuple[str, ...] = ()) -> None:
    """Assert that axe finds nothing on the page; `without` names rules that do not apply.

    axe is a script: a page in a context without JavaScript cannot be asked.
    """
    options = {"rules": {rule: {"enabled": False} for rule in without}} if without else None
    violations = _AXE.run(page, options=options).response["violations"]
    found = [f"{rule['id']}: {rule['help']}\n    {_where(rule)}" for rule in violations]
    assert not found, f"axe finds {len(found)} on {page.url}:\n" + "\n".join(found)


def _where(rule: Any) -> str:
    return "\n    ".join(" ".join(map(str, node["target"])) for node in rule["nodes"][:5])
