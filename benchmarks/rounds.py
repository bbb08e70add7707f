"""Rounds that alternate between contenders, and what they add up to: medians, spread, ratios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

FEWEST_ANSWERS = 50


@dataclass(frozen=True)
class Round:
    """One round: answers a second, and what each cost the server in microseconds of processor time."""

    rate: float
    cpu_us: float
    p50_ms: float = 0
    p99_ms: float = 0
    bad: int = 0
    answers: int = FEWEST_ANSWERS


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
        """Return how far the middle half of the rounds lies apart, against their median; one wild round does not show."""
        values = self.of(what)
        if len(values) < 2:
            return 0.0
        lower, middle, upper = quantiles(values, n=4, method="inclusive")
        return (upper - lower) / (middle or 1)

    @property
    def thin(self) -> bool:
        """Say whether a round had too few answers for its figures to mean anything."""
        return min(self.of("answers"), default=0) < FEWEST_ANSWERS


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


def concluded(good: bool, *contenders: Contender) -> tuple[bool | None, str]:
    """Return the verdict and a note: wrong answers refute it, rounds that came to nothing leave it open."""
    bad = sum(sum(one.of("bad")) for one in contenders)
    if bad:
        return False, f"{bad:.0f} wrong answers"
    thin = [one.name for one in contenders if one.thin]
    if thin:
        return (
            None,
            f"a round of {', '.join(thin)} had fewer than {FEWEST_ANSWERS} answers: somebody else had the core",
        )
    return good, ""


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
