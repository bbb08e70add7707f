import threading

import pytest
import stripe


def test_the_same_request_under_the_same_key_is_answered_again(stripe_client, once):
    first = stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "gift-1:1"})
    again = stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "gift-1:1"})
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    assert len(stripe_client.v1.checkout.sessions.list().data) == 1


def test_another_request_under_the_same_key_is_refused_and_recorded(stripe_client, sandbox, once):
    stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        stripe_client.v1.checkout.sessions.create(once | {"locale": "fr"}, {"idempotency_key": "k"})
    assert len(sandbox.rejected) == 1


def test_a_500_is_stored_and_given_again(stripe_client, sandbox, once):
    sandbox.outage("500")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            stripe_client.v1.checkout.sessions.create(
                once, {"idempotency_key": "k", "max_network_retries": 0}
            )
    assert stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k2"}).status == "open"


@pytest.mark.parametrize("kind", ["429", "409"])
def test_a_refusal_before_any_work_is_not_stored(stripe_client, sandbox, once, kind):
    sandbox.outage(kind)
    with pytest.raises(stripe.StripeError):
        stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k", "max_network_retries": 0})
    assert stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k"}).status == "open"


def test_a_mistake_in_the_parameters_does_not_use_up_the_key(stripe_client, once):
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.checkout.sessions.create(once | {"locale": "xx"}, {"idempotency_key": "k"})
    assert stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k"}).status == "open"


def test_a_key_in_use_is_a_conflict(stripe_client, sandbox, once):
    sandbox.outage("hang", seconds=0.6)
    options = {"idempotency_key": "k", "max_network_retries": 0}
    made = []
    slow = threading.Thread(
        target=lambda: made.append(stripe_client.v1.checkout.sessions.create(once, options))
    )
    slow.start()
    while not sandbox.requests:
        pass
    with pytest.raises(stripe.StripeError) as refusal:
        stripe_client.v1.checkout.sessions.create(once, options)
    slow.join()
    assert refusal.value.http_status == 409
    assert refusal.value.json_body["error"]["code"] == "idempotency_key_in_use"
    assert stripe_client.v1.checkout.sessions.create(once, options).id == made[0].id


def test_a_key_is_forgotten_after_a_day(stripe_client, sandbox, give):
    intent = give().payment_intent.id
    first = stripe_client.v1.refunds.create(
        {"payment_intent": intent, "amount": 100}, {"idempotency_key": "k"}
    )
    sandbox.advance(days=2)
    second = stripe_client.v1.refunds.create(
        {"payment_intent": intent, "amount": 100}, {"idempotency_key": "k"}
    )
    assert first.id != second.id


def test_the_event_names_the_request_and_its_key(stripe_client, sandbox, give):
    made = stripe_client.v1.refunds.create(
        {"payment_intent": give().payment_intent.id}, {"idempotency_key": "refund-1"}
    )
    request = sandbox.events("refund.created")[0]["request"]
    assert request == {"id": made.last_response.request_id, "idempotency_key": "refund-1"}
    assert sandbox.events("payment_intent.succeeded")[0]["request"] == {"id": None, "idempotency_key": None}
