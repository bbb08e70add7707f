"""Events as they are delivered: their signature checked on the raw bytes, their shape before anything believes them."""

from __future__ import annotations

import json
from typing import Any

from appeal.core import clock
from appeal.payments.port import SignatureInvalid

SIGNATURE_TOLERANCE_SECONDS = 300


def verified_event(body: bytes, header: str, secrets: tuple[str, ...]) -> dict[str, Any]:
    """Check an event's signature against each secret and parse it once, without Stripe's object tree.

    Raises:
        SignatureInvalid: for a wrong, stale or future signature and for any body that is no event.

    Source: Stripe, "Receive events in your webhook endpoint": the package checks neither the future nor the shape.
    """
    from stripe import SignatureVerificationError, WebhookSignature

    try:
        text = body.decode("utf-8")
        for secret in secrets:
            try:
                WebhookSignature.verify_header(text, header, secret)
                break
            except SignatureVerificationError:
                continue
        else:
            raise SignatureInvalid
        _refuse_other_times(header)
        event = json.loads(text)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SignatureInvalid("This is not an event.") from error
    if not _is_event(event):
        raise SignatureInvalid("This is not an event.")
    return dict(event)


def _refuse_other_times(header: str) -> None:
    """Refuse what was signed too long ago or, by our clock, has not been signed yet."""
    stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
    if abs(int(stamp) - clock.now().timestamp()) > SIGNATURE_TOLERANCE_SECONDS:
        raise SignatureInvalid("This event was not signed just now.")


def _is_event(event: Any) -> bool:
    return (
        isinstance(event, dict)
        and event.get("object") == "event"
        and _is_word(event.get("id"), 255)
        and _is_word(event.get("type"), 120)
        and isinstance(event.get("livemode"), bool)
        and isinstance(event.get("created"), int)
        and isinstance(event.get("data"), dict)
        and isinstance(event["data"].get("object"), dict)
    )


def _is_word(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()
