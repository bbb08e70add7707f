"""Rows without the application: gifts that wait for their event, and the loop that a storm is held against."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, insert, select

from appeal.models import Appeal, Donation, Donor


def event(name: str, amount_minor: int, public_id: str = "") -> dict[str, Any]:
    """Return the event that a Checkout session was paid, as Stripe sends it."""
    session = {
        "id": f"cs_test_{name}",
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "client_reference_id": public_id,
        "metadata": {"donation_id": public_id},
        "amount_total": amount_minor,
        "currency": "gbp",
        "livemode": False,
        "payment_intent": f"pi_{name}",
        "subscription": None,
        "invoice": None,
        "customer": None,
        "customer_details": {"email": "someone@example.org", "name": "Someone", "address": None},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }
    return {
        "id": f"evt_{name}",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": session},
    }


def open_gifts(url: str, count: int) -> Iterator[dict[str, Any]]:
    """Write gifts that wait at Stripe, each of a donor of its own, and return the events that settle them."""
    engine = create_engine(url)
    names = [uuid4().hex[:26] for _ in range(count)]
    now = datetime.now(UTC)
    with engine.begin() as connection:
        appeal_id = connection.scalar(select(Appeal.id))
        connection.execute(
            insert(Donor.__table__),
            [
                {
                    "public_id": name,
                    "email": f"{name}@example.org",
                    "email_key": f"{name}@example.org",
                    "created_at": now,
                }
                for name in names
            ],
        )
        own = select(Donor.id, Donor.public_id).where(Donor.public_id.in_(names[:1] or [""]))
        first = connection.execute(own).one().id
        connection.execute(
            insert(Donation.__table__),
            [
                {
                    "public_id": name,
                    "appeal_id": appeal_id,
                    "donor_id": first + place,
                    "status": "open",
                    "currency": "gbp",
                    "amount_minor": 2500,
                    "placement": "article",
                    "src": "www.example.org:article",
                    "page": f"/a/{place % 20}",
                    "checkout_session_id": f"cs_test_{name}",
                    "created_at": now,
                }
                for place, name in enumerate(names)
            ],
        )
    engine.dispose()
    return (event(name, 2500, name) for name in names)


# One event's rows, in the one commit that the application makes of them; the database moves the totals with the entry.
APPLY = (
    (
        "INSERT INTO inbox_events (event_id, type, livemode, body, state, attempts, try_at, problem, came_by, received_at,"
        " done_at) VALUES ({0}, 'checkout.session.completed', {F}, {0}, 'done', 0, {0}, '', 'webhook', {0}, {0})"
    ),
    (
        "INSERT INTO ledger_entries (appeal_id, donation_id, kind, fact, amount_minor, currency, counted, source, frequency,"
        " placement, occurred_at, day, recorded_at, reason, actor) VALUES (1, {0}, 'gift', {0}, 2500, 'gbp', {T}, 'online',"
        " 'once', 'article', {0}, {0}, {0}, '', '')"
    ),
    "UPDATE donations SET status = 'received', received_at = {0} WHERE id = {0}",
    (
        "INSERT INTO outbox_items (kind, dedupe, donation_id, recipient, content, state, attempts, try_at, problem, created_at)"
        " VALUES ('receipt', {0}, {0}, 'someone@example.org', '{{}}', 'waiting', 0, {0}, '', {0})"
    ),
)


def loop(url: str, count: int) -> float:
    """Make the rows of that many events with a commit each, on one connection; return events a second."""
    gifts = list(open_gifts(url.replace("postgresql://", "postgresql+psycopg://"), count))
    connection, mark, words = _connect(url)
    apply = [statement.format(mark, F=words[0], T=words[1]) for statement in APPLY]
    ids = dict(connection.execute("SELECT public_id, id FROM donations WHERE status = 'open'").fetchall())
    begun = time.perf_counter()
    for gift in gifts:
        body, name = json.dumps(gift).encode(), gift["id"]
        now = datetime.now(UTC) if mark == "%s" else datetime.now(UTC).isoformat(" ")
        day = datetime.now(UTC).date() if mark == "%s" else str(datetime.now(UTC).date())
        number = ids[gift["data"]["object"]["client_reference_id"]]
        connection.execute(words[2])
        for statement, values in zip(
            apply,
            (
                (name, body, now, now, now),
                (number, name, now, day, now),
                (now, number),
                (name, number, now, now),
            ),
            strict=True,
        ):
            connection.execute(statement, values)
        connection.execute("COMMIT")
    passed = time.perf_counter() - begun
    connection.close()
    return count / passed


def _connect(url: str) -> tuple[Any, str, tuple[str, str, str]]:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection, "?", ("0", "1", "BEGIN IMMEDIATE")
    import psycopg

    return psycopg.connect(url, autocommit=True), "%s", ("false", "true", "BEGIN")
