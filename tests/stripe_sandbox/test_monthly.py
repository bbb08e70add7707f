from datetime import UTC, datetime

import pytest
import stripe

from stripe_sandbox.resources.periods import period_end

FAILURE = ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"]


def paid_invoices(sandbox):
    return [event["data"]["object"] for event in sandbox.events("invoice.paid")]


def new_amount(subscription, amount_minor):
    item = subscription.items.data[0]
    price = {"currency": "gbp", "unit_amount": amount_minor, "product": item.price.product}
    items = [{"id": item.id, "price_data": price | {"recurring": {"interval": "month"}}}]
    return {"items": items, "proration_behavior": "none"}


def test_subscription_and_invoice_exist_only_after_payment(stripe_client, sandbox, monthly):
    session = stripe_client.v1.checkout.sessions.create(monthly)
    sandbox.pay(session.id, "4000000000000002")
    assert stripe_client.v1.subscriptions.list().data == []
    assert stripe_client.v1.invoices.list().data == []
    sandbox.pay(session.id)
    found = stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "invoice"]})
    assert (found.subscription.status, found.invoice.status) == ("active", "paid")
    assert found.payment_intent is None


def test_the_paid_invoice_leads_to_the_gift_and_to_the_payment(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    invoice = paid_invoices(sandbox)[0]
    details = invoice["parent"]["subscription_details"]
    assert details == {"metadata": {"donation_id": "gift-1"}, "subscription": subscription.id}
    assert (invoice["amount_paid"], invoice["billing_reason"]) == (2500, "subscription_create")
    assert "payments" not in invoice
    path = "payments.data.payment.payment_intent.latest_charge"
    with_payments = stripe_client.v1.invoices.retrieve(invoice["id"], {"expand": [path]})
    intent = with_payments.payments.data[0].payment.payment_intent
    assert intent.latest_charge.amount == 2500
    assert intent.metadata.to_dict() == {}
    by_intent = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    assert stripe_client.v1.invoice_payments.list(by_intent).data[0].invoice == invoice["id"]


def test_each_month_brings_one_invoice_an_hour_after_its_draft(stripe_client, sandbox, subscribe, happened):
    subscription = subscribe()
    end = subscription.items.data[0].current_period_end
    happened()
    sandbox.set_clock(end)
    assert happened() == ["invoice.created", "customer.subscription.updated"]
    sandbox.advance(3600)
    assert [kind for kind in happened() if kind.startswith("invoice.")] == [
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    ]
    sandbox.advance(days=365)
    reasons = [invoice["billing_reason"] for invoice in paid_invoices(sandbox)]
    assert reasons == ["subscription_create"] + ["subscription_cycle"] * 13


def test_a_month_after_the_31st_is_the_last_of_a_short_one_and_then_the_31st_again():
    anchor = int(datetime(2027, 1, 31, 9, tzinfo=UTC).timestamp())
    february = period_end(anchor, anchor, "month", 1)
    march = period_end(anchor, february, "month", 1)
    assert datetime.fromtimestamp(february, UTC) == datetime(2027, 2, 28, 9, tzinfo=UTC)
    assert datetime.fromtimestamp(march, UTC) == datetime(2027, 3, 31, 9, tzinfo=UTC)


def test_a_failed_renewal_is_tried_again_after_three_days(stripe_client, sandbox, subscribe, happened):
    subscription = subscribe()
    sandbox.fail_renewals(subscription.id, "insufficient_funds", times=1)
    sandbox.set_clock(subscription.items.data[0].current_period_end)
    happened()
    sandbox.advance(3601)
    assert happened()[2:] == [*FAILURE, "customer.subscription.updated"]
    failed = sandbox.events("invoice.payment_failed")[0]["data"]["object"]
    assert (failed["attempt_count"], failed["status"]) == (1, "open")
    assert failed["next_payment_attempt"] - sandbox.now() in range(3 * 86_400 - 5, 3 * 86_400 + 1)
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    sandbox.advance(days=3)
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert len(paid_invoices(sandbox)) == 2


def test_after_the_last_attempt_the_subscription_ends(stripe_client, sandbox, subscribe):
    subscription = subscribe("4000000000000341")
    sandbox.advance(days=50)
    ended = stripe_client.v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert len(sandbox.events("invoice.payment_failed")) == 4
    assert len(sandbox.events("customer.subscription.deleted")) == 1
    sandbox.advance(days=60)
    assert len(paid_invoices(sandbox)) == 1


def test_a_renewal_that_needs_the_donor_asks_for_it(sandbox, subscribe):
    subscription = subscribe()
    sandbox.fail_renewals(subscription.id, "authentication_required")
    sandbox.advance(days=32)
    invoice = sandbox.events("invoice.payment_action_required")[0]["data"]["object"]
    assert invoice["hosted_invoice_url"] == f"{sandbox.url}/i/{invoice['id']}"


def test_the_amount_changes_from_the_next_instalment(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    stripe_client.v1.subscriptions.update(subscription.id, new_amount(subscription, 4000))
    sandbox.advance(days=32)
    assert [invoice["amount_paid"] for invoice in paid_invoices(sandbox)] == [2500, 4000]


def test_a_new_amount_with_proration_or_below_the_minimum_is_refused(stripe_client, subscribe):
    subscription = subscribe()
    with pytest.raises(stripe.InvalidRequestError, match="prorate"):
        stripe_client.v1.subscriptions.update(
            subscription.id, new_amount(subscription, 4000) | {"proration_behavior": None}
        )
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.subscriptions.update(subscription.id, new_amount(subscription, 20))
    assert refusal.value.code == "amount_too_small"


def test_a_new_price_needs_a_product_that_exists(stripe_client, subscribe):
    subscription = subscribe()
    change = new_amount(subscription, 4000)
    change["items"][0]["price_data"]["product_data"] = {"name": "x"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stripe_client.v1.subscriptions.update(subscription.id, change)
    assert refusal.value.code == "parameter_unknown"


def test_cancelling_at_once_ends_it(stripe_client, sandbox, subscribe, happened):
    subscription = subscribe()
    happened()
    assert stripe_client.v1.subscriptions.cancel(subscription.id).status == "canceled"
    assert happened() == ["customer.subscription.deleted"]
    sandbox.advance(days=40)
    assert happened() == []
    with pytest.raises(stripe.InvalidRequestError, match="canceled"):
        stripe_client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})


def test_cancelling_at_the_period_s_end_shows_at_once_and_ends_then(
    stripe_client, sandbox, subscribe, happened
):
    subscription = subscribe()
    happened()
    updated = stripe_client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert updated.cancel_at == subscription.items.data[0].current_period_end
    assert happened() == ["customer.subscription.updated"]
    sandbox.advance(days=32)
    assert happened() == ["customer.subscription.deleted"]
    assert len(paid_invoices(sandbox)) == 1


def test_a_cancellation_can_be_taken_back(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    stripe_client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    stripe_client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": False})
    sandbox.advance(days=32)
    assert len(paid_invoices(sandbox)) == 2


def test_paused_collection_voids_invoices_until_it_resumes(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    resumes_at = sandbox.now() + 45 * 86_400
    pause = {"behavior": "void", "resumes_at": resumes_at}
    stripe_client.v1.subscriptions.update(subscription.id, {"pause_collection": pause})
    sandbox.advance(days=32)
    assert len(sandbox.events("invoice.voided")) == 1
    sandbox.advance(days=32)
    assert len(paid_invoices(sandbox)) == 2
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).pause_collection is None


def test_a_pause_is_lifted_by_an_empty_value(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    stripe_client.v1.subscriptions.update(subscription.id, {"pause_collection": {"behavior": "void"}})
    stripe_client.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    sandbox.advance(days=32)
    assert len(paid_invoices(sandbox)) == 2


def test_a_paused_subscription_rests_and_is_charged_when_resumed(stripe_client, sandbox, subscribe, happened):
    subscription = subscribe()
    happened()
    assert stripe_client.v1.subscriptions.pause(subscription.id).status == "paused"
    sandbox.advance(days=90)
    assert happened() == ["customer.subscription.paused"]
    assert stripe_client.v1.subscriptions.resume(subscription.id).status == "active"
    assert happened()[0] == "customer.subscription.resumed"
    sandbox.advance(3600)
    assert len(paid_invoices(sandbox)) == 2


def test_an_invoice_over_nothing_is_paid_with_nothing(sandbox, subscribe):
    subscription = subscribe()
    sandbox.zero_invoice(subscription.id)
    assert [invoice["amount_paid"] for invoice in paid_invoices(sandbox)] == [2500, 0]


def test_a_trial_begins_with_an_invoice_over_nothing(stripe_client, sandbox, subscribe):
    subscription = subscribe(subscription_data={"trial_period_days": 7})
    assert subscription.status == "trialing"
    assert [invoice["amount_paid"] for invoice in paid_invoices(sandbox)] == [0]
    sandbox.advance(days=8)
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert [invoice["amount_paid"] for invoice in paid_invoices(sandbox)] == [0, 2500]


def test_a_monthly_debit_is_paid_days_after_each_instalment(sandbox, subscribe, stripe_client):
    subscribe("bacs_debit")
    assert paid_invoices(sandbox) == []
    sandbox.advance(days=3)
    assert len(paid_invoices(sandbox)) == 1
    assert len(sandbox.events("checkout.session.async_payment_succeeded")) == 1
    sandbox.advance(days=30)
    assert len(paid_invoices(sandbox)) == 1
    sandbox.advance(days=4)
    assert len(paid_invoices(sandbox)) == 2


def test_an_open_invoice_can_be_collected_again_or_voided(stripe_client, sandbox, subscribe):
    subscription = subscribe()
    sandbox.fail_renewals(subscription.id, times=2)
    sandbox.advance(days=32)
    open_one = stripe_client.v1.invoices.list({"subscription": subscription.id, "status": "open"}).data[0]
    with pytest.raises(stripe.CardError):
        stripe_client.v1.invoices.pay(open_one.id)
    assert stripe_client.v1.invoices.pay(open_one.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="not open"):
        stripe_client.v1.invoices.void_invoice(open_one.id)


def test_an_instalment_can_be_refunded_and_disputed_like_any_charge(stripe_client, sandbox, subscribe):
    subscribe()
    charge = stripe_client.v1.charges.list().data[0]
    stripe_client.v1.refunds.create({"charge": charge.id, "amount": 500})
    assert sandbox.dispute(charge.id)["amount"] == 2000


def test_customers_have_their_subscriptions_and_methods(stripe_client, subscribe):
    subscription = subscribe()
    customer = stripe_client.v1.customers.retrieve(subscription.customer, {"expand": ["subscriptions"]})
    assert customer.email == "reader@example.com"
    assert [item.id for item in customer.subscriptions.data] == [subscription.id]
    methods = stripe_client.v1.payment_methods.list({"customer": customer.id})
    assert methods.data[0].card.last4 == "4242"
    assert stripe_client.v1.subscriptions.list({"customer": customer.id}).data[0].id == subscription.id
