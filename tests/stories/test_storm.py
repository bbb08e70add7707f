"""Storms of events: nothing lost, nothing doubled, and storms that would notice if it were."""

import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from appeal.books import ledger, proof
from appeal.core import clock, ids
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, Donation, InboxEvent, LedgerEntry, OutboxItem
from appeal.people import donors
from tests.making import body_of, completed, event, intent_object, open_appeal, session_object
from tests.stories.storm import Post, blow
from tests.support.processes import WEBHOOK_SECRET
from tests.support.waiting import until

SEED = 95


def begin(appeal: Appeal, count: int, chance: random.Random) -> list[Donation]:
    """Write donations as they stand while their donors are on Stripe's page."""
    gifts = []
    with writing():
        for number in range(count):
            donor = donors.find_or_add(f"d{number // 3}@example.org", "Mary")
            name = ids.from_random(chance)
            gifts.append(
                Donation(
                    public_id=name,
                    appeal_id=appeal.id,
                    donor_id=donor.id,
                    currency="gbp",
                    amount_minor=chance.randint(200, 50_000),
                    cover_minor=chance.choice([0, 0, 59]),
                    status="open",
                    checkout_session_id=f"cs_test_{name}",
                    src=chance.choice(["", "www.example.org:article"]),
                    page=chance.choice(["", "/news/1", "/news/2"]),
                    created_at=clock.now(),
                )
            )
            db.session.add(gifts[-1])
    return gifts


def events_of(gift: Donation, chance: random.Random) -> tuple[list[dict[str, Any]], bool]:
    """Return what Stripe tells of a gift, and whether it ends paid."""
    intent = event("payment_intent.succeeded", intent_object(gift))
    unpaid = {"payment_status": "unpaid"}
    stories = [
        ([completed(gift), intent], True),
        (
            [
                completed(gift, **unpaid),
                event("checkout.session.async_payment_succeeded", session_object(gift)),
                intent,
            ],
            True,
        ),
        (
            [
                completed(gift, **unpaid),
                event("checkout.session.async_payment_failed", session_object(gift, **unpaid)),
            ],
            False,
        ),
        (
            [
                event(
                    "checkout.session.expired",
                    session_object(gift, status="expired", payment_intent=None, **unpaid),
                )
            ],
            False,
        ),
    ]
    return chance.choices(stories, (7, 2, 1, 1))[0]


def assert_books_are_true(model: dict[str, int]) -> None:
    """Hold the total, the ledger, the letters and the proof against what the storm was made of."""
    db.session.rollback()
    entered = {
        name: int(minor)
        for name, minor in db.session.execute(
            select(Donation.public_id, func.sum(LedgerEntry.amount_minor))
            .join(LedgerEntry, LedgerEntry.donation_id == Donation.id)
            .where(LedgerEntry.counted.is_(True))
            .group_by(Donation.public_id)
        )
    }
    assert entered == model
    totals = db.session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()
    assert totals.raised_minor == ledger.sum_minor(totals.appeal_id) == sum(model.values())
    assert totals.gift_count == len(model)
    receipts = select(func.count()).select_from(OutboxItem).where(OutboxItem.kind == "receipt")
    assert db.session.scalar(receipts) == len(model)
    assert proof.differences() == []


def all_applied() -> bool:
    db.session.rollback()
    return not db.session.scalar(
        select(func.count()).select_from(InboxEvent).where(InboxEvent.state.in_(["waiting", "parked"]))
    )


@pytest.mark.soak
@pytest.mark.parametrize("times", [2, 3])
def test_a_storm_of_events_over_http_ends_in_true_books(
    database_url, make_stack, make_app, scaled, times
) -> None:
    """Each event doubled over 200 gifts, then the quick form of the long storm: 2,000 events, each three times."""
    wanted = 200 if times == 2 else scaled(1_000, 25_000)
    chance = random.Random(SEED + times)
    with make_app(database_url).app_context():
        gifts = begin(open_appeal(), wanted, chance)
        told, model = [], {}
        for gift in gifts:
            events, paid = events_of(gift, chance)
            told += [body_of(one) for one in events]
            if paid:
                model[gift.public_id] = gift.amount_minor
        stack = make_stack(database_url)
        with closing(Post([stack.webhook_url], WEBHOOK_SECRET)) as post:
            blow(told, post.send, times=times, seed=SEED)
        until(all_applied, what="the worker to finish what was left", seconds=60)
        assert_books_are_true(model)
        assert post.attempts.count(200) == len(told) * times
        stack.worker.kill()  # it has a thousand letters to write yet, and would end after them


# -- canaries: two designs that lose money, which the same storm must catch ----------------------------------------


class Till:
    """A till on a SQLite file, with the design of its `take` as the question."""

    def __init__(self, path: Path, crash_every: int) -> None:
        self.path, self.crash_every = path, crash_every
        self._steps = 0
        self._lock = threading.Lock()
        with closing(self.open()) as database:
            database.execute("CREATE TABLE seen (event TEXT PRIMARY KEY)")
            database.execute("CREATE TABLE total (sum INTEGER)")
            database.execute("INSERT INTO total VALUES (0)")

    def open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=OFF")
        return database

    def crash(self) -> None:
        """Crash now and then, as a process does."""
        with self._lock:
            self._steps += 1
            steps = self._steps
        if self.crash_every and steps % self.crash_every == 0:
            raise Crash

    def sum(self) -> int:
        with closing(self.open()) as database:
            return int(database.execute("SELECT sum FROM total").fetchone()[0])


class Crash(Exception):
    """The process is gone; Stripe delivers again."""


def seen(database: sqlite3.Connection, name: str) -> bool:
    return database.execute("SELECT 1 FROM seen WHERE event = ?", (name,)).fetchone() is not None


def check_then_act(till: Till, database: sqlite3.Connection, name: str) -> None:
    if seen(database, name):
        return
    total = database.execute("SELECT sum FROM total").fetchone()[0]
    till.crash()
    database.execute("UPDATE total SET sum = ?", (total + 1,))
    with suppress(sqlite3.IntegrityError):
        database.execute("INSERT INTO seen VALUES (?)", (name,))


def mark_first_then_work(till: Till, database: sqlite3.Connection, name: str) -> None:
    try:
        database.execute("INSERT INTO seen VALUES (?)", (name,))
    except sqlite3.IntegrityError:
        return
    till.crash()
    database.execute("UPDATE total SET sum = sum + 1")


def mark_and_work_in_one(till: Till, database: sqlite3.Connection, name: str) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        if not seen(database, name):
            database.execute("INSERT INTO seen VALUES (?)", (name,))
            till.crash()
            database.execute("UPDATE total SET sum = sum + 1")
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


Design = Callable[[Till, sqlite3.Connection, str], None]


@pytest.mark.parametrize(
    ("design", "crash_every", "survives"),
    [(check_then_act, 0, False), (mark_first_then_work, 20, False), (mark_and_work_in_one, 20, True)],
)
def test_the_storm_catches_the_designs_that_lose_money(
    tmp_path, design: Design, crash_every: int, *, survives: bool
) -> None:
    till = Till(tmp_path / "till.sqlite3", crash_every)

    def send(name: str) -> None:
        while True:
            with closing(till.open()) as database, suppress(Crash):
                design(till, database, name)
                return

    blow([f"evt_{number}" for number in range(300)], send, times=3, seed=SEED)
    assert (till.sum() == 300) is survives, till.sum()
