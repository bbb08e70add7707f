def test_a_payout_is_the_sum_of_its_movements(stripe_client, sandbox, give, happened):
    give()
    session = give()
    stripe_client.v1.refunds.create({"payment_intent": session.payment_intent.id, "amount": 500})
    happened()
    payout = sandbox.payout(everything=True)
    assert happened() == [
        "payout.created",
        "payout.updated",
        "payout.paid",
        "payout.reconciliation_completed",
    ]
    paid = list(stripe_client.v1.balance_transactions.list({"payout": payout["id"], "limit": 100}))
    own = [item for item in paid if item.type == "payout"]
    others = [item for item in paid if item.type != "payout"]
    assert sorted(item.type for item in others) == ["charge", "charge", "refund"]
    assert sum(item.net for item in others) == payout["amount"] == 2442 * 2 - 500
    assert [item.net for item in own] == [-payout["amount"]]


def test_money_is_paid_out_once_it_is_available(sandbox, give):
    give()
    assert sandbox.payout() is None
    sandbox.advance(days=3)
    assert sandbox.payout()["amount"] == 2442
    assert sandbox.payout() is None


def test_a_payout_that_fails_gives_the_money_back(stripe_client, sandbox, give):
    give()
    failed = sandbox.payout(everything=True, fail=True)
    assert (failed["status"], failed["failure_code"]) == ("failed", "account_closed")
    sandbox.advance(days=4)
    assert stripe_client.v1.balance.retrieve().available[0].amount == 2442
    assert sandbox.payout()["amount"] == 2442


def test_each_currency_is_paid_out_by_itself(sandbox, give):
    price = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Gift"}}
    give(line_items=[{"quantity": 1, "price_data": price}])
    assert sandbox.payout("gbp", everything=True) is None
    assert sandbox.payout("eur", everything=True)["amount"] == 1000 - 15 - 25


def test_the_balance_waits_before_it_is_available(stripe_client, sandbox, give):
    give()
    balance = stripe_client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (0, 2442)
    sandbox.advance(days=3)
    balance = stripe_client.v1.balance.retrieve()
    assert (balance.available[0].amount, balance.pending[0].amount) == (2442, 0)
