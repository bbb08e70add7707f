"""Which appeal a page is about: the one named in the address, else the first that is open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from appeal.core.errors import NoSuchAppeal
from appeal.models import Appeal, AppealTotals
from appeal.office import dashboard


@dataclass(frozen=True, slots=True)
class Choice:
    """The appeal that was chosen, and those to choose from."""

    appeal: Appeal
    totals: AppealTotals
    others: list[Appeal]


def chosen(slug: str = "") -> Choice | None:
    """Return the appeal that this page is about; None while there is none at all.

    Raises:
        NoSuchAppeal: the address names one that is not there.
    """
    found = dashboard.appeals_with_totals()
    wanted = slug or request.values.get("appeal", "")
    if not found:
        return None
    pair = next((one for one in found if not wanted or one[0].slug == wanted), None)
    if pair is None:
        raise NoSuchAppeal(f"There is no appeal called {wanted[:80]}.")
    return Choice(pair[0], pair[1], [appeal for appeal, _totals in found])
