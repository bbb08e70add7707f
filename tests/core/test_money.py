"""What people type becomes minor units or a clear question; what we write reads back as the same amount."""

import contextlib
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appeal.core import money
from appeal.core.money import format_money, parse_amount

LOCALES = (
    "en_GB", "en_US", "en_IN", "en-IE", "cy_GB", "ga_IE", "de_DE", "de_AT", "de_CH", "fr_FR", "fr_CH", "fr_CA", "es_ES",
    "es_MX", "it_IT", "pt_PT", "pt_BR", "nl_NL", "pl_PL", "cs_CZ", "sv_SE", "nb_NO", "da_DK", "fi_FI", "is_IS", "hu_HU",
    "bg_BG", "el_GR", "tr_TR", "uk_UA", "he_IL", "ar_EG", "ar_KW", "fa_IR", "ur_PK", "hi_IN", "bn_BD", "ja_JP", "ko_KR",
    "zh_CN", "th_TH", "vi_VN", "sw_KE",
)  # fmt: skip
currencies = st.sampled_from(sorted(money.CURRENCIES))
familiar = st.sampled_from(["gbp", "eur", "usd", "jpy", "kwd", "isk", "chf", "inr"])
locales = st.sampled_from(LOCALES)
amounts = st.integers(1, money.MAX_AMOUNT_MINOR)
fast = settings(deadline=None)


def refusal(text: str, currency: str = "gbp", locale: str = "en_GB") -> money.AmountError:
    with pytest.raises(money.AmountError) as caught:
        parse_amount(text, currency, locale)
    return caught.value


# --- Currencies and Stripe's way of counting


@pytest.mark.parametrize(
    ("currency", "decimals"), [("gbp", 2), ("eur", 2), ("usd", 2), ("jpy", 0), ("isk", 0), ("kwd", 3)]
)
def test_our_books_keep_the_decimals_of_the_currency(currency, decimals):
    assert money.exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["ugx", "GBP", "xxx", "", "gbp "])
def test_a_currency_outside_the_table_is_refused(currency):
    with pytest.raises(money.UnknownCurrency):
        money.exponent(currency)


def test_stripe_counts_the_krona_in_hundredths():
    assert money.to_stripe(2500, "isk") == 250000
    assert money.from_stripe(250000, "isk") == 2500


def test_stripe_counts_pence_and_yen_as_we_do():
    assert (money.to_stripe(2550, "gbp"), money.to_stripe(2550, "jpy")) == (2550, 2550)


@pytest.mark.parametrize("convert", [money.to_stripe, money.from_stripe])
def test_a_three_decimal_amount_that_does_not_end_in_nought_is_refused(convert):
    with pytest.raises(money.UnsendableAmount):
        convert(1255, "kwd")


def test_hundredths_of_a_krona_are_refused():
    with pytest.raises(money.UnsendableAmount):
        money.from_stripe(250050, "isk")


