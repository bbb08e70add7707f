"""`python -m benchmarks [--long] [--only NAME ...]`: measure, print, and write `benchmarks/results.md`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import house, machine, reading, sizes, writing
from benchmarks.rounds import Row
from benchmarks.servers import Bench
from tests.support.machine import POSTGRESQL

RESULTS = Path(__file__).resolve().parent / "results.md"
Part = Callable[[], Iterator[Row]]


def parts(bench: Bench, *, long: bool) -> dict[str, Part]:
    """List what is measured, by name; the long form has more rounds and a million donations."""
    rounds, seconds = (9, 3.0) if long else (3, 1.0)
    each, many, events = (1_000, 1_000_000, 10_000) if long else (80, 20_000, 400)
    kinds = ["sqlite", "postgresql"] if POSTGRESQL.path() else ["sqlite"]
    demo: list[str] = []

    def seeded() -> str:
        if not demo:
            demo.append(bench.database("sqlite", "demo", 1893))
        return demo[0]

    found: dict[str, Part] = {
        "figure": lambda: reading.figures(bench, seeded(), rounds, seconds),
        "page": lambda: reading.page(bench, seeded(), rounds, seconds),
        "processes": lambda: reading.two_processes(bench, seeded(), rounds, seconds),
        "start": lambda: house.start(bench, seeded(), rounds),
        "weights": lambda: house.weights(bench, seeded()),
        "statements": house.statements,
    }
    for kind in kinds:
        found |= {
            f"freshness-{kind}": lambda kind=kind: reading.freshness(
                bench, bench.database(kind, f"fresh_{kind}", 200), 200 if long else 40
            ),
            f"forms-{kind}": lambda kind=kind: writing.forms(bench, kind, rounds, each),
            f"webhooks-{kind}": lambda kind=kind: writing.hooks(bench, kind, rounds, each),
            f"storm-{kind}": lambda kind=kind: writing.storm(bench, kind, events),
            f"sizes-{kind}": lambda kind=kind: sizes.growth(bench, kind, many, 4 * rounds),
        }
    return found


def run(*, long: bool, only: list[str]) -> list[Row]:
    """Measure part after part; one that breaks is told and does not stop the others."""
    if machine.APART:
        os.sched_setaffinity(0, {machine.LOAD_CORE})
    rows: list[Row] = []
    with Bench() as bench:
        for name, part in parts(bench, long=long).items():
            if only and not any(name.startswith(one) for one in only):
                continue
            begun = time.monotonic()
            print(f"\n{name}", flush=True)
            try:
                for row in part():
                    rows.append(row)
                    print(
                        f"  {row.what}: {row.figures} -> {row.ratio} [{row.verdict}] {row.note}", flush=True
                    )
            except Exception as error:  # noqa: BLE001 - told in the results; the other parts go on
                traceback.print_exc()
                rows.append(Row(name, "broke", "", "", None, f"{type(error).__name__}: {error}"))
            finally:
                bench.stop_servers()
            print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
    return rows


def written(rows: list[Row], before: machine.Quiet, after: machine.Quiet, *, long: bool) -> str:
    """Write the results as a table."""
    noisy = not (before.enough and after.enough)
    lines = [
        "# Results",
        "",
        (
            f"Written by `make bench{'-long' if long else ''}` on {datetime.now(UTC):%d %B %Y, %H:%M} UTC: "
            f"{len(machine.CORES)} cores, {platform.machine()}, Python {platform.python_version()}; "
            f"probes spread by {before.spread:.0%} before and {after.spread:.0%} after, load {after.load:.1f}."
        ),
        "",
    ]
    if noisy:
        lines += [
            (
                "**The machine was too noisy to conclude from rates and times**; ratios within one run are steadier, "
                "processor time steadier still."
            ),
            "",
        ]
    lines += ["| what | figures (medians) | ratio | to reach | |", "|---|---|---|---|---|"]
    for row in rows:
        note = f"{row.verdict}; {row.note}" if row.note else row.verdict
        lines.append(f"| {row.what} | {row.figures} | {row.ratio} | {row.target} | {note} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more rounds, a million donations")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="parts whose name begins so")
    asked = parser.parse_args()
    before = machine.quiet()
    rows = run(long=asked.long, only=asked.only)
    text = written(rows, before, machine.quiet(), long=asked.long)
    print("\n" + text)
    RESULTS.write_text(_into(RESULTS, text) if asked.only else text, encoding="utf-8")
    return 0


def _into(path: Path, text: str) -> str:
    """Put rows that were measured anew in the place of the old ones, of the same name, of a file of results."""
    if not path.exists():
        return text
    anew = {_name(line): line for line in text.splitlines() if line.startswith("| ")}
    kept = path.read_text(encoding="utf-8").splitlines()
    lines = [anew.pop(_name(line), line) if line.startswith("| ") else line for line in kept]
    return "\n".join([*lines, *(line for name, line in anew.items() if name != "what")]) + "\n"


def _name(line: str) -> str:
    """Return what a row is about, without the sizes that differ from run to run."""
    return (
        line.split("|")[1].partition(",")[0].strip()
        if "bytes" in line.split("|")[1]
        else line.split("|")[1].strip()
    )


if __name__ == "__main__":
    sys.exit(main())
