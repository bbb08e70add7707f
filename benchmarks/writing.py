"""Writing: the donation form up to the 303, webhooks accepted and applied, a storm of events until the books are settled."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
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
from benchmarks.rounds import Contender, Round, Row, alternate, at_least, ratio, told
from benchmarks.servers import KEY, SECRET, SLUG, Bench
from tests.making import signature

FORM_SHARE, HOOK_SHARE, STORM_SHARE = 0.4, 0.5, 0.25
P99_TIMES = 10


def driver_url(url: str) -> str:
    """Return a database's address as SQLAlchemy reads it."""
    return url.replace("postgresql://", "postgresql+psycopg://")


def forms(bench: Bench, kind: str, rounds: int, each: int) -> Iterator[Row]:
    """Post the donation form up to the 303, with a Stripe that answers at once, against a route that commits one row."""
    url = bench.database(kind, f"forms_{kind}", 1000)
    _release_at_once(url)
    stripe = bench.stripe()
    app = bench.app(url, STRIPE_API_BASE=stripe.url, CHECKOUT_ORIGINS=stripe.url, PROXY_HOPS="1")
    bare = bench.bare(bench.bare_database(kind, f"bare_forms_{kind}"))

    def post(server: Any, make: Callable[[], Request]) -> Callable[[], Round]:
        return lambda: send(server.url, server.pid, [make() for _ in range(each)], connections=4)

    settings = load(_env_file=None, secret_key=KEY, appeal_env="test")
    found = alternate(
        {
            "app": post(app, lambda: _form(settings)),
            "bare route": post(bare, lambda: Request("/insert", b"x" * 400, {})),
        },
        rounds,
    )
    yield _judged(f"donation POST to the 303, {kind}", found, FORM_SHARE)


def _form(settings: Any) -> Request:
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


def _release_at_once(url: str) -> None:
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


def hooks(bench: Bench, kind: str, rounds: int, each: int) -> Iterator[Row]:
    """Deliver signed events of gifts, accepted and applied before the 200, against a route that verifies and commits."""
    for connections in (1, 4, 16):
        url = bench.database(kind, f"hooks_{kind}_{connections}", 100)
        events = iter(raw.open_gifts(driver_url(url), (rounds + 1) * each))
        app = bench.app(url)
        bare = bench.bare(bench.bare_database(kind, f"bare_hooks_{kind}_{connections}"))

        def deliver(server: Any, path: str, connections: int = connections, events: Any = events) -> Round:
            batch = [_signed(path, next(events)) for _ in range(each)]
            return send(server.url, server.pid, batch, connections=connections)

        given = iter(range(10**9))
        found = alternate(
            {
                "app": lambda app=app: deliver(app, "/webhooks/stripe"),
                "bare route": lambda bare=bare, n=connections, g=given: send(
                    bare.url,
                    bare.pid,
                    [_signed("/hook", raw.event(f"{next(g)}", 2500)) for _ in range(each)],
                    connections=n,
                ),
            },
            rounds,
        )
        row = _judged(f"webhook accepted and applied, {kind}, {connections} connections", found, HOOK_SHARE)
        yield _with_tail(row, found["app"], url, rounds * each)


def _signed(path: str, event: dict[str, Any]) -> Request:
    body = json.dumps(event).encode()
    return Request(
        path, body, {"Stripe-Signature": signature(body, SECRET), "Content-Type": "application/json"}
    )


def _with_tail(row: Row, app: Contender, url: str, delivered: int) -> Row:
    times = app.mid("p99_ms") / app.mid("p50_ms")
    applied = applied_events(url)
    note = f"p50 {app.mid('p50_ms'):.1f} ms, p99 {app.mid('p99_ms'):.1f} ms ({times:.1f} x)"
    if applied != delivered:
        note += f"; {delivered - applied} of {delivered} events were not applied at once"
    good = bool(row.reached) and times < P99_TIMES and applied == delivered
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


def storm(bench: Bench, kind: str, events: int) -> Iterator[Row]:
    """Deliver events by 16 connections until all are applied, against a raw loop making the same rows and commits."""
    url = bench.database(kind, f"storm_{kind}", 100)
    supply = [_signed("/webhooks/stripe", event) for event in raw.open_gifts(driver_url(url), events)]
    app = bench.app(url)
    before, begun = cpu_seconds(app.pid), time.perf_counter()
    one = send(app.url, app.pid, supply, connections=16)
    while applied_events(url) < events and time.perf_counter() - begun < 600:
        time.sleep(0.2)
    passed = time.perf_counter() - begun
    spent = cpu_seconds(app.pid) - before
    plain = bench.database(kind, f"raw_{kind}", 100)
    loop = raw.loop(plain, events)
    share = (events / passed) / loop
    yield Row(
        f"storm of {events:,} events to settled books, {kind}",
        f"{events / passed:,.0f} events/s, {spent / events * 1e6:,.0f} us each; raw loop {loop:,.0f}/s",
        f"{share:.2f} of the raw loop's rate",
        f"at least {STORM_SHARE:g}",
        at_least(share, STORM_SHARE) and not one.bad,
        f"{one.bad} deliveries refused" if one.bad else "",
    )


def _judged(what: str, found: dict[str, Contender], target: float) -> Row:
    share = ratio(found["app"], found["bare route"], "rate")
    bad = sum(found["app"].of("bad")) + sum(found["bare route"].of("bad"))
    return Row(
        what,
        "; ".join(map(told, found.values())),
        f"{share:.2f} of the bare route's rate",
        f"at least {target:g}",
        at_least(share, target) and not bad,
        f"{bad:.0f} wrong answers" if bad else "",
    )
