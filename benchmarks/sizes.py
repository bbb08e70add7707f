"""The same addresses with few and with many donations, and what an export of all of them costs."""

from __future__ import annotations

import csv
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from benchmarks.machine import cpu_seconds, resident_bytes, tree_of
from benchmarks.rounds import Row, at_least, at_most
from benchmarks.servers import ROOT, SLUG, Bench, Server

FEW = 1_000
PASSWORD = "a password for the benchmarks alone"  # noqa: S105 - of a database that lives for minutes
EMAIL = "bench@example.org"
PUBLIC = {
    "figure, read anew": (f"/api/v1/appeals/{SLUG}?unkept=1", 1.2),
    "appeal page": (f"/appeals/{SLUG}", 1.2),
    "credit lines": (f"/appeals/{SLUG}/credits", 1.2),
}
STAFF = {
    "dashboard": ("/staff/", 1.3),
    "donation list, first page": ("/staff/donations", 1.3),
    "export, first byte": ("/staff/donations.csv", 1.3),
}
EXPORT_SHARE, EXPORT_GROWTH_BYTES = 0.2, 50 * 1024 * 1024


def signed_in(bench: Bench, url: str, server: Server) -> OpenerDirector | None:
    """Return an opener signed in as staff; None where that does not work."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()))
    subprocess.run(
        [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "wsgi",
            "staff",
            "add",
            EMAIL,
            "--role",
            "admin",
            "--password-stdin",
        ],
        cwd=ROOT,
        env=bench.environment(url),
        input=PASSWORD,
        text=True,
        capture_output=True,
        check=False,
    )
    try:
        with opener.open(f"{server.url}/staff/login") as answer:
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.read().decode())
        form = {"email": EMAIL, "password": PASSWORD, "csrf_token": found[1] if found else ""}
        with opener.open(f"{server.url}/staff/login", urlencode(form).encode()):
            pass
        with opener.open(f"{server.url}/staff/") as answer:
            return opener if answer.geturl().endswith("/staff/") else None
    except OSError:
        return None


def growth(bench: Bench, kind: str, many: int, rounds: int) -> Iterator[Row]:
    """Hold each address with few donations against itself with many: processor time, or time to the first byte."""
    urls = {count: bench.database(kind, f"size_{kind}_{count}", count) for count in (FEW, many)}
    servers = {count: bench.app(url) for count, url in urls.items()}
    staff = {count: signed_in(bench, urls[count], server) for count, server in servers.items()}
    for what, (path, most) in (PUBLIC | STAFF).items():
        openers: Mapping[int, OpenerDirector | None] = (
            staff if what in STAFF else {count: build_opener() for count in servers}
        )
        name = f"{what}, {FEW:,} against {many:,} donations, {kind}"
        try:
            yield _grown(name, path, most, servers=servers, openers=openers, rounds=rounds)
        except OSError as error:
            yield Row(name, "not measured", "", f"at most {most:g}", None, str(error))
    opener = staff[many]
    if opener is None:
        yield Row(f"export of {many:,} rows, {kind}", "not measured", "", "", None, "nobody could sign in")
    else:
        yield from _export(kind, urls[many], many, servers[many], opener)


def _grown(
    name: str,
    path: str,
    most: float,
    *,
    servers: Mapping[int, Server],
    openers: Mapping[int, OpenerDirector | None],
    rounds: int,
) -> Row:
    took: dict[int, list[float]] = {count: [] for count in servers}
    for _ in range(rounds):
        for count, server in servers.items():
            opener = openers[count]
            if opener is None:
                raise OSError("nobody could sign in")
            took[count].append(_to_first_byte(opener, server.url + path))
    few, many = (median(values[1:]) * 1000 for values in took.values())
    times = many / few
    return Row(
        name,
        f"{few:.2f} ms, {many:.2f} ms to the first byte",
        f"{times:.2f} x",
        f"at most {most:g} x",
        at_most(times, most),
    )


def _to_first_byte(opener: OpenerDirector, url: str) -> float:
    begun = time.perf_counter()
    with opener.open(url) as answer:
        answer.read(1)
        took = time.perf_counter() - begun
        while answer.read(1 << 16) and not url.endswith(".csv"):
            pass
    return took


def _export(kind: str, url: str, many: int, server: Server, opener: OpenerDirector) -> Iterator[Row]:
    resident = max(map(resident_bytes, tree_of(server.pid)))
    watch = _Peak(server)
    before, begun, size = cpu_seconds(server.pid), time.perf_counter(), 0
    with watch, opener.open(f"{server.url}/staff/donations.csv") as answer:
        while block := answer.read(1 << 16):
            size += len(block)
    ours, spent = time.perf_counter() - begun, cpu_seconds(server.pid) - before
    plain = _copy(url)
    share, grown = plain / ours, watch.most - resident
    yield Row(
        f"export of {many:,} rows, {kind}",
        f"{ours:.1f} s ({spent:.1f} s processor), {size / 1e6:.0f} MB; plain copy {plain:.1f} s; "
        f"memory grew by {grown / 1e6:.0f} MB",
        f"{share:.2f} of the plain copy's rate",
        f"at least {EXPORT_SHARE:g}, growth under 50 MB",
        at_least(share, EXPORT_SHARE) and grown < EXPORT_GROWTH_BYTES,
    )


class _Peak:
    """Looks at a server's memory while something goes on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self.most = 0

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.1):
            self.most = max(self.most, *map(resident_bytes, tree_of(self._server.pid)))


COLUMNS = (
    "d.public_id, d.created_at, d.received_at, d.source, d.frequency, d.status, d.currency, d.amount_minor,"
    " d.received_minor, d.returned_minor, d.name, d.src, d.page, d.placement, p.email"
)
QUERY = f"SELECT {COLUMNS} FROM donations d JOIN donors p ON p.id = d.donor_id"  # noqa: S608 - our own words


def _copy(url: str) -> float:
    """Write the same columns as CSV as plainly as can be; return the seconds it took."""
    begun = time.perf_counter()
    with Path("/dev/null").open("w", newline="") as file:
        if url.startswith("sqlite"):
            with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
                csv.writer(file).writerows(connection.execute(QUERY))
        else:
            _copy_postgres(url, file.write)
    return time.perf_counter() - begun


def _copy_postgres(url: str, write: Callable[[str], Any]) -> None:
    import psycopg

    statement = f"COPY ({QUERY}) TO STDOUT WITH CSV"
    with psycopg.connect(url) as connection, connection.cursor().copy(statement) as copy:  # type: ignore[arg-type]
        for block in copy:
            write(str(len(block)))
