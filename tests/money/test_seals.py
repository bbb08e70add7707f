"""Daily seals: what was recorded on a finished day shows when it is changed, removed or added to."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from appeal.books import proof, seals
from appeal.core import clock
from appeal.extensions import db
from appeal.models import DailySeal, LedgerEntry
from tests.money.shop import Shop


@pytest.fixture
def three_days(shop: Shop) -> Iterator[Shop]:
    """Gifts on three days running, all of them finished and sealed."""
    for days in range(3):
        shop.pay(shop.begin(1000 + days))
        with clock.travel(clock.now() + timedelta(days=days)):
            shop.deliver(work=False)
    with clock.travel(clock.now() + timedelta(days=4)):
        seals.seal_finished()
        yield shop


def without_guard(statement: str) -> None:
    """Change the ledger behind everybody's back, as somebody with the database's password could."""
    sqlite = db.engine.dialect.name == "sqlite"
    triggers = [f"ledger_entries_no_{verb}" for verb in ("update", "delete")] if sqlite else []
    for trigger in triggers:
        db.session.execute(text(f"DROP TRIGGER {trigger}"))
    if not sqlite:
        db.session.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER USER"))
    db.session.execute(text(statement))
    db.session.commit()
    db.session.expire_all()


def test_each_finished_day_is_sealed_once_and_the_chain_holds(three_days: Shop) -> None:
    found = db.session.scalars(select(DailySeal).order_by(DailySeal.day)).all()
    assert [(seal.entry_count, seal.sum_minor) for seal in found] == [(1, 1000), (1, 1001), (1, 1002)]
    assert found[1].previous == found[0].digest
    assert seals.seal_finished() == []
    assert list(seals.broken()) == []


def test_the_day_that_runs_is_not_sealed(shop: Shop) -> None:
    shop.give(1000)
    assert seals.seal_finished() == []


def test_a_changed_entry_shows_even_where_the_totals_fit(three_days: Shop) -> None:
    without_guard("UPDATE ledger_entries SET reason = 'never mind' WHERE amount_minor = 1001")
    assert proof.differences() == []
    (broken,) = seals.broken()
    assert "1001" in broken.problem
    assert "changed in another way" in broken.problem


def test_a_missing_entry_shows(three_days: Shop) -> None:
    without_guard("DELETE FROM ledger_entries WHERE amount_minor = 1002")
    assert [one.problem for one in seals.broken()] == [
        "was sealed over 1 entries adding up to 1002; there are 0 adding up to 0"
    ]


def test_an_entry_added_to_a_day_gone_by_shows(three_days: Shop) -> None:
    earliest = db.session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)).first()
    assert earliest is not None
    columns = [column.name for column in LedgerEntry.__table__.columns if column.name not in {"id", "fact"}]
    names = ", ".join(columns)
    without_guard(
        f"INSERT INTO ledger_entries (fact, {names}) SELECT 'pi:added', {names} FROM ledger_entries WHERE id = {earliest.id}"  # noqa: S608 - the table's own columns
    )
    assert len(list(seals.broken())) == 1


@pytest.mark.parametrize("change", [update(DailySeal).values(entry_count=9), delete(DailySeal)])
def test_a_seal_is_never_changed_or_removed(three_days: Shop, change: object) -> None:
    with pytest.raises(DBAPIError, match="never changed"):
        db.session.execute(change)  # type: ignore[call-overload]
    db.session.rollback()


def test_verify_fails_on_a_broken_seal_and_names_the_day(three_days: Shop, app: object) -> None:
    runner = app.test_cli_runner()  # type: ignore[attr-defined]
    assert runner.invoke(args=["ledger", "verify"]).exit_code == 0
    without_guard("UPDATE ledger_entries SET reason = 'never mind' WHERE amount_minor = 1000")
    done = runner.invoke(args=["ledger", "verify"])
    assert done.exit_code == 1
    assert f"seal of {clock.now().date() - timedelta(days=4)}" in done.output
