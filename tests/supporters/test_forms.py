"""The donation form: what people type, and what is said at the field when it does not fit."""

import pytest
from werkzeug.datastructures import MultiDict

from appeal.models import Appeal
from appeal.supporters.forms import DonationForm, cover_label, prefill


def appeal(**values) -> Appeal:
    fields = {
        "currency": "gbp",
        "locale": "en_GB",
        "presets_minor": [1000, 2500, 5000, 10000],
        "default_minor": 2500,
        "minimum_minor": 200,
        "maximum_minor": 1_000_000,
        "monthly_offered": True,
        "cover_offered": True,
        "cover_percent_bps": 150,
        "cover_fixed_minor": 20,
    }
    return Appeal(**(fields | values))


def form(record: Appeal | None = None, **values) -> DonationForm:
    typed = {"frequency": "once", "amount": "25.00", "name": "Mary", "email": "mary@example.org"} | values
    sent = MultiDict({name: value for name, value in typed.items() if value is not None})
    return DonationForm(record or appeal(), sent)


def amount_of(typed: str, record: Appeal | None = None, **values) -> int | None:
    filled = form(record, amount="other", other_amount=typed, **values)
    return filled.gift_amount_minor if filled.validate() else None


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("25", 2500),
        ("£25", 2500),
        ("25 £", 2500),
        ("GBP 25", 2500),
        ("25.5", 2550),
        ("25.50", 2550),
        ("25,50", 2550),
        (" 25.00 ", 2500),
        ("1,250", 125_000),
        ("1 250.00", 125_000),
        ("1'250", 125_000),
        ("10000", 1_000_000),
        ("2", 200),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed, minor) -> None:
    assert amount_of(typed) == minor


KUWAIT = {
    "currency": "kwd",
    "presets_minor": [10_000, 25_000],
    "default_minor": 25_000,
    "cover_fixed_minor": 200,
}


def test_thousandths_that_no_card_is_charged_in_are_named_at_the_field() -> None:
    filled = form(appeal(**KUWAIT), amount="other", other_amount="2.125")
    assert not filled.validate()
    [message] = filled.other_amount.errors
    assert "2.120" in message
    assert amount_of("2.120", appeal(**KUWAIT)) == 2120


@pytest.mark.parametrize("no", ["0", "no", "off", "false", ""])
def test_nobody_consents_by_saying_no(no) -> None:
    filled = form(updates=no, cover_fee=no)
    assert filled.validate()
    assert not filled.gift().updates
    assert not filled.gift().cover_fee


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "£",
        "NaN",
        "nan",
        "sNaN",
        "Infinity",
        "-Infinity",
        "inf",
        "1e9",
        "1E2",
        "1e400",
        "0",
        "0.00",
        "-0",
        "-5",
        "\u22125",
        "+5",
        "25.001",
        "25.123",
        "1.250",
        "1,2,3",
        "12.34.56",
        "1_000",
        "\uff12\uff15",
        "\u0662\u0665",
        "0x19",
        "1/2",
        "twenty",
        "25 or so",
        "$25",
        "25 EUR",
        "99999999999999999999",
        "9" * 41,
        "2\x005",
        "25\u202e",
        "1.99",
        "10000.01",
        "1,000,000",
    ],
)
def test_what_is_no_amount_we_can_take_is_refused_at_the_field(typed) -> None:
    filled = form(amount="other", other_amount=typed)
    assert not filled.validate()
    assert set(filled.errors) == {"other_amount"}
    [message] = filled.errors["other_amount"]
    assert message.endswith((".", "?"))


def test_three_decimals_are_taken_where_the_currency_has_them() -> None:
    kuwaiti = appeal(currency="kwd", locale="en_GB", presets_minor=[10_000], minimum_minor=1000)
    assert amount_of("25.120", kuwaiti) == 25_120
    assert amount_of("25.1234", kuwaiti) is None


def test_an_amount_is_read_in_the_appeals_own_language() -> None:
    german = appeal(currency="eur", locale="de_DE")
    assert amount_of("1.250,50", german) == 125_050
    assert amount_of("1.250", german) == 125_000


@pytest.mark.parametrize("preset", ["10.00", "25.00", "50.00", "100.00", "25", "10"])
def test_a_preset_is_taken_with_or_without_its_noughts(preset) -> None:
    filled = form(amount=preset)
    assert filled.validate(), filled.errors
    assert filled.gift_amount_minor == int(preset.split(".")[0]) * 100


@pytest.mark.parametrize(
    "preset", [None, "", "None", "abc", "-25", "NaN", "1e3", "25.001", "0", "1", "1000000"]
)
def test_a_preset_nobody_offered_is_refused(preset) -> None:
    filled = form(amount=preset)
    assert not filled.validate()
    assert "amount" in filled.errors


def test_an_amount_given_twice_is_asked_back() -> None:
    filled = form(amount="25.00", other_amount="40")
    assert not filled.validate()
    assert "choose one" in filled.errors["amount"][0]


@pytest.mark.parametrize(("chosen", "typed"), [("25.00", "25"), ("25", "£25.00"), ("25.00", " 25,00 ")])
def test_the_same_amount_given_twice_is_no_question(chosen, typed) -> None:
    filled = form(amount=chosen, other_amount=typed)
    assert filled.validate()
    assert filled.gift_amount_minor == 2500


@pytest.mark.parametrize("typed", ["10000.01", "99999999", "9" * 15, "9" * 40])
def test_too_large_a_gift_is_told_how_much_this_appeal_takes(typed) -> None:
    filled = form(amount="other", other_amount=typed)
    assert not filled.validate()
    assert filled.other_amount.errors == [
        "The largest gift we can take by card is £10,000. For more, please write to us."
    ]


