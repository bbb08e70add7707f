"""Writing: the donation form up to the 303, webhooks accepted and applied, a storm of events until the books are settled."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from sqlalchemy import create_engine, func, select, text

from appeal.models import InboxEvent
from appeal.settings import load
from appeal.supporters import form_token
from benchmarks import raw
from benchmarks.load import Request, send
from benchmarks.machine import cpu_seconds
from benchmarks.rounds import Contender, Round, Row, alternate, at_least, concluded, ratio, told
from benchmarks.servers import FEW, KEY, SECRET, SLUG, Bench, Server
from tests.making import signature

FORM_SHARE, HOOK_SHARE, STORM_SHARE = 0.4, 0.5, 0.25
STORM_LONGEST_SECONDS = 600
P99_TIMES = 10


def driver_url(url: str) -> str:
    """Return a database's address as SQLAlchemy reads it."""
    return url.replace("postgresql://", "postgresql+psycopg://")


class Desk:
    """The application and the bare route, each on a database of its own, for everything that writes."""

    def __init__(self, bench: Bench, kind: str) -> None:
        """Make the databases and start the servers."""
        self.kind = kind
        self.url = bench.database(kind, f"writing_{kind}", FEW)
        release_at_once(self.url)
        stripe = bench.stripe()
        self.app = bench.app(
            self.url, STRIPE_API_BASE=stripe.url, CHECKOUT_ORIGINS=stripe.url, PROXY_HOPS="1"
        )
        self.bare = bench.bare(bench.bare_database(kind, f"bare_{kind}"))


def writing(bench: Bench, kind: str, *, rounds: int, each: int, events: int) -> Iterator[Row]:
    """Measure everything that writes to one kind of database."""
    desk = Desk(bench, kind)
    yield forms(desk, rounds, each)
    yield from hooks(desk, rounds, each)
    yield storm(bench, desk, events)


def forms(desk: Desk, rounds: int, each: int) -> Row:
    """Post the donation form up to the 303, with a Stripe that answers at once, against a route that commits one row."""
    settings = load(_env_file=None, secret_key=KEY, appeal_env="test")

    def post(server: Server, make: Callable[[], Request]) -> Callable[[], Round]:
        return lambda: send(server.url, server.pid, [make() for _ in range(each)], connections=4)

    found = alternate(
        {
            "app": post(desk.app, lambda: form(settings)),
            "bare route": post(desk.bare, lambda: Request("/insert", b"x" * 400, {})),
        },
        rounds,
    )
    return _judged(f"donation POST to the 303, {desk.kind}", found, FORM_SHARE)


def form(settings: Any) -> Request:
    """Fill in the donation form as somebody new, at an address of their own."""
    values = {
        "csrf_token": form_token.issue(settings, SLUG),
        "frequency": "once",
        "amount": "25",
        "name": "Mary Anning",
        "email": f"{uuid4().hex}@example.org",
        "credit": "anonymous",
        "src": "www.example.org:article",
        "page": "/a/1",
    }
    # Each from an address of its own, as the proxy in front would say: one address is let through only so often.
    address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address}
    return Request(f"/appeals/{SLUG}/donations", urlencode(values).encode(), headers)


