import pytest
import stripe


@pytest.fixture
def refund(stripe_client):
    def give_back(session, amount=None, **more):
        params = {"payment_intent": session.payment_intent.id, "amount": amount} | more
        return stripe_client.v1.refunds.create(params)

    return give_back


def charge_of(stripe_client, session):
    return stripe_client.v1.charges.retrieve(session.payment_intent.latest_charge.id)


def test_a_whole_refund_marks_the_charge_and_books_the_money(stripe_client, give, refund, happened):
    session = give()
    happened()
    made = refund(session, reason="requested_by_customer", metadata={"by": "staff"})
    assert (made.status, made.amount, made.metadata["by"]) == ("succeeded", 2500, "staff")
    assert happened() == ["refund.created", "charge.refunded"]
    assert charge_of(stripe_client, session).refunded
    movement = stripe_client.v1.balance_transactions.retrieve(made.balance_transaction)
    assert (movement.type, movement.amount, movement.fee, movement.net) == ("refund", -2500, 0, -2500)


def test_partial_refunds_add_up_and_leave_the_charge_unrefunded_until_the_last(stripe_client, give, refund):
    session = give()
    refund(session, 1000)
    charge = charge_of(stripe_client, session)
    assert (charge.amount_refunded, charge.refunded) == (1000, False)
    refund(session, 1500)
    charge = charge_of(stripe_client, session)
    assert (charge.amount_refunded, charge.refunded) == (2500, True)


def test_more_than_was_given_is_not_refunded(give, refund):
    session = give()
    refund(session, 1000)
    with pytest.raises(stripe.InvalidRequestError, match=r"£15.01.*greater than unrefunded.*£15.00"):
        refund(session, 1501)


def test_a_refund_by_7726_is_pending_for_a_day(stripe_client, sandbox, give, refund, happened):
    made = refund(give("4000000000007726"))
    assert (made.status, made.pending_reason) == ("pending", "processing")
    happened()
    sandbox.advance(days=1)
    assert happened() == ["refund.updated", "charge.refund.updated"]
    assert stripe_client.v1.refunds.retrieve(made.id).status == "succeeded"


def test_a_refund_by_5126_fails_after_a_day_and_the_money_comes_back(
    stripe_client, sandbox, give, refund, happened
):
    session = give("4000000000005126")
    made = refund(session)
    assert made.status == "succeeded"
    happened()
    sandbox.advance(days=1)
    assert happened() == ["refund.failed", "refund.updated", "charge.refund.updated", "charge.updated"]
    failed = stripe_client.v1.refunds.retrieve(made.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert failed.failure_balance_transaction.amount == 2500
    charge = charge_of(stripe_client, session)
    assert (charge.amount_refunded, charge.refunded) == (0, False)


def test_any_refund_can_be_made_to_fail_once(sandbox, give, refund):
    made = refund(give(), 500)
    assert sandbox.fail_refund(made.id)["status"] == "failed"
    with pytest.raises(Exception, match="failed already"):
        sandbox.fail_refund(made.id)


def test_what_was_not_paid_is_not_refunded(stripe_client, sandbox, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    sandbox.pay(session.id, "bacs_debit")
    intent = stripe_client.v1.checkout.sessions.retrieve(session.id).payment_intent
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        stripe_client.v1.refunds.create({"payment_intent": intent})


def test_a_refund_of_a_debit_is_booked_as_its_own_kind(stripe_client, sandbox, once):
    session = stripe_client.v1.checkout.sessions.create(once)
    sandbox.pay(session.id, "bacs_debit")
    sandbox.advance(days=4)
    intent = stripe_client.v1.checkout.sessions.retrieve(session.id).payment_intent
    made = stripe_client.v1.refunds.create({"payment_intent": intent, "expand": ["balance_transaction"]})
    assert made.balance_transaction.type == "payment_refund"


def test_the_refunds_of_a_charge_come_when_expanded(stripe_client, give, refund):
    session = give()
    made = refund(session, 500)
    charge = stripe_client.v1.charges.retrieve(
        session.payment_intent.latest_charge.id, {"expand": ["refunds"]}
    )
    assert [item.id for item in charge.refunds.data] == [made.id]
