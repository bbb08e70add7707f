"""Rounds that alternate between contenders, and what they add up to: medians, spread, ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Round:
    """One round: answers a second, and what each cost the server in microseconds of processor time."""

    rate: float
    cpu_us: float
    p50_ms: float = 0
    p99_ms: float = 0
    bad: int = 0


@dataclass
class Contender:
    """One thing measured, round after round."""

    name: str
    rounds: list[Round] = field(default_factory=list)

    def of(self, what: str) -> list[float]:
        """List one figure of every round."""
        return [getattr(one, what) for one in self.rounds]

    def mid(self, what: str) -> float:
        """Return the median of one figure."""
        return median(self.of(what))

    def spread(self, what: str) -> float:
        """Return how far the rounds lie apart, against their median: 0.1 is plus or minus five percent."""
        values = self.of(what)
        return (max(values) - min(values)) / (median(values) or 1)


def alternate(measures: Mapping[str, Callable[[], Round]], rounds: int) -> dict[str, Contender]:
    """Measure each in turn, `rounds` times over, so that a drift of the machine meets all alike."""
    found = {name: Contender(name) for name in measures}
    for number in range(rounds):
        turn = list(measures.items())
        for name, measure in turn if number % 2 == 0 else reversed(turn):
            found[name].rounds.append(measure())
    return found


def ratio(one: Contender, other: Contender, what: str) -> float:
    """Return the median, over the rounds, of one contender's figure against the other's of the same round."""
    pairs = zip(one.of(what), other.of(what), strict=True)
    return median(mine / theirs if theirs else 0 for mine, theirs in pairs)


@dataclass(frozen=True)
class Row:
    """One line of the results: what, its figures in words, the ratio with its target, and whether it was reached."""

    what: str
    figures: str
    ratio: str
    target: str
    reached: bool | None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Say it in a word."""
        return {True: "reached", False: "**not reached**", None: "not concluded"}[self.reached]


def told(contender: Contender) -> str:
    """Write a contender's medians."""
    return (
        f"{contender.name}: {contender.mid('cpu_us'):,.0f} us (spread {contender.spread('cpu_us'):.0%}), "
        f"{contender.mid('rate'):,.0f}/s"
    )


def at_most(value: float, bound: float) -> bool:
    """Say whether a ratio stays within its bound."""
    return value <= bound


def at_least(value: float, bound: float) -> bool:
    """Say whether a ratio reaches its bound."""
    return value >= bound
