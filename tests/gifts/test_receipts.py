"""The receipt as PDF: what it says can be read, in the money and the words of the appeal."""

import io

import pytest
from pypdf import PdfReader

from appeal.gifts import receipts
from tests.making import open_appeal, received, refunded
from tests.support.settings import test_settings


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A receipt is drawn from plain values, whichever database they came from."""
    return sqlite_url


@pytest.fixture
def read(session, tmp_path):
    """Make a receipt and read it as a person would."""

    def go(**values) -> str:
        appeal = values.pop("appeal", None) or open_appeal(contact_email="help@lantern.example")
        content = receipts.as_pdf(received(appeal, **values), test_settings("", tmp_path))
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)

    return go


def test_it_says_who_gave_what_to_whom(read) -> None:
    said = read(name="Zoë O\u2019Hara")
    for words in (
        "Receipt for your gift",
        "The Daily Lantern",
        "Zoë O\u2019Hara",
        "£25.00",
        "Keep the lantern lit",
    ):
        assert words in said
    assert "help@lantern.example" in said


def test_it_keeps_gift_and_fee_cover_apart(read) -> None:
    said = read(cover_fee=True)
    assert [amount in said for amount in ("£25.00", "£0.59", "£25.59")] == [True, True, True]


def test_it_says_all_that_went_back_the_fee_cover_too(session, tmp_path) -> None:
    donation = received(open_appeal(), cover_fee=True)
    refunded(donation, 2559)
    content = receipts.as_pdf(donation, test_settings("", tmp_path))
    said = PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert said.count("£25.59") == 2


@pytest.mark.parametrize(
    ("currency", "locale", "minor", "shown"),
    [("eur", "de_DE", 123_456, "1.234,56"), ("jpy", "ja_JP", 5000, "5,000"), ("pln", "pl_PL", 2500, "25,00")],
)
def test_it_writes_money_as_the_appeals_people_do(read, currency, locale, minor, shown) -> None:
    appeal = open_appeal(currency=currency, locale=locale, maximum_minor=1_000_000)
    assert shown in read(appeal=appeal, amount_minor=minor)


@pytest.mark.parametrize(
    "name", ["Łukasz Żółć", "Ελένη", "Наталья", "A" * 120, "<b>Mary</b> & Co.", "Ma\u200dry"]
)
def test_any_name_can_be_written_on_it(read, name) -> None:
    said = read(name=name).replace("\n", "")
    assert name[:20].replace("\u200d", "") in said.replace("\u200d", "")


@pytest.mark.parametrize("name", ["李小龍 💷", "منى", "👩🏽"])
def test_a_name_that_cannot_be_set_is_said_in_other_words_and_never_left_blank(read, name) -> None:
    said = read(name=name)
    assert "£25.00" in said
    assert "The supporter this was sent to" in said


@pytest.mark.parametrize(
    ("currency", "locale", "words"),
    [("jpy", "ja_JP", ("¥2,500", "November 2026")), ("aed", "ar_AE", ("AED 25.00", "November 2026"))],
)
def test_an_appeal_in_signs_that_cannot_be_set_still_has_its_sum_and_day(
    read, travel, currency, locale, words
) -> None:
    travel("2026-11-20T12:00:00Z")
    appeal = open_appeal(
        currency=currency, locale=locale, title="灯台", publisher="المنارة", slug="lantern-abroad"
    )
    said = read(appeal=appeal, amount_minor=2500)
    for one in (*words, "/appeals/lantern-abroad", "http"):
        assert one in said


def test_hebrew_stands_in_the_order_in_which_it_is_read(read) -> None:
    assert "גפן" in read(name="גפן")  # the reader of the file turns round what is drawn from the left
