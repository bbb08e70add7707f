"""Reading: the figure in all its forms, the appeal page, two processes against one, and freshness under load."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.load import read
from benchmarks.machine import APART, CORES, Cores, cpu_seconds, tree_of
from benchmarks.rounds import Contender, Round, Row, alternate, at_least, at_most, concluded, ratio, told
from benchmarks.servers import ROOT, SLUG, Bench, Server

JSON = f"/api/v1/appeals/{SLUG}"
FORMS = {
    "figure JSON": JSON,
    "banner fragment": f"/embed/{SLUG}/fragment",
    "progress picture (SVG)": f"/embed/{SLUG}/progress.svg",
    "banner script": "/embed/v1/appeal.js",
}
PAGE = f"/appeals/{SLUG}"
WARMING_CONNECTIONS = 24
IMPOSSIBLE_TIMES = 2.2
NGINX_TIMES, BARE_TIMES, PAGE_SHARE, TWO_TIMES = 3.0, 4.0, 0.5, 1.6


@dataclass(frozen=True)
class Fetched:
    """What an address answered."""

    body: bytes
    headers: dict[str, str]


def fetch(url: str) -> Fetched | None:
    """Get an address once; None where there is nothing."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
            return Fetched(answer.read(), {name.lower(): value for name, value in answer.headers.items()})
    except urllib.error.HTTPError:
        return None


def figures(bench: Bench, url: str, rounds: int, seconds: float) -> Iterator[Row]:
    """Measure each form of the figure, 200 and 304, against nginx with a file of the same bytes and the bare route."""
    app, bare, nginx = bench.app(url), bench.bare(), bench.nginx()
    for what, path in FORMS.items():
        given = fetch(app.url + path)
        if given is None:
            yield Row(what, "not there", "", "", None, "the address answers with an error")
            continue
        yield _form(bench, what, path, given, app=app, bare=bare, nginx=nginx, rounds=rounds, seconds=seconds)
    given = fetch(app.url + JSON)
    assert given is not None
    yield _not_modified(given, app, bare, nginx, rounds=rounds, seconds=seconds)


def _form(
    bench: Bench,
    what: str,
    path: str,
    given: Fetched,
    *,
    app: Server,
    bare: Server,
    nginx: Server | None,
    rounds: int,
    seconds: float,
) -> Row:
    name = what.replace(" ", "-") + (".html" if "html" in given.headers["content-type"] else ".json")
    (bench.bodies / name).write_bytes(given.body)
    measures = {"app": _reader(app, path, seconds), "bare route": _reader(bare, f"/bytes/{name}", seconds)}
    if nginx is not None:
        measures["nginx"] = _reader(nginx, f"/{name}", seconds)
    return _judged(f"{what}, 200, {len(given.body)} bytes", alternate(measures, rounds))


def _reader(server: Server, path: str, seconds: float, **headers: str) -> Callable[[], Round]:
    return lambda: read(server.url + path, server.pid, seconds=seconds, headers=headers)


def _not_modified(
    given: Fetched, app: Server, bare: Server, nginx: Server | None, *, rounds: int, seconds: float
) -> Row:
    name = "figure-JSON.json"
    measures = {
        "app": _reader(app, JSON, seconds, **{"If-None-Match": given.headers["etag"]}),
        "bare route": _reader(bare, f"/bytes/{name}", seconds),
    }
    if nginx is not None:
        file = fetch(f"{nginx.url}/{name}")
        assert file is not None
        measures["nginx"] = _reader(nginx, f"/{name}", seconds, **{"If-None-Match": file.headers["etag"]})
    return _judged("figure JSON, 304 (the bare route sends 200)", alternate(measures, rounds))


def _judged(what: str, found: dict[str, Contender]) -> Row:
    app, bare = found["app"], found["bare route"]
    faster = ratio(bare, app, "cpu_us")
    words = [f"{faster:.1f} x the bare route's rate per processor second"]
    good = at_least(faster, BARE_TIMES)
    if "nginx" in found:
        dearer = ratio(app, found["nginx"], "cpu_us")
        words.append(f"{dearer:.1f} x nginx's processor time")
        good = good and at_most(dearer, NGINX_TIMES)
    target = f"at most {NGINX_TIMES:g} x nginx, at least {BARE_TIMES:g} x the bare route"
    verdict, note = concluded(good, *found.values())
    return Row(what, "; ".join(map(told, found.values())), ", ".join(words), target, verdict, note)


def page(bench: Bench, url: str, rounds: int, seconds: float) -> Iterator[Row]:
    """Measure the appeal page against a bare route giving the same bytes; plain, and as a banner's link opens it."""
    app, bare = bench.app(url), bench.bare()
    for what, path in (
        ("appeal page", PAGE),
        ("appeal page from a banner", f"{PAGE}?src=www.example.org:article&page=/a/1&amount=25"),
    ):
        given = fetch(app.url + path)
        assert given is not None
        body = f"{what.replace(' ', '-')}.html"  # a name of its own: the bare route reads a file once
        (bench.bodies / body).write_bytes(given.body)
        found = alternate(
            {
                "app": _reader(app, path, seconds),
                "bare route": _reader(bare, f"/bytes/{body}", seconds),
                "app, gzip": _reader(app, path, seconds, **{"Accept-Encoding": "gzip"}),
            },
            rounds,
        )
        share = ratio(found["bare route"], found["app"], "cpu_us")
        yield Row(
            f"{what}, {len(given.body):,} bytes",
            "; ".join(map(told, found.values())),
            f"{share:.2f} of the bare route's rate per processor second",
            f"at least {PAGE_SHARE:g}",
            *concluded(at_least(share, PAGE_SHARE), *found.values()),
        )