@pytest.mark.parametrize("frequency", ["weekly", "", "Once"])
def test_a_frequency_that_nobody_offered_is_answered_in_words(frequency) -> None:
    filled = form(frequency=frequency)
    assert not filled.validate()
    assert filled.frequency.errors == ["Choose whether to give once or every month."]


def test_another_amount_counts_even_if_nothing_was_chosen() -> None:
    filled = form(amount=None, other_amount="40")
    assert filled.validate()
    assert filled.gift_amount_minor == 4000


CONTROLS = ["\x00", "\x1b[31m", "\x7f", "\u202e", "\u2066", "\ufeff", "\u2028", "\ue000", "\ud800", "\u00ad"]


@pytest.mark.parametrize("sign", CONTROLS, ids=ascii)
@pytest.mark.parametrize("field", ["name", "credit_line", "message"])
def test_hidden_signs_are_refused_where_text_is_shown(field, sign) -> None:
    filled = form(**{"credit": "custom", "credit_line": "A reader", field: f"Ma{sign}ry"})
    assert not filled.validate()
    assert set(filled.errors) == {field}


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_a_line_break_is_refused_in_a_name_and_fine_in_a_message(line_break) -> None:
    assert not form(name=f"Mary{line_break}Bcc: all@example.org").validate()
    assert form(message=f"Dear all,{line_break}thanks").validate()


@pytest.mark.parametrize(
    "text",
    ["www.casino.example", "http://x.example", "HTTPS://x", "casino.com", "best-pills.ru now", "a.xyz"],
)
@pytest.mark.parametrize("field", ["name", "credit_line"])
def test_a_name_cannot_advertise_a_site(field, text) -> None:
    assert not form(**{"credit": "custom", "credit_line": "A reader", field: text}).validate()


@pytest.mark.parametrize(
    "name",
    [
        "Mary Anning",
        "Ngũgĩ wa Thiong'o",
        "李小龍",
        "محمد",
        "Zoë O\u2019Hara-Smith Jr.",
        "👩‍🚀 M",
        "J. R. R. Tolkien",
    ],
)
def test_people_are_called_as_they_are_called(name) -> None:
    filled = form(name=name)
    assert filled.validate(), filled.errors
    assert filled.gift().name == name


@pytest.mark.parametrize(
    "email",
    ["", "mary", "mary@", "@example.org", "mary@example", "mary@@example.org", "mary@exa mple.org", "a@b@c.org",
     "mary@example.org\r\nBcc: x@example.org", "mary@example.org\x00", "\ud800@example.org", "x" * 250 + "@example.org",
     "mary@[127.0.0.1]", "<mary@example.org>", "mary@example.org,other@example.org"],
)  # fmt: skip
def test_an_address_that_cannot_be_written_to_is_refused(email) -> None:
    filled = form(email=email)
    assert not filled.validate()
    assert set(filled.errors) == {"email"}


def test_lengths_are_held_to_what_can_be_stored() -> None:
    assert form(name="M" * 120, message="m" * 1000, credit="custom", credit_line="c" * 60).validate()
    too_long = form(name="M" * 121, message="m" * 1001, credit="custom", credit_line="c" * 61)
    assert not too_long.validate()
    assert set(too_long.errors) == {"name", "message", "credit_line"}


def test_everything_that_needs_attention_is_said_at_once() -> None:
    filled = form(amount="other", other_amount="x", name="", email="x", frequency="weekly", credit="loudly")
    assert not filled.validate()
    assert {"other_amount", "name", "email", "frequency", "credit"} <= set(filled.errors)


def test_nothing_is_chosen_for_anyone() -> None:
    blank = DonationForm(appeal())
    chosen = (blank.frequency.data, blank.credit.data, blank.cover_fee.data, blank.updates.data)
    assert chosen == ("once", "anonymous", False, False)
    assert blank.amount.data == "25.00"


def test_a_machine_that_fills_in_everything_is_refused() -> None:
    assert not form(website="https://x.example").validate()


def test_monthly_is_refused_where_it_is_not_offered() -> None:
    assert form(frequency="monthly").validate()
    assert not form(appeal(monthly_offered=False), frequency="monthly").validate()


def test_words_of_ones_own_are_asked_for_where_they_were_chosen() -> None:
    assert not form(credit="custom").validate()
    assert form(credit="custom", credit_line="A reader in Leeds").validate()


def test_attribution_is_cut_to_what_can_be_kept_and_never_refused() -> None:
    filled = form(src="\x00www.example.org:top" + "x" * 500, page="/a\ud800" * 400)
    assert filled.validate()
    assert len(filled.gift().src) <= 120
    assert len(filled.gift().page) <= 300
    assert "\x00" not in filled.gift().src


@pytest.mark.parametrize(
    ("args", "filled"),
    [
        ({"amount": "25"}, {"amount": "25.00"}),
        ({"amount": "33.50"}, {"amount": "other", "other_amount": "33.50"}),
        ({"amount": "1"}, {}),
        ({"amount": "NaN"}, {}),
        ({"amount": "<script>"}, {}),
        ({"amount": "9" * 500}, {}),
        ({"frequency": "monthly"}, {"frequency": "monthly"}),
        ({"frequency": "hourly"}, {}),
    ],
)
def test_a_link_fills_in_what_it_can_mean_and_nothing_else(args, filled) -> None:
    assert prefill(appeal(), args) == {"src": "", "page": ""} | filled


def test_the_cover_is_stated_as_a_sum() -> None:
    assert "£0.59 on a gift of £25)" in cover_label(appeal())
    assert cover_label(appeal(), 5000) == "Add £0.97 for the card fee, so that all of my gift arrives"
