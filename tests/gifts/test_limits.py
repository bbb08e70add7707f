"""Limits on unpaid attempts: a tester of cards is stopped, an office behind one address is not."""

import bisect
import contextlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from appeal import reports
from appeal.core import clock
from appeal.core.errors import GivingPaused, TooManyAttempts
from appeal.gifts import giving, limits
from appeal.models import CheckoutSlot, Donation
from appeal.queues import notices
from tests.making import SLUG, gift, open_appeal, paid, unique, visitor

SEED = 300


def attempt(appeal, address: str, email: str | None = None, *, most: int = 5) -> Donation:
    asked = gift(email=email or f"{unique('d')}@example.org")
    return giving.start(appeal, asked, form_id=unique("form"), visitor=visitor(address, most))


def attempts(appeal, address: str, times: int, **values) -> int:
    """Return how many of several attempts got through."""
    through = 0
    for _ in range(times):
        try:
            attempt(appeal, address, **values)
        except TooManyAttempts:
            continue
        through += 1
    return through


def test_a_tester_of_cards_at_one_address_gets_five_pages_an_hour(session, travel) -> None:
    appeal = open_appeal()
    assert attempts(appeal, "192.0.2.7", 60) == 5
    travel((clock.now() + timedelta(minutes=61)).isoformat())
    assert attempts(appeal, "192.0.2.7", 20) == 5


def test_whoever_is_refused_leaves_nothing_behind(session) -> None:
    appeal = open_appeal()
    attempts(appeal, "192.0.2.7", 20)
    assert session.scalar(select(func.count()).select_from(Donation)) == 5


def test_a_neighbour_is_not_refused_for_it(session) -> None:
    appeal = open_appeal()
    attempts(appeal, "192.0.2.7", 10)
    assert attempts(appeal, "192.0.2.8", 1) == 1


def test_a_holder_of_many_ipv6_addresses_is_one_person(session) -> None:
    appeal = open_appeal()
    through = sum(attempts(appeal, f"2001:db8:1:1::{number:x}", 1) for number in range(12))
    assert through == 5
    assert attempts(appeal, "2001:db8:1:2::1", 1) == 1


def test_one_e_mail_address_from_everywhere_gets_ten_pages_an_hour(session) -> None:
    appeal = open_appeal()
    through = sum(attempts(appeal, f"198.51.{number}.1", 1, email="Same@example.org") for number in range(14))
    assert through == 10


def test_a_whole_network_is_limited_too(session) -> None:
    appeal = open_appeal()
    through = sum(attempts(appeal, f"192.0.2.{number}", 1, most=1) for number in range(20))
    assert through == 12


def test_many_addresses_that_never_pay_pause_the_appeal(session) -> None:
    appeal = open_appeal()
    assert sum(attempts(appeal, f"10.{number}.0.1", 1) for number in range(60)) == limits.BUDGET_UNPAID
    with pytest.raises(GivingPaused) as paused:
        attempt(appeal, "10.99.0.1")
    assert paused.value.retry_after_seconds == 360


def test_an_appeal_under_attack_takes_ten_more_an_hour(session) -> None:
    appeal, begins_at = open_appeal(), clock.now()
    through = []
    for minute in range(120):
        with clock.travel(begins_at + timedelta(minutes=minute)):
            through.append(sum(attempts(appeal, f"10.{minute}.{number}.1", 1) for number in range(2)))
    assert sum(through[:60]) <= limits.BUDGET_UNPAID + 10
    assert sum(through[60:]) <= 10 + limits.BUDGET_UNPAID


def test_staff_hear_once_a_day_that_cards_are_tried(session) -> None:
    appeal = open_appeal()
    for number in range(30):
        attempts(appeal, f"10.{number}.0.1", 1)
    assert [one.kind for one in notices.unseen()] == ["cards_tried"]


def test_the_pause_ends_by_itself(session, travel) -> None:
    appeal = open_appeal()
    for number in range(30):
        attempts(appeal, f"10.{number}.0.1", 1)
    assert limits.under_attack(appeal.id)
    travel((clock.now() + limits.HOUR + timedelta(minutes=1)).isoformat())
    assert not limits.under_attack(appeal.id)
    assert attempts(appeal, "10.99.0.1", 3) == 3


def test_an_appeal_whose_people_pay_is_not_taken_for_attacked(session) -> None:
    appeal = open_appeal()
    for number in range(30):
        donation = attempt(appeal, f"10.{number}.0.1")
        if number % 2:
            giving.settle(paid(donation), livemode=False)
    assert attempts(appeal, "10.99.0.1", 5) == 5
    assert not limits.under_attack(appeal.id)


def test_one_appeal_under_attack_does_not_pause_another(session) -> None:
    attacked, other = open_appeal("attacked"), open_appeal("other")
    for number in range(30):
        attempts(attacked, f"10.{number}.0.1", 1)
    assert attempts(other, "10.200.0.1", 1) == 1


def test_of_three_hundred_honest_donors_behind_one_address_nearly_all_get_through(session) -> None:
    """An office on its day of giving: eight hours, one to three minutes on Stripe's page, 3 % declined who give up."""
    appeal = open_appeal()
    chance = random.Random(SEED)
    begins_at = clock.now()
    arrivals = sorted((chance.uniform(0, 8 * 3600), "arrives", number) for number in range(300))
    turns, at_the_till, through = list(arrivals), {}, 0
    while turns:
        seconds, what, number = turns.pop(0)
        with clock.travel(begins_at + timedelta(seconds=seconds)):
            if what == "pays":
                giving.settle(paid(at_the_till.pop(number)), livemode=False)
                continue
            with contextlib.suppress(TooManyAttempts):
                at_the_till[number] = attempt(appeal, "192.0.2.7", f"d{number}@example.org")
                through += 1
                if chance.random() >= 0.03:
                    bisect.insort(turns, (seconds + chance.uniform(60, 180), "pays", number))
    assert through >= 297, (through, SEED)


@pytest.mark.parametrize("address", ["", "unknown", "300.1.1.1", "not an address", "::1%eth0"])
def test_an_address_nobody_can_read_is_counted_like_any_other(session, address) -> None:
    appeal = open_appeal()
    assert attempts(appeal, address, 8) == 5


def test_eight_at_once_get_no_more_than_one_by_one(app) -> None:
    with app.app_context():
        open_appeal()
    together = threading.Barrier(8)

    def press(_number: int) -> int:
        with app.app_context():
            appeal = reports.appeal_by_slug(SLUG)
            together.wait()
            return attempts(appeal, "192.0.2.7", 3)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(8))) == 5


def test_no_address_is_stored_and_what_is_stored_is_forgotten(session, travel) -> None:
    attempt(open_appeal(), "192.0.2.7", "mary@example.org")
    kept = session.scalars(select(CheckoutSlot)).all()
    assert {slot.scope for slot in kept} == {"address", "network", "email", "appeal"}
    assert all(len(slot.key_digest) == 64 for slot in kept)
    assert limits.forget_old() == 0
    travel((clock.now() + limits.KEEP_DIGESTS + timedelta(minutes=1)).isoformat())
    assert limits.forget_old() == 4


def test_digests_of_two_installations_cannot_be_compared(session) -> None:
    one = limits.Visitor("192.0.2.7", b"one key")
    other = limits.Visitor("192.0.2.7", b"another key")
    assert limits._digest(one, one.host) != limits._digest(other, other.host)
