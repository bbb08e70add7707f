"""The demonstration's newspaper before the real origin, with an appeal in each state.

`python -m tests.embed.newspaper` draws the pictures of docs/images/banners anew.
"""

import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image
from werkzeug.serving import WSGIRequestHandler, make_server

from appeal import create_app
from appeal.core import clock
from appeal.extensions import db
from demo_article.server import Newspaper, serve
from tests import making
from tests.support.run import ROOT, Run, make_run_directory
from tests.support.settings import test_settings
from tools.children import LOOPBACK, free_port

PLACEMENTS = ("top", "article", "end", "paywall")
STATES = ("upcoming", "running", "last-days", "reached", "beyond", "ended")
WIDTHS = (360, 1280)
PICTURES = ROOT / "docs" / "images" / "banners"
FEW_GIFTS_MINOR, MANY_GIFTS_MINOR = (*[1_000_000] * 6, 123_450), (*[100_000] * 61, 23_450)


def fill(app: Flask, gifts_minor: tuple[int, ...]) -> None:
    """Make an appeal for each state, with GBP 61,234.50 given unless it has not opened."""
    now = clock.now()
    in_twelve_days, soon = now + timedelta(days=11, hours=20), now + timedelta(days=1, hours=20)
    differences: dict[str, dict[str, Any]] = {
        "upcoming": {"opens_at": now + timedelta(days=9)},
        "running": {"closes_at": in_twelve_days},
        "last-days": {"closes_at": soon},
        "reached": {"closes_at": in_twelve_days, "goal_minor": 6_123_450},
        "beyond": {"closes_at": in_twelve_days, "goal_minor": 5_000_000},
        "ended": {"status": "closed", "goal_minor": 6_000_000},
    }
    with app.app_context():
        for state in STATES:
            appeal = making.open_appeal(state, accent="#8a1c1c")
            for amount in () if state == "upcoming" else gifts_minor:
                making.received(appeal, amount_minor=amount)
            with making.writing():
                appeal.title = "The 95 years appeal"
                for name, value in differences[state].items():
                    setattr(appeal, name, value)
        db.session.remove()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def printed(
    database_url: str, directory: Path, gifts_minor: tuple[int, ...] = FEW_GIFTS_MINOR
) -> Iterator[tuple[Newspaper, str, Flask]]:
    """Run origin and newspaper; give the newspaper, the origin's address and its application."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    app = create_app(test_settings(database_url, directory, public_url=url))
    fill(app, gifts_minor)
    origin, newspaper = (
        make_server(LOOPBACK, port, app, threaded=True, request_handler=_Quiet),
        serve(LOOPBACK, 0, url, "running"),
    )
    for server in (origin, newspaper):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield newspaper, url, app
    for server in (newspaper, origin):
        server.shutdown()
        server.server_close()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def picture_of(page: Any, placement: str) -> bytes:
    """Take the picture of one banner, in few colours."""
    banner = page.locator(f"appeal-banner[placement={placement}]")
    banner.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(banner.screenshot(animations="disabled")))
    file = io.BytesIO()
    image.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def show(page: Any, newspaper: Newspaper, state: str, left: int = 0) -> None:
    """Open the article with the appeal of a state and so many free articles left, and wait for the banners."""
    newspaper.slug = state
    page.goto(f"http://localhost:{newspaper.server_port}/a/1")
    page.locator("appeal-banner[placement=paywall]").evaluate(
        "(one, left) => one.setAttribute('views-left', left)", left
    )
    for placement in PLACEMENTS:
        page.locator(f"appeal-banner[placement={placement}] [part=title]").wait_for(state="attached")


def draw_all() -> None:
    """Draw every placement in every state at both widths."""
    from tests.support.browser import chromium

    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        run = Run(make_run_directory())
        with (
            run.database("sqlite") as url,
            printed(url, Path(directory), MANY_GIFTS_MINOR) as (newspaper, _, _),
            chromium() as browser,
        ):
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
                for state in STATES:
                    show(page, newspaper, state)
                    for placement in PLACEMENTS:
                        (PICTURES / f"{placement}-{state}-{width}.png").write_bytes(
                            picture_of(page, placement)
                        )
                for left in (2, 1):
                    show(page, newspaper, "running", left)
                    (PICTURES / f"paywall-{left}-left-{width}.png").write_bytes(picture_of(page, "paywall"))
        run.finish()


if __name__ == "__main__":
    draw_all()
