"""The house itself: start and memory, what travels to a reader, and how many statements each thing needs."""

from __future__ import annotations

import gzip
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import urljoin

from benchmarks.machine import CORES, peak_bytes, pinned, resident_bytes, tree_of
from benchmarks.reading import fetch
from benchmarks.rounds import Row, at_most
from benchmarks.servers import ROOT, SLUG, Bench
from tools.children import status_of

START_TIMES, MEMORY_BYTES = 1.5, 120 * 1024 * 1024
PLAIN = "import flask, sqlalchemy, stripe"
# As a server loads it, with bytecode from the round before. Of the tools of development structlog would load rich.
READY = (
    "import sys; sys.modules['rich'] = None\n"
    "from werkzeug.test import create_environ, run_wsgi_app\n"
    "from wsgi import app\n"
    "assert run_wsgi_app(app, create_environ('/healthz'))[1] == '200 OK'"
)
WEIGHTS = {
    "embed script": ("/embed/v1/appeal.js", 4096),
    "figure JSON": (f"/api/v1/appeals/{SLUG}", 700),
    "banner fragment": (f"/embed/{SLUG}/fragment", 1536),
}
FIRST_VISIT_BYTES = 60 * 1024
STATEMENTS = {"figure, kept": 0, "page, after a write": 2, "dashboard": 6, "event applied": 5}


def start(bench: Bench, url: str, rounds: int) -> Iterator[Row]:
    """Time a process until it answers, against one that only imports three packages; look at a server's memory."""
    took: dict[str, list[float]] = {READY: [], PLAIN: []}
    spent: dict[str, list[float]] = {READY: [], PLAIN: []}
    for _ in range(rounds):
        for code, times in took.items():
            before, begun = _spent_by_children(), time.perf_counter()
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=bench.environment(url), check=True)
            times.append(time.perf_counter() - begun)
            spent[code].append(_spent_by_children() - before)
    (ready, plain), (waited, waited_plain) = (
        [median(values[code]) * 1000 for code in (READY, PLAIN)] for values in (spent, took)
    )
    yield Row(
        "start until it answers",
        f"{ready:.0f} ms of processor ({waited:.0f} ms on the clock); importing flask, sqlalchemy and stripe "
        f"{plain:.0f} ms ({waited_plain:.0f} ms)",
        f"{ready / plain:.2f} x",
        f"at most {START_TIMES:g} x",
        at_most(ready / plain, START_TIMES),
    )
    server = bench.app(url)
    for path in (f"/appeals/{SLUG}", f"/api/v1/appeals/{SLUG}", f"/embed/{SLUG}/fragment"):
        for _ in range(50):
            status_of(server.url + path)
    worker = max(tree_of(server.pid), key=resident_bytes)
    held, most = resident_bytes(worker), peak_bytes(worker)
    yield Row(
        "memory of one process after 150 requests",
        f"{held / 1048576:.0f} MB, at most {most / 1048576:.0f} MB",
        "",
        "under 120 MB",
        most < MEMORY_BYTES,
    )


def _spent_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def weights(bench: Bench, url: str) -> Iterator[Row]:
    """Weigh what travels, compressed as any server in front compresses it."""
    app = bench.app(url)
    for what, (path, most) in WEIGHTS.items():
        given = fetch(app.url + path)
        if given is None:
            yield Row(f"{what}, compressed", "not there", "", f"at most {most} B", None)
            continue
        size = len(gzip.compress(given.body, 9))
        yield Row(
            f"{what}, compressed",
            f"{size:,} B of {len(given.body):,} B",
            "",
            f"at most {most:,} B",
            size <= most,
        )
    parts = _first_visit(app.url)
    total = sum(parts.values())
    yield Row(
        "first visit of the appeal page, compressed, with fonts",
        f"{total / 1024:.1f} KB: " + ", ".join(f"{name} {size / 1024:.1f}" for name, size in parts.items()),
        "",
        "at most 60 KB",
        total <= FIRST_VISIT_BYTES,
    )


def _first_visit(origin: str) -> dict[str, int]:
    """Weigh the page, its style sheets and the fonts that a Latin text needs."""
    page = f"{origin}/appeals/{SLUG}"
    given = fetch(page)
    assert given is not None
    parts = {"page": len(gzip.compress(given.body, 6))}
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"(?! media="print")', given.body.decode())
    fonts: dict[str, str] = {}
    for address in sheets:
        sheet = fetch(urljoin(page, address))
        assert sheet is not None
        parts[Path(address).name] = len(gzip.compress(sheet.body, 6))
        for face in re.findall(r"@font-face\s*{[^}]+}", sheet.body.decode()):
            source = re.search(r"url\([\"']?([^\"')]+)", face)
            if source and "ext" not in source[1]:
                fonts[Path(source[1]).name] = urljoin(urljoin(page, address), source[1])
    for name, address in fonts.items():
        font = fetch(address)
        parts[name] = len(font.body) if font else 0
    return parts


def statements() -> Iterator[Row]:
    """Run the tests that count the statements: they fail when there are more than stand there."""
    tests = ("tests/speed/test_statements.py", "tests/staff/test_figures.py")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-s",
        "-k",
        "statement or asks",
    ]
    done = subprocess.run(
        pinned([*command, *tests], CORES), cwd=ROOT, check=False, text=True, capture_output=True
    )
    counted = {
        what: max(int(number) for one, number in found if one == what)
        for found in [re.findall(r"statements: (.+?) (\d+)$", done.stdout, re.MULTILINE)]
        for what, _ in sorted(found)
    }
    over = [what for what, most in STATEMENTS.items() if counted.get(what, most + 1) > most]
    yield Row(
        "database statements",
        "; ".join(f"{what} {number}" for what, number in counted.items()) or f"see {', '.join(tests)}",
        "",
        ", ".join(f"{what} {most}" for what, most in STATEMENTS.items()),
        done.returncode == 0 and not over,
        ("more than asked: " + ", ".join(over) if over else "")
        if done.returncode == 0
        else done.stdout.strip().splitlines()[-1],
    )
