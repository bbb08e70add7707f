"""Writing amounts: for people as their locale does, for machines as plain numbers; and what covers a fee."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberPattern, format_currency, get_currency_symbol, parse_pattern

from appeal.core.currencies import exponent, unit

Whole = Literal["auto", "never", "down"]


def cover_for(amount_minor: int, percent_bps: int, fixed_minor: int, step_minor: int = 1) -> int:
    """Return what to add to a gift so that it arrives whole after the fee, rounded up, in minor units.

    The fee is `percent_bps` / 10,000 of the whole charge (gift and cover) plus `fixed_minor`. It suffices however
    the fee itself is rounded. Gift and cover together are a multiple of `step_minor`.

    Raises: ValueError for a negative figure or a fee of 100 % and more.
    """
    if amount_minor < 0 or fixed_minor < 0 or not 0 <= percent_bps < 10_000:
        raise ValueError("A fee is between 0 and 100 %, and neither gift nor fee is negative")
    charge_minor = -(-(amount_minor + fixed_minor) * 10_000 // (10_000 - percent_bps))
    return charge_minor + -charge_minor % step_minor - amount_minor


@lru_cache(maxsize=256)
def locale_of(name: str) -> Locale:
    """Return a locale, written `en-GB` or `en_GB`."""
    return Locale.parse(name.replace("-", "_"))


def knows_locale(name: str) -> bool:
    """Tell whether amounts can be written in a locale."""
    try:
        locale_of(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


@lru_cache(maxsize=2048)
def symbol(currency: str, locale: str = "en_GB") -> str:
    """Return the currency's symbol as the locale writes it: "£", "US$", "KWD".

    Raises: UnknownCurrency.
    """
    exponent(currency)
    return get_currency_symbol(currency.upper(), locale=locale_of(locale))


@lru_cache(maxsize=2048)
def _pattern(currency: str, locale: str, decimals: int) -> NumberPattern:
    """Return the locale's currency pattern with so many decimals, and a space beside a symbol made of letters.

    Babel leaves that space out ("KWD25"). Source: CLDR, UTS 35 part 3, "Currency Spacing".
    """
    number = "0." + "0" * decimals if decimals else "0"
    pattern = re.sub(
        r"0(\.[0#]+)?(?=[^0#,.]|$)", number, locale_of(locale).currency_formats["standard"].pattern
    )
    sign = symbol(currency, locale).strip("\u200e\u200f\u061c")
    if unicodedata.category(sign[-1])[0] not in "SZ":
        pattern = re.sub(r"¤(?=[#0])", "¤\xa0", pattern)
    if unicodedata.category(sign[0])[0] not in "SZ":
        pattern = re.sub(r"(?<=0)¤", "\xa0¤", pattern)
    return parse_pattern(pattern)


def whole_down(amount_minor: int, currency: str) -> int:
    """Return the amount rounded down to whole units, still in minor units; a debt rounds away from nought.

    Raises: UnknownCurrency.
    """
    return amount_minor - amount_minor % unit(currency)


@lru_cache(maxsize=4096)
def format_money(amount_minor: int, currency: str, locale: str = "en_GB", *, whole: Whole = "auto") -> str:
    """Return the amount as people of the locale write it, unbroken (any space in it is a no-break space).

    `whole`: "never" always shows the decimals ("£25.00"), "auto" drops them where they are nought ("£25", "£25.50"),
    "down" rounds down to whole units ("£61,234"). Nothing else rounds.

    Raises: UnknownCurrency; babel.UnknownLocaleError.
    """
    decimals = exponent(currency)
    amount = Decimal(amount_minor).scaleb(-decimals)
    if whole == "down":
        amount, decimals = Decimal(amount_minor // unit(currency)), 0
    elif whole == "auto" and amount_minor % unit(currency) == 0:
        decimals = 0
    pattern = _pattern(currency, locale, decimals)
    return format_currency(amount, currency.upper(), pattern, locale_of(locale), currency_digits=False)


def plain(amount_minor: int, currency: str) -> str:
    """Return a bare number for exports, inputs and links: "25.00", "-1250.50", "1000" for yen.

    Raises: UnknownCurrency.
    """
    decimals = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    units, rest = divmod(abs(amount_minor), unit(currency))
    return f"{sign}{units}.{rest:0{decimals}}" if decimals else f"{sign}{units}"
