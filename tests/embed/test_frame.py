"""The banner as a page: what stands in it, what it may load, and who may frame it."""

import html5lib
import pytest

from tests import making

ADDRESS = f"/embed/{making.SLUG}/banner"


@pytest.fixture
def shown(reader):
    """Ask for the banner and give its text."""
    return lambda **query: reader.get(ADDRESS, query_string=query).get_data(as_text=True)


@pytest.mark.parametrize("placement", ["top", "article", "end", "paywall"])
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_every_placement_is_a_sound_page(shown, placement, lang):
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(shown(placement=placement, lang=lang))


def test_the_figure_is_in_the_first_paint(shown):
    html = shown()
    assert '<b class="raised">£75</b> raised of £95,000' in html
    assert 'max="1000" value="0"' in html


def test_it_may_be_framed_by_the_registered_sites_only(make_app, sqlite_url):
    app = make_app(sqlite_url, embed_ancestors="https://a.example, https://b.example")
    with app.app_context():
        making.open_appeal()
    for address in (ADDRESS, "/embed/nobody/banner"):
        policy = app.test_client().get(address).headers["Content-Security-Policy"]
        assert "frame-ancestors https://a.example https://b.example" in policy


def test_it_may_be_framed_by_everybody_by_default_and_runs_only_our_script(reader):
    answer = reader.get(ADDRESS)
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["frame-ancestors"] == "*"
    assert policy["script-src"] == policy["style-src"] == "https://give.example.org"
    assert policy["default-src"] == "'none'"
    assert "X-Frame-Options" not in answer.headers


def test_what_it_loads_is_there_and_never_changes(reader, shown):
    document = html5lib.parse(shown(), namespaceHTMLElements=False)
    sources = [
        node.get("src") or node.get("href") for node in document.iter() if node.tag in {"script", "link"}
    ]
    assert len(sources) == 3
    for source in sources:
        answer = reader.get(source.removeprefix("https://give.example.org"))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"] or "colours.css" in source


def test_the_large_one_leads_into_the_form_with_the_amount_filled_in(shown):
    html = shown(placement="end")
    assert "?src=frame%3Aend&amp;amount=10.00&amp;frequency=once" in html
    assert "£50" in html


def test_what_the_host_says_about_itself_is_on_every_link(shown):
    html = shown(placement="end", src="news.example:end", page="/a/7")
    assert html.count("src=news.example%3Aend&amp;page=%2Fa%2F7") == 4


@pytest.mark.parametrize(
    ("left", "words", "read"),
    [
        ("2", "2 free articles left", 3),
        ("1", "One free article left", 4),
        ("0", "You have reached the free limit", 5),
    ],
)
def test_the_paywall_changes_its_words_with_the_meter(shown, left, words, read):
    html = shown(placement="paywall", views_left=left, view_limit="5")
    assert words in html
    assert html.count('<i class="read">') == read
    assert html.count("<i") == 5


def test_a_language_brings_its_words_and_its_direction(shown):
    html = shown(lang="ar")
    assert '<html lang="ar" dir="rtl">' in html
    assert "تبرع الآن" in html


def test_a_placement_that_is_switched_off_shows_nothing(shown, change):
    change(banner_off=["end"])
    assert "£75" not in shown(placement="end")
    assert "£75" in shown(placement="article")


def test_an_unknown_appeal_is_a_quiet_page_that_may_be_framed(reader):
    answer = reader.get("/embed/nobody/banner")
    assert answer.status_code == 404
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
