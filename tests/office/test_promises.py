"""Promises: in the figure, never in what is raised; kept by a line, suggested for it; and what a line resembles."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from appeal import reports
from appeal.books import proof
from appeal.core.errors import NotPossible
from appeal.database import writing
from appeal.models import Appeal, AppealTotals, PostLine
from appeal.office import post, post_closing, post_duplicates, promises
from tests.making import SLUG, open_appeal, received
from tests.making_post import ANNA, BEN, enter, open_batch, promise, today


def test_what_is_promised_is_in_the_figure_and_never_in_what_is_raised(session) -> None:
    appeal = open_appeal()
    assert reports.figure(SLUG).promised_minor == 0
    promise(appeal)
    promise(appeal, 700)
    figure = reports.figure(SLUG)
    assert (figure.promised_minor, figure.raised_minor) == (5700, 0)
    assert proof.differences() == []


def test_a_promise_is_kept_by_the_line_it_is_matched_to(session) -> None:
    appeal = open_appeal()
    one = promise(appeal)
    batch = open_batch(appeal, 1, 4000)
    line = enter(batch, 4000)
    promises.match(line.id, one.id, ANNA)
    assert reports.figure(SLUG).promised_minor == 5000
    post_closing.close(batch.id, ANNA)
    figure = reports.figure(SLUG)
    assert (figure.promised_minor, figure.raised_minor) == (0, 4000)
    session.refresh(one)
    assert (one.state, one.donation_id) == ("matched", post.line(line.id).donation_id)
    assert proof.differences() == []


def test_a_withdrawn_promise_is_not_waited_for(session) -> None:
    one = promise(open_appeal())
    promises.withdraw(one.id, BEN, reason="Changed his mind")
    assert reports.figure(SLUG).promised_minor == 0
    with pytest.raises(NotPossible):
        promises.withdraw(one.id, BEN, reason="Again")
    assert proof.differences() == []


def test_a_promise_is_matched_to_one_line_and_then_not_withdrawn(session) -> None:
    appeal = open_appeal()
    one, batch = promise(appeal), open_batch(appeal, 2, 2000)
    first, second = enter(batch, 1000), enter(batch, 1000)
    promises.match(first.id, one.id, ANNA)
    with pytest.raises(NotPossible):
        promises.match(second.id, one.id, ANNA)
    with pytest.raises(NotPossible):
        promises.withdraw(one.id, BEN, reason="No")
    promises.match(first.id, None, ANNA)
    promises.match(second.id, one.id, ANNA)


def test_a_promise_of_another_appeal_is_never_matched(session) -> None:
    one = promise(open_appeal("other"))
    line = enter(open_batch(open_appeal(), 1, 5000), 5000)
    with pytest.raises(NotPossible):
        promises.match(line.id, one.id, ANNA)


def test_promises_are_suggested_by_reference_address_and_by_name_with_amount(session) -> None:
    appeal = open_appeal()
    by_reference = promise(appeal, 1, name="X")
    by_email = promise(appeal, 2, email="Ada@readers.example")
    by_name = promise(appeal, 1000, name="Ada  BYRON")
    promise(appeal, 999, name="Ada Byron")
    promise(appeal, 1000, name="Somebody Else")
    batch = open_batch(appeal, 1, 1000)
    line = enter(
        batch, 1000, "Ada Byron", email="ada@readers.example",
        reference=f"gift {by_reference.reference.lower().replace('-', ' ')} thank you",
    )  # fmt: skip
    found = promises.suggested(appeal.id, post.lines(batch.id))
    assert [one.id for one in found[line.id]] == [by_reference.id, by_email.id, by_name.id]


def test_a_promised_sum_that_was_tampered_with_is_found(session) -> None:
    promise(open_appeal())
    with writing():
        session.execute(update(AppealTotals).values(promised_minor=4999))
    assert [(one.what, one.kept, one.proven) for one in proof.differences()] == [
        ("promised_minor", 4999, 5000)
    ]


# -- duplicates -----------------------------------------------------------------------------------------------


def likenesses(appeal: Appeal, line: PostLine) -> list[str]:
    found = post_duplicates.of_lines(appeal, post.lines(line.batch_id))
    return [one.why for one in found.get(line.id, [])]


def test_the_same_cheque_in_another_batch_is_pointed_out(session) -> None:
    appeal = open_appeal()
    enter(open_batch(appeal, 1, 1000), 1000, "Ada Byron")
    again = enter(open_batch(appeal, 1, 1000), 1000, "ADA BYRON")
    assert likenesses(appeal, again) == ["same name and amount"]


def test_the_same_cheque_in_the_same_batch_is_pointed_out(session) -> None:
    appeal = open_appeal()
    batch = open_batch(appeal, 2, 2000)
    first, second = enter(batch, 1000, "Ada Byron"), enter(batch, 1000, "ada  byron")
    assert likenesses(appeal, first) == likenesses(appeal, second) == ["same name and amount"]


def test_the_same_address_and_a_gift_online_are_pointed_out(session) -> None:
    appeal = open_appeal()
    received(appeal, name="Mary Anning", email="mary@example.org")
    enter(open_batch(appeal, 1, 700), 700, "M. Anning", email="mary@example.org")
    line = enter(open_batch(appeal, 1, 900), 900, "Miss Anning", email="Mary@example.org")
    assert likenesses(appeal, line) == ["same e-mail address", "also gave online"]


@pytest.mark.parametrize("before", ["mary@example.org", "Mary@example.org", "MARY@EXAMPLE.ORG"])
@pytest.mark.parametrize("now", ["mary@example.org", "mary@Example.org"])
def test_an_address_is_known_again_however_capitals_are_commonly_typed(
    session, before: str, now: str
) -> None:
    appeal = open_appeal()
    enter(open_batch(appeal, 1, 700), 700, "M. Anning", email=before)
    line = enter(open_batch(appeal, 1, 900), 900, "Miss Anning", email=now)
    assert likenesses(appeal, line) == ["same e-mail address"]


def test_another_amount_or_long_ago_is_nobodys_duplicate(session) -> None:
    appeal = open_appeal()
    enter(open_batch(appeal, 1, 900), 900, "Ada Byron")
    long_ago = today(appeal) - timedelta(days=40)
    enter(open_batch(appeal, 1, 1000, received_on=long_ago), 1000, "Ada Byron")
    line = enter(open_batch(appeal, 1, 1000), 1000, "Ada Byron")
    assert likenesses(appeal, line) == []
