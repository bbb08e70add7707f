"""Money: reading what people type, and writing amounts. The currencies themselves are in `appeal.core.currencies`.

An amount is an `int` in the minor unit of its currency (pence, cents, whole yen, thousandths of a dinar)
and its name ends in `_minor`. Currencies are ISO 4217 codes in lower case. Nothing here rounds in silence:
what cannot be kept exactly is refused, and text that can be read in two ways is asked back.
"""

from appeal.core.currencies import (
    CURRENCIES,
    UnknownCurrency,
    UnsendableAmount,
    exponent,
    from_stripe,
    minimum_charge_minor,
    step_minor,
    to_stripe,
    unit,
)
from appeal.core.money.reading import (
    MAX_AMOUNT_MINOR,
    AmountAmbiguous,
    AmountError,
    AmountInOtherCurrency,
    AmountMissing,
    AmountNotANumber,
    AmountNotPositive,
    AmountTooLarge,
    AmountTooPrecise,
    parse_amount,
)
from appeal.core.money.writing import cover_for, format_money, knows_locale, plain, symbol, whole_down

__all__ = [
    "CURRENCIES",
    "MAX_AMOUNT_MINOR",
    "AmountAmbiguous",
    "AmountError",
    "AmountInOtherCurrency",
    "AmountMissing",
    "AmountNotANumber",
    "AmountNotPositive",
    "AmountTooLarge",
    "AmountTooPrecise",
    "UnknownCurrency",
    "UnsendableAmount",
    "cover_for",
    "exponent",
    "format_money",
    "from_stripe",
    "knows_locale",
    "minimum_charge_minor",
    "parse_amount",
    "plain",
    "step_minor",
    "symbol",
    "to_stripe",
    "unit",
    "whole_down",
]
