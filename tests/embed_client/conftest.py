"""A newspaper and an appeal's origin, each on a port of its own, and readers who open articles."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from demo_article.server import Newspaper, serve
from tests.embed_client.origin import Origin
from tests.support.browser import browsing

# Layout shifts from the very first, collected before anything of the page runs.
WATCH_SHIFTS = """
self.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => shifts.push(one.value)))
  .observe({type: "layout-shift", buffered: true});
self.heard = [];
for (const name of ["shown", "click", "dismiss", "thanks"])
  document.addEventListener("appeal:" + name, (event) => heard.push([name, event.detail]));
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Origin, Newspaper]]:
    origin = Origin()
    newspaper = serve("127.0.0.1", 0, origin.url, "95-years")
    threading.Thread(target=newspaper.serve_forever, daemon=True).start()
    yield origin, newspaper
    for server in (newspaper, origin):
        server.shutdown()
        server.server_close()


@pytest.fixture
def origin(servers: tuple[Origin, Newspaper]) -> Origin:
    servers[0].reset()
    return servers[0]


@pytest.fixture
def lantern(servers: tuple[Origin, Newspaper]) -> str:
    return f"http://127.0.0.1:{servers[1].server_port}"


@pytest.fixture
def reader(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page as a new reader; the console of every one must stay empty."""
    opened: list[Any] = []

    def new(**options: Any) -> Page:
        session = browsing(browser, **({"reduced_motion": "reduce"} | options))
        context = session.__enter__()
        opened.append(session)
        context.add_init_script(WATCH_SHIFTS)
        return context.new_page()

    yield new
    for session in opened:
        session.__exit__(None, None, None)


@pytest.fixture
def examined(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page for axe, which writes styles into it: the policy is off and what it says is not listened to."""
    contexts: list[Any] = []

    def new(**options: Any) -> Page:
        contexts.append(browser.new_context(bypass_csp=True, reduced_motion="reduce", **options))
        return contexts[-1].new_page()

    yield new
    for context in contexts:
        context.close()
