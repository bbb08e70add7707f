"""What all pages share: the policy that guards them, how they are rendered, what a form chose."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, render_template

from stripe_sandbox import cards
from stripe_sandbox.store import Item

_RHYTHMS = {"day": "a day", "week": "a week", "month": "a month", "year": "a year"}


def policy(targets: list[str | None]) -> str:
    """Return the Content-Security-Policy of a page whose forms may end at the given addresses."""
    parts = [urlsplit(target) for target in targets if target]
    origins = sorted({f"{part.scheme}://{part.netloc}" for part in parts})
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action "
        + " ".join(["'self'", *origins])
    )


def shown(template: str, targets: list[str | None], **values: Any) -> Response:
    """Return a page whose forms may end at the given addresses."""
    response = Response(render_template(template, **values), mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy(targets)
    return response


def chosen_means(form: Any) -> str:
    """Return what the form chose: a number that was typed wins over a card that was picked."""
    typed = "".join(form.get("card", "").split())
    return typed if typed != cards.GOOD_CARD else form.get("pick") or typed


def rhythm(price: Item) -> str:
    """Return how often a price is due, in words; empty for once."""
    recurring = price["recurring"]
    if not recurring:
        return ""
    count = recurring["interval_count"]
    return _RHYTHMS[recurring["interval"]] if count == 1 else f"every {count} {recurring['interval']}s"
