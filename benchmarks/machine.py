"""The machine: which core serves and which loads, what a process tree has cost, and whether it was quiet enough."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
APART = len(CORES) > 1
ENOUGH = 0.35
MOST_LOAD = 3 * len(CORES)  # ours alone is about one and a half a core

Cores = Sequence[int]


def pinned(command: list[str], cores: Cores) -> list[str]:
    """Return a command that runs on some cores alone, where the machine can do that.

    Always say which: a child inherits the cores of this process, which keeps to the load's own.
    """
    if not APART or not shutil.which("taskset"):
        return command
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def tree_of(pid: int) -> list[int]:
    """List a process and all its descendants."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its descendants have used so far, to the microsecond.

    Source: Linux, `MAKE_PROCESS_CPUCLOCK` in include/linux/posix-timers.h. The ticks in /proc are hundredths of a
    second, too coarse for a hundred requests of a millisecond.
    """
    return sum(map(_clock, tree_of(pid)))


def _clock(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has just ended
        return 0.0


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def peak_bytes(pid: int) -> int:
    """Return the most memory a process has held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def probe_us() -> float:
    """Time a fixed piece of work, in microseconds: it takes longer when somebody else has the core."""
    begun = time.perf_counter()
    sum(number * number for number in range(20_000))
    return (time.perf_counter() - begun) * 1e6


@dataclass(frozen=True)
class Quiet:
    """How even the machine was; `spread` is how far apart nine tenths of the probes lay, against their median."""

    spread: float
    load: float

    @property
    def enough(self) -> bool:
        """Say whether the figures can be concluded from."""
        return self.spread < ENOUGH and self.load <= MOST_LOAD


def quiet(seconds: float = 0.5) -> Quiet:
    """Look at how even the machine is."""
    probes, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        probes.append(probe_us())
        time.sleep(0.002)
    probes.sort()
    within = probes[len(probes) // 20 : -len(probes) // 20 or None]
    return Quiet((within[-1] - within[0]) / median(probes), os.getloadavg()[0])


def judged(looks: Sequence[Quiet]) -> Quiet:
    """Return how even the machine was in the middle of many looks."""
    return Quiet(median(one.spread for one in looks), max(one.load for one in looks))
