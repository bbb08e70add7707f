"""Where Stripe delivers its events: verified, stored, acknowledged, then applied at once if that goes well."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge

from appeal.context import settings
from appeal.extensions import csrf
from appeal.payments import SignatureInvalid
from appeal.queues import inbox

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)

EVENT_LONGEST_BYTES = 1024 * 1024


@blueprint.post("/webhooks/stripe")
def stripe() -> tuple[dict[str, bool], int]:
    """Take one event: 2xx once it is committed, 400 for a wrong signature or body."""
    config = settings()
    signature = request.headers.get("Stripe-Signature", "")
    inbox.take(_body(), signature, config.webhook_secrets, livemode=config.livemode)
    return {"received": True}, 200


def _body() -> bytes:
    """Read the raw bytes.

    Raises:
        SignatureInvalid: they are more than an event ever has.
    """
    request.max_content_length = EVENT_LONGEST_BYTES
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        raise SignatureInvalid("This is larger than an event of Stripe's ever is.") from None
