import time

import pytest
import stripe

ONCE = {"max_network_retries": 0}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("500", stripe.APIError),
        ("429", stripe.RateLimitError),
        ("402", stripe.CardError),
        ("503", stripe.APIError),
        ("reset", stripe.APIConnectionError),
        ("half", stripe.APIConnectionError),
        ("lost", stripe.APIConnectionError),
        ("500_after", stripe.APIError),
    ],
)
def test_trouble_reaches_the_client_as_its_own_error_and_passes(stripe_client, sandbox, once, kind, error):
    sandbox.outage(kind)
    with pytest.raises(error):
        stripe_client.v1.checkout.sessions.create(once, ONCE)
    assert stripe_client.v1.checkout.sessions.create(once, ONCE).status == "open"
    assert not sandbox.rejected


@pytest.mark.parametrize(
    ("kind", "worked"), [("reset", 0), ("500", 0), ("half", 1), ("lost", 1), ("500_after", 1)]
)
def test_some_troubles_come_before_the_work_and_some_after(stripe_client, sandbox, once, kind, worked):
    sandbox.outage(kind)
    with pytest.raises(stripe.StripeError):
        stripe_client.v1.checkout.sessions.create(once, ONCE)
    assert len(stripe_client.v1.checkout.sessions.list().data) == worked


def test_a_lost_answer_is_found_again_by_the_key(stripe_client, sandbox, once):
    sandbox.outage("lost")
    with pytest.raises(stripe.APIConnectionError):
        stripe_client.v1.checkout.sessions.create(once, ONCE | {"idempotency_key": "k"})
    again = stripe_client.v1.checkout.sessions.create(once, {"idempotency_key": "k"})
    assert again.last_response.headers["idempotent-replayed"] == "true"


def test_a_client_that_retries_by_itself_gets_through(stripe_client, sandbox, once):
    sandbox.outage("lost", times=2)
    session = stripe_client.v1.checkout.sessions.create(once, {"max_network_retries": 2})
    assert [item.id for item in stripe_client.v1.checkout.sessions.list().data] == [session.id]


def test_an_outage_lasts_until_it_is_cleared(stripe_client, sandbox):
    sandbox.outage("500", times=None)
    for _ in range(3):
        with pytest.raises(stripe.APIError):
            stripe_client.v1.balance.retrieve(None, ONCE)
    sandbox.clear_outages()
    assert stripe_client.v1.balance.retrieve().object == "balance"


def test_an_outage_can_be_of_one_address_and_method(stripe_client, sandbox, once):
    sandbox.outage("500", path="/checkout/sessions$", method="POST")
    assert stripe_client.v1.checkout.sessions.list().data == []
    assert stripe_client.v1.balance.retrieve().object == "balance"
    with pytest.raises(stripe.APIError):
        stripe_client.v1.checkout.sessions.create(once, ONCE)


def test_a_client_gives_up_on_a_hanging_answer(sandbox):
    http = stripe.RequestsClient(timeout=0.2)
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": sandbox.url}, http_client=http)
    sandbox.outage("hang", seconds=30)
    began = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        client.v1.balance.retrieve(None, ONCE)
    assert time.monotonic() - began < 5
    http.close()


@pytest.mark.parametrize(
    "wrong", [{"kind": "flood"}, {"kind": "500", "times": 0}, {"kind": "500", "path": "("}]
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox, wrong):
    with pytest.raises(Exception, match=r"."):
        sandbox.outage(**wrong)
