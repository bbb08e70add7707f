"""How messages are delivered: again until they are taken, one attempt a time for a dead address, and given up aloud."""

import threading
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from appeal.core import clock
from appeal.core.clock import travel as travel_to
from appeal.extensions import db
from appeal.models import AuditEntry, OutboxItem, OutgoingDelivery, OutgoingEndpoint
from appeal.office.audit import COMMAND_LINE
from appeal.outgoing import endpoints, sending, signing
from appeal.queues import jobs, notices, outbox
from tests.making import open_appeal, received


def items(session) -> list[OutboxItem]:
    query = select(OutboxItem).where(OutboxItem.kind == "outgoing").order_by(OutboxItem.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def log(session) -> list[OutgoingDelivery]:
    return list(session.scalars(select(OutgoingDelivery).order_by(OutgoingDelivery.id)))


def fresh(session, endpoint_id: int) -> OutgoingEndpoint:
    return session.get(OutgoingEndpoint, endpoint_id, populate_existing=True)


def test_a_message_not_taken_is_tried_again_later_under_the_same_id(
    session, listen, receiver, send, travel
) -> None:
    listen()
    received(open_appeal())
    receiver.answer_next(503, body=b"Come back later")
    send()
    [item] = items(session)
    assert (item.state, item.attempts, item.problem) == ("waiting", 1, "NotTaken: It answered 503.")
    assert send() == 0
    travel((clock.now() + timedelta(minutes=2)).isoformat())
    send()
    assert items(session)[0].state == "done"
    first, second = receiver.messages
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert [(one.attempt, one.status, one.answer) for one in log(session)] == [
        (1, 503, "Come back later"),
        (2, 204, ""),
    ]


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500])
def test_only_a_good_answer_counts_as_taken(session, listen, receiver, send, status: int) -> None:
    listen()
    received(open_appeal())
    receiver.answer_next(status, {"Location": receiver.address + "/elsewhere"})
    send()
    assert items(session)[0].state == "waiting"
    assert len(receiver.messages) == 1


def test_a_dead_address_costs_one_attempt_not_one_a_message(session, listen, receiver, send) -> None:
    listen()
    appeal = open_appeal()
    for number in range(6):
        received(appeal, email=f"d{number}@example.org")
    receiver.always = (500, {}, b"")
    assert send() == 1
    assert len(receiver.messages) == 1
    receiver.always = (204, {}, b"")
    with travel_to(clock.now() + timedelta(minutes=2)):
        assert send() == 6
    assert {item.state for item in items(session)} == {"done"}


def test_another_endpoint_is_not_held_up_by_one_that_fails(session, listen, receiver, send) -> None:
    listen("/one")
    listen("/two")
    received(open_appeal())
    receiver.answer_next(500)
    assert send() == 2
    assert sorted(item.state for item in items(session)) == ["done", "waiting"]


def test_after_many_failures_an_endpoint_is_switched_off_and_staff_are_told(
    session, listen, receiver, send
) -> None:
    endpoint, _secret = listen()
    endpoint_id = endpoint.id
    received(open_appeal())
    receiver.always = (500, {}, b"")
    now = clock.now()
    tries = 0
    while fresh(session, endpoint_id).state == "on" and tries < 30:
        now += timedelta(days=1, minutes=1)
        with travel_to(now):
            received(open_appeal(f"a{tries}"), email=f"x{tries}@example.org")
            send()
        tries += 1
    assert len(receiver.messages) == sending.MOST_FAILURES
    assert {item.state for item in items(session)} == {"parked"}
    [notice] = [one for one in notices.unseen() if one.kind == "endpoint_off"]
    assert "CRM" in notice.sentence
    with travel_to(now):
        received(open_appeal("later"), email="later@example.org")
    assert len(items(session)) == tries + 1  # nothing more is written for it


def test_parked_messages_are_sent_once_it_is_mended(session, listen, receiver, send) -> None:
    endpoint, _secret = listen()
    endpoint_id = endpoint.id
    received(open_appeal())
    endpoints.switch(endpoint_id, COMMAND_LINE, on=False)
    assert send() == 0
    assert items(session)[0].state == "parked"
    endpoints.switch(endpoint_id, COMMAND_LINE, on=True)
    assert endpoints.send_parked(endpoint_id, COMMAND_LINE) == 1
    assert send() == 1
    assert receiver.types() == ["gift.received"]


def test_an_endpoint_that_says_it_is_gone_is_switched_off_at_once(session, listen, receiver, send) -> None:
    endpoint, _secret = listen()
    endpoint_id = endpoint.id
    received(open_appeal())
    receiver.answer_next(410)
    send()
    assert fresh(session, endpoint_id).state == "off"


