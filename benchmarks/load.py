"""The load: wrk for reading, and a loader of our own where every request is another one."""

from __future__ import annotations

import http.client
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from benchmarks.machine import LOAD_CORE, Cores, cpu_seconds, pinned
from benchmarks.rounds import Round

WRK = shutil.which("wrk")


@dataclass(frozen=True)
class Request:
    """One request of the loader's own."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


def read(
    url: str,
    pid: int,
    *,
    seconds: float,
    connections: int = 16,
    headers: Mapping[str, str] | None = None,
    cores: Cores = (LOAD_CORE,),
) -> Round:
    """Read one address over and over for a while, with a thread for each of the load's cores; tell what it cost `pid`."""
    if WRK is None:
        return _read_by_hand(url, pid, seconds=seconds, connections=connections, headers=headers or {})
    command = [WRK, f"-t{len(cores)}", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    before = cpu_seconds(pid)
    said = subprocess.run(pinned([*command, url], cores), check=True, text=True, capture_output=True).stdout
    spent = cpu_seconds(pid) - before
    count = int(_found(r"(\d+) requests in", said))
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Round(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        cpu_us=spent * 1e6 / max(1, count),
        p50_ms=_milliseconds(_found(r"50%\s+([\d.]+\w+)", said)),
        p99_ms=_milliseconds(_found(r"99%\s+([\d.]+\w+)", said)),
        bad=int(failed[1]) if failed else 0,
        answers=count,
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk said something else:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise RuntimeError(f"no time: {text}")


def _read_by_hand(
    url: str, pid: int, *, seconds: float, connections: int, headers: Mapping[str, str]
) -> Round:
    parts = urlsplit(url)
    request = Request(f"{parts.path}?{parts.query}" if parts.query else parts.path, b"", headers, "GET")
    end = time.monotonic() + seconds

    def forever() -> Iterator[Request]:
        while time.monotonic() < end:
            yield request

    return send(f"{parts.scheme}://{parts.netloc}", pid, forever(), connections=connections)


def send(
    origin: str,
    pid: int,
    requests: Iterable[Request],
    *,
    connections: int,
    good: Callable[[int], bool] = lambda status: status < 400,
) -> Round:
    """Send every request once over that many kept connections; tell rate, cost and how long each took."""
    supply, lock = iter(requests), threading.Lock()
    took: list[float] = []
    bad: list[int] = []

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=30)
        while True:
            with lock:
                request = next(supply, None)
            if request is None:
                break
            begun = time.perf_counter()
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - begun)
            if not good(answer.status):
                bad.append(answer.status)
        connection.close()

    crowd = [threading.Thread(target=work) for _ in range(connections)]
    before, begun = cpu_seconds(pid), time.perf_counter()
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    passed, spent = time.perf_counter() - begun, cpu_seconds(pid) - before
    took.sort()
    return Round(
        rate=len(took) / passed,
        cpu_us=spent * 1e6 / max(1, len(took)),
        p50_ms=median(took) * 1000 if took else 0,
        p99_ms=took[int(len(took) * 0.99)] * 1000 if took else 0,
        bad=len(bad),
        answers=len(took),
    )
