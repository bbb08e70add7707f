"""The second factor: codes from an authenticator app, each good once, and recovery codes for a lost phone.

The shared secret is stored encrypted with the signing key; a rolled key still opens what its predecessor closed.
Source: RFC 6238; the arithmetic is libpass's.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from passlib.exc import TokenError

from appeal.core import clock, ids
from appeal.models import Person
from appeal.office.passwords import token_digest

WINDOW_SECONDS = 30
RECOVERY_CODES = 10


@dataclass(frozen=True, slots=True)
class Offer:
    """A new secret, not yet in force: `sealed` is kept until the first code proves that the app has it."""

    sealed: str
    uri: str
    key: str


class SecondFactor:
    """The second factor of this installation's people."""

    def __init__(self, keys: Sequence[str], issuer: str) -> None:
        """Take the signing keys, current first, and the name that the app will show."""
        from passlib.totp import TOTP, AppWallet

        secrets_by_tag = {_tag(key): hashlib.sha256(f"totp:{key}".encode()).hexdigest() for key in keys}
        wallet = AppWallet(secrets_by_tag, default_tag=_tag(keys[0]))
        self._totp: Any = TOTP.using(wallet=wallet, issuer=issuer.replace(":", " "))

    def offer(self, person: Person) -> Offer:
        """Make a new secret for a person."""
        totp = self._totp.new()
        return Offer(totp.to_json(), totp.to_uri(person.email), totp.pretty_key())

    def accept(self, person: Person, sealed: str, code: str) -> list[str] | None:
        """Put an offered secret in force if the code fits; return new recovery codes, shown once, else None."""
        counter = self._match(sealed, code, 0)
        if counter is None:
            return None
        codes = [f"{ids.public_id()[:5]}-{ids.public_id()[:5]}" for _ in range(RECOVERY_CODES)]
        person.second_factor, person.last_code_counter = sealed, counter
        person.recovery_digests = [token_digest(one) for one in codes]
        return codes

    def fits(self, person: Person, code: str) -> bool:
        """Say whether a code is good, and use it up."""
        code = code.strip().replace(" ", "")
        counter = self._match(person.second_factor, code, person.last_code_counter)
        if counter is not None:
            person.last_code_counter = counter
            return True
        digest = token_digest(code.lower())
        left = [one for one in person.recovery_digests if not secrets.compare_digest(one, digest)]
        used = len(left) < len(person.recovery_digests)
        person.recovery_digests = left
        return used

    def _match(self, sealed: str, code: str, last_counter: int) -> int | None:
        try:
            totp = self._totp.from_json(sealed)
            match = totp.match(
                code, time=clock.now(), window=WINDOW_SECONDS, last_counter=last_counter or None
            )
        except (TokenError, ValueError, KeyError):
            return None
        return int(match.counter)


def _tag(key: str) -> str:
    return hashlib.sha256(f"tag:{key}".encode()).hexdigest()[:8]
