"""The post room: what is typed, counted and closed comes into the books once, whole, and stays true."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from appeal import reports
from appeal.books import proof
from appeal.core import clock
from appeal.core.errors import NotPossible, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models import (
    Appeal,
    AppealTotals,
    AuditEntry,
    Donation,
    Donor,
    LedgerEntry,
    OutboxItem,
    PostBatch,
)
from appeal.office import post, post_closing, promises
from appeal.people import privacy
from tests.making import SLUG, open_appeal, received, unique
from tests.making_post import ANNA, BEN, closed, enter, open_batch, promise, today, totals

# -- closing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["post", "bank"])
def test_closing_enters_every_line_and_moves_the_figure(session, source: str) -> None:
    appeal = open_appeal()
    batch = open_batch(appeal, 2, 7550, source)
    enter(batch, 5000)
    enter(batch, 2550, "Mary Shelley")
    assert reports.figure(SLUG).raised_minor == 0
    assert post_closing.close(batch.id, BEN)
    figure = reports.figure(SLUG)
    assert (figure.raised_minor, figure.gift_count, figure.sources[source]) == (7550, 2, 7550)
    assert proof.differences() == []


def test_the_fact_of_a_gift_is_its_line(session) -> None:
    batch = closed(open_appeal(), 1000)
    [line] = post.lines(batch.id)
    [entry] = session.scalars(select(LedgerEntry)).all()
    assert (entry.fact, entry.donation_id, entry.source) == (f"post:{line.id}", line.donation_id, "post")


def test_a_closed_line_is_a_received_gift_on_the_day_it_came(session) -> None:
    appeal = open_appeal()
    day = today(appeal) - timedelta(days=3)
    batch = open_batch(appeal, 1, 1000, received_on=day)
    enter(batch, 1000, credit="custom", credit_line="A reader in Leeds")
    post_closing.close(batch.id, ANNA)
    gift = session.scalars(select(Donation)).one()
    assert (gift.status, gift.credit_review, gift.credit_line) == (
        "received",
        "approved",
        "A reader in Leeds",
    )
    assert clock.day_of(gift.received_at, appeal.time_zone) == day
    assert session.scalars(select(LedgerEntry.day)).one() == day


def test_a_gift_received_today_is_never_entered_as_to_come(session) -> None:
    closed(open_appeal(), 1000)
    assert session.scalars(select(LedgerEntry.occurred_at)).one() <= clock.now()


@pytest.mark.parametrize(
    ("entered", "words"),
    [
        ([2000], "Counted were 2 gifts of £30.00 in all; entered are 1 gift of £20.00: 1 gift too few and £10.00 too little."),
        ([2000, 1500], "Counted were 2 gifts of £30.00 in all; entered are 2 gifts of £35.00: £5.00 too much."),
        ([1000, 1000, 1000], "Counted were 2 gifts of £30.00 in all; entered are 3 gifts of £30.00: 1 gift too many."),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_count_is_refused_in_words_and_nothing_is_lost(session, entered, words) -> None:
    batch = open_batch(open_appeal(), 2, 3000)
    for minor in entered:
        enter(batch, minor)
    with pytest.raises(post_closing.ControlDiffers) as refused:
        post_closing.close(batch.id, ANNA)
    assert refused.value.message == words
    assert [line.amount_minor for line in post.lines(batch.id)] == entered
    assert (totals().raised_minor, session.scalar(select(func.count()).select_from(Donation))) == (0, 0)


def test_a_recounted_pile_can_be_closed(session) -> None:
    batch = open_batch(open_appeal(), 2, 3000)
    enter(batch, 2000)
    post.change_control(batch.id, 1, 2000, BEN)
    assert post_closing.close(batch.id, BEN)
    assert totals().raised_minor == 2000


def test_closing_twice_makes_one_set_of_entries(session) -> None:
    batch = closed(open_appeal(), 1000, 2000)
    assert post_closing.close(batch.id, BEN) is False
    assert (totals().entry_count, batch.closed_by) == (2, ANNA.email)


def test_eight_who_close_one_batch_at_once_make_one_set_of_entries(app: Flask) -> None:
    with app.app_context():
        batch = open_batch(open_appeal(), 5, 5000)
        for _ in range(5):
            enter(batch, 1000, email="ada@readers.example")
        batch_id = batch.id
    done: list[bool] = []
    ready = threading.Barrier(8)

    def close() -> None:
        with app.app_context():
            ready.wait()
            done.append(post_closing.close(batch_id, ANNA))

    run(close for _ in range(8))
    with app.app_context():
        assert sorted(done) == [False] * 7 + [True]
        assert (totals().raised_minor, totals().entry_count, totals().donor_count) == (5000, 5, 1)
        assert proof.differences() == []


def test_batches_of_the_same_donors_and_days_closed_at_once_with_gifts_online_never_wait_in_a_ring(
    app: Flask,
) -> None:
    with app.app_context():
        appeal = open_appeal()
        appeal_id, days = appeal.id, [today(appeal) - timedelta(days=n) for n in range(3)]
        ids = []
        for turn in (1, -1, 1, -1):
            batch = open_batch(appeal, 6, 6000)
            for number in range(6)[::turn]:
                enter(batch, 1000, email=f"r{number}@readers.example", received_on=days[number % 3])
            ids.append(batch.id)
    problems: list[BaseException] = []

    def close(batch_id: int) -> None:
        with app.app_context():
            post_closing.close(batch_id, ANNA)

    def give(number: int) -> None:
        with app.app_context():
            received(db.session.get_one(Appeal, appeal_id), email=f"r{number}@readers.example")

    run([lambda one=one: close(one) for one in ids] + [lambda n=n: give(n) for n in range(6)], problems)
    assert problems == []
    with app.app_context():
        assert totals().raised_minor == 4 * 6000 + 6 * 2500
        assert proof.differences() == []


def run(tasks, problems: list[BaseException] | None = None) -> None:
    """Do all of it at once."""

    def guarded(task) -> None:
        try:
            task()
        except BaseException as error:
            (problems if problems is not None else []).append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_one_donor_is_one_donor_by_post_and_online(session) -> None:
    appeal = open_appeal()
    received(appeal, email="mary@example.org")
    closed(appeal, 1000, email="Mary@Example.org")
    assert totals().donor_count == 1


def test_gifts_without_an_address_have_donors_of_their_own(session) -> None:
    closed(open_appeal(), 1000, 2000)
    assert totals().donor_count == 2


def test_whoever_left_an_address_gets_a_receipt(session) -> None:
    closed(open_appeal(), 1000, email="ada@readers.example")
    assert session.scalars(select(OutboxItem.kind)).all() == ["receipt"]


# -- lines -------------------------------------------------------------------------------------------------------


def test_the_same_form_sent_twice_enters_one_line(session) -> None:
    batch = open_batch(open_appeal(), 2, 2000)
    enter(batch, 1000, fact="typed:1")
    again = post.add_line(batch.id, post.Entry(1000, batch.received_on), ANNA, fact="typed:1")
    assert again is None
    assert post.tally(batch.id).count == 1


def test_a_line_is_changed_and_taken_out_while_the_batch_is_open(session) -> None:
    batch = open_batch(open_appeal(), 1, 1000)
    line = enter(batch, 1000)
    changed = post.change_line(
        line.id, post.Entry(1200, batch.received_on, name="Ada King"), line.revision, BEN
    )
    assert (changed.amount_minor, changed.name, changed.revision) == (1200, "Ada King", 2)
    post.remove_line(line.id, BEN)
    assert post.lines(batch.id) == []


def test_a_line_that_somebody_else_changed_is_not_overwritten(session) -> None:
    batch = open_batch(open_appeal(), 1, 1000)
    line = enter(batch, 1000)
    post.change_line(line.id, post.Entry(1200, batch.received_on), 1, BEN)
    with pytest.raises(StaleForm):
        post.change_line(line.id, post.Entry(1300, batch.received_on), 1, ANNA)
    assert post.line(line.id).amount_minor == 1200


def test_a_closed_batch_never_changes(session) -> None:
    batch = closed(open_appeal(), 1000)
    [line] = post.lines(batch.id)
    entry = post.Entry(1, batch.received_on)
    for attempt in (
        lambda: post.add_line(batch.id, entry, ANNA, fact="typed:late"),
        lambda: post.change_line(line.id, entry, 1, ANNA),
        lambda: post.remove_line(line.id, ANNA),
        lambda: post.change_control(batch.id, 5, 5, ANNA),
        lambda: post.discard(batch.id, ANNA),
    ):
        with pytest.raises(post.BatchClosed):
            attempt()


def test_a_day_to_come_is_refused(session) -> None:
    appeal = open_appeal()
    tomorrow = today(appeal) + timedelta(days=1)
    with pytest.raises(NotPossible):
        open_batch(appeal, 1, 1000, received_on=tomorrow)
    with pytest.raises(NotPossible):
        enter(open_batch(appeal, 1, 1000), 1000, received_on=tomorrow)


def test_an_empty_batch_can_be_discarded_and_one_with_lines_cannot(session) -> None:
    appeal = open_appeal()
    empty, full = open_batch(appeal, 1, 1000), open_batch(appeal, 1, 1000)
    enter(full, 1000)
    post.discard(empty.id, ANNA)
    with pytest.raises(NotPossible):
        post.discard(full.id, ANNA)
    assert session.scalars(select(PostBatch.id)).all() == [full.id]


def test_every_step_is_in_the_audit_without_names_or_addresses(session) -> None:
    batch = open_batch(open_appeal(), 1, 1000)
    line = enter(batch, 1000, name="Ada Byron", email="ada@readers.example", address="1 Quay")
    post.change_line(
        line.id, post.Entry(1000, batch.received_on, name="Ada King", email="king@readers.example"), 1, BEN
    )
    post_closing.close(batch.id, ANNA)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [one.action for one in entries] == ["batch.opened", "line.entered", "line.changed", "batch.closed"]
    told = " ".join(f"{one.before}{one.after}" for one in entries)
    assert not any(word in told for word in ("Ada", "King", "readers.example", "Quay"))


# -- corrections -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("right", [1500, 100, 0])
def test_a_correction_is_a_new_entry_that_names_the_old_one(session, right: int) -> None:
    batch = closed(open_appeal(), 1000)
    [line] = post.lines(batch.id)
    entry = post_closing.correct(line.id, right, BEN, reason="Misread", key="k")
    old = post_closing.entry_of(line)
    assert old is not None
    assert (entry.corrects_id, entry.amount_minor, entry.reason, entry.actor) == (
        old.id, right - 1000, "Misread", BEN.email,
    )  # fmt: skip
    assert totals().raised_minor == right
    assert proof.differences() == []


def test_a_correction_sent_twice_is_entered_once(session) -> None:
    [line] = post.lines(closed(open_appeal(), 1000).id)
    first = post_closing.correct(line.id, 1500, BEN, reason="Misread", key="k")
    assert post_closing.correct(line.id, 1500, BEN, reason="Misread", key="k").id == first.id
    assert totals().raised_minor == 1500


def test_a_correction_needs_a_reason_a_change_and_a_closed_batch(session) -> None:
    appeal = open_appeal()
    [line] = post.lines(closed(appeal, 1000).id)
    early = enter(open_batch(appeal, 1, 1000), 1000)
    for line_id, right, reason in (
        (line.id, 500, " "),
        (line.id, 1000, "Misread"),
        (early.id, 500, "Misread"),
    ):
        with pytest.raises(NotPossible):
            post_closing.correct(line_id, right, BEN, reason=reason, key="k")


def test_what_was_typed_about_a_donor_is_in_their_export_and_gone_once_erased(session) -> None:
    batch = closed(
        open_appeal(), 1000, email="ada@readers.example", address="1 Quay Street", reference="Cheque 7"
    )
    donor = session.scalars(select(Donor)).one()
    assert [one["address"] for one in privacy.export(donor)["by_post_and_bank"]] == ["1 Quay Street"]
    privacy.erase(donor)
    [line] = post.lines(batch.id)
    session.refresh(line)
    assert (line.name, line.address, line.email, line.reference) == ("", "", "", "")
    assert proof.differences() == []


# -- any order ---------------------------------------------------------------------------------------------------

LINE = st.tuples(
    st.integers(1, 10_000), st.sampled_from(["", "a@x.example", "b@x.example"]), st.integers(0, 3)
)
BATCH = st.tuples(st.sampled_from(["post", "bank"]), st.lists(LINE, min_size=1, max_size=4))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(BATCH, min_size=1, max_size=3), right=st.integers(0, 20_000), matched=st.booleans())
def test_any_sequence_of_batches_promises_and_corrections_leaves_true_books(
    session, batches, right: int, matched: bool
) -> None:
    appeal = open_appeal(unique("any-"))
    expected, lines = 0, []
    for source, typed in batches:
        batch = open_batch(appeal, len(typed), sum(minor for minor, _, _ in typed), source)
        for minor, email, days in typed:
            lines.append(enter(batch, minor, email=email, received_on=today(appeal) - timedelta(days=days)))
            one = promise(appeal, minor)
            if matched:
                promises.match(lines[-1].id, one.id, ANNA)
            expected += minor
        post_closing.close(batch.id, ANNA)
    if right != lines[0].amount_minor:
        expected += right - lines[0].amount_minor
        post_closing.correct(lines[0].id, right, BEN, reason="Misread", key="k")
    with writing():
        raised, promised = session.execute(
            select(AppealTotals.raised_minor, AppealTotals.promised_minor).where(
                AppealTotals.appeal_id == appeal.id
            )
        ).one()
    assert raised == expected
    assert (promised == 0) is matched
    assert proof.differences() == []
