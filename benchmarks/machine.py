"""The machine: which core serves and which loads, what a process tree has cost, and whether it was quiet enough."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
APART = len(CORES) > 1


def pinned(command: list[str], core: int | None) -> list[str]:
    """Return a command that runs on one core, where the machine can do that."""
    if core is None or not APART or not shutil.which("taskset"):
        return command
    return ["taskset", "-c", str(core), *command]


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
    """Return the processor time that a process and its descendants have used so far."""
    return sum(_ticks(one) for one in tree_of(pid)) / TICKS


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


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
        return self.spread < 0.35


def quiet(seconds: float = 1.0) -> Quiet:
    """Look at how even the machine is."""
    probes, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        probes.append(probe_us())
        time.sleep(0.002)
    probes.sort()
    within = probes[len(probes) // 20 : -len(probes) // 20 or None]
    return Quiet((within[-1] - within[0]) / median(probes), os.getloadavg()[0])
