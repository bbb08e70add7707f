"""Which appeal a page is about: the one named in the address, else the first that is open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request

from appeal.core.errors import NoSuchAppeal
from appeal.models import Appeal, AppealTotals
from appeal.office import dashboard


@dataclass(frozen=True, slots=True)
class Choice:
    """The appeal that was chosen, and those to choose from."""

    appeal: Appeal
    totals: AppealTotals
    others: list[Appeal]


class NoAppealYet(NoSuchAppeal):
    """There is no appeal at all, so this page has nothing to be about."""


def nothing_yet(_error: NoAppealYet) -> tuple[str, int]:
    """Say how to begin, on a page asked for while there is no appeal; what was sent led nowhere."""
    return render_template("staff/nothing.html"), 200 if request.method in {"GET", "HEAD"} else 404


def chosen() -> Choice:
    """Return the appeal that this page is about.

    Raises:
        NoAppealYet: there is none at all; `nothing_yet` answers.
        NoSuchAppeal: the address names one that is not there.
    """
    found = if_any()
    if found is None:
        raise NoAppealYet("There is no appeal yet.")
    return found


def if_any() -> Choice | None:
    """Return the appeal that this page is about, if there is one.

    Raises:
        NoSuchAppeal: the address names one that is not there.
    """
    found = dashboard.appeals_with_totals()
    wanted = request.values.get("appeal", "")
    if not found:
        return None
    pair = next((one for one in found if not wanted or one[0].slug == wanted), None)
    if pair is None:
        raise NoSuchAppeal(f"There is no appeal called {wanted[:80]}.")
    return Choice(pair[0], pair[1], [appeal for appeal, _totals in found])
