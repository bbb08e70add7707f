"""How often an address may send a form: each address and form for itself, shared through Redis, and without it too."""

import pytest

from appeal.rates import Rates
from tools.children import LOOPBACK, free_port

TWO = "2 per minute; 3 per hour"


def counted(rates: Rates, times: int, *who: str) -> list[bool]:
    """Say of each try whether it was within the limits."""
    return [rates.count(TWO, *who) == 0 for _ in range(times)]


def test_an_address_is_told_to_wait_after_so_many_forms_and_no_other_is() -> None:
    rates = Rates()
    assert counted(rates, 3, "form", "203.0.113.1") == [True, True, False]
    assert counted(rates, 1, "form", "203.0.113.2") == [True]
    assert counted(rates, 1, "another form", "203.0.113.1") == [True]


def test_the_time_to_wait_is_that_of_the_limit_that_was_reached() -> None:
    rates = Rates()
    counted(rates, 2, "form", "203.0.113.1")
    assert 1 <= rates.count(TWO, "form", "203.0.113.1") <= 60
    assert [rates.count("1 per hour", "form", "203.0.113.9") for _ in range(2)][1] > 60


@pytest.mark.redis
def test_processes_that_share_a_redis_count_together(redis_url) -> None:
    first, second = Rates(redis_url), Rates(redis_url)
    assert counted(first, 1, "form", "203.0.113.1") == [True]
    assert counted(second, 2, "form", "203.0.113.1") == [True, False]


def test_while_redis_is_away_a_process_counts_for_itself() -> None:
    rates = Rates(f"redis://{LOOPBACK}:{free_port()}/0")
    assert counted(rates, 3, "form", "203.0.113.1") == [True, True, False]


def test_a_form_sent_too_often_is_answered_429_with_a_time_to_come_back(make_app, sqlite_url) -> None:
    client = make_app(sqlite_url).test_client()
    answers = [client.post("/appeals/nothing-of-that-name/donations") for _ in range(121)]
    assert {answer.status_code for answer in answers[:-1]} == {404}
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
