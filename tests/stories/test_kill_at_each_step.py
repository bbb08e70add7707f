"""The process is killed between any two steps of the road; nothing that was acknowledged is lost, nothing doubled."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from appeal.books import ledger, proof
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import Appeal, AppealTotals, Donation, InboxEvent, OutboxItem
from appeal.reports import appeal_by_slug
from stripe_sandbox.sandbox import Sandbox, running
from tests.making import SLUG, body_of, completed, form, open_appeal, paid, signature, started, unique
from tests.stories.killing import Killer
from tests.support.settings import STRIPE_KEY, WEBHOOK_SECRET
from tests.support.waiting import until

PENCE = 2500
LEASE_IS_OVER = {"later_seconds": 300}


class Road:
    """One road on one database: a process that dies, a supplier that does not, and the books to look into."""

    def __init__(self, app: Flask, killer: Killer, sandbox: Sandbox, smtp: Any) -> None:
        self.app, self.killer, self.sandbox, self.smtp = app, killer, sandbox, smtp
        self.steps: list[str] = []

    def kill_at_each_step(self, walk: Callable[[int], str | None], *, rounds: int) -> None:
        """Walk again and again, each time a step further before the end, until it is walked without dying."""
        for _ in range(rounds):
            at, where = 0, ""
            while where is not None:
                at += 1
                where = walk(at)
                if where is not None:
                    self.steps.append(where)
        assert_books_are_true()

    def __str__(self) -> str:
        """Say where the process died, for the record."""
        return f"{len(self.steps)} kills: " + ", ".join(dict.fromkeys(self.steps))

    def go(self, stretch: str, data: Any, at: int) -> str | None:
        """Walk a stretch to its death; return where it died, or None when it lived."""
        return self.killer.run(stretch, data, at).get("killed")

    def recover(self) -> None:
        """Do what the next worker does, some minutes later: by then the server knows who is dead."""
        until(self.nothing_is_held, what="the server to let go of what the dead held")
        assert "killed" not in self.killer.run("work", LEASE_IS_OVER)

    def nothing_is_held(self) -> bool:
        """Say whether no other connection to PostgreSQL is inside a transaction; SQLite's locks die with their process."""
        if db.engine.dialect.name == "sqlite":
            return True
        others = "datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        held = db.session.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {others}"))  # noqa: S608
        db.session.rollback()
        return not held

    def redeliver(self, content: dict[str, Any]) -> None:
        """Deliver as Stripe does to somebody who has not acknowledged."""
        body = body_of(content)
        answer = self.killer.run("event", {"body": body.decode(), "signature": signature(body)})
        assert answer["status"] == 200


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox
        assert sandbox.rejected == []


@pytest.fixture
def road(database_url, make_app, sandbox, smtp, tmp_path) -> Iterator[Road]:
    settings = {
        "APPEAL_ENV": "test",
        "SECRET_KEY": "a key for tests, long enough to pass every check",
        "DATABASE_URL": database_url,
        "INSTANCE_DIR": str(tmp_path / "instance"),
        "MAIL_URL": smtp.url,
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "STRIPE_API_BASE": sandbox.url,
        "FORM_MIN_AGE_SECONDS": "0",
        "CHECKOUTS_PER_ADDRESS_HOUR": "100000",
    }
    killer = Killer(settings)
    app = make_app(database_url)
    try:
        with app.app_context():
            open_appeal()
            road = Road(app, killer, sandbox, smtp)
            yield road
            print(road)
    finally:
        killer.stop()


def fresh(*conditions: Any) -> Donation:
    """Find one donation as the database has it now."""
    db.session.rollback()
    return db.session.scalars(
        select(Donation).where(*conditions).execution_options(populate_existing=True)
    ).one()


def begin() -> Donation:
    """Begin a gift, and remember nothing of it here."""
    donation = started(fresh_appeal(), email=f"{unique('d')}@example.org")
    db.session.commit()
    return donation


def fresh_appeal() -> Appeal:
    db.session.rollback()
    return appeal_by_slug(SLUG)


def assert_entered_once(donation: Donation) -> None:
    db.session.rollback()
    entries = ledger.entries_of(donation)
    assert [(entry.kind, entry.amount_minor) for entry in entries] == [("gift", PENCE)]
    letters = select(func.count()).select_from(OutboxItem).where(OutboxItem.donation_id == donation.id)
    assert db.session.scalar(letters) == 1


