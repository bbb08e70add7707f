"""Where the time of one path goes: `python -m benchmarks.profile NAME [--database postgresql] [--gifts N] [--times N]`.

The path (`benchmarks.paths`) runs in this process: first untouched, which gives the times and the statements, then
under cProfile, which gives the shares. A profiler makes calls dearer than they are, so read milliseconds in the first
table and shares in the others. `start` is taken apart by module with `-X importtime` instead. With `all` every path is
measured without being taken apart.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks import house
from benchmarks.paths import PATHS, House
from benchmarks.servers import ROOT, Bench
from tests.speed.counting import statements

LINES = 14
WARM = 20


@dataclass(frozen=True)
class Cost:
    """What one call takes: medians in milliseconds, and statements sent."""

    clock_ms: float
    processor_ms: float
    statements: int


@dataclass(frozen=True)
class Taken:
    """A profile: each layer's own share of the whole; each function of ours with all that it calls."""

    by_layer: dict[str, float]
    by_function: dict[str, float]


def layer(filename: str) -> str:
    """Return in whose house a file of a profile lies: ours by module, others by package.

    What is written in C has no file; it is counted as Python's own, but for the two database drivers.
    """
    if str(ROOT) in filename and "site-packages" not in filename and "/.venv/" not in filename:
        return filename.partition(f"{ROOT}/")[2]
    found = re.search(r"site-packages/([\w.]+)", filename)
    return found[1].removesuffix(".py") if found else "Python itself"


def taken_apart(profile: cProfile.Profile) -> Taken:
    """Add up a profile."""
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    whole = sum(one[2] for one in stats.values()) or 1
    layers: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for (filename, _line, function), (_calls, _primitive, own, below, _callers) in stats.items():
        name = "statements in the driver" if _drives(function) else layer(filename)
        layers[name] += own / whole  # type: ignore[assignment]  # a Counter counts anything
        if name.startswith("appeal/") and not function.startswith("<"):
            functions[f"{name}: {function}"] += below / whole  # type: ignore[assignment]
    return Taken(dict(layers.most_common(LINES)), dict(functions.most_common(LINES)))


def _drives(function: str) -> bool:
    return bool(
        re.search(r"'(execute|executemany|commit|fetch\w*)' of '(sqlite3|psycopg)|psycopg_binary", function)
    )


def cost(path: str, house: House, times: int) -> tuple[Cost, Taken]:
    """Go over a path untouched, then once to count its statements, then under the profiler."""
    supply = PATHS[path](house, WARM + 2 * times + 1)
    for _ in range(WARM):
        house.ask(next(supply))
    clock, processor = [], []
    for _ in range(times):
        environ = next(supply)
        begun, spent = time.perf_counter(), time.process_time()
        house.ask(environ)
        processor.append(time.process_time() - spent)
        clock.append(time.perf_counter() - begun)
    environ = next(supply)
    with statements(house.app) as seen:
        house.ask(environ)
    profile = cProfile.Profile()
    for _ in range(times):
        environ = next(supply)
        profile.enable()
        house.ask(environ)
        profile.disable()
    return Cost(median(clock) * 1000, median(processor) * 1000, len(seen)), taken_apart(profile)


def told(path: str, kind: str, gifts: int, times: int, found: tuple[Cost, Taken]) -> Iterator[str]:
    """Write a profile as tables."""
    one, taken = found
    yield f"### {path}, {kind}, {gifts:,} gifts, {times} times"
    yield ""
    yield "| processor | clock | statements |"
    yield "|---|---|---|"
    yield f"| {one.processor_ms:.3f} ms | {one.clock_ms:.3f} ms | {one.statements} |"
    for title, what, shares in (
        ("where", "own share", taken.by_layer),
        ("ours", "share, with all that it calls", taken.by_function),
    ):
        yield ""
        yield f"| {title} | {what} |"
        yield "|---|---|"
        for name, share in shares.items():
            yield f"| `{name}` | {share:.1%} |"


def started() -> Iterator[str]:
    """Take the start apart by what is imported: own time of each package, as Python tells it."""
    with Bench() as bench:
        url = bench.database("sqlite", "profile_start", 0)
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", house.READY],
            cwd=ROOT,
            env=bench.environment(url),
            check=True,
            text=True,
            capture_output=True,
        )
    own: Counter[str] = Counter()
    for microseconds, name in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", done.stderr):
        own[name.partition(".")[0]] += int(microseconds)
    yield f"### start: {sum(own.values()) / 1000:.0f} ms of imports, told by Python itself (which makes them dearer)"
    yield ""
    yield "| package | own time of its modules |"
    yield "|---|---|"
    for name, microseconds in own.most_common(LINES):
        yield f"| `{name}` | {microseconds / 1000:.0f} ms |"


def main() -> int:
    """Profile what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("path", choices=[*PATHS, "start", "all"])
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--gifts", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=200)
    asked = parser.parse_args()
    if asked.path == "start":
        print("\n".join(started()))
        return 0
    with Bench() as bench:
        lived_in = House(bench, asked.database, asked.gifts)
        for path in PATHS if asked.path == "all" else [asked.path]:
            found = cost(path, lived_in, asked.times)
            print(
                "\n".join(told(path, asked.database, asked.gifts, asked.times, found)), end="\n\n", flush=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
