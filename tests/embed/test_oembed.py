"""oEmbed: what the standard asks for, what WordPress keeps of it, and nothing for addresses that are not ours."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import html5lib
import pytest

from tests import making

OURS = f"https://give.example.org/appeals/{making.SLUG}"


@pytest.fixture
def ask(reader):
    return lambda **query: reader.get("/oembed", query_string={"url": OURS} | query)


class Tags(HTMLParser):
    """The tags of a piece of HTML, in order."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = [], {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes[tag] = dict(attrs)


def test_it_is_an_oembed_of_the_rich_kind(ask):
    answer = ask().get_json()
    assert (answer["version"], answer["type"]) == ("1.0", "rich")
    assert isinstance(answer["width"], int)
    assert isinstance(answer["height"], int)
    assert answer["title"] == "Keep the lantern lit"
    assert answer["provider_name"] == "The Daily Lantern"
    assert answer["thumbnail_url"].endswith("/embed/lantern/share.png")


def test_its_html_is_a_quote_with_a_link_and_one_frame_with_a_title(ask):
    html = Tags(ask().get_json()["html"])
    assert html.tags == ["blockquote", "a", "iframe"]
    assert html.attributes["iframe"]["title"] == "Keep the lantern lit"
    assert html.attributes["a"]["href"].startswith(OURS)
    assert html.attributes["iframe"]["src"].startswith("https://give.example.org/embed/lantern/banner?")


def test_the_rule_by_which_wordpress_reads_it_finds_everything(ask):
    html = ask().get_json()["html"]
    found = re.search(r"(<blockquote>.*?</blockquote>)?.*(<iframe.*?></iframe>)", html, re.DOTALL)
    assert found
    assert html == found[1] + found[2]


@pytest.mark.parametrize(
    ("room", "size"),
    [({}, (600, 384)), ({"maxwidth": "320"}, (320, 384)), ({"maxheight": "200"}, (600, 200))],
)
def test_it_never_asks_for_more_room_than_there_is(ask, room, size):
    answer = ask(**room).get_json()
    assert (answer["width"], answer["height"]) == size


@pytest.mark.parametrize("room", ["0", "-1", "x", "9" * 40, "\u0663"])
def test_room_that_makes_no_sense_is_the_usual_one(ask, room):
    assert ask(maxwidth=room, maxheight=room).get_json()["width"] == 600


def test_another_format_is_not_implemented(ask):
    assert ask(format="xml").status_code == 501


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://give.example.org/",
        "https://give.example.org/appeals/nobody",
        "https://give.example.org/appeals/lantern/credits",
        "https://elsewhere.example/appeals/lantern",
        "https://give.example.org:444/appeals/lantern",
        "https://give.example.org@evil.example/appeals/lantern",
        "ftp://give.example.org/appeals/lantern",
        "https://[/appeals/lantern",
        "https://give.example.org:99999999/appeals/lantern",
        "javascript:alert(1)",
    ],
)
def test_an_unknown_or_foreign_address_is_not_found(ask, address):
    assert ask(url=address).status_code == 404


def test_what_the_address_says_about_its_place_goes_into_the_frame(ask):
    html = Tags(ask(url=f"{OURS}?src=news.example:end&page=/a/1").get_json()["html"])
    query = parse_qs(urlsplit(html.attributes["iframe"]["src"]).query)
    assert query["src"] == ["news.example:end"]
    assert query["page"] == ["/a/1"]


def test_markup_in_title_and_source_stays_text(ask, change):
    change(title='<img src=x onerror="1">', publisher="")
    html = Tags(ask(url=f'{OURS}?src="><script>').get_json()["html"])
    assert html.tags == ["blockquote", "a", "iframe"]


def test_the_appeal_page_has_the_discovery_link_the_picture_and_the_feed(reader):
    page = html5lib.parse(reader.get(f"/appeals/{making.SLUG}").get_data(), namespaceHTMLElements=False)
    links = {
        node.get("type"): node.get("href") for node in page.iter("link") if node.get("rel") == "alternate"
    }
    metas = {node.get("property") or node.get("name"): node.get("content") for node in page.iter("meta")}
    for address in (links["application/json+oembed"], links["application/rss+xml"], metas["og:image"]):
        assert reader.get(address.removeprefix("https://give.example.org")).status_code == 200
    assert metas["twitter:card"] == "summary_large_image"
    assert metas["og:description"] == metas["og:image:alt"] == "£75 of £95,000 from 2 gifts"
