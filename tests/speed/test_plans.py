"""The queries that many people wait for are answered from an index, on both databases: their cost does not grow."""

from typing import Any

import pytest
from sqlalchemy import event, text

from appeal import appeals, demo, reports
from appeal.books.ledger import lock_by_public_id
from appeal.extensions import db
from appeal.models import Donation
from appeal.queues.inbox import apply_due


@pytest.fixture
def appeal_id(session: Any) -> int:
    """Name an appeal with enough gifts for an index to be worth it, and let the database count them."""
    demo.seed(2_000)
    session.execute(text("ANALYZE"))
    session.commit()
    return appeals.by_slug(demo.SLUG).id


def plans(work: Any) -> list[str]:
    """Run something, then let the database explain how it found the rows of each SELECT of it."""
    engine = db.engine
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert seen
    db.session.rollback()
    how = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        return [
            "\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + statement, parameters))
            for statement, parameters in seen
        ]


def whole_tables(plan: str, table: str = "donations") -> bool:
    return f"SCAN {table}" in plan or f"Seq Scan on {table}" in plan


def sorts(plan: str) -> bool:
    return "TEMP B-TREE" in plan or "Sort" in plan


def test_the_newest_credit_lines_come_from_an_index_in_order(appeal_id: int) -> None:
    for before in (None, 1_500):
        [plan] = plans(lambda before=before: reports.published_credits(appeal_id, most=8, before=before))
        assert not whole_tables(plan), plan
        assert not sorts(plan), plan


def test_a_gift_is_found_by_the_name_the_outside_knows(appeal_id: int, session: Any) -> None:
    public_id = session.query(Donation.public_id).limit(1).scalar()
    [plan] = plans(lambda: lock_by_public_id(public_id))
    assert not whole_tables(plan), plan


def test_looking_for_events_that_are_due_reads_no_others(appeal_id: int, session: Any) -> None:
    session.execute(
        text(
            "INSERT INTO inbox_events (event_id, type, livemode, body, state, attempts, try_at, problem, came_by,"
            " received_at) SELECT public_id, 'x', false, '', 'done', 0, created_at, '', 'webhook', created_at"
            " FROM donations"
        )
    )
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()
    [plan] = plans(lambda: apply_due(livemode=False))
    assert not whole_tables(plan, "inbox_events"), plan


def test_a_plan_that_reads_everything_is_recognised(appeal_id: int, session: Any) -> None:
    [plan] = plans(lambda: session.execute(text("SELECT id FROM donations ORDER BY name")).all())
    assert whole_tables(plan)
    assert sorts(plan)
