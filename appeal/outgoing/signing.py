"""Secrets and signatures of outgoing webhooks, and how both are kept.

Signed as Standard Webhooks has it, so that any of its libraries can check a message. At rest secrets are encrypted
with the signing key; a rolled key still opens what its predecessor closed. Source:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence

from appeal.settings import Settings


class KeyGone(Exception):
    """None of the signing keys in force has closed this."""


PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new random secret as it is shown: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign one message with one secret: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

    `timestamp` is in whole seconds since 1970.

    Raises:
        ValueError: the secret is not one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("That is not a secret of Standard Webhooks.") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(message_id: str, timestamp: int, body: bytes, known: Iterable[str]) -> dict[str, str]:
    """Return the headers of one message, with a signature for each secret in force (two while one is rolled)."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(one, message_id, timestamp, body) for one in known),
    }


class Safe:
    """Closes and opens what must not lie in the database as it is."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the signing keys, current first."""
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        digests = [hashlib.sha256(f"outgoing:{key}".encode()).digest() for key in keys]
        ferns = [Fernet(base64.urlsafe_b64encode(one)) for one in digests]
        self._current, self._fernet, self._refused = ferns[0], MultiFernet(ferns), InvalidToken

    def close(self, text: str) -> str:
        """Encrypt a text with the current key."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, closed: str) -> str:
        """Decrypt what any of the keys has closed.

        Raises:
            KeyGone: none of them has.
        """
        try:
            return self._fernet.decrypt(closed.encode()).decode()
        except self._refused as error:
            raise KeyGone from error

    def renew(self, closed: str) -> str:
        """Return what a former key has closed closed with the current one; anything else as it is.

        Raises:
            KeyGone: none of the keys has closed it.
        """
        if not closed:
            return closed
        try:
            self._current.decrypt(closed.encode())
        except self._refused:
            return self.close(self.open(closed))
        return closed


def safe_of(settings: Settings) -> Safe:
    """Return the safe of this installation."""
    return Safe(tuple(reversed(settings.signing_keys)))