def assert_books_are_true() -> None:
    db.session.rollback()
    totals = db.session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()
    assert totals.raised_minor == ledger.sum_minor(totals.appeal_id) == totals.gift_count * PENCE
    assert proof.differences() == []


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("stretch", "commits"),
    [
        ("event", 1),  # stored and applied in the one transaction
        ("event that stumbles", 2),  # that was undone: stored by itself, then applied
    ],
)
def test_killed_anywhere_while_an_event_is_taken(road, scaled, stretch: str, commits: int) -> None:
    def walk(at: int) -> str | None:
        donation = begin()
        content = completed(donation)
        body = body_of(content)
        where = road.go(stretch, {"body": body.decode(), "signature": signature(body)}, at)
        stored = select(func.count()).select_from(InboxEvent).where(InboxEvent.event_id == content["id"])
        db.session.rollback()
        if not db.session.scalar(stored):
            assert where is not None, "it was acknowledged and not stored"
            road.redeliver(content)
        road.recover()
        assert_entered_once(donation)
        return where

    rounds = scaled(1, 20)
    road.kill_at_each_step(walk, rounds=rounds)
    assert road.steps.count("after commit") == commits * rounds
    assert road.steps[-1] == "before the answer"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_killed_anywhere_between_the_form_and_the_payment_page(road, scaled) -> None:
    def walk(at: int) -> str | None:
        values = form(road.app)
        order = {"address": f"/appeals/{SLUG}/donations", "form": values}
        where = road.go("form", order, at)
        again = road.killer.run("form", order)
        assert again["status"] == 303, (where, again)
        donation = fresh(Donation.form_id == values["csrf_token"].split(".")[1])
        sessions = list(
            road.sandbox.world["checkout.session"].newest_first(client_reference_id=donation.public_id)
        )
        assert [one["url"] for one in sessions] == [again["location"]], where
        giving.settle(paid(donation, session_id=sessions[0]["id"]), livemode=False)
        assert_entered_once(donation)
        return where

    road.kill_at_each_step(walk, rounds=scaled(1, 20))
    assert {"before open_checkout", "after open_checkout", "before the answer"} <= set(road.steps)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_killed_anywhere_while_the_thank_you_page_settles(road, scaled) -> None:
    def walk(at: int) -> str | None:
        values = form(road.app)
        road.killer.run("form", {"address": f"/appeals/{SLUG}/donations", "form": values})
        donation = fresh(Donation.form_id == values["csrf_token"].split(".")[1])
        road.sandbox.pay(donation.checkout_session_id)
        address = {"address": f"/donations/{donation.public_id}/thank-you"}
        where = road.go("back", address, at)
        road.redeliver(
            completed(donation, id=donation.checkout_session_id, payment_intent=_intent(road, donation))
        )
        assert road.killer.run("back", address)["status"] == 200
        assert_entered_once(donation)
        return where

    road.kill_at_each_step(walk, rounds=scaled(1, 20))
    assert {"before read_checkout", "after read_checkout", "after commit"} <= set(road.steps)


def _intent(road: Road, donation: Donation) -> str:
    intent = road.sandbox.world["checkout.session"].get(donation.checkout_session_id)["payment_intent"]
    return str(intent)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_killed_anywhere_while_a_receipt_is_sent(road, scaled) -> None:
    """A letter leaves at least once; killed between the server's yes and our mark it leaves again, under one name."""
    twice = []

    def walk(at: int) -> str | None:
        donation = begin()
        giving.settle(paid(donation), livemode=False)
        where = road.go("work", {}, at)
        road.recover()
        name = f"<receipt.{donation.public_id}@localhost.localdomain>"
        arrived = [message for message in road.smtp.messages if message["Message-ID"] == name]
        assert arrived, where
        if len(arrived) > 1:
            twice.append(where)
        assert len(arrived) <= 2
        states = set(
            db.session.scalars(select(OutboxItem.state).where(OutboxItem.donation_id == donation.id))
        )
        assert states == {"done"}
        db.session.rollback()
        return where

    rounds = scaled(1, 20)
    road.kill_at_each_step(walk, rounds=rounds)
    first = road.steps.index("after a letter")
    marking = set(road.steps[first : road.steps.index("after commit", first)])
    assert set(twice) <= marking
    assert {"before a letter", "after a letter"} <= set(road.steps)