def two_processes(bench: Bench, url: str, rounds: int, seconds: float) -> Iterator[Row]:
    """Measure one process with its load on one core against two processes with twice the load on two cores.

    So the load takes the same share of a core on both sides. What a machine gives a second process depends on the
    machine (its cores may be two threads of one), so the bare route, whose processes share nothing, goes the same way.
    """
    kind = url.partition(":")[0]
    if not APART:
        yield Row(f"two processes, {kind}", "not measured", "", f"at least {TWO_TIMES:g} x", None, "one core")
        return
    alone, pair = CORES[:1], CORES[:2]
    ours = bench.app(url, cores=alone), bench.app(url, workers=2, cores=pair)
    bare = bench.bare(cores=alone), bench.bare(workers=2, cores=pair)
    for what, path in (("figure", JSON), ("appeal page", PAGE)):
        given = fetch(ours[0].url + path)
        assert given is not None
        body = f"two-{what.replace(' ', '-')}.html"
        (bench.bodies / body).write_bytes(given.body)
        sides = {
            "one process": (ours[0], path, alone),
            "two processes": (ours[1], path, pair),
            "bare route, one": (bare[0], f"/bytes/{body}", alone),
            "bare route, two": (bare[1], f"/bytes/{body}", pair),
        }
        for server, address, _cores in sides.values():
            _warm(server, address)
        found = alternate({name: _crowd(*side, seconds) for name, side in sides.items()}, rounds)
        yield _doubled(f"two processes, {what}, {kind}", found, _shares(ours[1].pid))


def _doubled(what: str, found: dict[str, Contender], shares: list[float]) -> Row:
    one, two, bare, bare_two = found.values()
    times, machine_gives = ratio(two, one, "rate"), ratio(bare_two, bare, "rate")
    good, note = concluded(at_least(times, TWO_TIMES), *found.values())
    if good is False and machine_gives < TWO_TIMES:
        good, note = None, "this machine gives two processes that share nothing no more either"
    if good and max(times, machine_gives) > IMPOSSIBLE_TIMES:
        good, note = None, "more than twice is somebody else's load on the first core"
    return Row(
        what,
        "; ".join(map(told, found.values())),
        f"{times:.2f} x the rate; the bare route {machine_gives:.2f} x",
        f"at least {TWO_TIMES:g} x",
        good,
        "; ".join(
            filter(
                None, [note, f"the two did {' and '.join(f'{share:.0%}' for share in shares)} of the work"]
            )
        ),
    )


def _crowd(server: Server, path: str, cores: Cores, seconds: float) -> Callable[[], Round]:
    each = 32 * len(cores)
    return lambda: read(server.url + path, server.pid, seconds=seconds, connections=each, cores=cores)


def _warm(server: Server, path: str) -> None:
    """Let every process of a server make the answer once: the first one compiles templates, for longer than a round.

    Each connection goes to whichever process takes it first.
    """
    for _ in range(WARMING_CONNECTIONS):
        fetch(server.url + path)
    read(server.url + path, server.pid, seconds=1)


def _shares(pid: int) -> list[float]:
    """Return which part of the work each process of a server has done: of its children, where it has any."""
    spent = [cpu_seconds(child) for child in tree_of(pid) if child != pid]
    busy = [seconds for seconds in spent if seconds > sum(spent) / 20]
    return sorted((seconds / sum(busy) for seconds in busy), reverse=True)


def freshness(bench: Bench, url: str, gifts: int) -> Iterator[Row]:
    """Write gifts in another process while the figure is under load; every one must be in the very next answer."""
    app = bench.app(url)
    stop = threading.Event()

    def crowd() -> None:
        while not stop.is_set():
            read(app.url + JSON, app.pid, seconds=1)

    loading = threading.Thread(target=crowd)
    loading.start()
    late = 0
    try:
        with giver(bench, url) as give:
            for _ in range(gifts):
                expected = give()
                late += f'"raised_minor":{expected},'.encode() not in _body(app.url + JSON)
                time.sleep(0.02)
    finally:
        stop.set()
        loading.join()
    kind = url.partition(":")[0]
    yield Row(
        f"freshness under load, {kind}",
        f"{gifts} gifts by another process of the host",
        f"{late} of them not in the next answer",
        "none",
        late == 0,
    )


def _body(url: str) -> bytes:
    given = fetch(url)
    return given.body if given else b""


@contextmanager
def giver(bench: Bench, url: str) -> Iterator[Callable[[], int]]:
    """Run a process that gives when told to, and says what is raised then."""
    command = [sys.executable, "-m", "benchmarks.giver"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=bench.environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as child:
        assert child.stdin
        assert child.stdout

        def give() -> int:
            child.stdin.write("give\n")
            return int(child.stdout.readline())

        yield give
        child.stdin.close()
