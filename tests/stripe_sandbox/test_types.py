"""Requests and objects against the types of the installed package."""

import json

import pytest
import stripe
from stripe._object_classes import OBJECT_CLASSES
from stripe.params import EventListParams, RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from stripe_sandbox import forms, object_types, request_types
from stripe_sandbox.errors import ApiError, SandboxDefectError


def read(params_type, raw):
    return request_types.read(params_type, forms.parse(raw))


def test_forms_nest_groups_and_lists():
    assert forms.parse("a[b][0][c]=1&a[b][1][c]=2&d=&e[]=x&e[]=y") == {
        "a": {"b": {"0": {"c": "1"}, "1": {"c": "2"}}},
        "d": "",
        "e": {"0": "x", "1": "y"},
    }


@pytest.mark.parametrize("raw", ["a[b=1", "a=1&a[b]=2", "a[b]=1&a=2", "[x]=1"])
def test_forms_that_make_no_sense_are_refused(raw):
    with pytest.raises(ApiError):
        forms.parse(raw)


def test_text_becomes_the_type_that_the_package_wants():
    found = read(
        RefundCreateParams,
        "amount=500&reason=duplicate&metadata[a]=b&reverse_transfer=false&expand[0]=charge",
    )
    assert found == {
        "amount": 500,
        "reason": "duplicate",
        "metadata": {"a": "b"},
        "reverse_transfer": False,
        "expand": ["charge"],
    }


def test_a_parameter_of_two_shapes_is_read_as_the_one_that_came():
    assert read(EventListParams, "created=5") == {"created": 5}
    assert read(EventListParams, "created[gte]=5&created[lt]=9") == {"created": {"gte": 5, "lt": 9}}


@pytest.mark.parametrize(
    "raw",
    [
        "amount=1e3",
        "amount=٣",
        "amount=-",
        "amount[x]=1",
        "reason=because",
        "reverse_transfer=yes",
        "expand=charge",
    ],
)
def test_text_that_does_not_fit_is_refused(raw):
    with pytest.raises(ApiError):
        read(RefundCreateParams, raw)


def test_the_client_s_own_options_are_no_parameters():
    with pytest.raises(ApiError, match="unknown parameter: idempotency_key"):
        read(SessionCreateParams, "idempotency_key=x")


def test_every_class_of_the_package_can_be_checked():
    for kind in set(OBJECT_CLASSES) - {"list", "search_result"}:
        assert object_types.fields(kind)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": "5"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"colour": "red"}, "no such field"),
        ({"pending_reason": "tired"}, "pending_reason"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        (
            {"destination_details": {"card": {"type": "gift"}, "type": "card"}},
            "destination_details.card.type",
        ),
        ({"charge": {"object": "charge"}}, "charge"),
    ],
)
def test_an_object_that_does_not_fit_is_a_defect(give, stripe_client, sandbox, change, problem):
    session = give()
    refund = stripe_client.v1.refunds.create({"payment_intent": session.payment_intent.id})
    item = json.loads(json.dumps(sandbox.world["refund"].get(refund.id)))
    object_types.check(item)
    with pytest.raises(SandboxDefectError, match=problem):
        object_types.check(item | change)


def test_a_missing_field_is_a_defect(give, sandbox):
    give()
    charge = dict(next(iter(sandbox.world["charge"].items.values())))
    del charge["paid"]
    with pytest.raises(SandboxDefectError, match="paid: missing"):
        object_types.check(charge)


def test_a_defect_is_answered_with_500_and_recorded(give, sandbox, stripe_client):
    intent = give().payment_intent.id
    sandbox.world["payment_intent"].get(intent)["status"] = "dreaming"
    with pytest.raises(stripe.APIError):
        stripe_client.v1.payment_intents.retrieve(intent, None, {"max_network_retries": 0})
    assert "dreaming" in sandbox.rejected[0]["message"]
    sandbox.api.rejected.clear()
