"""Any order and any repetition of one gift's events ends in the same books."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from appeal.books import ledger, proof
from appeal.core import clock, ids
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, Donation, Donor, LedgerEntry
from appeal.people import donors
from appeal.queues import events, inbox
from tests.making import body_of, event, intent_object, open_appeal, session_object, unique

SEED = 20261123
SEQUENCES_A_STORY = (1_000, 10_000)
MOST_DELIVERIES = 8
Event = dict[str, Any]


def completed(gift: Donation, **values: Any) -> Event:
    return event("checkout.session.completed", session_object(gift, **values))


def later_paid(gift: Donation) -> Event:
    return event("checkout.session.async_payment_succeeded", session_object(gift))


def later_failed(gift: Donation) -> Event:
    failed = session_object(gift, payment_status="unpaid")
    return event("checkout.session.async_payment_failed", failed)


def expired(gift: Donation, **values: Any) -> Event:
    over = session_object(gift, status="expired", payment_status="unpaid", payment_intent=None, **values)
    return event("checkout.session.expired", over)


def intent(gift: Donation) -> Event:
    return event("payment_intent.succeeded", intent_object(gift))


# The events of one gift as Stripe may tell them, and the books they must all end in: status, received, gifts.
Story = tuple[Callable[[Donation], list[Event]], tuple[str, int, int]]
STORIES: dict[str, Story] = {
    "paid at once": (lambda gift: [completed(gift), intent(gift)], ("received", 2559, 1)),
    "paid days later": (
        lambda gift: [completed(gift, payment_status="unpaid"), later_paid(gift), intent(gift)],
        ("received", 2559, 1),
    ),
    "failed days later": (
        lambda gift: [completed(gift, payment_status="unpaid"), later_failed(gift)],
        ("failed", 0, 0),
    ),
    "left, and paid at the second attempt": (
        lambda gift: [expired(gift, id="cs_test_first"), completed(gift), intent(gift)],
        ("received", 2559, 1),
    ),
    "everything Stripe can say of one that is paid": (
        lambda gift: [
            expired(gift, id="cs_test_first"),
            completed(gift, payment_status="unpaid"),
            later_paid(gift),
            later_paid(gift),
            intent(gift),
            completed(gift),
        ],
        ("received", 2559, 1),
    ),
}


def begun(appeal: Appeal, donor: Donor) -> Donation:
    """Write a donation as `giving.start` does, without the limits: thousands are begun within seconds here."""
    name = ids.public_id()
    donation = Donation(
        public_id=name,
        appeal_id=appeal.id,
        donor_id=donor.id,
        currency="gbp",
        amount_minor=2500,
        cover_minor=59,
        status="open",
        checkout_session_id=f"cs_test_{name}",
        created_at=clock.now(),
    )
    db.session.add(donation)
    db.session.flush()
    return donation


def books_of(donation: Donation) -> tuple[str, int, int, set[tuple[str, str, int]]]:
    """Return what the books say of one gift."""
    db.session.flush()
    db.session.refresh(donation)
    entries = db.session.scalars(select(LedgerEntry).where(LedgerEntry.donation_id == donation.id)).all()
    facts = {(entry.kind, entry.fact, entry.amount_minor) for entry in entries}
    assert len(facts) == len(entries)
    entered = sum(entry.amount_minor for entry in entries)
    return donation.status, entered, int(donation.standing_minor > 0), facts


def sequences(count: int, events_of_story: int, chance: random.Random) -> Iterator[list[int]]:
    """Draw orders in which each event is delivered at least once and at most MOST_DELIVERIES are made."""
    for _ in range(count):
        more = chance.choices(range(events_of_story), k=chance.randint(0, MOST_DELIVERIES - events_of_story))
        order = [*range(events_of_story), *more]
        chance.shuffle(order)
        yield order


@pytest.mark.soak
@pytest.mark.parametrize("name", STORIES)
def test_every_sequence_of_a_gifts_events_ends_in_the_same_books(sqlite_url, make_app, scaled, name) -> None:
    tell, (status, entered, gifts) = STORIES[name]
    count = scaled(*SEQUENCES_A_STORY)
    chance = random.Random(f"{SEED} {name}")
    with make_app(sqlite_url).app_context():
        appeal = open_appeal()
        done = 0
        while done < count:
            with writing():  # one commit for many gifts: only the order is in question here
                donor = donors.find_or_add(f"{unique('d')}@example.org", "Mary")
                for order in sequences(
                    100, len(tell(Donation(public_id="x", amount_minor=1, cover_minor=0))), chance
                ):
                    gift = begun(appeal, donor)
                    told = tell(gift)
                    for number in order:
                        assert events.apply(told[number], livemode=False)
                    found = books_of(gift)
                    assert found[:3] == (status, entered, gifts), (SEED, name, order, found)
                    assert {fact for _, fact, _ in found[3]} <= {
                        f"pi:pi_{gift.public_id}",
                        f"pi:pi_{gift.public_id}:cover",
                    }
                    done += 1
                db.session.expunge_all()
        raised = db.session.scalar(select(AppealTotals.raised_minor))
        assert raised == ledger.sum_minor(appeal.id) == done * gifts * 2500
        assert proof.differences() == []


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=some.data())
def test_through_the_inbox_any_order_ends_in_the_same_books(app, data) -> None:
    """The same on both databases with every commit, and with the worker finishing what was left."""
    with app.app_context():
        appeal = db.session.scalars(select(Appeal)).first() or open_appeal()
        tell, (status, entered, gifts) = STORIES[data.draw(some.sampled_from(sorted(STORIES)))]
        with writing():
            gift = begun(appeal, donors.find_or_add(f"{unique('d')}@example.org", "Mary"))
        told = tell(gift)
        numbers = some.sampled_from(range(len(told)))
        for number in data.draw(
            some.permutations([*range(len(told)), *data.draw(some.lists(numbers, max_size=4))])
        ):
            row_id = inbox.accept(told[number], body_of(told[number]))
            if row_id is not None and data.draw(some.booleans()):
                inbox.apply(row_id, livemode=False)
        while inbox.apply_due(livemode=False):
            pass
        db.session.expire_all()
        assert books_of(db.session.get_one(Donation, gift.id))[:3] == (status, entered, gifts)
        assert proof.differences() == []


def test_a_story_that_ends_otherwise_would_be_noticed(session) -> None:
    """The canary: a payment of another amount does not end in these books."""
    gift = begun(open_appeal(), donors.find_or_add("canary@example.org", "Mary"))
    session.commit()
    wrong = event("payment_intent.succeeded", intent_object(gift, amount=2500))
    inbox.apply(inbox.accept(wrong, body_of(wrong)), livemode=False)
    assert books_of(gift)[:3] != ("received", 2559, 1)
