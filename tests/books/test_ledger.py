"""The books: append-only for everyone, one fact one entry, totals that are the sum, and a proof that finds tampering."""

import contextlib
import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, StatementError

from appeal.books import ledger, proof
from appeal.books.ledger import Fact
from appeal.core import clock
from appeal.core.errors import LedgerIsAppendOnly
from appeal.database import writing
from appeal.models import AppealDonor, AppealTotals, AttributionTotal, DailyTotal, Donation, LedgerEntry
from tests.making import open_appeal, received, started

SEED = 1892


class Crash(Exception):
    """Something that nobody foresaw."""


def record(donation, kind="gift", fact="pi:1", minor=2500, **values) -> bool:
    with writing():
        values.setdefault("occurred_at", clock.now())
        return ledger.record(ledger.lock(donation.id), Fact(kind, fact, minor, **values))


def refund(donation, minor: int, fact: str) -> bool:
    return record(donation, "refund", fact, -minor)


def totals(session) -> AppealTotals:
    return session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()


# -- append-only -------------------------------------------------------------------------------------------------


def test_an_entry_cannot_be_changed_through_the_records(session) -> None:
    [entry] = ledger.entries_of(received(open_appeal()))
    entry.amount_minor = 1
    with pytest.raises(LedgerIsAppendOnly):
        session.flush()


def test_an_entry_cannot_be_removed_through_the_records(session) -> None:
    [entry] = ledger.entries_of(received(open_appeal()))
    session.delete(entry)
    with pytest.raises(LedgerIsAppendOnly):
        session.flush()


