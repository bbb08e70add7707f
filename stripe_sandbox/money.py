"""Amounts as Stripe counts them: integers in minor units with Stripe's own exponents, minimums and fees.

Kept apart from any application on purpose, so that two independent readings of Stripe's rules meet in the tests.
Sources: Stripe's tables of currencies, minimum charges and standard United Kingdom prices.
"""

ZERO_DECIMAL = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "ugx",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
CURRENCIES = (
    ZERO_DECIMAL
    | THREE_DECIMAL
    | frozenset(
        [
            "aed",
            "afn",
            "all",
            "amd",
            "ang",
            "aoa",
            "ars",
            "aud",
            "awg",
            "azn",
            "bam",
            "bbd",
            "bdt",
            "bmd",
            "bnd",
            "bob",
            "brl",
            "bsd",
            "bwp",
            "byn",
            "bzd",
            "cad",
            "cdf",
            "chf",
            "cny",
            "cop",
            "crc",
            "cve",
            "czk",
            "dkk",
            "dop",
            "dzd",
            "egp",
            "etb",
            "eur",
            "fjd",
            "fkp",
            "gbp",
            "gel",
            "gip",
            "gmd",
            "gtq",
            "gyd",
            "hkd",
            "hnl",
            "htg",
            "huf",
            "idr",
            "ils",
            "inr",
            "isk",
            "jmd",
            "kes",
            "kgs",
            "khr",
            "kyd",
            "kzt",
            "lak",
            "lbp",
            "lkr",
            "lrd",
            "lsl",
            "mad",
            "mdl",
            "mkd",
            "mmk",
            "mnt",
            "mop",
            "mur",
            "mvr",
            "mwk",
            "mxn",
            "myr",
            "mzn",
            "nad",
            "ngn",
            "nio",
            "nok",
            "npr",
            "nzd",
            "pab",
            "pen",
            "pgk",
            "php",
            "pkr",
            "pln",
            "qar",
            "ron",
            "rsd",
            "rub",
            "sar",
            "sbd",
            "scr",
            "sek",
            "sgd",
            "shp",
            "sle",
            "sos",
            "srd",
            "std",
            "szl",
            "thb",
            "tjs",
            "top",
            "try",
            "ttd",
            "twd",
            "tzs",
            "uah",
            "usd",
            "uyu",
            "uzs",
            "wst",
            "xcd",
            "yer",
            "zar",
            "zmw",
        ]
    )
)
MINIMUM_MINOR = {
    **dict.fromkeys(["usd", "eur", "chf", "cad", "aud", "nzd", "sgd", "jpy"], 50),
    "gbp": 30,
    "dkk": 250,
    **dict.fromkeys(("nok", "sek"), 300),
    "hkd": 400,
    "pln": 200,
    "czk": 1500,
}
MAXIMUM_MINOR = 99_999_999
DISPUTE_FEE_MINOR = {"gbp": 2000, "eur": 2000, "usd": 1500, "jpy": 1500}
# Per currency: parts per ten thousand, and a fixed part in minor units.
_FEES = {"gbp": (150, 20), "eur": (150, 25), "usd": (290, 30), "jpy": (360, 0)}
_STANDARD_FEE = (290, 0)
_SYMBOLS = {"gbp": "£", "eur": "€", "usd": "$", "jpy": "¥"}


def exponent(currency: str) -> int:
    """Return how many decimal places Stripe gives the currency."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def fee_minor(amount_minor: int, currency: str) -> int:
    """Return the fee for a card payment, rounded half up, in minor units."""
    parts, fixed_minor = _FEES.get(currency, _STANDARD_FEE)
    return (amount_minor * parts + 5000) // 10_000 + fixed_minor


def shown(amount_minor: int, currency: str) -> str:
    """Return the amount as a person reads it, such as `£1,250.00`."""
    places = exponent(currency)
    whole, rest = divmod(abs(amount_minor), 10**places)
    digits = f"{whole:,}" + (f".{rest:0{places}d}" if places else "")
    symbol = _SYMBOLS.get(currency)
    text = f"{symbol}{digits}" if symbol else f"{digits} {currency.upper()}"
    return f"-{text}" if amount_minor < 0 else text
