"""The signed token in the donation form: from our own page, for one appeal, fresh, and good for one gift.

It needs no cookie, so the appeal page sets none. Together with the browser's own word on where a form comes from
(`Sec-Fetch-Site`, `Origin`) it stands where a session's CSRF token would (docs/adr/0003).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.settings import Settings, origin_of

MAX_AGE_SECONDS = 2 * 60 * 60
# People who are very quick wait a moment; a crowd of machines is not given our threads.
_waiting_room = threading.BoundedSemaphore(16)


class FormUnusable(DomainError):
    """This page was open for a long time, or not sent from here. Please check your gift and press the button again."""


class TooQuick(DomainError):
    """That was very quick. Please press the button again."""


@dataclass(frozen=True, slots=True)
class FormToken:
    """A token read back: its own id, and how old it is in seconds."""

    id: str
    age_seconds: int


def issue(settings: Settings, slug: str) -> str:
    """Make a token for one rendering of an appeal's form."""
    return issuer(settings)(slug)


def issuer(settings: Settings) -> Callable[[str], str]:
    """Return `issue` for many renderings: the keys are taken from the settings once."""
    sign = _signer(settings).sign
    return lambda slug: sign(f"{slug}.{secrets.token_urlsafe(18)}").decode()


def read(settings: Settings, slug: str, text: str) -> FormToken:
    """Read a token back.

    Raises:
        FormUnusable: it is missing, forged, of another appeal or more than two hours old.
    """
    try:
        value, signed_at = _signer(settings).unsign(
            text.encode(), max_age=MAX_AGE_SECONDS, return_timestamp=True
        )
    except (BadSignature, SignatureExpired, UnicodeError):
        raise FormUnusable from None
    of_slug, _, token_id = value.decode().rpartition(".")
    if of_slug != slug:
        raise FormUnusable
    return FormToken(token_id, int((clock.now() - signed_at).total_seconds()))


def let_ripen(token: FormToken, settings: Settings) -> None:
    """Hold back a form that comes faster than a person types, until it is old enough.

    Raises:
        TooQuick: too many are being held back already.
    """
    missing = settings.form_min_age_seconds - token.age_seconds
    if missing <= 0:
        return
    if not _waiting_room.acquire(blocking=False):
        raise TooQuick
    try:
        time.sleep(missing)
    finally:
        _waiting_room.release()


def refuse_foreign(request: Request, settings: Settings) -> None:
    """Refuse a form that the browser says was sent from another site.

    Raises:
        FormUnusable: it was. Programs that say nothing are let through: they carry no one's cookies.
    """
    site = request.headers.get("Sec-Fetch-Site", "")
    if site and site not in {"same-origin", "none"}:
        raise FormUnusable
    origin = request.headers.get("Origin", "")
    if origin and not site and origin not in {settings.public_origin, origin_of(request.host_url)}:
        raise FormUnusable


def _signer(settings: Settings) -> TimestampSigner:
    keys = [key.get_secret_value() for key in reversed(settings.secret_key_fallbacks)]
    return TimestampSigner(
        [*keys, settings.secret_key.get_secret_value()], salt="donation-form", key_derivation="hmac"
    )
