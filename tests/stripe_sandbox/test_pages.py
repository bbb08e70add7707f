"""The pages over HTTP and in the browser."""

from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.browser import assert_accessible


@pytest.fixture
def fetch(sandbox):
    def call(method, url, form=None):
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=10)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, f"{parts.path}?{parts.query}", urlencode(form or {}), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.headers), text

    return call


def test_the_page_says_loudly_that_no_money_moves(fetch, stripe_client, once):
    url = stripe_client.v1.checkout.sessions.create(once).url
    status, headers, text = fetch("GET", url)
    assert status == 200
    assert "Not a real payment" in text
    assert "Donate £25.00" in text
    assert "The Lantern" in text
    assert "<script" not in text
    assert "script-src" not in headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:9" in headers["Content-Security-Policy"]


def test_submitting_pays_and_leads_back_with_the_session_s_id(fetch, stripe_client, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    form = {"email": "reader@example.com", "name": "A <b>", "card": "4242 4242 4242 4242"}
    status, headers, _ = fetch("POST", session.url, form)
    assert (status, headers["Location"]) == (303, f"http://127.0.0.1:9/thanks?session={session.id}")
    assert "all done" in fetch("GET", session.url)[2]


def test_what_a_typed_number_and_a_picked_card_do(fetch, stripe_client, once):
    url = stripe_client.v1.checkout.sessions.create(once).url
    form = {"email": "r@example.com", "card": "4242 4242 4242 4242", "pick": "4000000000000002"}
    assert "Your card was declined." in fetch("POST", url, form)[2]
    assert "insufficient funds" in fetch("POST", url, form | {"card": "4000 0000 0000 9995"})[2]
    assert "not one of the test cards" in fetch("POST", url, form | {"card": "4111 1111 1111 1111"})[2]
    assert "Enter an e-mail address" in fetch("POST", url, form | {"email": "me"})[2]


def test_an_expired_session_and_an_unknown_one_have_pages(fetch, sandbox, stripe_client, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    sandbox.advance(2000)
    assert "expired" in fetch("GET", session.url)[2]
    assert fetch("GET", f"{sandbox.url}/c/pay/cs_test_nobody")[0] == 404


def test_a_page_survives_nonsense(fetch, stripe_client, once):
    url = stripe_client.v1.checkout.sessions.create(once).url
    assert (
        fetch("POST", url, {"email": "\x00@", "card": "\udcff".encode("utf-8", "replace"), "pick": "<>"})[0]
        == 200
    )
    assert fetch("POST", url, {"email": "x" * 30_000})[0] == 413
    assert fetch("DELETE", url)[0] == 405


@pytest.mark.browser
def test_a_person_pays_after_a_decline_and_three_d_secure(page, stripe_client, sandbox, once):
    once |= {"success_url": f"{sandbox.url}/?paid={{CHECKOUT_SESSION_ID}}", "cancel_url": f"{sandbox.url}/"}
    session = stripe_client.v1.checkout.sessions.create(once)
    page.goto(session.url)
    assert_accessible(page)
    page.check("[data-testid='pick-4000000000009995']")
    page.click("#pay")
    assert page.text_content("#message") == "Your card has insufficient funds."
    assert_accessible(page)
    page.fill("#card", "4000 0025 0000 3155")
    page.click("#pay")
    assert_accessible(page)
    page.click("#fail")
    assert "unable to authenticate" in page.text_content("#message")
    page.fill("#card", "4000 0025 0000 3155")
    page.click("#pay")
    page.click("#complete")
    page.wait_for_url(f"**/?paid={session.id}")


@pytest.mark.browser
def test_a_donor_manages_a_monthly_gift_on_the_portal(page, stripe_client, sandbox, subscribe):
    subscription = subscribe()
    made = stripe_client.v1.billing_portal.sessions.create(
        {"customer": subscription.customer, "return_url": f"{sandbox.url}/"}
    )

    def now():
        return stripe_client.v1.subscriptions.retrieve(subscription.id)

    page.goto(made.url)
    assert_accessible(page)
    page.click("[data-testid='pause']")
    assert now().pause_collection.behavior == "void"
    page.click("[data-testid='resume']")
    assert now().pause_collection is None
    page.click("[data-testid='cancel-gift']")
    assert page.text_content("[data-testid='state']").startswith("ends on")
    assert now().cancel_at_period_end
    page.click("[data-testid='keep']")
    page.check("[data-testid='pick-4000000000000341']")
    page.click("[data-testid='change-card']")
    page.get_by_text("ending in 0341").wait_for()
    page.click("[data-testid='return']")


@pytest.mark.browser
def test_a_donor_pays_an_open_invoice_by_another_card(page, stripe_client, sandbox, subscribe):
    subscription = subscribe("4000000000000341")
    sandbox.advance(days=32)
    invoice = stripe_client.v1.invoices.list({"status": "open"}).data[0]
    page.goto(invoice.hosted_invoice_url)
    assert_accessible(page)
    page.fill("#card", "4000 0000 0000 0002")
    page.click("#pay")
    assert page.text_content("#message") == "Your card was declined."
    page.click("#pay")
    assert page.text_content("[data-testid='state']") == "paid"
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
