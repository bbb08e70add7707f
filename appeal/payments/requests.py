"""What we send to Stripe to open a payment page, as plain parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from appeal.core import money
from appeal.payments.port import CheckoutRequest


def checkout_params(request: CheckoutRequest) -> dict[str, Any]:
    """Write the parameters of a hosted Checkout session.

    Metadata on the session does not travel to the payment, so it is repeated there. No personal data in it. A monthly
    gift and its fee cover are one price, so that the amount can be changed later in one place.
    Source: Stripe, "Create a Checkout Session".
    """
    monthly = request.frequency == "monthly"
    metadata = {"donation_id": request.donation_public_id}
    params: dict[str, Any] = {
        "mode": "subscription" if monthly else "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "client_reference_id": request.donation_public_id,
        "metadata": metadata,
        "line_items": list(_lines(request, monthly=monthly)),
        "customer_email": request.email,
        "locale": request.locale,
        "adaptive_pricing": {"enabled": False},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
    }
    params["subscription_data" if monthly else "payment_intent_data"] = {"metadata": metadata}
    return params


def _lines(request: CheckoutRequest, *, monthly: bool) -> Iterator[dict[str, Any]]:
    if monthly:
        cover = ", card fee included" if request.cover_minor else ""
        yield _line(request, request.product + cover, request.amount_minor + request.cover_minor)
        return
    yield _line(request, request.product, request.amount_minor)
    if request.cover_minor:
        yield _line(request, "Card fee cover", request.cover_minor)


def _line(request: CheckoutRequest, name: str, amount_minor: int) -> dict[str, Any]:
    price: dict[str, Any] = {
        "currency": request.currency,
        "unit_amount": money.to_stripe(amount_minor, request.currency),
        "product_data": {"name": name},
    }
    if request.frequency == "monthly":
        price["recurring"] = {"interval": "month"}
    return {"price_data": price, "quantity": 1}
