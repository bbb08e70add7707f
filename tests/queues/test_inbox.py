"""What came in: stored before it is acknowledged, applied once, parked where it does not fit, never lost."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError

from appeal import health
from appeal.books import proof
from appeal.core import clock
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import AppealTotals, InboxEvent, LedgerEntry
from appeal.payments import SignatureInvalid, verified_event
from appeal.queues import inbox, jobs
from tests.making import (
    body_of,
    completed,
    deliver,
    event,
    intent_object,
    open_appeal,
    session_object,
    settings_of,
    signature,
    started,
)
from tests.support.settings import WEBHOOK_SECRET


def accept(content) -> int | None:
    body = body_of(content)
    return inbox.accept(verified_event(body, signature(body), (WEBHOOK_SECRET,)), body)


def row(session) -> InboxEvent:
    return session.scalars(select(InboxEvent).execution_options(populate_existing=True)).one()


def take_the_ledger_away(session) -> None:
    session.execute(text("ALTER TABLE ledger_entries RENAME TO elsewhere"))
    session.commit()


def raised(session) -> int:
    return session.scalar(select(AppealTotals.raised_minor))


def test_an_event_is_stored_as_it_was_signed_before_anything_is_done(session) -> None:
    content = completed(started(open_appeal()))
    assert accept(content)
    kept = row(session)
    assert (kept.state, kept.event_id, kept.body) == ("waiting", content["id"], body_of(content))
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0


def test_an_event_delivered_again_is_known(session) -> None:
    content = completed(started(open_appeal()))
    assert accept(content)
    assert accept(content) is None
    assert row(session)


def test_an_event_that_is_of_no_interest_is_forgotten(session) -> None:
    assert accept(event("customer.tax_id.created", {"id": "x"})) is None
    assert session.scalar(select(func.count()).select_from(InboxEvent)) == 0


def test_an_event_of_nobodys_is_not_stored(session) -> None:
    body = body_of(completed(started(open_appeal())))
    with pytest.raises(SignatureInvalid):
        verified_event(body, signature(body, "whsec_other"), (WEBHOOK_SECRET,))
    assert session.scalar(select(func.count()).select_from(InboxEvent)) == 0


def test_applying_and_marking_are_one(session) -> None:
    row_id = accept(completed(started(open_appeal())))
    assert inbox.apply(row_id, livemode=False)
    assert row(session).state == "done"
    assert raised(session) == 2500
    assert not inbox.apply(row_id, livemode=False)
    assert raised(session) == 2500


def test_two_events_of_one_payment_are_one_gift(session) -> None:
    donation = started(open_appeal())
    for content in (completed(donation), event("payment_intent.succeeded", intent_object(donation))):
        inbox.apply(accept(content), livemode=False)
    assert raised(session) == 2500
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 1


def test_the_payment_intent_alone_is_enough(session) -> None:
    donation = started(open_appeal())
    inbox.apply(accept(event("payment_intent.succeeded", intent_object(donation))), livemode=False)
    assert giving.by_public_id(donation.public_id).status == "received"


def test_a_payment_that_is_not_ours_is_let_go(session) -> None:
    donation = started(open_appeal())
    foreign = event("payment_intent.succeeded", intent_object(donation, metadata={}))
    inbox.apply(accept(foreign), livemode=False)
    assert row(session).state == "ignored"
    assert raised(session) == 0


@pytest.mark.parametrize(
    "values",
    [
        {"amount_total": 1},
        {"currency": "eur"},
        {"livemode": True},
        {"client_reference_id": "nobody"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_does_not_fit_is_parked_with_the_reason_and_holds_nothing_up(session, values) -> None:
    appeal = open_appeal()
    inbox.apply(accept(completed(started(appeal), **values)), livemode=False)
    parked = row(session)
    assert parked.state == "parked"
    assert parked.problem
    good = accept(completed(started(appeal)))
    assert inbox.apply(good, livemode=False)
    assert raised(session) == 2500


def test_a_poisonous_event_is_parked_at_once_and_the_server_stays_ready(session, travel) -> None:
    broken = completed(started(open_appeal()))
    del broken["data"]["object"]["currency"]
    inbox.apply(accept(broken), livemode=False)
    assert (row(session).state, row(session).problem) == (
        "parked",
        "It cannot be read (KeyError: 'currency').",
    )
    travel((clock.now() + timedelta(hours=1)).isoformat())
    assert health.look().ready


def test_an_event_that_fails_is_tried_with_growing_pauses_and_then_parked(session, travel) -> None:
    accept(completed(started(open_appeal())))
    take_the_ledger_away(session)
    attempts = []
    for _ in range(len(inbox.BACKOFF_SECONDS) + 3):
        attempts.append(inbox.apply_due(livemode=False))
        travel((clock.now() + timedelta(days=1)).isoformat())
    assert attempts == [1] * (len(inbox.BACKOFF_SECONDS) + 1) + [0, 0]
    assert row(session).state == "parked"
    assert "ledger_entries" in row(session).problem


def test_an_event_that_has_to_wait_is_not_taken_up_early(session) -> None:
    row_id = accept(completed(started(open_appeal())))
    take_the_ledger_away(session)
    inbox.apply(row_id, livemode=False)
    assert inbox.apply_due(livemode=False) == 0


def test_the_worker_finishes_what_was_left(app) -> None:
    with app.app_context():
        for _ in range(3):
            accept(completed(started(open_appeal(f"a{_}"))))
        done = jobs.round_once(settings_of(app))
        assert done.events == 3
        assert db.session.scalar(select(func.sum(AppealTotals.raised_minor))) == 7500
        assert proof.differences() == []


def test_a_worker_that_is_told_to_stop_takes_up_no_further_event(session) -> None:
    accept(completed(started(open_appeal())))
    stop = threading.Event()
    stop.set()
    assert inbox.apply_due(livemode=False, stop=stop) == 0
    assert inbox.apply_due(livemode=False) == 1


def test_four_workers_at_once_apply_each_event_once(app) -> None:
    with app.app_context():
        appeal = open_appeal()
        for number in range(16):
            accept(completed(started(appeal, email=f"d{number}@example.org")))
    together = threading.Barrier(4)

    def work(_number: int) -> None:
        with app.app_context():
            together.wait()
            inbox.apply_due(livemode=False)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with app.app_context():
        inbox.apply_due(livemode=False)
        assert set(db.session.scalars(select(InboxEvent.state))) == {"done"}
        assert raised(db.session) == 16 * 2500
        assert proof.differences() == []


# -- the door ----------------------------------------------------------------------------------------------------


def test_a_delivered_event_is_answered_2xx_and_moves_the_figure_at_once(app, client) -> None:
    with app.app_context():
        content = completed(started(open_appeal()))
    for _ in range(2):
        answer = deliver(client, content)
        assert (answer.status_code, answer.get_json()) == (200, {"received": True})
    assert client.get("/api/v1/appeals/lantern").get_json()["raised_minor"] == 2500


@pytest.mark.parametrize("headers", [{}, {"Stripe-Signature": "t=1,v1=0"}])
def test_an_unsigned_event_is_answered_400_in_words(app, client, headers) -> None:
    with app.app_context():
        body = body_of(completed(started(open_appeal())))
    answer = client.post("/webhooks/stripe", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.get_json()["message"]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(InboxEvent)) == 0


@pytest.mark.parametrize(
    "gone", ["postgresql://nobody@127.0.0.1:1/nothing", "sqlite:////nowhere/at/all.sqlite3"]
)
def test_an_event_that_could_not_be_stored_is_not_acknowledged(make_app, gone) -> None:
    answer = deliver(make_app(gone).test_client(), event("payment_intent.succeeded", {"id": "pi_1"}))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_an_event_that_cannot_be_applied_now_is_acknowledged_and_applied_later(app, client) -> None:
    with app.app_context():
        content = completed(started(open_appeal()))
        take_the_ledger_away(db.session)
    assert deliver(client, content).status_code == 200
    with app.app_context():
        kept = row(db.session)
        assert (kept.state, json.loads(kept.body)) == ("waiting", content)
        db.session.execute(text("ALTER TABLE elsewhere RENAME TO ledger_entries"))
        db.session.execute(update(InboxEvent).values(try_at=clock.now()))
        db.session.commit()
        assert inbox.apply_due(livemode=False) == 1
        assert raised(db.session) == 2500


@pytest.mark.parametrize(("patience_seconds", "tries"), [(5, 2), (0, 1)])
def test_an_event_that_waited_long_for_the_database_does_not_wait_again(
    make_app, patience_seconds, tries
) -> None:
    body, tried = body_of(event("payment_intent.succeeded", {"id": "pi_1"})), []
    with make_app("sqlite:////nowhere/at/all.sqlite3").app_context():
        sqlalchemy_event.listen(db.engine, "handle_error", tried.append)
        with pytest.raises(OperationalError):
            inbox.take(
                body,
                signature(body),
                (WEBHOOK_SECRET,),
                livemode=False,
                patience_seconds=patience_seconds,
            )
    assert len(tried) == tries


def test_a_session_that_is_no_payment_is_not_taken_for_one(session) -> None:
    donation = started(open_appeal())
    setup = event("checkout.session.completed", session_object(donation, mode="setup"))
    inbox.apply(accept(setup), livemode=False)
    assert raised(session) == 0
