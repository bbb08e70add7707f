"""The controls of tests and demonstrations over HTTP: `/_sandbox/...`, JSON in and out.

Each address calls the method of `Sandbox` of the same name. Nothing here is Stripe's.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from stripe_sandbox.errors import ApiError

if TYPE_CHECKING:
    from stripe_sandbox.sandbox import Sandbox


def blueprint(sandbox: "Sandbox") -> Blueprint:
    """Return the addresses of the controls of one sandbox."""
    controls = Blueprint("controls", __name__, url_prefix="/_sandbox")
    controls.register_error_handler(
        ApiError, lambda refusal: (refusal.envelope("req_control"), refusal.status)
    )
    controls.register_error_handler(ValueError, _explain)
    controls.register_error_handler(TypeError, _explain)
    _add_time(controls, sandbox)
    _add_webhooks(controls, sandbox)
    _add_trouble(controls, sandbox)
    _add_people(controls, sandbox)
    return controls


def _explain(problem: Exception) -> tuple[dict[str, Any], int]:
    return {"error": {"message": str(problem), "type": "invalid_control"}}, 400


def _given() -> dict[str, Any]:
    """Return the JSON object of the request, or what its form says."""
    given = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if not isinstance(given, dict):
        raise ValueError("send a JSON object")  # noqa: TRY004 - answered as a value that is wrong
    return given


def _add(controls: Blueprint, rule: str, action: Callable[..., Any], method: str = "POST") -> None:
    """Let an address answer with what an action returns."""

    def answer(**ids: str) -> Response:
        return jsonify(action(**ids))

    controls.add_url_rule(rule, f"{method} {rule}", answer, methods=[method])


def _add_time(controls: Blueprint, sandbox: "Sandbox") -> None:
    def advance() -> dict[str, int]:
        given = _given()
        return {"now": sandbox.advance(float(given.get("seconds", 0)), days=float(given.get("days", 0)))}

    def reset() -> dict[str, int]:
        sandbox.reset()
        return {"now": sandbox.now()}

    _add(controls, "/clock", lambda: {"now": sandbox.now()}, "GET")
    _add(controls, "/clock/advance", advance)
    _add(controls, "/clock/set", lambda: {"now": sandbox.set_clock(int(_given()["now"]))})
    _add(controls, "/reset", reset)


def _add_webhooks(controls: Blueprint, sandbox: "Sandbox") -> None:
    def configure() -> dict[str, Any]:
        sandbox.webhooks(**_given())
        return shown()

    def shown() -> dict[str, Any]:
        return {name: value for name, value in vars(sandbox.post.manners).items() if name != "secrets"}

    def release() -> dict[str, int]:
        given = _given()
        return {"released": sandbox.release(shuffle=bool(given.get("shuffle")), limit=given.get("limit"))}

    def settle() -> dict[str, bool]:
        return {"settled": sandbox.settle(float(request.args.get("timeout", "10")))}

    def resend(event: str) -> dict[str, str]:
        sandbox.resend(event)
        return {"resent": event}

    _add(controls, "/webhooks", shown, "GET")
    _add(controls, "/webhooks", configure)
    _add(controls, "/webhooks/release", release)
    _add(controls, "/webhooks/settle", settle, "GET")
    _add(controls, "/deliveries", lambda: {"deliveries": sandbox.deliveries()}, "GET")
    _add(controls, "/events", lambda: {"events": sandbox.events(request.args.get("type"))}, "GET")
    _add(controls, "/events/<event>/resend", resend)


def _add_trouble(controls: Blueprint, sandbox: "Sandbox") -> None:
    def add() -> dict[str, Any]:
        given = _given()
        sandbox.outage(given.pop("kind"), **given)
        return shown()

    def shown() -> dict[str, Any]:
        return {"outages": sandbox.api.outages.shown()}

    def clear() -> dict[str, Any]:
        sandbox.clear_outages()
        return shown()

    _add(controls, "/outages", shown, "GET")
    _add(controls, "/outages", add)
    _add(controls, "/outages", clear, "DELETE")
    _add(controls, "/rejected", lambda: {"rejected": sandbox.rejected}, "GET")
    _add(controls, "/requests", lambda: {"requests": sandbox.requests}, "GET")


def _add_people(controls: Blueprint, sandbox: "Sandbox") -> None:
    def pay(session: str) -> dict[str, Any]:
        given = _given()
        card = given.pop("method", None) or given.pop("card", "4242424242424242")
        given.pop("card", None)
        return sandbox.pay(session, card, **given)._asdict()

    def fail_renewals(subscription: str) -> dict[str, str]:
        sandbox.fail_renewals(subscription, **_given())
        return {"failing": subscription}

    _add(controls, "/pay/<session>", pay)
    _add(controls, "/disputes/<charge>", lambda charge: sandbox.dispute(charge, **_given()))
    _add(
        controls,
        "/disputes/<dispute>/close",
        lambda dispute: sandbox.close_dispute(dispute, _given()["outcome"]),
    )
    _add(controls, "/disputes/<dispute>/escalate", sandbox.escalate_dispute)
    _add(controls, "/fraud_warnings/<charge>", sandbox.fraud_warning)
    _add(controls, "/refunds/<refund>/fail", lambda refund: sandbox.fail_refund(refund, **_given()))
    _add(controls, "/payouts", lambda: sandbox.payout(**_given()))
    _add(controls, "/subscriptions/<subscription>/fail_renewals", fail_renewals)
    _add(controls, "/subscriptions/<subscription>/zero_invoice", sandbox.zero_invoice)
