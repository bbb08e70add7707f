"""Where Stripe delivers its events: verified, stored, acknowledged, then applied at once if that goes well."""

from __future__ import annotations

import structlog
from flask import Blueprint, request
from sqlalchemy.exc import SQLAlchemyError

from appeal import inbox
from appeal.context import settings
from appeal.extensions import csrf, db

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)

log = structlog.get_logger(__name__)
EVENT_LONGEST_BYTES = 1024 * 1024


@blueprint.post("/webhooks/stripe")
def stripe() -> tuple[dict[str, bool], int]:
    """Take one event: 2xx once it is committed, 400 for a wrong signature or body."""
    request.max_content_length = EVENT_LONGEST_BYTES
    config = settings()
    row_id = inbox.receive(
        request.get_data(), request.headers.get("Stripe-Signature", ""), config.webhook_secrets
    )
    if row_id is not None:
        try:
            inbox.apply(row_id, livemode=config.livemode)
        except SQLAlchemyError:  # stored already: the worker finishes it
            db.session.rollback()
            log.warning("webhook.left_to_the_worker", row=row_id)
    return {"received": True}, 200
