"""The pages that donors see: hosted payment, 3-D Secure, open invoices, the portal. Plain HTML, no script.

Every page says that no money moves. The policy allows nothing but this origin's style sheet, and forms that end
here or where the application asked to be sent back to.
"""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from stripe_sandbox import cards, checkout, money
from stripe_sandbox.errors import ApiError
from stripe_sandbox.store import Item, World

_RHYTHMS = {"day": "a day", "week": "a week", "month": "a month", "year": "a year"}
MAX_FORM_BYTES = 20_000


def create_site(world: World, *others: Blueprint) -> Flask:
    """Return the pages, and whatever else shares the address, as one application."""
    site = Flask("stripe_sandbox", static_url_path="/_assets", static_folder="assets")
    site.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    site.jinja_env.undefined = StrictUndefined
    site.jinja_env.filters["money"] = money.shown
    site.register_blueprint(_checkout_pages(world))
    for other in others:
        site.register_blueprint(other)
    site.register_error_handler(ApiError, _sorry)
    site.after_request(_guard)
    return site


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", policy([]))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    if not request.path.startswith("/_assets/"):
        response.headers["Cache-Control"] = "no-store"
    return response


def policy(targets: list[str | None]) -> str:
    """Return the Content-Security-Policy of a page whose forms may end at the given addresses."""
    parts = [urlsplit(target) for target in targets if target]
    origins = sorted({f"{part.scheme}://{part.netloc}" for part in parts})
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        + " ".join(["form-action 'self'", *origins])
    )


def _sorry(refusal: ApiError) -> tuple[str, int]:
    return render_template("sorry.html", message=refusal.message), refusal.status


def _shown(template: str, targets: list[str | None], status: int = 200, **values: Any) -> Response:
    response = Response(render_template(template, **values), status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy(targets)
    return response


def chosen_means(form: Any) -> str:
    """Return what the form chose: a number that was typed wins over a card that was picked."""
    typed = "".join(form.get("card", "").split())
    return typed if typed != cards.GOOD_CARD else form.get("pick") or typed


def _checkout_pages(world: World) -> Blueprint:
    pages = Blueprint("checkout", __name__)

    @pages.get("/")
    def home() -> str:
        return render_template("home.html", merchant=world.merchant)

    @pages.get("/c/pay/<session_id>")
    def pay_page(session_id: str) -> Response:
        return _pay_page(world, session_id)

    @pages.post("/c/pay/<session_id>")
    def pay(session_id: str) -> AnyResponse:
        form = request.form
        email, name = form.get("email", "").strip()[:512], form.get("name", "").strip()[:256]
        if "@" not in email:
            return _pay_page(world, session_id, "Enter an e-mail address, such as name@example.com.", 422)
        outcome = checkout.pay(world, session_id, chosen_means(form), email, name or None)
        return _next(world, session_id, outcome)

    @pages.get("/c/pay/<session_id>/3ds")
    def challenge_page(session_id: str) -> Response:
        session = world["checkout.session"].get(session_id, "session")
        return _shown("challenge.html", [session["success_url"]], session=session, merchant=_merchant(world, session))

    @pages.post("/c/pay/<session_id>/3ds")
    def challenge(session_id: str) -> AnyResponse:
        outcome = checkout.answer_challenge(world, session_id, passed=request.form.get("answer") == "complete")
        return _next(world, session_id, outcome)

    @pages.get("/receipts/<charge_id>")
    def receipt(charge_id: str) -> str:
        return render_template("receipt.html", charge=world["charge"].get(charge_id), merchant=world.merchant)

    return pages


def _pay_page(world: World, session_id: str, message: str | None = None, status: int = 200) -> Response:
    session = world["checkout.session"].get(session_id, "session")
    if session["status"] != "open":
        return _shown("closed.html", [], 200, session=session, merchant=_merchant(world, session))
    lines = world.note(session_id)["lines"]
    targets = [session["success_url"], session["cancel_url"]]
    return _shown(
        "pay.html",
        targets,
        status,
        session=session,
        lines=lines,
        rhythm=_rhythm(lines),
        means=cards.offered(session["payment_method_types"]),
        merchant=_merchant(world, session),
        message=message,
        typed=request.form,
        good_card=cards.GOOD_CARD,
    )


def _merchant(world: World, session: Item) -> str:
    branding = session.get("branding_settings") or {}
    return str(branding.get("display_name") or world.merchant)


def _rhythm(lines: list[Item]) -> str:
    recurring = lines[0]["price"]["recurring"]
    if not recurring:
        return ""
    count = recurring["interval_count"]
    return _RHYTHMS[recurring["interval"]] if count == 1 else f"every {count} {recurring['interval']}s"


def _next(world: World, session_id: str, outcome: checkout.Outcome) -> AnyResponse:
    """Show or send the donor what follows on an attempt to pay."""
    if outcome.result == "challenge":
        return redirect(f"/c/pay/{session_id}/3ds", 303)
    if outcome.result == "declined":
        return _pay_page(world, session_id, outcome.message, 402)
    session = world["checkout.session"].get(session_id)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)
