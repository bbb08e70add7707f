"""A day of article views before a CDN: how often the origin is asked, and the oldest figure any reader saw.

`python -m benchmarks.edge [--views 5000000] [--places 20 100 300] [--appeals 1]` plays every view of a day, with an
evening twice as busy as the mean and a quarter of an hour of ten times the mean (a push message), spread over a CDN's
places, with the `Cache-Control` that the embeds really send. Every place keeps its own copy: fresh for `s-maxage`, given stale while
one request fetches a new one for `stale-while-revalidate`, fetched with the reader waiting after that. The reader's
browser keeps what it got for `max-age`, and the worst is assumed: that it was read again at the very end of that.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from appeal.embed.blueprint import CACHE

DAY_SECONDS = 86_400
PUSH_FROM, PUSH_SECONDS, PUSH_TIMES = 19 * 3600, 900, 10.0
ORIGIN_SECONDS = 0.15  # from a far place and back, with a new connection


@dataclass(frozen=True)
class Rules:
    """What the header says, in seconds."""

    browser: float
    fresh: float
    stale: float

    @classmethod
    def of(cls, header: str) -> Rules:
        """Read a `Cache-Control` header."""
        parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
        names = ("max-age", "s-maxage", "stale-while-revalidate")
        return cls(*(float(parts[name]) for name in names))


@dataclass
class Told:
    """What a day came to."""

    views: int = 0
    waited: int = 0
    oldest_at_edge: float = 0.0
    asked: Counter[int] = field(default_factory=Counter)

    @property
    def origin(self) -> int:
        """Return how many requests reached the origin."""
        return self.asked.total()


def rate(second: float) -> float:
    """Return how busy a second of the day is, against the mean of a day without the push: small hours, a long evening."""
    busy = 1 + math.sin((second / DAY_SECONDS - 0.5) * 2 * math.pi)
    return PUSH_TIMES if PUSH_FROM <= second < PUSH_FROM + PUSH_SECONDS else busy


def play(views: int, places: int, rules: Rules, chance: random.Random) -> Told:
    """Play a day."""
    told = Told()
    mean = views / DAY_SECONDS / places
    for _ in range(places):
        _one_place(mean, rules, chance, told)
    return told


def arrivals(mean: float, chance: random.Random) -> Iterator[float]:
    """Draw the seconds of a day at which readers come: by the busiest rate of each stretch, thinned to the hour's own."""
    push_to = PUSH_FROM + PUSH_SECONDS
    for begin, end, busiest in (
        (0, PUSH_FROM, 2.0),
        (PUSH_FROM, push_to, PUSH_TIMES),
        (push_to, DAY_SECONDS, 2.0),
    ):
        now = begin + chance.expovariate(mean * busiest)
        while now < end:
            if chance.random() * busiest <= rate(now):
                yield now
            now += chance.expovariate(mean * busiest)


def _one_place(mean: float, rules: Rules, chance: random.Random, told: Told) -> None:
    made_at, fetching_until = -math.inf, -math.inf
    for now in arrivals(mean, chance):
        told.views += 1
        if fetching_until <= now and made_at < fetching_until - ORIGIN_SECONDS / 2:
            made_at = (
                fetching_until - ORIGIN_SECONDS / 2
            )  # the copy under way has arrived; made half-way there
        age = now - made_at
        if age > rules.fresh + rules.stale:
            told.asked[int(now)] += 1
            told.waited += 1
            made_at, fetching_until, age = now + ORIGIN_SECONDS / 2, -math.inf, ORIGIN_SECONDS / 2
        elif age > rules.fresh and fetching_until < now:
            told.asked[int(now)] += 1
            fetching_until = now + ORIGIN_SECONDS
        told.oldest_at_edge = max(told.oldest_at_edge, age)


def lines(told: Told, places: int, rules: Rules, appeals: int) -> list[str]:
    """Say what a day came to."""
    busiest = max((told.asked[second] for second in told.asked), default=0)
    return [
        (
            f"{told.views:,} views over {places} places: {told.origin:,} requests reached the origin "
            f"({told.origin / max(1, told.views):.2%}), {told.origin / DAY_SECONDS:.2f} a second on average, "
            f"{busiest} in the busiest second (bound: {places / rules.fresh:.1f} a second in the long run)"
        ),
        (
            f"  oldest figure given by a place: {told.oldest_at_edge:.1f} s; seen by a reader whose browser kept it: "
            f"at most {told.oldest_at_edge + rules.browser:.1f} s; {told.waited:,} readers waited for the origin"
        ),
        f"  with {appeals} appeals on every page: {appeals * told.origin / DAY_SECONDS:.1f} a second",
    ]


def main() -> int:
    """Play what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edge", description=__doc__)
    parser.add_argument("--views", type=int, default=5_000_000)
    parser.add_argument("--places", type=int, nargs="+", default=[20, 100, 300])
    parser.add_argument("--appeals", type=int, default=1)
    parser.add_argument("--seed", type=int, default=95)
    asked = parser.parse_args()
    rules = Rules.of(CACHE)
    print(f"Cache-Control: {CACHE}\nseed {asked.seed}")
    for places in asked.places:
        told = play(asked.views, places, rules, random.Random(asked.seed))
        print("\n".join(lines(told, places, rules, asked.appeals)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
