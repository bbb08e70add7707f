"""Currencies: how many decimals each has, how Stripe counts it, and the least it charges.

Our books count in the minor unit of ISO 4217; Stripe's list of exponents is not the same everywhere. Codes are in
lower case.
"""

from __future__ import annotations

from appeal.core.errors import DomainError

# Source: Stripe, "Supported currencies". UGX is left out: Stripe's own lists disagree about its exponent.
_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_TWO_DECIMAL = (
    "aed all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve "
    "czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr jmd kes kgs khr "
    "kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab "
    "pen pgk php pkr pln qar ron rsd sar sbd scr sek sgd shp sle sos srd szl thb tjs top try ttd twd tzs uah "
    "usd uyu uzs wst xcd yer zar zmw"
)
_THREE_DECIMAL = "bhd jod kwd omr tnd"

_EXPONENTS = (
    dict.fromkeys(_ZERO_DECIMAL.split(), 0)
    | dict.fromkeys(_TWO_DECIMAL.split(), 2)
    | dict.fromkeys(_THREE_DECIMAL.split(), 3)
    # The krona has no smaller coin. Stripe kept two decimals for it, always nought: see `to_stripe`.
    | {"isk": 0}
)
_UNITS = {0: 1, 2: 100, 3: 1000}
CURRENCIES = frozenset(_EXPONENTS)

# Source: Stripe, "Minimum and maximum charge amounts".
_MINIMUMS = {"gbp": 30, "dkk": 250, "nok": 300, "sek": 300, "hkd": 400, "pln": 200, "czk": 1500} | (
    dict.fromkeys(("usd", "eur", "chf", "cad", "aud", "nzd", "sgd", "jpy"), 50)
)


class UnknownCurrency(DomainError):
    """A currency that is not in the table."""


class UnsendableAmount(DomainError):
    """An amount that Stripe cannot be sent, or that it cannot have sent, in this currency."""


def exponent(currency: str) -> int:
    """Return how many decimals our books keep for a currency: 0, 2 or 3.

    Raises: UnknownCurrency.
    """
    try:
        return _EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"Unknown currency: {currency!r}") from None


def unit(currency: str) -> int:
    """Return how many minor units make a whole one."""
    return _UNITS[exponent(currency)]


def to_stripe(amount_minor: int, currency: str) -> int:
    """Return our minor units as the integer Stripe expects.

    Raises: UnknownCurrency; UnsendableAmount when a three-decimal amount does not end in 0.
    Source: Stripe, "Zero-decimal", "Three-decimal" and "Special case" currencies.
    """
    _refuse_odd_thousandths(amount_minor, currency)
    return amount_minor * 100 if currency == "isk" else amount_minor


def from_stripe(amount: int, currency: str) -> int:
    """Return an integer that Stripe sent as our minor units; the inverse of `to_stripe`.

    Raises: UnknownCurrency; UnsendableAmount when ISK has hundredths or a three-decimal amount does not end in 0.
    """
    _refuse_odd_thousandths(amount, currency)
    if currency != "isk":
        return amount
    if amount % 100:
        raise UnsendableAmount(f"ISK has no hundredths: {amount}")
    return amount // 100


def _refuse_odd_thousandths(amount: int, currency: str) -> None:
    if amount % step_minor(currency):
        raise UnsendableAmount(f"Stripe takes {currency.upper()} amounts ending in 0 only: {amount}")


def step_minor(currency: str) -> int:
    """Return what every amount must be a multiple of to be sent to Stripe, in minor units: 10 where there are thousandths.

    Raises: UnknownCurrency.
    """
    return 10 if exponent(currency) == 3 else 1


def minimum_charge_minor(currency: str) -> int:
    """Return the smallest charge Stripe accepts, in minor units.

    For a currency without a published minimum: one whole unit, or 100 where there is no smaller coin. That is a
    floor against slips, no promise; Stripe converts and may still refuse.

    Raises: UnknownCurrency.
    """
    return _MINIMUMS.get(currency, max(100, unit(currency)))