@given(st.integers(-(10**12), 10**12), currencies)
@fast
def test_what_is_sent_to_stripe_comes_back_as_it_was(amount, currency):
    amount *= 10 if money.exponent(currency) == 3 else 1
    assert money.from_stripe(money.to_stripe(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("currency", "least"), [("gbp", 30), ("usd", 50), ("jpy", 50), ("czk", 1500), ("krw", 100), ("kwd", 1000)]
)
def test_the_minimum_charge_is_stripes_or_a_floor_of_our_own(currency, least):
    assert money.minimum_charge_minor(currency) == least


def test_an_unknown_currency_has_no_minimum():
    with pytest.raises(money.UnknownCurrency):
        money.minimum_charge_minor("ugx")


@given(st.integers(0, 10**12), st.integers(0, 9_999), st.integers(0, 10_000))
@fast
def test_a_covered_fee_leaves_the_gift_whole_and_a_penny_less_would_not(amount, bps, fixed):
    def arrives(cover):
        return (amount + cover) * (10_000 - bps) - fixed * 10_000

    cover = money.cover_for(amount, bps, fixed)
    assert arrives(cover) >= amount * 10_000
    assert cover == 0 or arrives(cover - 1) < amount * 10_000


@given(
    amount=st.integers(1, 100_000).map(lambda tens: tens * 10),
    bps=st.integers(0, 900),
    fixed=st.integers(0, 500),
)
def test_a_cover_in_thousandths_can_be_sent_to_stripe(amount, bps, fixed):
    exact = money.cover_for(amount, bps, fixed)
    cover = money.cover_for(amount, bps, fixed, money.step_minor("kwd"))
    assert exact <= cover < exact + 10
    assert money.to_stripe(amount + cover, "kwd") == amount + cover


def test_the_cover_for_25_pounds_at_1_5_percent_and_20_pence_is_59_pence():
    assert money.cover_for(2500, 150, 20) == 59


@pytest.mark.parametrize("figures", [(-1, 150, 20), (2500, 10_000, 20), (2500, -1, 20), (2500, 150, -1)])
def test_an_impossible_fee_is_refused(figures):
    with pytest.raises(ValueError, match="fee"):
        money.cover_for(*figures)


# --- Writing


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "whole", "text"),
    [
        (2500, "gbp", "en_GB", "auto", "£25"),
        (2550, "gbp", "en_GB", "auto", "£25.50"),
        (2500, "gbp", "en_GB", "never", "£25.00"),
        (6123450, "gbp", "en_GB", "down", "£61,234"),
        (6123499, "gbp", "en_GB", "down", "£61,234"),
        (-500, "gbp", "en_GB", "auto", "-£5"),
        (-550, "gbp", "en_GB", "down", "-£6"),
        (0, "gbp", "en_GB", "auto", "£0"),
        (1, "gbp", "en_GB", "auto", "£0.01"),
        (125000, "jpy", "ja_JP", "never", "￥125,000"),
        (1250, "kwd", "en_GB", "auto", "KWD\xa01.250"),
        (1000, "isk", "en_GB", "never", "ISK\xa01,000"),
        (125050, "eur", "de_DE", "auto", "1.250,50\xa0€"),
        (125050, "eur", "fr_FR", "auto", "1\u202f250,50\xa0€"),
        (123456700, "inr", "hi_IN", "auto", "₹12,34,567"),
        (9_223_372_036_854_775_807, "gbp", "en_GB", "never", "£92,233,720,368,547,758.07"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(amount, currency, locale, whole, text):
    assert format_money(amount, currency, locale, whole=whole) == text


@given(st.integers(-(10**15), 10**15), currencies, locales, st.sampled_from(["auto", "never", "down"]))
@fast
def test_a_written_amount_never_breaks_across_lines(amount, currency, locale, whole):
    assert " " not in format_money(amount, currency, locale, whole=whole)


@given(st.integers(-(10**15), 10**15), currencies)
@fast
def test_the_plain_number_has_the_digits_of_the_amount(amount, currency):
    text = money.plain(amount, currency)
    assert re.fullmatch(r"-?\d+(\.\d{2,3})?", text)
    assert int(text.replace(".", "")) == amount


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (2500, "gbp", "25.00"),
        (-125050, "gbp", "-1250.50"),
        (-5, "gbp", "-0.05"),
        (1000, "jpy", "1000"),
        (5, "kwd", "0.005"),
    ],
)
def test_the_plain_number_suits_machines(amount, currency, text):
    assert money.plain(amount, currency) == text


@given(st.integers(-(10**15), 10**15), currencies)
@fast
def test_whole_down_drops_less_than_one_unit_and_leaves_no_coins(amount, currency):
    unit = 10 ** money.exponent(currency)
    assert 0 <= amount - money.whole_down(amount, currency) < unit
    assert money.whole_down(amount, currency) % unit == 0


def test_the_symbol_is_the_locales_own():
    assert [money.symbol("usd", each) for each in ("en_GB", "en_US")] == ["US$", "$"]


