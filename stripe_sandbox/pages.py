"""The pages that donors see: hosted payment, 3-D Secure, receipts. Plain HTML, no script.

Every page says that no money moves. The policy allows nothing but this origin's style sheet, and forms that end
here or where the application asked to be sent back to.
"""

from flask import Blueprint, Flask, Response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response as AnyResponse

from stripe_sandbox import cards, checkout, money
from stripe_sandbox.donor_pages import invoice_pages, portal_pages
from stripe_sandbox.errors import ApiError
from stripe_sandbox.page_parts import chosen_means, policy, rhythm, shown
from stripe_sandbox.store import Item, World

MAX_FORM_BYTES = 20_000


def create_site(world: World, *others: Blueprint) -> Flask:
    """Return the pages, and whatever else shares the address, as one application."""
    site = Flask("stripe_sandbox", static_url_path="/_assets", static_folder="assets")
    site.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    site.jinja_env.undefined = StrictUndefined
    site.jinja_env.filters["money"] = money.shown
    for pages in (_checkout_pages(world), invoice_pages(world), portal_pages(world), *others):
        site.register_blueprint(pages)
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


def _sorry(refusal: ApiError) -> tuple[str, int]:
    return render_template("sorry.html", message=refusal.message), refusal.status


def _checkout_pages(world: World) -> Blueprint:
    pages = Blueprint("checkout", __name__)

    @pages.get("/")
    def home() -> str:
        return render_template("home.html", merchant=world.merchant)

    @pages.get("/healthz")
    def alive() -> dict[str, bool]:
        return {"ok": True}

    @pages.get("/c/pay/<session_id>")
    def pay_page(session_id: str) -> Response:
        return _pay_page(world, session_id)

    @pages.post("/c/pay/<session_id>")
    def pay(session_id: str) -> AnyResponse:
        form = request.form
        email, name = form.get("email", "").strip()[:512], form.get("name", "").strip()[:256]
        if "@" not in email:
            return _pay_page(world, session_id, "Enter an e-mail address, such as name@example.com.")
        return _next(
            world, session_id, checkout.pay(world, session_id, chosen_means(form), email, name or None)
        )

    @pages.get("/c/pay/<session_id>/3ds")
    def challenge_page(session_id: str) -> Response:
        session = world["checkout.session"].get(session_id, "session")
        return shown("challenge.html", [session["success_url"]], session=session, merchant=_merchant(session))

    @pages.post("/c/pay/<session_id>/3ds")
    def challenge(session_id: str) -> AnyResponse:
        passed = request.form.get("answer") == "complete"
        return _next(world, session_id, checkout.answer_challenge(world, session_id, passed=passed))

    @pages.get("/receipts/<charge_id>")
    def receipt(charge_id: str) -> str:
        return render_template("receipt.html", charge=world["charge"].get(charge_id), merchant=world.merchant)

    return pages


def _pay_page(world: World, session_id: str, message: str | None = None) -> Response:
    session = world["checkout.session"].get(session_id, "session")
    if session["status"] != "open":
        return shown("closed.html", [], session=session, merchant=_merchant(session))
    lines = world.note(session_id)["lines"]
    return shown(
        "pay.html",
        [session["success_url"], session["cancel_url"]],
        session=session,
        lines=lines,
        rhythm=rhythm(lines[0]["price"]),
        means=cards.offered(session["payment_method_types"]),
        merchant=_merchant(session),
        message=message,
        typed=request.form,
        good_card=cards.GOOD_CARD,
    )


def _merchant(session: Item) -> str:
    return str(session["branding_settings"]["display_name"])


def _next(world: World, session_id: str, outcome: checkout.Outcome) -> AnyResponse:
    """Show or send the donor what follows on an attempt to pay."""
    if outcome.result == "challenge":
        return redirect(f"/c/pay/{session_id}/3ds", 303)
    if outcome.result == "declined":
        return _pay_page(world, session_id, outcome.message)
    session = world["checkout.session"].get(session_id)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id), 303)
