"""When a reader sees the appeal page: its largest paint in Chromium, from an empty cache, on a slow line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from playwright.sync_api import Browser

from benchmarks.reading import PAGE, fetch
from benchmarks.rounds import Row
from benchmarks.servers import Bench
from tests.support.browser import chromium
from tests.support.machine import CHROMIUM

MOST_MS = 1000
# Source: Lighthouse, "Throttling": the line of its mobile lab ("slow 4G").
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
LARGEST = """() => new Promise(done => new PerformanceObserver(
  list => done(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true}))"""


def paint(bench: Bench, url: str, rounds: int) -> Iterator[Row]:
    """Open the page again and again, each time as if for the first time, and count scripts that hold it up."""
    what, target = "largest paint of the appeal page", f"at most {MOST_MS / 1000:g} s, no blocking script"
    if CHROMIUM.path() is None:
        yield Row(what, "not measured", "", target, None, CHROMIUM.remedy)
        return
    page = f"{bench.app(url).url}{PAGE}"
    given = fetch(page)
    assert given is not None
    scripts = re.findall(
        r"<script(?![^>]*\b(?:async|defer|type=\"application/ld\+json\"))", given.body.decode()
    )
    with chromium() as browser:
        slow = [_seen(browser, page, slow=True) for _ in range(rounds)]
        quick = [_seen(browser, page, slow=False) for _ in range(rounds)]
    yield Row(
        what,
        f"{median(slow):,.0f} ms at 1.6 Mbit/s and 150 ms a round trip; {median(quick):,.0f} ms from this machine; "
        f"{len(scripts)} blocking scripts",
        "",
        target,
        median(slow) <= MOST_MS and not scripts,
        f"from {min(slow):,.0f} to {max(slow):,.0f} ms over {rounds} first visits on a telephone's screen",
    )


def _seen(browser: Browser, address: str, *, slow: bool) -> float:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        if slow:
            context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
        page.goto(address, wait_until="load")
        return float(page.evaluate(LARGEST))
    finally:
        context.close()