# --- Reading


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("25", 2500), ("£25", 2500), (" 25 ", 2500), ("25.5", 2550), ("25.50", 2550), ("1,250", 125000), ("1250", 125000),
        ("1 250.00", 125000), ("1\xa0250.00", 125000), ("1\u202f250", 125000), ("1'250", 125000), ("1\u2019250.50", 125050),
        ("GBP 25", 2500), ("25 gbp", 2500), ("25GBP", 2500), ("25 pounds", 2500), ("1 pound", 100), ("£ 25.00 GBP", 2500),
        ("1,50", 150), ("1.50", 150), ("1.250,00", 125000), ("1,250.00", 125000), ("1,250,000", 125000000),
        ("1,250,00", 125000), ("25.", 2500), ("25.-", 2500), (".50", 50), ("0.30", 30), ("007", 700),
        ("9,999,999,999.99", money.MAX_AMOUNT_MINOR),
    ],
)  # fmt: skip
def test_english_readers_are_understood(text, minor):
    assert parse_amount(text, "gbp") == minor


@pytest.mark.parametrize(
    ("text", "currency", "locale", "minor"),
    [
        ("1.250", "eur", "de_DE", 125000), ("1.50", "eur", "de_DE", 150), ("1,50", "eur", "de_DE", 150),
        ("1.250,00 €", "eur", "de_DE", 125000), ("25,- Euro", "eur", "de_DE", 2500), ("1\u2019250.50", "chf", "de_CH", 125050),
        ("1 250,50 €", "eur", "fr_FR", 125050), ("1,00,000.50", "inr", "en_IN", 10000050), ("1 250 kr", "sek", "sv_SE", 125000),
        ("1,000", "jpy", "en_GB", 1000), ("1000.00", "jpy", "en_GB", 1000), ("¥500", "jpy", "en_GB", 500), ("500 yen", "jpy", "en_GB", 500),
        ("1.250", "kwd", "en_GB", 1250), ("1,250", "kwd", "en_GB", 1250000), ("1,250.500", "kwd", "en_GB", 1250500),
        ("1.250", "kwd", "de_DE", 1250000), ("1,250", "kwd", "de_DE", 1250), ("$25", "usd", "en_GB", 2500), ("$25", "cad", "fr_CA", 2500),
    ],
)  # fmt: skip
def test_readers_elsewhere_are_understood(text, currency, locale, minor):
    assert parse_amount(text, currency, locale) == minor


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", money.AmountMissing), ("   ", money.AmountMissing), ("£", money.AmountMissing), ("GBP", money.AmountMissing),
        ("NaN", money.AmountNotANumber), ("sNaN", money.AmountNotANumber), ("Infinity", money.AmountNotANumber),
        ("1e9", money.AmountNotANumber), ("1_000", money.AmountNotANumber), ("0x10", money.AmountNotANumber),
        ("２５", money.AmountNotANumber), ("٢٥", money.AmountNotANumber), ("²5", money.AmountNotANumber),  # noqa: RUF001
        ("25\0", money.AmountNotANumber), ("2\x075", money.AmountNotANumber), ("25\n", money.AmountNotANumber),
        ("50p", money.AmountNotANumber), ("25k", money.AmountNotANumber), ("25 50", money.AmountNotANumber),
        ("1,25,000", money.AmountNotANumber), ("1.2.3", money.AmountNotANumber), ("1,250.000.00", money.AmountNotANumber),
        ("25..5", money.AmountNotANumber), ("ten", money.AmountNotANumber), ("-", money.AmountNotANumber),
        ("\ud800", money.AmountNotANumber), ("x" * 5000, money.AmountNotANumber),
        ("$25", money.AmountInOtherCurrency), ("25 EUR", money.AmountInOtherCurrency), ("€25", money.AmountInOtherCurrency),
        ("25.123", money.AmountTooPrecise), ("0.001", money.AmountTooPrecise), ("1,250.000", money.AmountTooPrecise),
        ("1250.000", money.AmountTooPrecise), ("0,2500", money.AmountTooPrecise),
        ("0", money.AmountNotPositive), ("0.00", money.AmountNotPositive), ("-5", money.AmountNotPositive),
        ("£-5", money.AmountNotPositive), ("-£5.00", money.AmountNotPositive), ("\u22125", money.AmountNotPositive),
        ("10,000,000,000", money.AmountTooLarge), ("9" * 60, money.AmountTooLarge), ("9" * 5000, money.AmountTooLarge),
    ],
)  # fmt: skip
def test_what_is_no_gift_is_refused_for_the_right_reason(text, error):
    assert type(refusal(text)) is error


