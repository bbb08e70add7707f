"""What the doors reach the application's own parts by: its settings and its supplier of payments."""

from __future__ import annotations

from typing import cast

from flask import current_app, request

from appeal.gifts.limits import Visitor
from appeal.payments import Gateway
from appeal.settings import Settings


def settings() -> Settings:
    """Return the settings of the running application."""
    return cast(Settings, current_app.extensions["appeal.settings"])


def gateway() -> Gateway:
    """Return the supplier of payments of the running application."""
    return cast(Gateway, current_app.extensions["appeal.gateway"])


def visitor() -> Visitor:
    """Say who asks, by the address that the configured number of proxies vouches for."""
    config = settings()
    return Visitor(
        address=request.remote_addr or "unknown",
        digest_key=config.secret_key.get_secret_value().encode(),
        per_address_hour=config.checkouts_per_address_hour,
    )
