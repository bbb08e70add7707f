"""The same addresses with few and with many donations, and what an export of all of them costs.

What is compared is the processor time that one request costs the serving process and, on PostgreSQL, the database:
the clock is shown beside it. A page or figure that is kept would be the same whatever the size, so something is
written before each request, and what is measured is the one that has to ask.
"""

from __future__ import annotations

import csv
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from benchmarks.machine import CORES, pinned, resident_bytes, tree_of
from benchmarks.reading import JSON, PAGE, giver
from benchmarks.rounds import Row, at_least, at_most
from benchmarks.servers import FEW, ROOT, Bench, Server

PASSWORD = "a password for the benchmarks alone"  # noqa: S105 - of a database that lives for minutes
EMAIL = "bench@example.org"


@dataclass(frozen=True)
class Address:
    """What is asked, how much dearer it may be with many gifts, whether a write comes first, what is compared."""

    what: str
    path: str
    most: float
    after_a_write: bool = False
    first_byte: bool = False


ADDRESSES = (
    Address("figure after a write", JSON, 1.2, after_a_write=True),
    Address("appeal page after a write", PAGE, 1.2, after_a_write=True),
    Address("credit lines", f"{PAGE}/credits", 1.2),
    Address("dashboard", "/staff/", 1.3),
    Address("donation list, first page", "/staff/donations", 1.3),
    Address("export, first byte", "/staff/donations.csv", 1.3, first_byte=True),
)
EXPORT_SHARE, EXPORT_GROWTH_BYTES = 0.2, 50 * 1024 * 1024


@dataclass
class Place:
    """A server on a database of one size, somebody signed in there, and what its requests took, in milliseconds."""

    bench: Bench
    url: str
    server: Server
    opener: OpenerDirector
    touch: Callable[[], object]
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def spent(self) -> float:
        """Return the processor time so far, the database's included."""
        return self.bench.spent_seconds(self.url, self.server.pid)

    def ask(self, address: Address) -> None:
        """Send one request, and note what it took."""
        if address.after_a_write:
            self.touch()
        spent, begun = self.spent(), time.perf_counter()
        with self.opener.open(self.server.url + address.path) as answer:
            answer.read(1)
            first = time.perf_counter() - begun
            while not address.first_byte and answer.read(1 << 16):
                pass
        took = first if address.first_byte else time.perf_counter() - begun
        self.clock.append(took * 1000)
        self.processor.append((self.spent() - spent) * 1000)


def signed_in(bench: Bench, url: str, server: Server) -> OpenerDirector:
    """Return an opener signed in as staff.

    Raises:
        OSError: that does not work.
    """
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "staff", "add", EMAIL, "--role", "admin"]
    subprocess.run(
        pinned([*command, "--password-stdin"], CORES),
        cwd=ROOT,
        env=bench.environment(url),
        input=PASSWORD,
        text=True,
        capture_output=True,
        check=False,
    )
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    with opener.open(f"{server.url}/staff/login") as answer:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": found[1] if found else ""}
    with opener.open(f"{server.url}/staff/login", urlencode(form).encode()):
        pass
    with opener.open(f"{server.url}/staff/") as answer:
        if not answer.geturl().endswith("/staff/"):
            raise OSError("nobody could sign in")
    return opener


def growth(bench: Bench, kind: str, many: int, rounds: int) -> Iterator[Row]:
    """Hold each address with few donations against itself with many."""
    urls = [bench.database(kind, f"size_{kind}_{count}", count) for count in (FEW, many)]
    with giver(bench, urls[0]) as give_few, giver(bench, urls[1]) as give_many:
        places = []
        for url, give in zip(urls, (give_few, give_many), strict=True):
            server = bench.app(url)
            places.append(Place(bench, url, server, signed_in(bench, url, server), give))
        for address in ADDRESSES:
            yield _grown(address, places, f"{FEW:,} against {many:,} donations, {kind}", rounds)
    yield _export(places[1], f"export of {many:,} rows, {kind}", rounds=1 if many > 10**5 else 3)


def _grown(address: Address, places: list[Place], sizes: str, rounds: int) -> Row:
    for place in places:
        place.clock, place.processor = [], []
        place.ask(address)  # the first one finds everything cold
    for number in range(rounds):
        for place in places if number % 2 == 0 else reversed(places):
            place.ask(address)
    few, many = places
    waited = [median(place.clock[1:]) for place in places]
    if address.first_byte:  # the rest of the answer is under way already: its processor time says nothing
        compared = [quantiles(place.clock[1:], n=4)[0] for place in places]
        unit = "ms on the clock, the quicker quarter"
    else:
        compared = [median(few.processor[1:]), median(many.processor[1:])]
        unit = "ms of processor"
    times = compared[1] / compared[0]
    return Row(
        f"{address.what}, {sizes}",
        f"{compared[0]:.2f}, {compared[1]:.2f} {unit}; median on the clock {waited[0]:.1f}, {waited[1]:.1f} ms",
        f"{times:.2f} x",
        f"at most {address.most:g} x",
        at_most(times, address.most),
    )


def _export(place: Place, what: str, rounds: int) -> Row:
    """Fetch the whole export and copy the same columns plainly, in turn."""
    server = place.server
    resident = max(map(resident_bytes, tree_of(server.pid)))
    ours, plain, spent, size = [], [], [], 0
    with _Peak(server) as watch:
        for _ in range(rounds):
            before, begun, size = place.spent(), time.perf_counter(), 0
            with place.opener.open(f"{server.url}/staff/donations.csv") as answer:
                while block := answer.read(1 << 16):
                    size += len(block)
            ours.append(time.perf_counter() - begun)
            spent.append(place.spent() - before)
            plain.append(_copy(place.url))
    share = median(one / other for one, other in zip(plain, ours, strict=True))
    grown = watch.most - resident
    return Row(
        what,
        f"{median(ours):.2f} s ({median(spent):.2f} s processor), {size / 1e6:.0f} MB; "
        f"plain copy {median(plain):.2f} s; memory grew by {grown / 1e6:.0f} MB",
        f"{share:.2f} of the plain copy's rate",
        f"at least {EXPORT_SHARE:g}, growth under 50 MB",
        at_least(share, EXPORT_SHARE) and grown < EXPORT_GROWTH_BYTES,
    )


class _Peak(AbstractContextManager["_Peak"]):
    """Looks at a server's memory while something goes on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.most = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.most = max(self.most, *map(resident_bytes, tree_of(self._server.pid)))


QUERY = """
SELECT e.id, e.day, e.occurred_at, e.kind, e.amount_minor, e.currency, e.source, e.frequency, e.placement, d.src, d.page,
 d.public_id, d.name, p.email, e.reason
FROM ledger_entries e JOIN donations d ON d.id = e.donation_id JOIN donors p ON p.id = d.donor_id WHERE e.counted
"""


def _copy(url: str) -> float:
    """Write the columns of the export as CSV as plainly as can be; return the seconds it took."""
    begun = time.perf_counter()
    with Path("/dev/null").open("w", newline="") as file:
        if url.startswith("sqlite"):
            with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
                csv.writer(file).writerows(connection.execute(QUERY))
        else:
            _copy_postgres(url)
    return time.perf_counter() - begun


def _copy_postgres(url: str) -> None:
    import psycopg

    statement: Any = f"COPY ({QUERY}) TO STDOUT WITH CSV"
    with psycopg.connect(url) as connection, connection.cursor().copy(statement) as copy:
        for block in copy:
            len(block)
