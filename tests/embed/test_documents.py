"""The document and the public page say the same, letter for letter."""

import pytest

from appeal.embed.snippets import Choice, snippets
from tests import making
from tests.embed.examples import BASE, SLUG, examples

CHOICE = Choice(
    base=BASE,
    slug=SLUG,
    title="The 95 years appeal",
    sentence="£61,234 of £95,000 from 1,893 gifts; 12 days left",
    placement="article",
    theme="auto",
    lang="",
    site="www.example.org",
    code="november",
    pinned="/embed/v1/appeal-0123456789abcdef.js",
    integrity="sha384-...",
)


@pytest.mark.parametrize("snippet", snippets(CHOICE), ids=lambda one: one.id)
def test_the_document_shows_what_the_page_gives_to_copy(snippet):
    assert examples()[snippet.id] == snippet.code


def test_the_document_has_no_example_that_is_not_tested():
    assert examples().keys() - {one.id for one in snippets(CHOICE)} == {"drupal-library"}


def test_a_choice_is_in_every_piece_that_can_show_it(reader):
    address = f"/embed/{making.SLUG}?placement=end&theme=dark&lang=de&site=news.example&code=may-3"
    html = reader.get(address).get_data(as_text=True)
    assert html.count("news.example:end") == 7
    assert "placement=&#34;end&#34; theme=&#34;dark&#34; lang=&#34;de&#34;" in html
    assert "src=newsletter-may-3" in html
    assert "qr.svg?src=print-may-3" in html


def test_the_page_escapes_a_title_twice_where_it_shows_code(reader, change):
    change(title='<script>"&')
    html = reader.get(f"/embed/{making.SLUG}").get_data(as_text=True)
    assert "&amp;lt;script&amp;gt;" in html
    assert '<script>"&' not in html
