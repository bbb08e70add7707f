"""Where Stripe delivers its events: verified, stored, acknowledged, then applied at once if that goes well."""

from __future__ import annotations

from flask import Blueprint, request

from appeal.context import settings
from appeal.extensions import csrf
from appeal.queues import inbox

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)

EVENT_LONGEST_BYTES = 1024 * 1024


@blueprint.post("/webhooks/stripe")
def stripe() -> tuple[dict[str, bool], int]:
    """Take one event: 2xx once it is committed, 400 for a wrong signature or body."""
    request.max_content_length = EVENT_LONGEST_BYTES
    config = settings()
    signature = request.headers.get("Stripe-Signature", "")
    inbox.take(request.get_data(), signature, config.webhook_secrets, livemode=config.livemode)
    return {"received": True}, 200