@pytest.mark.parametrize(
    ("text", "currency", "locale", "readings"),
    [
        ("1.250", "gbp", "en_GB", (125, 125000)),
        ("12.000", "gbp", "en_GB", (1200, 1200000)),
        ("£1.000", "gbp", "en_GB", (100, 100000)),
        ("1,250", "eur", "de_DE", (125, 125000)),
        ("1.250", "eur", "fr_FR", (125, 125000)),
        ("1.000", "jpy", "en_GB", (1, 1000)),
        ("1.250", "kwd", "fr_FR", (1250, 1250000)),
    ],
)
def test_what_reads_in_two_ways_is_asked_back(text, currency, locale, readings):
    error = refusal(text, currency, locale)
    assert isinstance(error, money.AmountAmbiguous)
    assert error.readings == readings


def test_the_question_names_both_readings():
    assert refusal("1.250").message == "Did you mean £1.25 or £1,250? Please enter it again that way."


@pytest.mark.parametrize(
    ("text", "currency", "locale"),
    [
        ("1.250", "gbp", "en_GB"),
        ("1,250", "gbp", "de_DE"),
        ("1.250", "gbp", "fr_FR"),
        ("1.250", "kwd", "fr_FR"),
    ],
)
def test_an_answer_as_the_question_shows_it_is_understood(text, currency, locale):
    readings = refusal(text, currency, locale).readings
    assert len(readings) == 2
    for reading in readings:
        assert parse_amount(format_money(reading, currency, locale), currency, locale) == reading


@pytest.mark.parametrize(("text", "locale"), [("1.250", "en_GB"), ("1,250", "de_DE")])
def test_three_decimals_need_no_question_where_the_currency_has_them(text, locale):
    assert parse_amount(text, "kwd", locale) == 1250


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *itertools.product(["", "x", "1.250", "25.123", "-5", "9" * 30, "$25"], ["gbp", "jpy"]),
        *itertools.product(["", "x", "25.1234", "-5", "9" * 30, "$25"], ["kwd"]),
    ],
)
def test_every_refusal_is_a_sentence_with_the_currency_in_it(text, currency):
    message = refusal(text, currency).message
    assert money.symbol(currency) in message
    assert message[0].isupper()
    assert message.endswith(".")


@given(amounts, currencies, locales, st.sampled_from(["auto", "never"]))
@settings(deadline=None, max_examples=1000)
def test_every_amount_we_write_reads_back_as_itself(amount, currency, locale, whole):
    assert parse_amount(format_money(amount, currency, locale, whole=whole), currency, locale) == amount


@given(amounts, currencies)
@fast
def test_every_plain_amount_reads_back_as_itself_in_english(amount, currency):
    assert parse_amount(money.plain(amount, currency), currency) == amount


@given(st.integers(1, 99_999_999), st.sampled_from(["gbp", "eur", "usd", "inr"]), locales)
@fast
def test_a_plain_prefill_reads_back_as_itself_in_every_locale(amount, currency, locale):
    assert parse_amount(money.plain(amount, currency), currency, locale) == amount


money_like = st.text(alphabet="0123456789.,' \xa0\u202f-£€$()kKpeE_\0\u200e", max_size=20)


@given(st.one_of(st.text(), money_like), familiar, locales)
@settings(deadline=None, max_examples=1000)
def test_any_text_is_an_amount_within_bounds_or_an_amount_error(text, currency, locale):
    with contextlib.suppress(money.AmountError):
        assert 1 <= parse_amount(text, currency, locale) <= money.MAX_AMOUNT_MINOR


@given(money_like, locales)
@settings(deadline=None, max_examples=500)
def test_an_accepted_text_keeps_its_digits(text, locale):
    with contextlib.suppress(money.AmountError):
        typed = re.sub(r"\D", "", text).lstrip("0")
        assert str(parse_amount(text, "gbp", locale)).rstrip("0") == typed.rstrip("0")
