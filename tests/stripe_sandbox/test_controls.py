"""The controls over HTTP, as another process uses them."""

import json
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def control(sandbox):
    def call(method, path, given=None):
        parts = urlsplit(sandbox.url)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=10)
        body = None if given is None else json.dumps(given)
        connection.request(method, f"/_sandbox{path}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        return answer.status, found

    return call


def test_a_session_is_paid_without_its_page(control, stripe_client, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    assert control("POST", f"/pay/{session.id}", {"card": "4000000000000002"})[1]["result"] == "declined"
    paid = control("POST", f"/pay/{session.id}", {"name": "Ada", "email": "ada@example.com"})
    assert paid == (200, {"result": "paid", "message": None})
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).customer_details.name == "Ada"
    status, refusal = control("POST", f"/pay/{session.id}", {})
    assert (status, "no longer open" in refusal["error"]["message"]) == (400, True)


def test_a_session_is_paid_by_a_debit(control, stripe_client, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    assert control("POST", f"/pay/{session.id}", {"method": "bacs_debit"})[1]["result"] == "paid"
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_the_clock_is_read_advanced_and_set(control):
    before = control("GET", "/clock")[1]["now"]
    after = control("POST", "/clock/advance", {"days": 2, "seconds": 5})[1]["now"]
    assert after - before in (172_805, 172_806)
    assert control("POST", "/clock/set", {"now": after + 1000})[1]["now"] >= after + 1000
    assert control("POST", "/clock/advance", {"seconds": -5})[0] == 400


def test_webhooks_are_held_released_and_looked_at(control, give, receiver):
    assert control("POST", "/webhooks", {"hold": True})[1]["hold"] is True
    give()
    assert {entry["state"] for entry in control("GET", "/deliveries")[1]["deliveries"]} == {"held"}
    assert control("POST", "/webhooks/release", {"shuffle": True})[1]["released"] == 5
    assert control("GET", "/webhooks/settle?timeout=5")[1]["settled"] is True
    completed = control("GET", "/events?type=checkout.session.completed")[1]["events"][0]
    control("POST", f"/events/{completed['id']}/resend", {})
    control("GET", "/webhooks/settle?timeout=5")
    assert receiver.ids.count(completed["id"]) == 2


def test_a_secret_is_never_shown(control, receiver):
    assert receiver.secret not in json.dumps(control("GET", "/webhooks")[1])


def test_outages_are_made_seen_and_cleared(control):
    added = control("POST", "/outages", {"kind": "500", "times": None, "path": "refunds"})[1]
    assert added["outages"][0]["kind"] == "500"
    assert control("DELETE", "/outages")[1] == {"outages": []}
    assert control("POST", "/outages", {"kind": "flood"})[0] == 400
    assert control("POST", "/outages", {"kind": "500", "colour": "red"})[0] == 400


def test_requests_and_refusals_are_shown(control, stripe_client, once):
    stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k"})
    entry = control("GET", "/requests")[1]["requests"][0]
    assert (entry["path"], entry["idempotency_key"], entry["status"]) == ("/v1/checkout/sessions", "k", 200)
    assert control("GET", "/rejected")[1] == {"rejected": []}


def test_banks_dispute_warn_refuse_refunds_and_pay_out(control, give, stripe_client):
    first, second = give(), give()
    made = control("POST", f"/disputes/{first.payment_intent.id}", {"inquiry": True})[1]
    assert control("POST", f"/disputes/{made['id']}/escalate", {})[1]["status"] == "needs_response"
    assert control("POST", f"/disputes/{made['id']}/close", {"outcome": "won"})[1]["status"] == "won"
    assert control("POST", f"/fraud_warnings/{second.payment_intent.id}", {})[1]["actionable"] is True
    refund = stripe_client.v1.refunds.create({"payment_intent": second.payment_intent.id})
    assert control("POST", f"/refunds/{refund.id}/fail", {})[1]["status"] == "failed"
    assert control("POST", "/payouts", {"everything": True})[1]["status"] == "paid"


def test_renewals_are_made_to_fail(control, subscribe, sandbox):
    subscription = subscribe()
    assert control("POST", f"/subscriptions/{subscription.id}/fail_renewals", {"times": 1})[0] == 200
    assert control("POST", f"/subscriptions/{subscription.id}/zero_invoice", {})[1]["amount_paid"] == 0
    control("POST", "/clock/advance", {"days": 32})
    assert len(sandbox.events("invoice.payment_failed")) == 1


def test_a_reset_forgets_everything_but_the_endpoint(control, give, stripe_client, sandbox, receiver):
    give()
    sandbox.settle()
    control("POST", "/webhooks", {"hold": True})
    control("POST", "/outages", {"kind": "500"})
    control("POST", "/clock/advance", {"days": 400})
    assert control("POST", "/reset", {})[0] == 200
    assert stripe_client.v1.checkout.sessions.list().data == []
    assert sandbox.events() == []
    assert sandbox.deliveries() == []
    assert stripe_client.v1.webhook_endpoints.list().data[0].url == receiver.url
    receiver.events.clear()
    give()
    assert sandbox.settle()
    assert receiver.events
