"""The stateful test: a random world of gifts, monthly runs, refunds, disputes, failures, lost and doubled events
against a plain model of the books, on both databases. A failing run says with which seed to repeat it."""

import contextlib
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from appeal.books import reconcile
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import managing, monthly
from appeal.models import Appeal, AppealTotals, Donation, InboxEvent, LedgerEntry
from stripe_sandbox.errors import ApiError
from tests.conftest import BOTH
from tests.making import open_appeal, unique
from tests.money.conftest import world_of_its_own
from tests.money.shop import Shop
from tests.money.world import Model
from tests.support.run import Run

AMOUNTS = st.integers(200, 100_000)
CARDS = st.sampled_from(
    ["4242424242424242"] * 5
    + [
        "4000000000000002",
        "4000000000000259",
        "4000000000001976",
        "4000000000005423",
        "4000000000007726",
        "4000000000005126",
        "bacs_debit",
        "bacs_debit_fails",
    ]
)
PICK = st.integers(0, 10_000)
STEPS = 50


class World(RuleBasedStateMachine):
    """One appeal after another in the same world; what was begun in one goes on in the next."""

    shop: ClassVar[Shop]
    model: ClassVar[Model]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.bag: list[dict[str, Any]] = []
        self.once: list[Donation] = []
        self.begun: list[Donation] = []

    @initialize(closes=st.booleans())
    def another_appeal(self, closes: bool) -> None:
        appeal = open_appeal(unique("appeal"))
        self.closes_at = (
            datetime.fromtimestamp(self.shop.sandbox.now(), UTC) + timedelta(days=40) if closes else None
        )
        self.began_at = datetime.fromtimestamp(self.shop.sandbox.now(), UTC)
        with writing():
            kept = db.session.get_one(Appeal, appeal.id)
            kept.closes_at = self.closes_at
        self.shop.appeal = appeal

    def _take(self) -> None:
        type(self).steps += 1
        self.bag += self.shop.events()

    def _give(self, amount: int, frequency: str, cover: bool, card: str) -> Donation:
        donation = self.shop.begin(amount, frequency=frequency, cover_fee=cover)
        self.model.agree(donation.public_id, amount, donation.cover_minor, self.closes_at)
        self.shop.pay(donation, card)
        self._take()
        return donation

    @rule(amount=AMOUNTS, cover=st.booleans(), card=CARDS)
    def give(self, amount: int, cover: bool, card: str) -> None:
        self.once.append(self._give(amount, "once", cover, card))

    @rule(amount=AMOUNTS, cover=st.booleans(), failing=st.booleans())
    def begin_monthly(self, amount: int, cover: bool, failing: bool) -> None:
        card = "4000000000000341" if failing else "4242424242424242"
        self.begun.append(self._give(amount, "monthly", cover, card))

    @rule(amount=AMOUNTS)
    def turn_back(self, amount: int) -> None:
        self.shop.begin(amount)
        self._take()

    @rule(days=st.sampled_from([1, 4, 31]))
    def time_passes(self, days: int) -> None:
        self.shop.sandbox.advance(days=days)
        self._take()

    def _charge(self, pick: int) -> dict[str, Any] | None:
        charges = list(self.shop.sandbox.world["charge"].items.values())[-40:]
        return charges[pick % len(charges)] if charges else None

    @rule(pick=PICK, share=st.integers(1, 100))
    def refund(self, pick: int, share: int) -> None:
        from stripe_sandbox.resources.refunds import create_refund

        charge = self._charge(pick)
        if charge:
            left = charge["amount"] - charge["amount_refunded"]
            with self.shop.sandbox.world.lock:
                self._try(
                    lambda: create_refund(
                        self.shop.sandbox.world,
                        {"charge": charge["id"], "amount": max(1, left * share // 100)},
                    )
                )
        self._take()

    @rule(pick=PICK)
    def refund_fails(self, pick: int) -> None:
        refunds = list(self.shop.sandbox.world["refund"].items)[-10:]
        if refunds:
            self._try(lambda: self.shop.sandbox.fail_refund(refunds[pick % len(refunds)]))
        self._take()

    @rule(pick=PICK, inquiry=st.booleans(), whole=st.booleans())
    def dispute(self, pick: int, inquiry: bool, whole: bool) -> None:
        charge = self._charge(pick)
        if charge:
            amount = charge["amount"] if whole else None
            self._try(lambda: self.shop.sandbox.dispute(charge["id"], inquiry=inquiry, amount=amount))
        self._take()

    @rule(pick=PICK, outcome=st.sampled_from(["won", "lost", "warning_closed", "escalate"]))
    def dispute_goes_on(self, pick: int, outcome: str) -> None:
        disputes = list(self.shop.sandbox.world["dispute"].items)[-10:]
        if disputes:
            wanted = disputes[pick % len(disputes)]
            if outcome == "escalate":
                self._try(lambda: self.shop.sandbox.escalate_dispute(wanted))
            else:
                self._try(lambda: self.shop.sandbox.close_dispute(wanted, outcome))
        self._take()

    @staticmethod
    def _try(action: Callable[[], object]) -> None:
        with suppress(ApiError):  # Stripe would not: nothing happened
            action()

    @precondition(lambda self: self.begun)
    @rule(pick=PICK, what=st.sampled_from(["pause", "resume", "end", "leave", "amount"]), amount=AMOUNTS)
    def change_monthly(self, pick: int, what: str, amount: int) -> None:
        donation = self.begun[pick % len(self.begun)]
        self.deliver_all()
        gift = monthly.of_donation(donation)
        if gift is None or gift.status == "ended":
            return  # all news of it was lost so far, or it is over
        gift = self.shop.gift(donation)
        if what == "amount" and not gift.cover_minor:
            self.model.agree(donation.public_id, amount, 0, self.model.closes_at[donation.public_id])
        with contextlib.suppress(managing.NotPossible):
            {
                "pause": lambda: managing.pause(gift, self.shop.gateway),
                "resume": lambda: managing.resume(gift, self.shop.gateway),
                "end": lambda: managing.cancel(gift, self.shop.gateway, at_once=True),
                "leave": lambda: managing.cancel(gift, self.shop.gateway, at_once=False),
                "amount": lambda: (
                    None if gift.cover_minor else managing.change_amount(gift, amount, self.shop.gateway)
                ),
            }[what]()
        self._take()

    @rule(chance=PICK, part=st.integers(1, 100))
    def deliver_some(self, chance: int, part: int) -> None:
        """Deliver a part of what waits, in any order, some of it twice."""
        self._take()
        random.Random(chance).shuffle(self.bag)
        now, self.bag = self.bag[: len(self.bag) * part // 100], self.bag[len(self.bag) * part // 100 :]
        self.shop.deliver(now + now[::3], work=False)

    @rule(chance=PICK)
    def lose_some(self, chance: int) -> None:
        """Lose a third of what waits, for ever."""
        self._take()
        random.Random(chance).shuffle(self.bag)
        self.bag = self.bag[len(self.bag) // 3 :]

    def deliver_all(self) -> None:
        self._take()
        self.shop.deliver(self.bag, work=False)
        self.bag = []

    @rule(seldom=st.integers(0, 9))
    def now_and_then(self, seldom: int) -> None:
        if seldom == 0:
            self.settle_up()

    def settle_up(self) -> None:
        """Deliver the rest, fetch what was lost, and hold the books against the model."""
        self.deliver_all()
        report = reconcile.run(self.shop.gateway, since=self.began_at - timedelta(days=1), livemode=False)
        self.shop.work()
        assert not [one.sentence() for one in report.open if one.kind != "unknown"]
        self.compare()

    def compare(self) -> None:
        db.session.rollback()
        found = db.session.execute(
            select(
                func.coalesce(func.sum(AppealTotals.raised_minor), 0),
                func.coalesce(func.sum(AppealTotals.uncounted_minor), 0),
                func.coalesce(func.sum(AppealTotals.gift_count), 0),
            )
        ).one()
        books = self.model.books(self.shop.sandbox)
        facts = {fact.removesuffix(":cover") for fact in db.session.scalars(select(LedgerEntry.fact))}
        assert facts == set(books.facts)
        assert tuple(map(int, found)) == (books.raised_minor, books.uncounted_minor, books.gift_count)
        parked = db.session.scalars(select(InboxEvent.problem).where(InboxEvent.state == "parked")).all()
        assert parked == []
        self.shop.assert_true()

    def teardown(self) -> None:
        if not hasattr(self, "began_at"):
            return
        with self.shop.sandbox.world.lock:
            for subscription in list(self.shop.sandbox.world["subscription"].items.values()):
                if subscription["status"] != "canceled":
                    from stripe_sandbox.resources import billing

                    billing.end(self.shop.sandbox.world, subscription)
        self.settle_up()


def run_world(shop: Shop, steps: int, chosen: int) -> int:
    """Run the machine for at least so many steps; return how many it were."""

    class Machine(World):
        pass

    Machine.shop, Machine.model, Machine.steps = shop, Model(), 0
    while Machine.steps < steps:
        options = settings(
            max_examples=max(1, (steps - Machine.steps) // STEPS),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            report_multiple_bugs=False,
            print_blob=False,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(seed(chosen)(Machine), settings=options)
        chosen += 1
    return Machine.steps


A_WORLD = 1_000


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", BOTH)
def test_a_random_world_ends_in_the_books_of_the_plain_model(
    kind: str, run: Run, make_shop: Callable[..., Any], scaled: Callable[[int, int], int], capsys: Any
) -> None:
    """At least 1,000 steps on each database, 50,000 in the long form, a new world every thousand."""
    chosen = int(os.environ.get("WORLD_SEED") or random.SystemRandom().randrange(1_000_000))
    began, steps, wanted = time.monotonic(), 0, scaled(1_000, 50_000)
    while steps < wanted:
        with capsys.disabled():
            print(f"\nworld: {kind}, WORLD_SEED={chosen}", flush=True)
        with (
            run.database(kind) as url,
            world_of_its_own() as sandbox,
            make_shop(url, sandbox) as shop,
        ):
            steps += run_world(shop, A_WORLD, chosen)
        chosen += 1_000
    with capsys.disabled():
        print(f"world: {kind}, {steps} steps, {time.monotonic() - began:.0f} s, no difference", flush=True)


def test_the_model_notices_books_that_are_wrong(shop: Shop) -> None:
    """A test that cannot fail proves nothing: an entry too many must show."""
    model = Model()
    donation = shop.begin(2500)
    model.agree(donation.public_id, 2500, 0, None)
    shop.pay(donation)
    shop.deliver()
    assert model.books(shop.sandbox).raised_minor == shop.raised_minor == 2500
    from appeal.books import ledger

    with writing():
        ledger.record(ledger.lock(donation.id), ledger.Fact("gift", "pi:invented", 1, clock.now()))
    assert model.books(shop.sandbox).raised_minor != shop.raised_minor
