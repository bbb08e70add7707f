"""Metadata and other limits that Stripe's types do not carry: sizes of text, counts of keys, currencies, addresses."""

import re
from typing import Any
from urllib.parse import urlsplit

from stripe_sandbox.errors import invalid
from stripe_sandbox.money import CURRENCIES, MAXIMUM_MINOR, MINIMUM_MINOR, shown
from stripe_sandbox.request_types import child

MAX_KEYS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH = 50, 40, 500
DEFAULT_MAX_LENGTH = 5000
# By the parameter's own name, wherever it stands.
_MAX_LENGTH = {
    "client_reference_id": 200,
    "customer_email": 800,
    "email": 512,
    "name": 5000,
    "description": 1000,
    "statement_descriptor": 22,
    "statement_descriptor_suffix": 22,
    "display_name": 250,
    "message": 1200,
    "currency": 3,
    "nickname": 5000,
}
_EMAIL = re.compile(r"^[^@\s,;<>]+@[^@\s.,;<>]+(\.[^@\s.,;<>]+)+$")


def supported(params: dict[str, Any], names: tuple[str, ...], path: str = "") -> None:
    """Refuse what Stripe knows and the sandbox does not: nothing that is asked is ignored.

    Raises:
        ApiError: naming the first parameter beyond `names` (and `expand`, which every address takes).
    """
    for name in params:
        if name not in names and name != "expand":
            full = child(path, name)
            raise invalid(f"The sandbox does not support `{full}`.", full)


def check_limits(params: dict[str, Any], path: str = "") -> None:
    """Refuse text that is too long, metadata beyond its limits and currencies unknown to Stripe, at any depth.

    Raises:
        ApiError: naming the first parameter that breaks a limit.
    """
    for name, value in params.items():
        full = child(path, name)
        if name == "metadata" and isinstance(value, dict):
            _check_metadata(value, full)
        elif isinstance(value, dict):
            check_limits(value, full)
        elif isinstance(value, list):
            check_limits({str(index): entry for index, entry in enumerate(value)}, full)
        elif isinstance(value, str):
            _check_text(name, value, full)


def _check_text(name: str, value: str, path: str) -> None:
    limit = _MAX_LENGTH.get(name, DEFAULT_MAX_LENGTH)
    if name == "currency" and value.lower() not in CURRENCIES:
        raise invalid(
            f"Invalid currency: {value}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}",
            path,
        )
    if len(value) > limit:
        raise invalid(
            f"Invalid string: {value[:10]}...{value[-10:]}; must be at most {limit} characters",
            path,
            "parameter_invalid_string_too_long",
        )
    if name in ("email", "customer_email") and value and not _EMAIL.match(value):
        raise invalid(f"Invalid email address: {value}", path, "email_invalid")
    if name.endswith("_url") and value:
        check_url(value, path)


def _check_metadata(metadata: dict[str, str], path: str) -> None:
    if len(metadata) > MAX_KEYS:
        raise invalid(f"You can only have up to {MAX_KEYS} metadata keys.", path)
    for key, value in metadata.items():
        if len(key) > MAX_KEY_LENGTH:
            raise invalid(
                f"Metadata keys can have up to {MAX_KEY_LENGTH} characters, but you passed in {len(key)}.",
                path,
            )
        if len(value) > MAX_VALUE_LENGTH:
            raise invalid(
                f"Metadata values can have up to {MAX_VALUE_LENGTH} characters, but you passed in a value that is "
                f"{len(value)} characters. Invalid value: {value[:20]}...",
                child(path, key),
            )


def check_url(value: str, path: str) -> None:
    """Refuse what is no absolute web address."""
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or " " in value:
        raise invalid("Not a valid URL", path, "url_invalid")


def check_amount(amount_minor: int, currency: str, path: str) -> None:
    """Refuse an amount that Stripe would not charge in this currency."""
    least_minor = MINIMUM_MINOR.get(currency, 1)
    if amount_minor < least_minor:
        raise invalid(
            f"The Checkout Session's total amount due must add up to at least {shown(least_minor, currency)} {currency}",
            path,
            "amount_too_small",
        )
    if amount_minor > MAXIMUM_MINOR:
        raise invalid(
            f"The Checkout Session's total amount due must be no more than {shown(MAXIMUM_MINOR, currency)}.",
            path,
            "amount_too_large",
        )


def merged(before: dict[str, str] | None, given: dict[str, str] | str | None) -> dict[str, str]:
    """Return metadata after an update: given keys replace, an empty value removes one key, an empty string all."""
    if given == "":
        return {}
    after = dict(before or {})
    for key, value in (given or {}).items():  # type: ignore[union-attr]
        if value == "":
            after.pop(key, None)
        else:
            after[key] = value
    return after
