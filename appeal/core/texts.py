"""What people type, held to what can be stored and shown: plain rules on text, no framework.

SQLite stores what PostgreSQL refuses (NUL, lone surrogates) and ignores lengths, so all of it is checked before.
"""

from __future__ import annotations

import re
import unicodedata

ADDRESS_OF_SITE = re.compile(
    r"(?:https?:|www\.|\b[\w-]+\.(?:com|net|org|info|biz|ru|io|co|uk|de|xyz|shop|site)\b)", re.IGNORECASE
)
EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Joiners are part of how some scripts and emoji are written.
ALLOWED_FORMAT = frozenset("\u200c\u200d")
CREDIT_LINE_LONGEST = 60


def one_line(text: str) -> str:
    """Fold white space to single blanks and compose the signs, as one person would write the same name twice."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def has_control(text: str, *, lines: bool = False) -> bool:
    """Say whether a text holds what cannot be shown or stored: controls, surrogates, bidirectional overrides.

    With `lines`, line breaks and tabs are fine.
    """
    return any(_is_control(sign, lines=lines) for sign in text)


def _is_control(sign: str, *, lines: bool) -> bool:
    if lines and sign in "\n\r\t":
        return False
    if sign in ALLOWED_FORMAT:
        return False
    return sign in BIDI or unicodedata.category(sign) in {"Cc", "Cs", "Cf", "Co", "Zl", "Zp"}


def names_a_site(text: str) -> bool:
    """Say whether a text looks like an advertisement for a site."""
    return ADDRESS_OF_SITE.search(text) is not None


def storable(text: str, longest: int) -> str:
    """Cut a machine-made text (attribution, say) to what can be stored, dropping what cannot; never refuse it."""
    kept = "".join(sign for sign in text[: longest * 4] if not _is_control(sign, lines=False))
    return one_line(kept)[:longest]


def email_address(text: str, *, reserved: bool = False) -> str:
    """Return an e-mail address as mail servers write it; the network is not asked. `reserved` takes `.test` names too.

    Raises:
        ValueError: it is none.
    """
    from email_validator import validate_email  # its tables take as long to make as a door to open

    return validate_email(text, check_deliverability=False, test_environment=reserved).normalized


def masked_email(email: str) -> str:
    """Return an address that its owner recognises and nobody else can use: `m…@example.org`."""
    name, _, site = email.rpartition("@")
    return f"{name[:1]}…@{site}"


def with_masked_emails(text: str) -> str:
    """Mask every e-mail address in a text, for those who may read it but see no address."""
    return EMAIL.sub(lambda found: masked_email(found[0]), text)


def isolated(text: str) -> str:
    """Wrap a text that has right-to-left signs so that it stands unmixed in a line of the other direction.

    Source: Unicode Standard Annex 9, "Explicit Directional Isolates".
    """
    right_to_left = any(unicodedata.bidirectional(sign) in {"R", "AL", "AN"} for sign in text)
    return f"\u2068{text}\u2069" if right_to_left else text
