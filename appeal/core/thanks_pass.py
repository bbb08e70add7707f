"""The "thank you" pass: a signed note on the link back to the article, by which a host may relax its meter.

It names the appeal and the day, and nothing about who gave or how much. Whoever holds it may show it for 30 days.
Hosts check it at a public address (docs/embedding.md) or simply trust its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from itsdangerous import BadSignature, TimestampSigner

MAX_AGE_SECONDS = 30 * 24 * 60 * 60
LONGEST = 200
PARAMETER = "appeal_thanks"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass says: for which appeal somebody gave, and the day it was handed out (UTC)."""

    appeal: str
    issued_on: date


def issue(keys: Sequence[str], slug: str) -> str:
    """Make a pass with the newest of the keys, which come oldest first."""
    return _signer(keys).sign(slug).decode()


def read(keys: Sequence[str], text: str) -> Pass | None:
    """Read a pass back; None for one that is forged, damaged or more than 30 days old."""
    if len(text) > LONGEST:
        return None
    try:
        slug, at = _signer(keys).unsign(text.encode(), max_age=MAX_AGE_SECONDS, return_timestamp=True)
    except (BadSignature, UnicodeError):
        return None
    return Pass(slug.decode(), at.date())


def _signer(keys: Sequence[str]) -> TimestampSigner:
    return TimestampSigner(list(keys), salt="thanks-pass", key_derivation="hmac")
