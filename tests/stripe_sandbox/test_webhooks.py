import hashlib
import hmac
import time

import pytest
import stripe

from stripe_sandbox.delivery import sign


def test_every_event_arrives_with_a_signature_that_stripe_s_library_accepts(give, sandbox, receiver):
    give()
    assert sandbox.settle()
    assert sorted(receiver.ids) == sorted(event["id"] for event in sandbox.events())
    assert "checkout.session.completed" in receiver.types


def test_a_signature_is_the_hmac_of_time_and_body():
    mark = hmac.new(b"whsec_1", b'1533204620.{"a":1}', hashlib.sha256).hexdigest()
    assert sign(b'{"a":1}', ["whsec_1"], 1533204620) == f"t=1533204620,v1={mark}"


def test_while_a_secret_is_rolled_both_sign(give, sandbox, receiver):
    sandbox.webhooks(secrets=["whsec_new", receiver.secret])
    give()
    assert sandbox.settle()
    assert receiver.events
    assert all(signature.count("v1=") == 2 for signature in receiver.signatures)


def test_a_refused_delivery_is_repeated_and_signed_anew(give, sandbox, receiver):
    sandbox.webhooks(retry_seconds=[1.1, 0.05], drop_types=["payment_intent.created", "charge.updated"])
    sandbox.webhooks(
        drop_types=[
            "payment_intent.created",
            "charge.succeeded",
            "charge.updated",
            "payment_intent.succeeded",
        ]
    )
    receiver.answers = [500, 503, 200]
    give()
    assert sandbox.settle()
    assert receiver.types == ["checkout.session.completed"] * 3
    assert len(set(receiver.ids)) == 1
    assert len({signature.split(",")[0] for signature in receiver.signatures}) == 2
    sent = [entry for entry in sandbox.deliveries() if entry["state"] != "dropped"]
    assert [attempt["status"] for attempt in sent[0]["attempts"]] == [500, 503, 200]
    assert sent[0]["state"] == "delivered"


def test_a_delivery_is_given_up_in_the_end(give, sandbox, receiver):
    sandbox.webhooks(retry_seconds=[0.01, 0.01])
    receiver.answers = [500] * 1000
    give()
    assert sandbox.settle()
    assert {entry["state"] for entry in sandbox.deliveries()} == {"failed"}
    assert {len(entry["attempts"]) for entry in sandbox.deliveries()} == {3}


def test_an_endpoint_that_is_down_is_tried_again_when_time_passes(give, sandbox, receiver):
    sandbox.webhooks(url="http://127.0.0.1:1/nobody", retry_seconds=[3600.0])
    give()
    assert not sandbox.settle(0.3)
    sandbox.webhooks(url=receiver.url)
    sandbox.advance(3700)
    assert sandbox.settle()
    assert "checkout.session.completed" in receiver.types


def test_events_can_be_doubled(give, sandbox, receiver):
    sandbox.webhooks(double=1.0)
    give()
    assert sandbox.settle()
    assert sorted(receiver.ids) == sorted(2 * [event["id"] for event in sandbox.events()])


def test_events_can_be_dropped_and_are_still_listed(give, sandbox, receiver, stripe_client):
    sandbox.webhooks(drop=1.0)
    give()
    assert sandbox.settle()
    assert receiver.events == []
    listed = stripe_client.v1.events.list({"type": "checkout.session.completed"})
    assert len(listed.data) == 1


def test_events_can_be_held_and_released_in_another_order(give, sandbox, receiver):
    sandbox.webhooks(hold=True, seed=7)
    give()
    time.sleep(0.05)
    assert receiver.events == []
    assert sandbox.release(limit=2) == 2
    assert sandbox.settle()
    assert len(receiver.events) == 2
    assert sandbox.release(shuffle=True) == 3
    assert sandbox.settle()
    assert sorted(receiver.ids) == sorted(event["id"] for event in sandbox.events())


def test_events_can_be_late(give, sandbox, receiver):
    sandbox.webhooks(delay_seconds=0.2)
    began = time.monotonic()
    give()
    assert sandbox.settle()
    assert time.monotonic() - began > 0.2
    assert receiver.events


def test_an_event_can_be_sent_again(give, sandbox, receiver, stripe_client):
    give()
    sandbox.settle()
    completed = stripe_client.v1.events.list({"type": "checkout.session.completed"}).data[0]
    sandbox.resend(completed.id)
    assert sandbox.settle()
    assert receiver.ids.count(completed.id) == 2


def test_the_signature_keeps_the_machine_s_time_when_the_sandbox_s_is_advanced(give, sandbox, receiver):
    sandbox.advance(days=90)
    give()
    assert sandbox.settle()
    assert receiver.events
    assert receiver.events[0]["created"] > time.time() + 89 * 86_400


@pytest.mark.parametrize("wrong", [{"colour": "red"}, {"double": "often"}, {"hold": 3.5}])
def test_manners_that_do_not_exist_are_refused(sandbox, wrong):
    with pytest.raises((ValueError, TypeError)):
        sandbox.webhooks(**wrong)


def test_the_endpoint_is_known_to_the_api_with_the_library_s_version(stripe_client, receiver):
    endpoint = stripe_client.v1.webhook_endpoints.list().data[0]
    assert (endpoint.url, endpoint.api_version, endpoint.status) == (
        receiver.url,
        stripe.api_version,
        "enabled",
    )
