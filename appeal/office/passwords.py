"""Passwords and single-use tokens: argon2id, digests, and what a password must be."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from appeal.core.errors import DomainError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 200
TOO_COMMON = frozenset({"password", "passwort", "123456789012", "qwertyuiopas", "letmeinletmein", "iloveyou"})


class WeakPassword(DomainError):
    """Choose a longer password."""


def refuse_weak(password: str, email: str) -> None:
    """Hold a new password to length and to the obvious guesses; no rule about kinds of signs.

    Raises:
        WeakPassword: with what to do about it.
    Source: NIST SP 800-63B, 5.1.1.2; ours is 12.
    """
    if len(password) < SHORTEST:
        raise WeakPassword(f"Use at least {SHORTEST} characters; a few words in a row are fine.")
    if len(password) > LONGEST:
        raise WeakPassword(f"Use at most {LONGEST} characters.")
    folded = password.casefold()
    if folded in TOO_COMMON or len(set(folded)) < 5 or email.casefold().partition("@")[0] == folded:
        raise WeakPassword("That password is easy to guess. A few words in a row are better.")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # the library's profile: RFC 9106, low memory


def digest_of(password: str) -> str:
    """Return the argon2id digest to store."""
    return _hasher().hash(password)


def fits(stored: str, password: str) -> bool:
    """Say whether a password is the stored one; takes as long when nothing is stored."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored or _nobodys(), password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher().hash(secrets.token_hex(16))


def keyed_digest(key: bytes, *parts: str) -> str:
    """Return a digest that only this installation can make."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def token_digest(token: str) -> str:
    """Return what is stored of a random token."""
    return hashlib.sha256(token.encode()).hexdigest()
