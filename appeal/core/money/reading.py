"""Reading what people type: exactly, or not at all. What can be read in two ways is asked back."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from babel.numbers import get_currency_name, get_decimal_symbol, get_group_symbol

from appeal.core.currencies import CURRENCIES, exponent, unit
from appeal.core.errors import DomainError
from appeal.core.money.writing import format_money, locale_of, symbol

_Test = Callable[[str, str], bool]
_Cut = Callable[[str, str], str]

MAX_AMOUNT_MINOR = 10**12 - 1
"""The largest amount a person may type: twelve figures, well below 2**53, so that no JSON reader bends it."""

_LONGEST_TEXT = 64

# The signs people type, where the locale's own symbol is a longer one ("US$", "JP¥").
_SIGNS = {"gbp": "£", "eur": "€", "jpy": "¥", "cny": "¥", "krw": "₩", "inr": "₹", "ils": "₪", "chf": "fr."}
_SIGNS |= dict.fromkeys(("usd", "cad", "aud", "nzd", "sgd", "hkd"), "$")
_SIGNS |= dict.fromkeys(("sek", "nok", "dkk", "isk"), "kr") | {"pln": "zł", "czk": "kč"}


class AmountError(DomainError):
    """What was typed is no amount we can take; `message` tells the supporter what to do."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class AmountMissing(AmountError):
    """Nothing was typed, or only a currency sign."""


class AmountNotANumber(AmountError):
    """It does not read as an amount."""


class AmountInOtherCurrency(AmountNotANumber):
    """It names a currency that is not the appeal's."""


class AmountAmbiguous(AmountError):
    """It reads in more than one way; `readings` holds them in minor units, smallest first."""

    def __init__(self, message: str, readings: tuple[int, ...]) -> None:
        self.readings = readings
        super().__init__(message)


class AmountTooPrecise(AmountError):
    """It has more decimals than the currency."""


class AmountNotPositive(AmountError):
    """It is nought or below."""


class AmountTooLarge(AmountError):
    """It is above `MAX_AMOUNT_MINOR`."""


_MARKS = re.compile(r"[., ']")
_NUMBER = re.compile(r"[0-9]*(?:[., '][0-9]+)*")
_FOLD = str.maketrans(
    dict.fromkeys("\xa0\u2007\u2009\u202f", " ")
    | dict.fromkeys("\u2019\u02bc`\u00b4", "'")
    | dict.fromkeys("\u2212\u2013\u2014", "-")
    # Marks of writing direction come along when our own figures are copied from a right-to-left page.
    | dict.fromkeys("\u200e\u200f\u061c", "")
)


def parse_amount(text: str, currency: str, locale: str = "en_GB") -> int:
    """Return the amount a person typed, in minor units, between 1 and `MAX_AMOUNT_MINOR`.

    Takes figures 0 to 9, the currency's sign, code or name on either side, and thousands set apart by the locale's
    mark, comma, point, space or apostrophe. The last comma or point is the decimal mark when one or two figures
    follow, or as many as the currency has. With three figures the locale decides: its thousands mark is one
    (`1,250` in English), and what could be either (`1.250`) is asked back. Decimals of a currency that has
    none may only be noughts.

    Raises: an AmountError, whose `message` is written for the person; UnknownCurrency.
    """
    return _Reader(currency, locale).read(text)


def _folded(text: str) -> str:
    """Return text with its spaces, apostrophes and dashes made alike, in one case, without outer spaces."""
    return text.translate(_FOLD).casefold().strip(" ")


def _without(body: str, names: Sequence[str], found: _Test, cut: _Cut) -> str:
    """Return the body without the first of the names that `found` sees at its edge, and without outer spaces."""
    name = next((name for name in names if found(body, name)), "")
    return cut(body, name).strip(" ")


@lru_cache(maxsize=512)
def _names(currency: str, locale: str) -> tuple[str, ...]:
    """Return what people may write beside the figures for this currency, longest first, folded."""
    code = currency.upper()
    names = {currency, symbol(currency, locale), symbol(currency), _SIGNS.get(currency, currency)}
    for tongue in (locale, "en_GB"):
        full = [get_currency_name(code, count=count, locale=locale_of(tongue)) for count in (1, 2, 5)]
        # "British pounds", and "pounds" alone.
        names.update(full, (name.split()[-1] for name in full))
    return tuple(sorted(map(_folded, names), key=len, reverse=True))


@lru_cache(maxsize=1)
def _foreign_names() -> frozenset[str]:
    """Return the signs and codes of all currencies; asked only where the appeal's own did not fit."""
    english = {_folded(symbol(currency)) for currency in CURRENCIES}
    return CURRENCIES | frozenset(_SIGNS.values()) | english