def test_while_a_secret_is_rolled_both_are_good_and_afterwards_the_new_one(
    session, settings, listen, receiver, send
) -> None:
    endpoint, old = listen()
    endpoint_id = endpoint.id
    new = endpoints.roll(endpoint_id, COMMAND_LINE, settings)
    appeal = open_appeal()
    received(appeal)
    send()
    endpoints.finish_roll(endpoint_id, COMMAND_LINE)
    received(appeal, email="second@example.org")
    send()
    during, after = receiver.messages
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert (during.signed_by(old), during.signed_by(new)) == (True, True)
    assert (after.signed_by(old), after.signed_by(new)) == (False, True)


def test_an_old_secret_signs_no_more_after_a_day(session, settings, listen, receiver) -> None:
    endpoint, _old = listen()
    endpoints.roll(endpoint.id, COMMAND_LINE, settings)
    assert len(sending.opened(endpoint, settings)[1]) == 2
    with travel_to(clock.now() + endpoints.ROLL + timedelta(seconds=1)):
        assert len(sending.opened(endpoint, settings)[1]) == 1


def test_neither_secret_nor_address_lies_in_the_database_or_the_audit_as_it_is(
    session, settings, listen
) -> None:
    _endpoint, secret = listen("/in?key=a-token-of-theirs")
    listen("/services/T0/B0/password", kind="chat", name="Newsroom")
    rows = session.execute(select(OutgoingEndpoint.__table__)).all()
    told = [(one.subject, one.before, one.after) for one in session.scalars(select(AuditEntry))]
    everything = repr((rows, told))
    assert len(rows) == 2
    assert told
    for word in (secret, "a-token-of-theirs", "password"):
        assert word not in everything


def test_a_rolled_signing_key_still_opens_what_its_predecessor_closed() -> None:
    closed = signing.Safe(["old key"]).close("whsec_AAAA")
    assert signing.Safe(["new key", "old key"]).open(closed) == "whsec_AAAA"


def test_a_former_key_can_be_given_up_once_the_worker_has_run(session, settings, listen) -> None:
    def rolled(**values):
        return settings.model_copy(
            update={"secret_key": SecretStr("another key, quite new and long")} | values
        )

    endpoint, secret = listen()
    during = rolled(secret_key_fallbacks=(settings.secret_key,))
    assert [endpoints.renew_all(during) for _ in range(2)] == [1, 0]
    assert sending.opened(fresh(session, endpoint.id), rolled())[1] == [secret]


def test_an_endpoint_whose_key_is_lost_says_so(session, settings, listen) -> None:
    endpoint, _secret = listen()
    lost = settings.model_copy(update={"secret_key": SecretStr("a key that closed nothing at all")})
    assert "must be added anew" in sending.try_out(endpoint, lost).problem
    assert endpoints.renew_all(lost) == 0


def test_a_test_message_is_logged_and_counts_neither_for_nor_against(
    session, settings, listen, receiver
) -> None:
    endpoint, secret = listen()
    receiver.answer_next(500)
    assert not sending.try_out(endpoint, settings).taken
    assert sending.try_out(endpoint, settings).taken
    assert receiver.types() == ["test", "test"]
    assert receiver.messages[1].signed_by(secret)
    assert fresh(session, endpoint.id).failures == 0
    assert [one.status for one in log(session)] == [500, 204]


def test_old_attempts_are_forgotten(session, settings, listen) -> None:
    endpoint, _secret = listen()
    sending.try_out(endpoint, settings)
    assert sending.forget_old() == 0
    with travel_to(clock.now() + sending.KEEP_LOG + timedelta(seconds=1)):
        assert sending.forget_old() == 1


def test_four_workers_deliver_each_message_once(app, session, settings, listen, receiver) -> None:
    listen()
    appeal = open_appeal()
    for number in range(12):
        received(appeal, email=f"d{number}@example.org")
    db.session.remove()

    def work() -> None:
        with app.app_context():
            while jobs.round_once(settings).messages:
                pass
            db.session.remove()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    ids = [one.headers["webhook-id"] for one in receiver.messages]
    assert len(ids) == len(set(ids)) == 12


def test_the_worker_sends_letters_before_messages_and_all_of_both(
    session, settings, listen, receiver
) -> None:
    listen()
    received(open_appeal())
    done = jobs.round_once(settings)
    assert (done.letters, done.messages) == (1, 1)
    assert outbox.send_due(sending.senders(settings)) == 0
