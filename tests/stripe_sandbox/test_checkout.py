import threading
import time

import pytest
import stripe


def test_a_session_is_open_and_unpaid_until_its_page_is_used(stripe_client, sandbox, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert session.url == f"{sandbox.url}/c/pay/{session.id}"
    assert session.amount_total == 2500
    assert not session.livemode


def test_paying_completes_the_session_with_charge_fee_and_net(give):
    session = give()
    charge = session.payment_intent.latest_charge
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert (charge.amount, charge.status, charge.captured) == (2500, "succeeded", True)
    assert charge.balance_transaction.fee == 58  # 1.5 % of 25.00 is 37.5, and 20
    assert charge.balance_transaction.net == 2442


def test_metadata_travels_only_where_it_was_repeated(give, once):
    with_copy = give()
    once.pop("payment_intent_data")
    without = give()
    assert with_copy.payment_intent.metadata.to_dict() == {"donation_id": "gift-1"}
    assert with_copy.payment_intent.latest_charge.metadata.to_dict() == {"donation_id": "gift-1"}
    assert without.metadata.to_dict() == {"donation_id": "gift-1"}
    assert without.payment_intent.metadata.to_dict() == {}


def test_the_donor_of_a_single_gift_becomes_no_customer(give):
    session = give()
    assert session.customer is None
    assert session.customer_details.email == "reader@example.com"
    assert session.customer_details.name == "Test Donor"


def test_the_balance_transaction_comes_with_a_later_event(give, sandbox):
    give()
    assert sandbox.events("charge.succeeded")[0]["data"]["object"]["balance_transaction"] is None
    updated = sandbox.events("charge.updated")[0]["data"]
    assert updated["object"]["balance_transaction"].startswith("txn_")
    assert updated["previous_attributes"] == {"balance_transaction": None}


def test_a_declined_card_leaves_the_session_open_for_another(stripe_client, sandbox, once, happened):
    session = stripe_client.v1.checkout.sessions.create(once)
    outcome = sandbox.pay(session.id, "4000000000000002")
    assert outcome == ("declined", "Your card was declined.")
    assert happened() == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert sandbox.pay(session.id).result == "paid"
    found = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert found.payment_intent.amount_received == 2500
    assert len(stripe_client.v1.charges.list({"payment_intent": found.payment_intent.id}).data) == 2


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", None),
    ],
)
def test_a_decline_says_why(give, card, code, decline):
    intent = give(card).payment_intent
    error = intent.last_payment_error.to_dict()
    assert (error["code"], error.get("decline_code")) == (code, decline)
    assert intent.status == "requires_payment_method"


def test_three_d_secure_passed_pays_and_failed_does_not(stripe_client, sandbox, once):
    first = stripe_client.v1.checkout.sessions.create(once)
    assert sandbox.pay(first.id, "4000002500003155", challenge=None).result == "challenge"
    assert stripe_client.v1.payment_intents.list().data[0].status == "requires_action"
    second = stripe_client.v1.checkout.sessions.create(once)
    refused = sandbox.pay(second.id, "4000002500003155", challenge=False)
    assert refused.result == "declined"
    assert "unable to authenticate" in refused.message
    assert sandbox.pay(second.id, "4000002500003155", challenge=True).result == "paid"


def test_a_debit_is_unpaid_at_first_and_paid_days_later(stripe_client, sandbox, once, happened):
    session = stripe_client.v1.checkout.sessions.create(once)
    sandbox.pay(session.id, "bacs_debit")
    found = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert found.payment_intent.status == "processing"
    assert not stripe_client.v1.balance_transactions.list().data
    happened()
    sandbox.advance(days=3)
    assert "checkout.session.async_payment_succeeded" in happened()
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert stripe_client.v1.balance_transactions.list().data[0].type == "payment"


def test_a_debit_can_fail_days_later(stripe_client, sandbox, once, happened):
    session = stripe_client.v1.checkout.sessions.create(once)
    sandbox.pay(session.id, "bacs_debit_fails")
    happened()
    sandbox.advance(days=3)
    assert happened() == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_a_debit_is_offered_only_in_its_currency_and_when_allowed(stripe_client, sandbox, once):
    once["allowed_payment_method_types"] = ["card"]
    session = stripe_client.v1.checkout.sessions.create(once)
    assert session.payment_method_types == ["card"]
    assert sandbox.pay(session.id, "bacs_debit").result == "declined"


def test_a_session_expires_by_time_or_on_request(stripe_client, sandbox, once, happened):
    by_time = stripe_client.v1.checkout.sessions.create(once)
    on_request = stripe_client.v1.checkout.sessions.create(once)
    stripe_client.v1.checkout.sessions.expire(on_request.id)
    sandbox.advance(1900)
    assert happened() == ["checkout.session.expired", "checkout.session.expired"]
    assert stripe_client.v1.checkout.sessions.retrieve(by_time.id).status == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        stripe_client.v1.checkout.sessions.expire(by_time.id)


def test_a_session_made_after_the_clock_was_advanced_lives_as_long_as_asked(stripe_client, sandbox, once):
    sandbox.advance(days=40)
    session = stripe_client.v1.checkout.sessions.create(once | {"expires_at": int(time.time()) + 1860})
    sandbox.advance(1000)
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).status == "open"
    sandbox.advance(1000)
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_of_many_who_pay_one_session_at_once_one_succeeds(stripe_client, sandbox, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    results = []

    def try_to_pay():
        try:
            results.append(sandbox.pay(session.id).result)
        except Exception as refusal:
            results.append(type(refusal).__name__)

    threads = [threading.Thread(target=try_to_pay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["ApiError"] * 7 + ["paid"]
    assert len(stripe_client.v1.charges.list().data) == 1


def test_line_items_come_when_expanded_and_by_their_own_address(stripe_client, once):
    session = stripe_client.v1.checkout.sessions.create(once | {"expand": ["line_items"]})
    assert session.line_items.data[0].description == "Gift to the appeal"
    listed = stripe_client.v1.checkout.sessions.line_items.list(session.id)
    assert listed.data[0].price.unit_amount == 2500
    assert "line_items" not in stripe_client.v1.checkout.sessions.retrieve(session.id)


@pytest.mark.parametrize(
    ("currency", "amount_minor"), [("jpy", 500), ("kwd", 1000), ("usd", 50), ("eur", 50)]
)
def test_currencies_of_other_exponents_are_charged_as_they_are(give, currency, amount_minor):
    quantity = {"quantity": 1}
    price = {"currency": currency, "unit_amount": amount_minor, "product_data": {"name": "Gift"}}
    session = give(line_items=[quantity | {"price_data": price}])
    assert session.payment_intent.amount_received == amount_minor
    assert session.currency == currency
