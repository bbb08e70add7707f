"""`python -m benchmarks [--long] [--only NAME ...]`: measure, print, and write `benchmarks/results.md`."""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import house, machine, reading, sizes, writing
from benchmarks.paint import paint
from benchmarks.rounds import Row
from benchmarks.servers import FEW, Bench
from tests.support.machine import POSTGRESQL

RESULTS = Path(__file__).resolve().parent / "results.md"
Part = Callable[[], Iterator[Row]]


def parts(bench: Bench, *, long: bool) -> dict[str, Part]:
    """List what is measured, by name; the long form has more rounds and a million donations."""
    rounds, seconds = (9, 2.0) if long else (3, 1.0)
    each, many, events = (300, 1_000_000, 10_000) if long else (80, 20_000, 400)
    kinds = ["sqlite", "postgresql"] if POSTGRESQL.path() else ["sqlite"]

    def sample(kind: str = "sqlite") -> str:
        return bench.shared(kind, FEW)

    found: dict[str, Part] = {
        "figure": lambda: reading.figures(bench, sample(), rounds, seconds),
        "page": lambda: reading.page(bench, sample(), rounds, seconds),
        "start": lambda: house.start(bench, sample(), 3 * rounds),
        "weights": lambda: house.weights(bench, sample()),
        "paint": lambda: paint(bench, sample(), rounds),
        "statements": house.statements,
    }
    for kind in kinds:
        found |= {
            f"processes-{kind}": lambda kind=kind: reading.two_processes(
                bench, sample(kind), rounds, seconds
            ),
            f"freshness-{kind}": lambda kind=kind: reading.freshness(
                bench, bench.database(kind, f"fresh_{kind}", FEW), 200 if long else 40
            ),
            f"writing-{kind}": lambda kind=kind: writing.writing(
                bench, kind, rounds=rounds, each=each, events=events
            ),
            f"sizes-{kind}": lambda kind=kind: sizes.growth(bench, kind, many, 5 * rounds),
        }
    return found


@dataclass
class Run:
    """What a run came to: its rows, how quiet the machine was between its parts, how long it took."""

    rows: list[Row]
    looks: list[machine.Quiet]
    seconds: float = 0


def run(*, long: bool, only: list[str]) -> Run:
    """Measure part after part; one that breaks is told and does not stop the others."""
    if machine.APART:
        os.sched_setaffinity(0, {machine.LOAD_CORE})
    done, started = Run([], [machine.quiet()]), time.monotonic()
    with Bench() as bench:
        for name, part in parts(bench, long=long).items():
            if only and not any(name.startswith(one) for one in only):
                continue
            begun = time.monotonic()
            print(f"\n{name}", flush=True)
            try:
                for row in part():
                    done.rows.append(row)
                    print(
                        f"  {row.what}: {row.figures} -> {row.ratio} [{row.verdict}] {row.note}", flush=True
                    )
            except Exception as error:  # noqa: BLE001 - told in the results; the other parts go on
                traceback.print_exc()
                done.rows.append(Row(name, "broke", "", "", None, f"{type(error).__name__}: {error}"))
            finally:
                bench.stop_servers()
            print(f"  ({time.monotonic() - begun:.0f} s)", flush=True)
            done.looks.append(machine.quiet())
    done.seconds = time.monotonic() - started
    return done


def written(done: Run, *, long: bool) -> str:
    """Write the results as a table."""
    how = machine.judged(done.looks)
    lines = [
        "# Results",
        "",
        (
            f"Written by `make bench{'-long' if long else ''}` on {datetime.now(UTC):%d %B %Y, %H:%M} UTC in "
            f"{done.seconds:.0f} s: {len(machine.CORES)} cores, {platform.machine()}, Python "
            f"{platform.python_version()}; probes between the parts spread by {how.spread:.0%} (median), load at most "
            f"{how.load:.1f}."
        ),
        "",
    ]
    if not how.enough:
        lines += [
            (
                "**The machine was too noisy to conclude from rates and times**; ratios within one run are steadier, "
                "processor time steadier still."
            ),
            "",
        ]
    lines += [
        "Each cell of figures has the median of the rounds; *spread* is how far their middle half lies apart.",
        "",
        "| what | figures | ratio | to reach | |",
        "|---|---|---|---|---|",
    ]
    for row in done.rows:
        note = f"{row.verdict}; {row.note}" if row.note else row.verdict
        lines.append(f"| {row.what} | {row.figures} | {row.ratio} | {row.target} | {note} |")
    return "\n".join(lines) + "\n"


def merged(old: str, new: str) -> str:
    """Put rows that were measured anew in the place of the old ones of the same name, and say when.

    Rows that are not there yet go to the end of the table.
    """
    anew = {key(line): line for line in new.splitlines() if _is_row(line)}
    lines = [anew.pop(key(line), line) if _is_row(line) else line for line in old.rstrip().splitlines()]
    end = max((place for place, line in enumerate(lines) if line.startswith("|")), default=len(lines) - 1) + 1
    told = next((line for line in new.splitlines() if line.startswith("Written by")), "")
    names = ", ".join(key(line) for line in new.splitlines() if _is_row(line))
    lines[end:end] = anew.values()
    return "\n".join([*lines, "", f"Measured anew since: {names}. {told}"]) + "\n"


def _is_row(line: str) -> bool:
    return line.startswith("| ") and not line.startswith("| what |")


def key(line: str) -> str:
    """Return what a row is about, without the numbers that differ from run to run."""
    return re.sub(
        r",? *[\d,]+ bytes| [\d,]+(?= (?:rows|events|donations))| against(?= donations)| [\d,]+$",
        "",
        line.split("|")[1],
    ).strip()


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more rounds, a million donations")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="parts whose name begins so")
    asked = parser.parse_args()
    done = run(long=asked.long, only=asked.only)
    text = written(done, long=asked.long)
    print("\n" + text)
    if asked.only and RESULTS.exists():
        text = merged(RESULTS.read_text(encoding="utf-8"), text)
    RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(row.reached is not False or "freshness" not in row.what for row in done.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
