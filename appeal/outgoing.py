"""What the publisher's own systems are told: which events there are, and how each message is signed.

Signed as Standard Webhooks has it, so that any of its libraries can check a message. Source:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

EVENT_TYPES = {
    "gift.received": "A gift was received, by Stripe or by post",
    "gift.refunded": "A refund went back to the donor",
    "gift.refund_failed": "A refund did not arrive, and the money is back",
    "gift.disputed": "A dispute took a gift's money",
    "gift.dispute_reinstated": "A dispute gave a gift's money back",
    "gift.corrected": "Staff corrected a gift",
    "monthly.cancelled": "A monthly gift ended",
    "milestone.reached": "An appeal passed a milestone",
}
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that Standard Webhooks gives secrets, not one of them
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new random secret as it is shown: `whsec_` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign one message with one secret: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.

    `timestamp` is in whole seconds since 1970.

    Raises:
        ValueError: the secret is not one.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("That is not a secret of Standard Webhooks.") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers(message_id: str, timestamp: int, body: bytes, known: Iterable[str]) -> dict[str, str]:
    """Return the headers of one message, with a signature for each secret in force (two while one is rolled)."""
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(one, message_id, timestamp, body) for one in known),
    }
