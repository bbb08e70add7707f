import time

import pytest
import stripe

from tests.stripe_sandbox.conftest import line

NOW = int(time.time())
PRICE = {"currency": "gbp", "unit_amount": 2500, "product_data": {"name": "Gift"}}
WRONG = {
    "an unknown name": ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
    "an unknown nested name": (
        {"line_items": [{"quantity": 1, "price_data": PRICE | {"cost": 1}}]},
        "line_items[0][price_data][cost]",
        "parameter_unknown",
    ),
    "no success address": ({"success_url": None}, "success_url", "parameter_missing"),
    "an address that is none": ({"success_url": "thanks"}, "success_url", "url_invalid"),
    "no mode": ({"mode": None}, "mode", "parameter_missing"),
    "no lines": ({"line_items": None}, "line_items", "parameter_missing"),
    "a word outside the list": ({"locale": "xx"}, "locale", None),
    "a page of old": ({"ui_mode": "hosted"}, "ui_mode", None),
    "a whole number that is none": ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
    "a fraction of a penny": ({"line_items": [line(25.0)]}, "line_items[0][price_data][unit_amount]", None),
    "nothing at all": ({"client_reference_id": ""}, "client_reference_id", "parameter_invalid_empty"),
    "a reference too long": ({"client_reference_id": "x" * 201}, "client_reference_id", None),
    "an early end": ({"expires_at": NOW + 600}, "expires_at", None),
    "a late end": ({"expires_at": NOW + 90_000}, "expires_at", None),
    "29 pence": ({"line_items": [line(29)]}, "line_items", "amount_too_small"),
    "49 cents": ({"line_items": [line(49, "usd")]}, "line_items", "amount_too_small"),
    "a million": ({"line_items": [line(100_000_000)]}, "line_items", "amount_too_large"),
    "less than nothing": ({"line_items": [line(-5)]}, "line_items[0][price_data][unit_amount]", None),
    "a currency unheard of": (
        {"line_items": [line(500, "xyz")]},
        "line_items[0][price_data][currency]",
        None,
    ),
    "a last digit in dinars": (
        {"line_items": [line(1005, "kwd")]},
        "line_items[0][price_data][unit_amount]",
        None,
    ),
    "two currencies": ({"line_items": [line(500), line(500, "eur")]}, "line_items", None),
    "a recurring price once": (
        {"line_items": [line(500, recurring={"interval": "month"})]},
        "line_items[0]",
        None,
    ),
    "no quantity": ({"line_items": [{"price_data": PRICE}]}, "line_items[0][quantity]", None),
    "a subscription's data": ({"subscription_data": {"description": "x"}}, "subscription_data", None),
    "a descriptor on cards": (
        {"payment_intent_data": {"statement_descriptor": "LANTERN"}},
        "payment_intent_data[statement_descriptor]",
        None,
    ),
    "a suffix too long": (
        {"payment_intent_data": {"statement_descriptor_suffix": "X" * 23}},
        "payment_intent_data[statement_descriptor_suffix]",
        None,
    ),
    "an e-mail address that is none": ({"customer_email": "reader"}, "customer_email", "email_invalid"),
    "too many keys": ({"metadata": {f"k{n}": "v" for n in range(51)}}, "metadata", None),
    "a key too long": ({"metadata": {"k" * 41: "v"}}, "metadata", None),
    "a value too long": ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
    "a customer and an address": ({"customer": "cus_nobody"}, "customer", "resource_missing"),
    "what the sandbox lacks": ({"allow_promotion_codes": True}, "allow_promotion_codes", None),
    "what the sandbox lacks, nested": (
        {"payment_intent_data": {"capture_method": "manual"}},
        "payment_intent_data[capture_method]",
        None,
    ),
    "what cannot be expanded": ({"expand": ["nonsense"]}, "expand", None),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_session_with_a_mistake_is_refused_by_name(stripe_client, once, wrong):
    changes, param, code = WRONG[wrong]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.checkout.sessions.create(once | changes)
    assert refusal.value.param == param
    if code:
        assert refusal.value.code == code


def test_data_of_the_payment_is_refused_in_subscription_mode(stripe_client, monthly):
    monthly["payment_intent_data"] = {"metadata": {"a": "b"}}
    with pytest.raises(stripe.InvalidRequestError, match="subscription"):
        stripe_client.v1.checkout.sessions.create(monthly)


def test_every_refused_request_is_recorded(stripe_client, sandbox, once):
    assert sandbox.rejected == []
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.checkout.sessions.create(once | {"colour": "red"})
    entry = sandbox.rejected[0]
    assert (entry["method"], entry["path"], entry["param"]) == ("POST", "/v1/checkout/sessions", "colour")
    assert entry["params"]["colour"] == "red"


def test_what_the_state_forbids_is_not_recorded(stripe_client, sandbox, give):
    intent = give().payment_intent.id
    stripe_client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError, match="already been refunded"):
        stripe_client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        stripe_client.v1.payment_intents.retrieve("pi_nobody")
    assert sandbox.rejected == []


@pytest.mark.parametrize(("key", "message"), [("sk_live_x", "live key"), ("pk_test_x", "Invalid API Key")])
def test_only_a_secret_test_key_is_let_in(sandbox, key, message):
    http = stripe.RequestsClient(timeout=5)
    client = stripe.StripeClient(key, base_addresses={"api": sandbox.url}, http_client=http)
    with pytest.raises(stripe.AuthenticationError, match=message):
        client.v1.balance.retrieve()
    http.close()


def test_an_address_that_the_sandbox_lacks_says_so_and_is_recorded(stripe_client, sandbox):
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        stripe_client.v1.coupons.list()
    assert sandbox.rejected[0]["path"] == "/v1/coupons"


def test_an_error_carries_the_request_id_of_its_answer(stripe_client, once):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.checkout.sessions.create(once | {"mode": None})
    assert refusal.value.request_id.startswith("req_")
    assert refusal.value.request_id in refusal.value.json_body["error"]["request_log_url"]


def test_a_list_is_never_silently_unfiltered(stripe_client):
    with pytest.raises(stripe.InvalidRequestError, match="does not filter by `transfer_group`"):
        stripe_client.v1.charges.list({"transfer_group": "x"})
    with pytest.raises(stripe.InvalidRequestError, match="does not support `price`"):
        stripe_client.v1.subscriptions.list({"price": "price_x"})


def test_the_page_shows_the_name_that_was_given(stripe_client, once):
    branding = {"display_name": "The Evening Lantern"}
    session = stripe_client.v1.checkout.sessions.create(once | {"branding_settings": branding})
    assert session.branding_settings.display_name == "The Evening Lantern"


def test_metadata_keys_are_unset_by_empty_values(stripe_client, give):
    intent = give().payment_intent.id
    changed = stripe_client.v1.payment_intents.update(
        intent, {"metadata": {"donation_id": "", "note": "kept"}}
    )
    assert changed.metadata.to_dict() == {"note": "kept"}
