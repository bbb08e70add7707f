"""Whichever way the banner was embedded, its source and its page stand on the donation."""

import re
import sqlite3
import threading
from html import unescape
from urllib.parse import urlsplit

import pytest

from appeal.extensions import db
from appeal.models import Donation
from demo_article.server import serve
from tests import making
from tests.gateways import FakeGateway

SLUG = making.SLUG
OEMBED = f"/oembed?url=https://give.example.org/appeals/{SLUG}?src=news.example:article%26page=/a/5"


def links(reader, address):
    """Return the addresses of the appeal's page in an answer."""
    text = reader.get(address).get_data(as_text=True).replace("\\/", "/").replace('\\"', '"')
    return [
        unescape(found)
        for found in re.findall(r"https://give\.example\.org/appeals/[^\s\"<']+", unescape(text))
    ]


def in_oembed_frame(reader):
    """Return the link inside the frame that an oEmbed answer shows."""
    source = re.search(r'iframe src=\\"([^"\\]+)', reader.get(OEMBED).get_data(as_text=True))[1]
    return links(reader, unescape(source).removeprefix("https://give.example.org"))[-1]


WAYS = {
    "frame": (lambda reader: links(reader, f"/embed/{SLUG}/banner?placement=end&src=news.example:end&page=/a/1")[-1], "news.example:end", "/a/1", "end"),
    "frame without a source": (lambda reader: links(reader, f"/embed/{SLUG}/banner?placement=top")[-1], "frame:top", "", "top"),
    "fragment": (lambda reader: links(reader, f"/embed/{SLUG}/fragment?placement=paywall&page=/a/2")[-1], "fragment:paywall", "/a/2", "paywall"),
    "oembed link": (lambda reader: links(reader, OEMBED)[0], "news.example:article", "/a/5", "article"),
    "oembed frame": (in_oembed_frame, "news.example:article", "/a/5", "article"),
    "print code": (lambda reader: links(reader, f"/embed/{SLUG}/qr.svg?src=print-back-page")[0], "print-back-page", "", "print"),
    "feed": (lambda reader: links(reader, f"/embed/{SLUG}/feed.xml")[1], "feed", "", "feed"),
    "newsletter": (lambda _: f"https://give.example.org/appeals/{SLUG}?src=newsletter-november", "newsletter-november", "", "newsletter"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_source_reaches_the_donation(origin, reader, way):
    link, *expected = WAYS[way]
    donation = given_through(origin, reader, link(reader))
    assert [donation.src, donation.page, donation.placement] == expected


def test_what_is_hostile_is_cut_to_what_can_be_stored(origin, reader):
    address = f"https://give.example.org/appeals/{SLUG}?src=%00%0d%0a{'x' * 500}&page=<script>{'y' * 900}"
    donation = given_through(origin, reader, address)
    assert donation.src == "x" * 120
    assert len(donation.page) == 300


def given_through(origin, reader, link):
    """Open the link as a browser does, send the form it leads to, and return the donation."""
    origin.extensions["appeal.gateway"] = FakeGateway()
    parts = urlsplit(link)
    html = reader.get(f"{parts.path}?{parts.query}").get_data(as_text=True)
    hidden = {
        name: unescape(value)
        for name, value in re.findall(r'<input[^>]*name="(src|page|csrf_token)"[^>]*value="([^"]*)"', html)
    }
    assert hidden.keys() == {"src", "page", "csrf_token"}
    answer = making.post_form(reader, making.form(origin, **hidden))
    assert answer.status_code == 303
    with origin.app_context():
        donation = db.session.query(Donation).order_by(Donation.id.desc()).first()
        db.session.expunge(donation)
        db.session.remove()
    return donation


@pytest.mark.browser
def test_a_reader_gives_through_the_newspaper_and_comes_back_to_read_on(demo_stack, page):
    """The whole way: banner, form, Stripe's stand-in, thanks, the article; and nobody asks this reader again."""
    newspaper = serve("127.0.0.1", 0, demo_stack.url, "95-years")
    threading.Thread(target=newspaper.serve_forever, daemon=True).start()
    article = f"http://127.0.0.1:{newspaper.server_port}/a/1"
    page.goto(article)
    banner = page.locator("appeal-banner[placement=article]")
    banner.evaluate("(one, page) => one.setAttribute('page', page)", article)
    banner.locator("a[part=button]").click()
    page.get_by_label("Your name").fill("Mary Anning")
    page.get_by_label("Your e-mail address").fill("mary@example.org")
    page.locator("form.gift button[type=submit]").click()
    page.get_by_test_id("pay").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    public_id = page.url.split("/")[-2]
    page.locator(f'a[href^="{article}"]').click()
    page.wait_for_url(article)
    assert all(page.locator("appeal-banner").nth(n).is_hidden() for n in range(4))
    newspaper.shutdown()
    newspaper.server_close()
    with sqlite3.connect(demo_stack.settings["DATABASE_URL"].removeprefix("sqlite:///")) as books:
        row = books.execute(
            "SELECT src, page, placement, status FROM donations WHERE public_id = ?", [public_id]
        ).fetchone()
    books.close()
    assert row == ("127.0.0.1:article", article, "article", "received")