class _Reader:
    """Reads one amount; holds what the messages need."""

    def __init__(self, currency: str, locale: str) -> None:
        self.currency, self.locale = currency, locale
        self.decimals, self.unit = exponent(currency), unit(currency)

    def read(self, text: str) -> int:
        if len(text) > _LONGEST_TEXT:
            raise self._too_large() if re.fullmatch(r"[0-9.,' ]+", text) else self._not_a_number()
        negative, body = self._bare(text)
        if not body and not negative:
            raise AmountMissing(f"Enter an amount, such as {self._money(25)}.")
        if not body or not _NUMBER.fullmatch(body):
            raise self._not_a_number(body)
        amount_minor = self._figures(body)
        if negative or amount_minor == 0:
            raise AmountNotPositive(f"Enter an amount above zero, such as {self._money(25)}.")
        if amount_minor > MAX_AMOUNT_MINOR:
            raise self._too_large()
        return amount_minor

    def _bare(self, text: str) -> tuple[bool, str]:
        """Return whether there is a minus, and the figures without currency, minus and outer spaces."""
        body, names = _folded(text), _names(self.currency, self.locale)
        minus = body.startswith("-")
        body = _without(body.removeprefix("-").strip(" "), names, str.startswith, str.removeprefix)
        minus = minus or body.startswith("-")
        body = _without(body.removeprefix("-").strip(" "), names, str.endswith, str.removesuffix)
        # "25." ends a sentence and "25,-" is how much of Europe writes a round price.
        return minus, re.sub(r"(?<=[0-9])[.,](-{1,2})?$", "", body)

    def _figures(self, body: str) -> int:
        groups, marks = _MARKS.split(body), _MARKS.findall(body)
        thousands, decimal = self._is_thousands(groups, marks), self._may_be_decimal(groups, marks)
        if thousands and decimal:
            return self._either(groups, marks[0])
        if thousands:
            return int("".join(groups)) * self.unit
        if decimal:
            return self._with_fraction("".join(groups[:-1]), groups[-1])
        raise self._not_a_number()

    def _is_thousands(self, groups: Sequence[str], marks: Sequence[str]) -> bool:
        """Tell whether every mark sets thousands apart; so does none."""
        if not marks:
            return True
        tail = groups[1:]
        lakhs = locale_of(self.locale).decimal_formats[None].grouping == (3, 2)
        even = all(len(group) == 3 for group in tail)
        indian = lakhs and len(tail[-1]) == 3 and all(len(group) == 2 for group in tail[:-1])
        return (
            len(set(marks)) == 1
            and re.fullmatch("[1-9][0-9]{0,2}", groups[0]) is not None
            and (even or indian)
        )

    def _may_be_decimal(self, groups: Sequence[str], marks: Sequence[str]) -> bool:
        """Tell whether the last mark can be the decimal mark."""
        if not marks or marks[-1] not in ".,":
            return False
        if len(marks) > 1 and not self._is_thousands(groups[:-1], marks[:-1]):
            return False
        return marks[-1] not in marks[:-1] or len(groups[-1]) <= 2

    def _either(self, groups: Sequence[str], mark: str) -> int:
        """Settle one mark before three figures by the locale, or ask."""
        locale = locale_of(self.locale)
        as_thousands = int("".join(groups)) * self.unit
        if mark == _folded(get_group_symbol(locale)):
            return as_thousands
        units, rest = groups
        if self.decimals == 3 and mark == get_decimal_symbol(locale):
            return self._with_fraction(units, rest)
        as_decimal = self._with_fraction(units, rest.removesuffix("0" * (3 - self.decimals)))
        low, high = (format_money(each, self.currency, self.locale) for each in (as_decimal, as_thousands))
        raise AmountAmbiguous(
            f"Did you mean {low} or {high}? Please enter it again that way.", (as_decimal, as_thousands)
        )

    def _with_fraction(self, units: str, rest: str) -> int:
        if self.decimals == 0 and len(rest) <= 2:
            rest = rest.rstrip("0")
        if len(rest) > self.decimals:
            raise self._too_precise()
        return int((units or "0") + rest.ljust(self.decimals, "0"))

    def _money(self, units: int, rest_minor: int = 0) -> str:
        return format_money(units * self.unit + rest_minor, self.currency, self.locale)

    def _not_a_number(self, body: str = "") -> AmountNotANumber:
        if set(re.split(r"[0-9., '-]+", body)) & _foreign_names():
            name = get_currency_name(self.currency.upper(), count=2, locale="en_GB")
            return AmountInOtherCurrency(
                f"This appeal takes {name}. Enter an amount such as {self._money(25)}."
            )
        other = f" or {self._money(25, self.unit // 2)}" if self.decimals else ""
        return AmountNotANumber(f"Enter the amount in figures, such as {self._money(25)}{other}.")

    def _too_precise(self) -> AmountTooPrecise:
        if self.decimals == 0:
            return AmountTooPrecise(f"Enter a whole amount, such as {self._money(2500)}.")
        figures = {2: "two", 3: "three"}[self.decimals]
        example = self._money(25, self.unit // 2)
        return AmountTooPrecise(f"Enter at most {figures} figures after the decimal mark, such as {example}.")

    def _too_large(self) -> AmountTooLarge:
        most = format_money(MAX_AMOUNT_MINOR, self.currency, self.locale, whole="down")
        return AmountTooLarge(f"That is more than this form can take. Enter an amount of at most {most}.")
