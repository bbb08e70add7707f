import pytest
import stripe


@pytest.fixture
def five(stripe_client, once):
    return [stripe_client.v1.checkout.sessions.create(once).id for _ in range(5)]


def test_lists_are_newest_first_and_say_whether_there_is_more(stripe_client, five):
    page = stripe_client.v1.checkout.sessions.list({"limit": 2})
    assert [item.id for item in page.data] == [five[4], five[3]]
    assert page.has_more


def test_pages_go_on_after_and_before_an_object(stripe_client, five):
    sessions = stripe_client.v1.checkout.sessions
    older = sessions.list({"limit": 2, "starting_after": five[3]})
    newer = sessions.list({"limit": 2, "ending_before": five[1]})
    assert [item.id for item in older.data] == [five[2], five[1]]
    assert [item.id for item in newer.data] == [five[3], five[2]]
    assert newer.has_more


def test_the_library_s_own_paging_meets_every_object_once(stripe_client, five):
    met = [item.id for item in stripe_client.v1.checkout.sessions.list({"limit": 2}).auto_paging_iter()]
    assert met == five[::-1]


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_out_of_bounds_is_refused(stripe_client, limit):
    with pytest.raises(stripe.InvalidRequestError, match="must be"):
        stripe_client.v1.checkout.sessions.list({"limit": limit})


def test_starting_after_nobody_is_refused(stripe_client):
    with pytest.raises(stripe.InvalidRequestError, match="No such"):
        stripe_client.v1.events.list({"starting_after": "evt_nobody"})


def test_events_are_filtered_by_type_types_and_time(stripe_client, sandbox, give):
    give()
    then = sandbox.now()
    sandbox.advance(100)
    give()
    events = stripe_client.v1.events
    assert len(events.list({"type": "charge.*"}).data) == 4
    chosen = events.list(
        {"types": ["checkout.session.completed", "charge.updated"], "created": {"gt": then + 50}}
    )
    assert sorted(event.type for event in chosen.data) == ["charge.updated", "checkout.session.completed"]


def test_events_reach_back_thirty_days(stripe_client, sandbox, give):
    session = give()
    sandbox.advance(days=31)
    assert stripe_client.v1.events.list().data == []
    found = stripe_client.v1.checkout.sessions.list({"payment_intent": session.payment_intent.id})
    assert [item.id for item in found.data] == [session.id]


def test_objects_are_found_by_what_they_belong_to(stripe_client, give):
    first, second = give(), give()
    intent = second.payment_intent.id
    refund = stripe_client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    assert [item.id for item in stripe_client.v1.refunds.list({"payment_intent": intent}).data] == [refund.id]
    assert stripe_client.v1.refunds.list({"payment_intent": first.payment_intent.id}).data == []
    assert len(stripe_client.v1.charges.list({"payment_intent": intent}).data) == 1
    moved = stripe_client.v1.balance_transactions.list({"source": refund.id}).data
    assert [item.amount for item in moved] == [-100]


def test_lists_expand_through_their_data(stripe_client, give):
    give()
    listed = stripe_client.v1.checkout.sessions.list({"expand": ["data.payment_intent.latest_charge"]})
    assert listed.data[0].payment_intent.latest_charge.amount == 2500


def test_expanding_deeper_than_four_levels_is_refused(stripe_client, give):
    session = give()
    deep = "payment_intent.latest_charge.balance_transaction.source.payment_intent"
    with pytest.raises(stripe.InvalidRequestError, match="4 levels"):
        stripe_client.v1.checkout.sessions.retrieve(session.id, {"expand": [deep]})
