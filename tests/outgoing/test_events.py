"""What is told: exactly one message for each money fact, written with its cause, signed, free of personal data."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from appeal import reports
from appeal.books import adjustments
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving, monthly
from appeal.models import OutboxItem, RecurringGift
from appeal.outgoing import bodies
from appeal.payments import Dispute, Instalment, Movement, Refund, Subscription
from tests.making import open_appeal, paid, received, started


def outgoing(session) -> list[OutboxItem]:
    return list(session.scalars(select(OutboxItem).where(OutboxItem.kind == "outgoing")))


def refund(donation, amount_minor, name="re_1", **values) -> Refund:
    fields = {
        "refund_id": name, "payment_intent_id": donation.payment_intent_id, "charge_id": None, "moved": True, "failed": False,
        "amount_minor": amount_minor, "currency": donation.currency, "created_at": clock.now(), "told_at": clock.now(),
    }  # fmt: skip
    return Refund(**(fields | values))


def movement(name, amount_minor) -> Movement:
    return Movement(name, "adjustment", "dp_1", None, amount_minor, 0, amount_minor, "gbp", clock.now(), None)


def begin_monthly(appeal):
    """Begin a monthly gift, and enter its first instalment."""
    began = started(appeal, frequency="monthly")
    invoice = Instalment(
        invoice_id="in_1", subscription_id="sub_1", begun_by=began.public_id, first=True, paid_minor=2500, currency="gbp",
        livemode=False, paid_at=clock.now(), customer_id="cus_1", payment_intent_id="pi_monthly",
    )  # fmt: skip
    monthly.receive(invoice)
    return began


def subscription(began, status, **values) -> Subscription:
    fields = {
        "subscription_id": "sub_1", "begun_by": began.public_id, "status": status, "charge_minor": 2500,
        "currency": "gbp", "customer_id": "cus_1", "anchor_day": 3, "next_due_at": None, "ends_at_period_end": False,
        "ended_at": None, "told_at": clock.now(),
    }  # fmt: skip
    return Subscription(**(fields | values))


def test_a_gift_is_told_of_once_and_signed(session, listen, receiver, send) -> None:
    _endpoint, secret = listen()
    donation = received(open_appeal())
    assert send() == 1
    assert send() == 0
    [message] = receiver.messages
    assert message.path == "/hook"
    assert message.signed_by(secret)
    assert not message.signed_by("whsec_" + "A" * 43 + "=")
    assert message.headers["content-type"] == "application/json"
    assert message.json["type"] == "gift.received"
    data = message.json["data"]
    assert (data["appeal"], data["donation_id"]) == ("lantern", donation.public_id)
    assert (data["amount_minor"], data["counted_minor"], data["currency"]) == (2500, 2500, "gbp")


def test_gift_refund_dispute_and_cancellation_are_told_of_each_once(session, listen, receiver, send) -> None:
    listen()
    appeal = open_appeal()
    donation = received(appeal, cover_fee=True)
    back = refund(donation, 1000)
    adjustments.apply_refund(back)
    adjustments.apply_refund(back)
    failed = refund(donation, 1000, failed=True)
    adjustments.apply_refund(failed)
    movements = [movement("txn_1", -1600), movement("txn_2", 1600)]
    for seen in (1, 2):
        adjustments.apply_dispute(
            Dispute(
                "dp_1",
                donation.payment_intent_id,
                None,
                1600,
                "gbp",
                "lost",
                tuple(movements[:seen]),
                clock.now(),
            )
        )
    began = begin_monthly(appeal)
    monthly.follow(subscription(began, "active"))
    later = clock.now() + timedelta(seconds=5)
    ended = subscription(began, "ended", ended_at=later, told_at=later)
    monthly.follow(ended)
    monthly.follow(ended)
    send()
    assert sorted(receiver.types()) == sorted(
        [
            "gift.received",
            "gift.refunded",
            "gift.refund_failed",
            "gift.disputed",
            "gift.dispute_reinstated",
            "gift.received",
            "monthly.cancelled",
        ]
    )
    [told] = [one.json["data"] for one in receiver.messages if one.json["type"] == "monthly.cancelled"]
    gift = session.scalars(select(RecurringGift)).one()
    assert (told["monthly_gift_id"], told["amount_minor"]) == (gift.public_id, 2500)
    assert told["ended_at"] == clock.rfc3339(later)


def test_what_is_counted_adds_up_to_the_figure(session, listen, receiver, send) -> None:
    listen()
    appeal = open_appeal(cover_counts=True)
    donation = received(appeal, cover_fee=True)
    adjustments.apply_refund(refund(donation, donation.charge_minor, "re_all"))
    second = received(appeal, cover_fee=True, email="second@example.org")
    adjustments.apply_refund(refund(second, 2510, "re_most"))
    adjustments.correct(
        adjustments.ledger.entries_of(second)[0].id, 30, reason="A slip", actor="a@b", key="1"
    )
    send()
    told = sum(one.json["data"]["counted_minor"] for one in receiver.messages)
    assert told == reports.figure("lantern").raised_minor
    assert told > 0


def test_nothing_is_told_of_what_was_not_committed(session, listen, receiver, send) -> None:
    class Crash(Exception):
        pass

    listen()
    donation = started(open_appeal())
    with pytest.raises(Crash), writing():  # noqa: PT012 - the crash must come inside
        adjustments.ledger.record(
            adjustments.ledger.lock(donation.id), adjustments.ledger.Fact("gift", "pi:1", 2500, clock.now())
        )
        assert len(outgoing(session)) == 1
        raise Crash
    assert send() == 0
    assert receiver.messages == []


def test_each_endpoint_gets_what_it_asked_for_of_the_appeal_it_asked_about(
    session, listen, receiver, send
) -> None:
    first, second = open_appeal(), open_appeal("second")
    second_id = second.id
    _one, of_refunds = listen("/refunds", event_types=("gift.refunded",))
    _two, of_second = listen("/second", appeal_id=second_id)
    donation = received(first)
    received(second, email="second@example.org")
    adjustments.apply_refund(refund(donation, 500))
    send()
    assert sorted((one.path, one.json["type"], one.json["data"]["appeal"]) for one in receiver.messages) == [
        ("/refunds", "gift.refunded", "lantern"),
        ("/second", "gift.received", "second"),
    ]
    signed = {one.path: one for one in receiver.messages}
    assert signed["/refunds"].signed_by(of_refunds)
    assert not signed["/refunds"].signed_by(of_second)


def test_no_personal_data_leaves_unless_it_was_chosen(session, listen, receiver, send) -> None:
    listen("/plain")
    listen("/named", personal=("name",))
    listen("/all", personal=("name", "email", "message"))
    donation = received(open_appeal(), message="Keep going, Mary")
    send()
    plain, named, everything = (
        next(one for one in receiver.messages if one.path == path) for path in ("/plain", "/named", "/all")
    )
    assert not {"Mary", "Anning", "mary@example.org"} & set(json.dumps(plain.json).replace('"', " ").split())
    assert "donor" not in plain.json["data"]
    assert named.json["data"]["donor"] == {"name": "Mary Anning"}
    assert everything.json["data"]["donor"] == {
        "name": "Mary Anning",
        "email": "mary@example.org",
        "message": None,  # nobody has approved it
    }
    stored = json.dumps([item.content for item in outgoing(session)])
    assert "mary" not in stored.lower()
    assert donation.public_id not in stored.replace(f"pi_{donation.public_id}", "")


def test_a_donor_erased_before_the_message_left_is_not_in_it(session, listen, receiver, send) -> None:
    listen(personal=("name", "email"))
    donation = received(open_appeal())
    with writing():
        donation.donor.email, donation.donor.name, donation.name = "", "", ""
    send()
    assert receiver.messages[0].json["data"]["donor"] == {"name": None, "email": None}


def test_the_same_event_has_the_same_id_everywhere_and_another_event_another(
    session, listen, receiver, send
) -> None:
    listen("/one")
    listen("/two")
    donation = received(open_appeal())
    adjustments.apply_refund(refund(donation, 500))
    send()
    by_type: dict[str, set[str]] = {}
    for one in receiver.messages:
        by_type.setdefault(one.json["type"], set()).add(one.headers["webhook-id"])
    assert {len(ids) for ids in by_type.values()} == {1}
    assert by_type["gift.received"] != by_type["gift.refunded"]
    assert by_type["gift.received"] == {
        bodies.message_id("gift.received", f"pi:{donation.payment_intent_id}")
    }


@pytest.fixture
def statements(session):
    """Count the statements that a block of work sends to the database."""

    class Counter(list):
        pass

    found = Counter()
    listener = event.listens_for(db.engine, "before_cursor_execute")
    listener(lambda _connection, _cursor, statement, *_rest: found.append(statement))
    return found


def test_a_gift_costs_no_statement_more_without_endpoints_and_one_more_with_them(
    session, listen, statements
) -> None:
    def cost() -> int:
        donation = started(open_appeal(f"a{len(statements)}"), email=f"a{len(statements)}@example.org")
        payment = paid(donation)
        before = len(statements)
        giving.settle(payment, livemode=False)
        return len(statements) - before

    without = cost()
    assert not [one for one in statements if "outgoing_endpoints" in one and "INSERT INTO ledger" not in one]
    listen("/one")
    with_one = cost()
    listen("/two")
    listen("/three")
    assert (with_one - without, cost() - without) == (1, 1)
