import pytest
import stripe


def test_card_0259_is_disputed_and_the_funds_withdrawn_with_a_fee(stripe_client, give, happened):
    session = give("4000000000000259")
    assert happened()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    dispute = stripe_client.v1.disputes.list({"payment_intent": session.payment_intent.id}).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2500)
    taken = dispute.balance_transactions[0]
    assert (taken.type, taken.amount, taken.fee, taken.net) == ("adjustment", -2500, 2000, -4500)
    assert not dispute.is_charge_refundable


def test_creation_and_withdrawal_are_two_events_of_which_only_the_second_moves_money(sandbox, give):
    give("4000000000000259")
    assert sandbox.events("charge.dispute.created")[0]["data"]["object"]["balance_transactions"] == []
    withdrawn = sandbox.events("charge.dispute.funds_withdrawn")[0]["data"]["object"]
    assert len(withdrawn["balance_transactions"]) == 1


def test_an_inquiry_moves_nothing_and_can_be_closed(stripe_client, sandbox, give, happened):
    session = give("4000000000001976")
    dispute = stripe_client.v1.disputes.list().data[0]
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert len(stripe_client.v1.balance_transactions.list().data) == 1
    happened()
    sandbox.close_dispute(dispute.id, "warning_closed")
    assert happened() == ["charge.dispute.closed", "charge.updated"]
    assert not stripe_client.v1.charges.retrieve(session.payment_intent.latest_charge.id).disputed


def test_a_whole_refund_ends_an_inquiry(stripe_client, give, happened):
    session = give("4000000000001976")
    happened()
    stripe_client.v1.refunds.create({"payment_intent": session.payment_intent.id})
    assert happened() == ["refund.created", "charge.refunded", "charge.dispute.closed", "charge.updated"]
    assert stripe_client.v1.disputes.list().data[0].status == "warning_closed"


def test_an_inquiry_can_become_a_dispute(stripe_client, sandbox, give, happened):
    give("4000000000001976")
    dispute = stripe_client.v1.disputes.list().data[0]
    happened()
    sandbox.escalate_dispute(dispute.id)
    assert happened() == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]


def test_a_dispute_won_gives_the_funds_back_and_one_lost_does_not(stripe_client, sandbox, give, happened):
    won = sandbox.dispute(give().payment_intent.id)
    lost = sandbox.dispute(give().payment_intent.latest_charge.id)
    happened()
    sandbox.close_dispute(won["id"], "won")
    sandbox.close_dispute(lost["id"], "lost")
    assert happened() == ["charge.dispute.funds_reinstated", "charge.dispute.closed", "charge.dispute.closed"]
    amounts = [item.amount for item in stripe_client.v1.disputes.retrieve(won["id"]).balance_transactions]
    assert amounts == [-2500, 2500]


def test_after_a_partial_refund_only_the_rest_is_disputed(stripe_client, sandbox, give):
    session = give()
    stripe_client.v1.refunds.create({"payment_intent": session.payment_intent.id, "amount": 1000})
    assert sandbox.dispute(session.payment_intent.id)["amount"] == 1500


def test_a_charge_whose_funds_are_withdrawn_is_not_refundable(stripe_client, sandbox, give):
    session = give()
    sandbox.dispute(session.payment_intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refusal:
        stripe_client.v1.refunds.create({"payment_intent": session.payment_intent.id})
    assert refusal.value.code == "charge_disputed"


def test_an_early_fraud_warning_names_the_charge(stripe_client, give, happened):
    session = give("4000000000005423")
    assert happened()[-1] == "radar.early_fraud_warning.created"
    warning = stripe_client.v1.radar.early_fraud_warnings.list().data[0]
    assert warning.charge == session.payment_intent.latest_charge.id
    assert warning.actionable


def test_a_dispute_ends_once_and_as_its_kind_allows(sandbox, give):
    dispute = sandbox.dispute(give().payment_intent.id)
    with pytest.raises(Exception, match="cannot end as warning_closed"):
        sandbox.close_dispute(dispute["id"], "warning_closed")
    sandbox.close_dispute(dispute["id"], "lost")
    with pytest.raises(Exception, match="lost already"):
        sandbox.close_dispute(dispute["id"], "won")


def test_a_charge_is_disputed_once(sandbox, give):
    session = give()
    sandbox.dispute(session.payment_intent.id, inquiry=True)
    with pytest.raises(Exception, match="disputed already"):
        sandbox.dispute(session.payment_intent.id)
