"""What a picture of the figure says, and its measures: the same for both ways of drawing it."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, MARGIN = 600, 28


@dataclass(frozen=True, slots=True)
class Lines:
    """What the picture says. `tenths` is the filled part of the bar in thousandths; None draws none.

    `rtl` draws it from right to left, as the words are read.
    """

    kicker: str
    heading: str
    raised: str
    of_goal: str
    facts: str
    day: str
    tenths: int | None
    rtl: bool = False
