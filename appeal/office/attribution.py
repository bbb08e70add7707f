"""Which placements, sites, articles, newsletters and print codes bring gifts: read from running totals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import case, func, select

from appeal.core import placements
from appeal.extensions import db
from appeal.models import Appeal, AttributionTotal, DailyTotal

MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Source:
    """What one source brought; amounts in minor units, what went back taken off."""

    name: str
    once_minor: int
    monthly_minor: int
    gift_count: int

    @property
    def net_minor(self) -> int:
        """Return what it brought in all."""
        return self.once_minor + self.monthly_minor

    @property
    def average_minor(self) -> int:
        """Return the mean gift, rounded down; nought without gifts."""
        return self.net_minor // self.gift_count if self.gift_count > 0 else 0


def by_placement(appeal: Appeal) -> list[Source]:
    """Return what each placement brought, the best first."""
    total = DailyTotal
    return _asked(total, total.placement, total.appeal_id == appeal.id)


def articles(appeal: Appeal) -> list[Source]:
    """Return the articles that brought most."""
    total = AttributionTotal
    return _asked(total, total.value, total.appeal_id == appeal.id, total.dimension == "page")


def links(appeal: Appeal) -> list[Source]:
    """Return the links (site and placement, newsletter, print code) that brought most."""
    total = AttributionTotal
    return _asked(total, total.value, total.appeal_id == appeal.id, total.dimension == "src")


def sites(found: Iterable[Source]) -> list[Source]:
    """Add links up by the site that carried them; newsletters and print have none and are left out."""
    return _added((placements.site_of_src(one.name), one) for one in found)


def codes(found: Iterable[Source]) -> list[Source]:
    """Return newsletters and print codes among links."""
    return [one for one in found if not placements.site_of_src(one.name)]


def _added(pairs: Iterable[tuple[str, Source]]) -> list[Source]:
    sums: dict[str, list[int]] = {}
    for name, one in pairs:
        if name:
            row = sums.setdefault(name, [0, 0, 0])
            row[0] += one.once_minor
            row[1] += one.monthly_minor
            row[2] += one.gift_count
    return sorted((Source(name, *row) for name, row in sums.items()), key=lambda one: -one.net_minor)


def _asked(table: type[DailyTotal | AttributionTotal], name: object, *which: object) -> list[Source]:
    net = table.received_minor - table.returned_minor
    once = func.sum(case((table.frequency == "once", net), else_=0))
    monthly = func.sum(case((table.frequency == "monthly", net), else_=0))
    query = (
        select(name, once, monthly, func.sum(table.gift_count))  # type: ignore[call-overload]
        .where(*which)
        .group_by(name)
        .order_by(func.sum(net).desc(), name)
        .limit(MOST_ROWS)
    )
    return [Source(row[0], int(row[1]), int(row[2]), int(row[3])) for row in db.session.execute(query)]