STATEMENTS = {
    "update in bulk": update(LedgerEntry).values(amount_minor=1),
    "delete in bulk": delete(LedgerEntry),
    "update": text("UPDATE ledger_entries SET reason = 'x'"),
    "update of nothing else": text("UPDATE ledger_entries SET id = id + 1000"),
    "delete": text("DELETE FROM ledger_entries"),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_the_database_itself_refuses_every_change_of_an_entry(session, statement) -> None:
    received(open_appeal())
    with pytest.raises(DBAPIError, match="never changed"):
        session.execute(statement)
    session.rollback()
    assert session.scalar(select(func.sum(LedgerEntry.amount_minor))) == 2500


def test_the_database_refuses_to_put_another_entry_in_ones_place(session) -> None:
    received(open_appeal())
    if session.get_bind().dialect.name == "sqlite":
        replacing = (
            "INSERT OR REPLACE INTO ledger_entries SELECT id, appeal_id, donation_id, kind, fact, 1, currency, counted,"
            " source, frequency, placement, occurred_at, day, recorded_at, corrects_id, reason, actor FROM ledger_entries"
        )
    else:
        replacing = "TRUNCATE ledger_entries CASCADE"
    with pytest.raises(DBAPIError, match="never changed"):
        session.execute(text(replacing))
    session.rollback()
    assert session.scalar(select(func.sum(LedgerEntry.amount_minor))) == 2500


# -- one fact, one entry -----------------------------------------------------------------------------------------


def test_a_fact_told_twice_is_one_entry_and_moves_nothing_the_second_time(session) -> None:
    donation = started(open_appeal())
    assert record(donation)
    assert not record(donation)
    assert not record(donation, minor=9999)
    assert (totals(session).raised_minor, totals(session).entry_count) == (2500, 1)


def test_a_fact_belongs_to_one_donation_alone(session) -> None:
    appeal = open_appeal()
    assert record(started(appeal), fact="pi:1")
    assert not record(started(appeal), fact="pi:1")


def test_an_entry_and_its_totals_stand_or_fall_together(session) -> None:
    donation = started(open_appeal())
    with contextlib.suppress(Crash), writing():
        assert ledger.record(ledger.lock(donation.id), Fact("gift", "pi:1", 2500, clock.now()))
        raise Crash
    assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 0
    assert totals(session).raised_minor == 0
    assert proof.differences() == []


@pytest.mark.parametrize(
    ("kind", "minor", "more"),
    [
        ("gift", 0, {}),
        ("gift", -1, {}),
        ("refund", 1, {}),
        ("dispute", 1, {}),
        ("correction", 1, {}),
        ("correction", 1, {"reason": "a slip"}),
        ("correction", 1, {"actor": "ruth@example.org"}),
        ("present", 1, {}),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(session, kind, minor, more) -> None:
    donation = started(open_appeal())
    record(donation, fact="pi:0")
    with pytest.raises(StatementError):
        record(donation, kind, "pi:1", minor, **more)
    session.rollback()
    assert totals(session).entry_count == 1


# -- totals ------------------------------------------------------------------------------------------------------


def test_a_gift_that_went_back_wholly_is_no_gift_any_more_and_no_donor(session) -> None:
    donation = received(open_appeal())
    refund(donation, 1000, "re:1")
    assert (totals(session).raised_minor, totals(session).gift_count) == (1500, 1)
    refund(donation, 1500, "re:2")
    assert (totals(session).raised_minor, totals(session).gift_count, totals(session).donor_count) == (
        0,
        0,
        0,
    )
    record(donation, "refund_reversed", "re:2:failed", 1500)
    assert (totals(session).raised_minor, totals(session).gift_count, totals(session).donor_count) == (
        1500,
        1,
        1,
    )
    assert proof.differences() == []


def test_a_donor_of_two_gifts_is_one_donor(session) -> None:
    appeal = open_appeal()
    received(appeal)
    received(appeal)
    assert (totals(session).gift_count, totals(session).donor_count) == (2, 1)


def test_a_gift_just_before_midnight_belongs_to_the_day_of_the_appeals_zone(session) -> None:
    appeal = open_appeal(time_zone="Pacific/Auckland")
    donation = started(appeal)
    record(donation, occurred_at=clock.start_of_day(clock.today("Pacific/Auckland"), "Pacific/Auckland"))
    assert session.scalar(select(LedgerEntry.day)) == clock.today("Pacific/Auckland")


def test_the_figure_is_as_of_the_newest_counted_entry(session, travel) -> None:
    donation = started(open_appeal())
    later = travel((clock.now() + timedelta(hours=3)).isoformat())
    record(donation, occurred_at=later - timedelta(days=3))
    assert abs((totals(session).as_of - later).total_seconds()) < 5


def test_after_many_random_facts_every_total_is_the_sum_of_the_ledger(session) -> None:
    chance = random.Random(SEED)
    appeal = open_appeal()
    donations = [
        started(
            appeal, email=f"d{chance.randint(1, 12)}@example.org", src=chance.choice(["", "a:top"]), page="/p"
        )
        for _ in range(18)
    ]
    model: dict[str, int] = {}
    for number in range(150):
        donation = chance.choice(donations)
        fact = f"f:{chance.randint(1, 90)}"
        kind, minor = chance.choice([("gift", 2500), ("gift", 700), ("cover", 50), ("refund", -100)])
        if kind == "refund" and ledger.lock(donation.id).standing_minor < 100:
            continue
        happened_at = clock.now() - timedelta(hours=chance.randint(0, 900))
        if record(donation, kind, fact, minor, counted=kind != "cover", occurred_at=happened_at):
            assert fact not in model, number
            model[fact] = minor if kind != "cover" else 0
    session.expire_all()
    assert ledger.sum_minor(appeal.id) == totals(session).raised_minor == sum(model.values())
    assert proof.differences() == []
    by_day = session.scalar(select(func.sum(DailyTotal.received_minor - DailyTotal.returned_minor)))
    assert by_day == totals(session).raised_minor


# -- the proof ---------------------------------------------------------------------------------------------------

TAMPERING = {
    "a total": (update(AppealTotals).values(raised_minor=AppealTotals.raised_minor + 1), "raised_minor"),
    "a source": (update(AppealTotals).values(post_minor=5), "post_minor"),
    "a count of gifts": (update(AppealTotals).values(gift_count=0), "gift_count"),
    "a count of donors": (update(AppealTotals).values(donor_count=2), "donor_count"),
    "a count of entries": (update(AppealTotals).values(entry_count=0), "entry_count"),
    "a donation": (update(Donation).values(received_minor=2501), "received_minor"),
    "what went back": (update(Donation).values(returned_minor=1), "returned_minor"),
    "a donor": (update(AppealDonor).values(given_minor=0), "given_minor"),
    "a donor's row": (delete(AppealDonor), "gift_count"),
    "a day": (update(DailyTotal).values(received_minor=0), "received_minor"),
    "a day's row": (delete(DailyTotal), "received_minor"),
    "an article": (update(AttributionTotal).values(returned_minor=1), "returned_minor"),
    "an article's row": (delete(AttributionTotal), "received_minor"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_the_proof_finds_what_was_tampered_with(session, name) -> None:
    received(open_appeal(), page="/news/1", src="www.example.org:article")
    assert proof.differences() == []
    statement, what = TAMPERING[name]
    session.execute(statement)
    assert what in {one.what for one in proof.differences()}


def slip_in(session, fact: str) -> None:
    """Enter a copy of the one gift by hand, as somebody with the database's password could."""
    columns = [column.name for column in LedgerEntry.__table__.columns if column.name not in {"id", "fact"}]
    names = ", ".join(columns)
    session.execute(
        text(f"INSERT INTO ledger_entries (fact, {names}) SELECT '{fact}', {names} FROM ledger_entries")  # noqa: S608
    )


def test_the_totals_move_with_an_entry_whoever_makes_it(session) -> None:
    donation = received(open_appeal(), page="/news/1", src="www.example.org:article")
    slip_in(session, "by hand")
    session.refresh(donation)
    assert (donation.received_minor, ledger.sum_minor(donation.appeal_id)) == (5000, 5000)
    assert proof.differences() == []


def test_the_proof_finds_an_entry_that_was_slipped_past_the_totals(session) -> None:
    received(open_appeal())
    of = " ON ledger_entries" if session.get_bind().dialect.name == "postgresql" else ""
    session.execute(text(f"DROP TRIGGER ledger_entries_move_totals{of}"))
    slip_in(session, "slipped")
    found = {(one.what, one.proven - one.kept) for one in proof.differences()}
    assert {("raised_minor", 2500), ("entry_count", 1), ("received_minor", 2500)} <= found
