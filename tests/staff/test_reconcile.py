"""What waits for a person: tried again, or set aside with a reason; Stripe compared; payouts and seals shown."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from appeal.books import reconcile, reconcile_runs
from appeal.books.differences import Difference
from appeal.core import clock
from appeal.core.errors import NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import AuditEntry, BalanceMovement, DailySeal, Donation, InboxEvent, OutboxItem, Payout
from appeal.office.audit import Actor
from appeal.queues import inbox, notices, outbox, parked
from tests.making import body_of, completed, event, open_appeal, started
from tests.staff.conftest import Office

Enter = Callable[..., Office]
ANNA = Actor("anna@lantern.example")


def park_event(content: dict[str, Any], problem: str = "The payment is £0.01, the gift £25.") -> int:
    """Put an event aside as the inbox does, in an application context."""
    row_id = inbox.accept(content, body_of(content), came_by="webhook")
    assert row_id is not None
    with writing() as session:
        row = session.get_one(InboxEvent, row_id)
        row.state, row.problem, row.attempts = "parked", problem, 1
    return row_id


def park_letter(**values: Any) -> int:
    outbox.add("receipt", "receipt:parked", **values)
    with writing() as session:
        item = session.scalars(select(OutboxItem).where(OutboxItem.dedupe == "receipt:parked")).one()
        item.state, item.problem, item.attempts = "parked", "SMTPServerDisconnected: gone", 9
        return item.id


def state_of(table: Any, row_id: int) -> str:
    db.session.expire_all()
    return str(db.session.get_one(table, row_id).state)


# -- the use cases


def test_an_event_tried_again_is_due_and_applied(session) -> None:
    donation = started(open_appeal())
    row_id = park_event(completed(donation))
    parked.retry_event(row_id, ANNA)
    assert inbox.apply(row_id, livemode=False)
    assert session.get_one(Donation, donation.id).status == "received"


def test_an_event_set_aside_needs_a_reason_and_is_kept(session) -> None:
    row_id = park_event(event("payment_intent.succeeded", {}))
    with pytest.raises(NotPossible):
        parked.set_event_aside(row_id, ANNA, reason=" ")
    parked.set_event_aside(row_id, ANNA, reason="Another product's")
    assert state_of(InboxEvent, row_id) == "ignored"
    assert session.get_one(InboxEvent, row_id).body
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.reason, entry.actor) == ("event.set_aside", "Another product's", ANNA.email)


def test_what_does_not_wait_any_more_is_not_touched_again(session) -> None:
    row_id, item_id = park_event(event("payment_intent.succeeded", {})), park_letter()
    parked.set_event_aside(row_id, ANNA, reason="Not ours")
    parked.set_letter_aside(item_id, ANNA, reason="Moved")
    for attempt in (
        lambda: parked.retry_event(row_id, ANNA),
        lambda: parked.set_event_aside(row_id, ANNA, reason="Again"),
        lambda: parked.send_again(item_id, ANNA),
        lambda: parked.set_letter_aside(item_id, ANNA, reason="Again"),
    ):
        with pytest.raises(parked.NotParked):
            attempt()


def test_a_letter_sent_again_goes_out(session) -> None:
    item_id, sent = park_letter(), []
    parked.send_again(item_id, ANNA)
    outbox.send_due({"receipt": sent.append})
    assert [item.id for item in sent] == [item_id]
    assert state_of(OutboxItem, item_id) == "done"


def test_a_report_is_kept_with_notices_of_what_is_left(session) -> None:
    report = reconcile.Report(clock.now(), dry_run=False, objects=7)
    report.differences = [
        Difference("missing", "pi_1", "payment", 2500, "gbp", "never delivered", applied=True),
        Difference("amount", "re_1", "refund", -100, "gbp", "the books say 200"),
    ]
    reconcile_runs.keep(report, ANNA.email)
    [run] = reconcile_runs.latest()
    assert (run.actor, run.report["objects"], run.report["open"]) == (ANNA.email, 7, 1)
    assert [one.kind for one in notices.unseen()] == ["reconcile"]


# -- the page


def test_nothing_waiting_says_so(office: Enter, winter: str) -> None:
    page = office("editor").get("/staff/reconcile").text
    assert "Nothing waits for you." in page
    assert "Not compared yet" in page


def test_an_event_is_shown_with_its_reason_and_tried_again(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context():
        row_id = park_event(completed(started(open_appeal())))
    editor = office("editor")
    assert "The payment is £0.01, the gift £25." in editor.get("/staff/reconcile").text
    answer = editor.post(f"/staff/reconcile/events/{row_id}/retry", follow_redirects=True)
    assert "The event is applied." in answer.text
    with app.app_context():
        assert state_of(InboxEvent, row_id) == "done"


def test_an_event_that_still_does_not_fit_is_told_and_stays(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context():
        row_id = park_event(completed(started(open_appeal()), amount_total=1))
    answer = office("editor").post(f"/staff/reconcile/events/{row_id}/retry", follow_redirects=True)
    assert "It still cannot be applied." in answer.text
    with app.app_context():
        assert state_of(InboxEvent, row_id) == "parked"


@pytest.mark.parametrize(("kind", "park"), [("events", None), ("letters", park_letter)])
def test_setting_aside_asks_why_at_its_place(
    office: Enter, winter: str, app: Flask, kind: str, park: Any
) -> None:
    with app.app_context():
        number = park() if park else park_event(event("payment_intent.succeeded", {}))
    editor = office("editor")
    refused = editor.post(f"/staff/reconcile/{kind}/{number}/aside", {"reason": " "})
    assert refused.status_code == 422
    assert "Say why, in a few words." in refused.text
    assert editor.post(f"/staff/reconcile/{kind}/{number}/aside", {"reason": "Not ours"}).status_code == 303
    assert "Nothing waits for you." in editor.get("/staff/reconcile").text
    assert editor.post(f"/staff/reconcile/{kind}/{number}/aside", {"reason": "Not ours"}).status_code == 404


def test_a_letter_is_sent_again(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context():
        number = park_letter(donation=db.session.scalars(select(Donation)).first())
    editor = office("editor")
    page = editor.get("/staff/reconcile").text
    assert "SMTPServerDisconnected" in page
    assert "Ada Byron" in page
    assert editor.post(f"/staff/reconcile/letters/{number}/again").status_code == 303
    with app.app_context():
        assert state_of(OutboxItem, number) == "waiting"


def test_a_notice_is_put_away(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context(), writing():
        notices.add("dispute", "dispute:1", "A bank disputes this gift.")
    editor = office("editor")
    with app.app_context():
        [number] = [one.id for one in notices.unseen()]
    assert "A bank disputes this gift." in editor.get("/staff/reconcile").text
    assert editor.post(f"/staff/reconcile/notices/{number}/seen").status_code == 303
    assert "A bank disputes this gift." not in editor.get("/staff/reconcile").text


def test_everything_that_waits_is_on_the_first_screen_one_click_from_what_to_do(
    office: Enter, winter: str, app: Flask
) -> None:
    with app.app_context():
        park_event(event("payment_intent.succeeded", {}))
        park_letter()
        with writing():
            for kind in (*notices.NAMES, "a kind of next year"):
                notices.add(kind, f"{kind}:1", f"About {kind}.")
    page = office("editor").get("/staff/").text
    waits = page[page.index("Waiting for you") :]
    places = [*(f"notices-{kind}" for kind in notices.NAMES), "events", "letters"]
    reconcile_page = office("editor").get("/staff/reconcile").text
    for place in places:
        assert f'href="/staff/reconcile#{place}"' in waits, place
        assert f'id="{place}"' in reconcile_page, place
    assert "<strong>2</strong> notices" in waits
    seen_by_a_viewer = office("viewer").get("/staff/").text
    assert "disputed gift" in seen_by_a_viewer
    assert "/staff/reconcile" not in seen_by_a_viewer


def test_a_message_to_another_system_is_no_letter(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context(), writing() as session:
        outbox.add("outgoing", "outgoing:1", recipient="1")
        session.query(OutboxItem).update({"state": "parked"})
    editor = office("editor")
    assert "Letters that could not be sent" not in editor.get("/staff/reconcile").text
    assert "message to your systems given up" in editor.get("/staff/").text


def test_when_stripe_does_not_answer_the_page_says_so(office: Enter, winter: str) -> None:
    answer = office("admin").post("/staff/reconcile/run", follow_redirects=True)
    assert answer.status_code == 200
    assert "What was put right before stays." in answer.text


def test_an_editor_cannot_run_the_comparison(office: Enter, winter: str) -> None:
    editor = office("editor")
    assert editor.post("/staff/reconcile/run").status_code == 403
    assert "Compare with Stripe now" not in editor.get("/staff/reconcile").text


def test_a_payout_shows_the_gifts_it_pays_out(office: Enter, winter: str, app: Flask) -> None:
    now = clock.now()
    with app.app_context(), writing() as session:
        gift = session.scalars(select(Donation)).first()
        assert gift is not None
        payout = Payout(
            payout_id="po_1", amount_minor=950, currency="gbp", status="paid",
            arrives_at=now + timedelta(days=2), created_at=now, told_at=now,
        )  # fmt: skip
        session.add(payout)
        session.flush()
        movement = BalanceMovement(
            movement_id="txn_1", kind="charge", source_id="ch_1", donation_id=gift.id, payout_id=payout.id,
            amount_minor=1000, fee_minor=35, net_minor=965, currency="gbp", created_at=now,
        )  # fmt: skip
        fee = BalanceMovement(
            movement_id="txn_2", kind="stripe_fee", payout_id=payout.id,
            amount_minor=-15, fee_minor=0, net_minor=-15, currency="gbp", created_at=now,
        )  # fmt: skip
        session.add_all([movement, fee])
        number, public_id = payout.id, gift.public_id
    editor = office("editor")
    assert f"/staff/reconcile/payouts/{number}" in editor.get("/staff/reconcile").text
    page = editor.get(f"/staff/reconcile/payouts/{number}").text
    assert public_id in page
    assert "as paid out" in page
    assert "£9.65" in page
    assert "stripe fee" in page
    assert "Ada Byron" in page


def test_the_days_seals_are_shown(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context(), writing() as session:
        values = {"entry_count": 3, "sum_minor": 5500, "last_entry_id": 3, "previous": "0" * 64}
        session.add(
            DailySeal(day=clock.now().date(), digest="abcdef0123456789" * 4, sealed_at=clock.now(), **values)
        )
    assert "abcdef0123456789" in office("editor").get("/staff/reconcile").text
