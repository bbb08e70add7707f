"""Names for things that the outside sees, random, at least 128 bits, safe in an address; and the numbers of rows."""

from __future__ import annotations

import random
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no letter that reads like a digit
ROW_NUMBER_MOST = 2**63 - 1  # a larger one raises before either database has looked


def public_id() -> str:
    """Return a new name of 26 signs, 130 random bits."""
    return "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(26))


def from_random(chance: random.Random) -> str:
    """Return a name of the same shape that is the same for the same seed: for sample data alone."""
    return "".join(chance.choices(ALPHABET, k=26))


def request_id() -> str:
    """Make the name of one request, by which it is found in the logs. It opens nothing, so it need not be a secret.

    Asking the system for chance lets go of the interpreter each time, and under load 24 threads take turns for it.
    """
    return f"{random.getrandbits(64):016x}"


def row_number(text: str) -> int:
    """Read the number of a row from an address or a form.

    Raises:
        ValueError: it is none that a database can hold.
    """
    number = int(text)
    if not 0 <= number <= ROW_NUMBER_MOST:
        raise ValueError("no row has this number")
    return number