def release_at_once(url: str) -> None:
    """Give every slot back as soon as it is taken, as if each gift were paid: thousands unpaid would pause the appeal."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute(
                "CREATE TRIGGER paid AFTER INSERT ON checkout_slots BEGIN "
                "UPDATE checkout_slots SET released_at = taken_at WHERE id = NEW.id; END"
            )
        return
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION paid() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN NEW.released_at := NEW.taken_at; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER paid BEFORE INSERT ON checkout_slots FOR EACH ROW EXECUTE FUNCTION paid()")
        )
    engine.dispose()


def hooks(desk: Desk, rounds: int, each: int) -> Iterator[Row]:
    """Deliver signed events of gifts, accepted and applied before the 200, against a route that verifies and commits."""
    given = count()
    for connections in (1, 4, 16):
        events = iter(raw.open_gifts(driver_url(desk.url), rounds * each))

        def ours(connections: int = connections, events: Any = events) -> Round:
            batch = [_signed("/webhooks/stripe", next(events)) for _ in range(each)]
            return send(desk.app.url, desk.app.pid, batch, connections=connections)

        def bare(connections: int = connections) -> Round:
            batch = [_signed("/hook", raw.event(f"{next(given)}", 2500)) for _ in range(each)]
            return send(desk.bare.url, desk.bare.pid, batch, connections=connections)

        before = applied_events(desk.url)
        found = alternate({"app": ours, "bare route": bare}, rounds)
        row = _judged(
            f"webhook accepted and applied, {desk.kind}, {connections} connections", found, HOOK_SHARE
        )
        yield _with_tail(row, found["app"], rounds * each - (applied_events(desk.url) - before))


def _signed(path: str, event: dict[str, Any]) -> Request:
    body = json.dumps(event).encode()
    return Request(
        path, body, {"Stripe-Signature": signature(body, SECRET), "Content-Type": "application/json"}
    )


def _with_tail(row: Row, app: Contender, not_applied: int) -> Row:
    times = app.mid("p99_ms") / app.mid("p50_ms")
    note = f"p50 {app.mid('p50_ms'):.1f} ms, p99 {app.mid('p99_ms'):.1f} ms ({times:.1f} x)"
    if not_applied:
        note += f"; {not_applied} events were not applied at once"
    good = bool(row.reached) and times < P99_TIMES and not not_applied
    return Row(row.what, row.figures, row.ratio, f"{row.target}; p99 under {P99_TIMES} x", good, note)


def applied_events(url: str) -> int:
    """Count the events that are applied."""
    engine = create_engine(driver_url(url))
    with engine.connect() as connection:
        count = connection.scalar(
            select(func.count()).select_from(InboxEvent).where(InboxEvent.state == "done")
        )
    engine.dispose()
    return int(count or 0)


def storm(bench: Bench, desk: Desk, events: int) -> Row:
    """Deliver events by 16 connections until all are applied, against a raw loop making the same rows and commits."""
    plain = bench.database(desk.kind, f"raw_{desk.kind}", FEW)
    supply = [_signed("/webhooks/stripe", event) for event in raw.open_gifts(driver_url(desk.url), events)]
    wanted = applied_events(desk.url) + events
    before, begun = cpu_seconds(desk.app.pid), time.perf_counter()
    one = send(desk.app.url, desk.app.pid, supply, connections=16)
    while applied_events(desk.url) < wanted and time.perf_counter() - begun < STORM_LONGEST_SECONDS:
        time.sleep(0.05)
    passed = time.perf_counter() - begun
    spent = cpu_seconds(desk.app.pid) - before
    loop = raw.loop(plain, events)
    share = (events / passed) / loop
    return Row(
        f"storm of {events:,} events to settled books, {desk.kind}",
        f"{events / passed:,.0f} events/s, {spent / events * 1e6:,.0f} us each; raw loop {loop:,.0f}/s",
        f"{share:.2f} of the raw loop's rate",
        f"at least {STORM_SHARE:g}",
        at_least(share, STORM_SHARE) and not one.bad,
        f"{one.bad} deliveries refused" if one.bad else "",
    )


def _judged(what: str, found: dict[str, Contender], target: float) -> Row:
    share = ratio(found["app"], found["bare route"], "rate")
    cheaper = ratio(found["bare route"], found["app"], "cpu_us")
    verdict, note = concluded(at_least(share, target), *found.values())
    return Row(
        what,
        "; ".join(map(told, found.values())),
        f"{share:.2f} of the bare route's rate, {cheaper:.2f} per processor second",
        f"at least {target:g}",
        verdict,
        note,
    )
