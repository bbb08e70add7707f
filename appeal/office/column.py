"""The thank-you column of the printed paper: the approved credit lines of gifts that were not thanked for yet.

A gift appears in one column only, never under a name that was not approved, and not at all once it was given back.
Those who wish to stay unnamed are counted. The figure above the names is the one of every other surface.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select

from appeal import reports
from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, CreditPrint, Donation, ThanksColumn
from appeal.models.donation import REVIEWS
from appeal.office import audit
from appeal.office.audit import Actor

ORDER = ("name", "initials", "custom")
AT_ONCE = 500


class NoSuchColumn(NoSuchThing):
    """There is no such column."""


@dataclass(frozen=True, slots=True)
class Named:
    """One line of the column: how many different donors share it, and how many gifts it thanks for."""

    kind: str
    line: str
    donors: int
    gifts: int

    @property
    def shown(self) -> str:
        """Return the line as it is printed: `A reader in Leeds (3)` where three share it."""
        return f"{self.line} ({self.donors})" if self.donors > 1 else self.line


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column would print, and the gifts it would thank for. `waiting`: gifts whose name nobody has read yet."""

    named: list[Named]
    unnamed: int
    waiting: int
    donation_ids: tuple[int, ...]

    @property
    def gift_count(self) -> int:
        """Return how many gifts the column thanks for."""
        return len(self.donation_ids)

    @property
    def fingerprint(self) -> str:
        """Return what tells this proposal from any other: its gifts and its words."""
        said = "\n".join([*map(str, self.donation_ids), *(one.shown for one in self.named)])
        return hashlib.sha256(said.encode()).hexdigest()


def propose(appeal: Appeal, since: date | None, until: date) -> Proposal:
    """Gather what is to be thanked for, of gifts received from a day to a day (in the appeal's zone, both included)."""
    within = _received(appeal, since, until)
    named = list(db.session.execute(_unprinted(_CREDIT).where(*within, Donation.credit_review == "approved")))
    # Whoever asked for no name; not those whose words were hidden, who asked for one. Naming the reviews helps the index.
    unnamed = (Donation.credit == "anonymous", Donation.credit_review.in_(REVIEWS))
    silent = list(db.session.scalars(_unprinted((Donation.id,)).where(*within, *unnamed)))
    waiting = _unprinted((func.count(),)).where(*within, Donation.credit_review == "waiting")
    return Proposal(
        named=_grouped(row for row in named if row.credit != "anonymous"),
        unnamed=len(silent),
        waiting=int(db.session.scalar(waiting) or 0),
        donation_ids=tuple(sorted([*(row.id for row in named if row.credit != "anonymous"), *silent])),
    )


_CREDIT = (Donation.id, Donation.donor_id, Donation.credit, Donation.name, Donation.credit_line)


def _unprinted(columns: Sequence[Any]) -> Select[Any]:
    printed = select(CreditPrint.donation_id).where(CreditPrint.donation_id == Donation.id)
    return select(*columns).select_from(Donation).where(~printed.exists())


def _received(appeal: Appeal, since: date | None, until: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Donation.appeal_id == appeal.id,
        Donation.status == "received",
        Donation.received_minor > Donation.returned_minor,
        Donation.received_at < clock.end_of_day(until, appeal.time_zone),
    ]
    if since is not None:
        conditions.append(Donation.received_at >= clock.start_of_day(since, appeal.time_zone))
    return conditions


def _grouped(rows: Iterable[Any]) -> list[Named]:
    """Put the same words together, names first by family name, then initials, then words."""
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        line = reports.credit_line(row)
        if line:
            groups[row.credit, _folded(line)].append((line, row.donor_id))
    named = [
        Named(kind, min(line for line, _ in group), len({donor for _, donor in group}), len(group))
        for (kind, _), group in groups.items()
    ]
    return sorted(named, key=_place)


def _place(one: Named) -> tuple[int, str, str]:
    folded = _folded(one.line)
    return ORDER.index(one.kind), folded.rsplit(" ", 1)[-1] if one.kind == "name" else folded, folded


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


# -- words


def head(appeal: Appeal) -> str:
    """Write what stands above the names: the appeal and its figure, as everywhere else; a draft has none."""
    if appeal.status == "draft":
        return appeal.title
    return f"{appeal.title}: {reports.figure(appeal.slug).sentence}."


def run_in(proposal: Proposal, head: str) -> str:
    """Write the column as one paragraph."""
    lines = [one.shown for one in proposal.named]
    mark = "; " if any("," in line for line in lines) else ", "
    last = _unnamed(proposal.unnamed)
    if not lines:
        thanks = f"Our thanks to {last}." if last else ""
    elif last:
        thanks = f"Our thanks to {mark.join(lines)}; and to {last}."
    else:
        thanks = (
            f"Our thanks to {mark.join(lines[:-1])} and {lines[-1]}."
            if lines[1:]
            else f"Our thanks to {lines[0]}."
        )
    return "\n\n".join(part for part in (head, thanks) if part)


def one_a_line(proposal: Proposal, head: str) -> str:
    """Write the column with one name on each line."""
    last = _unnamed(proposal.unnamed)
    names = "\n".join([*(one.shown for one in proposal.named), *([f"and {last}"] if last else [])])
    return "\n\n".join(part for part in (head, names) if part)


def _unnamed(count: int) -> str:
    if not count:
        return ""
    return "one who wishes to stay unnamed" if count == 1 else f"{count:,} who wish to stay unnamed"


# -- printed


def mark_printed(
    appeal: Appeal, since: date | None, until: date, *, fingerprint: str, printed_on: date, actor: Actor
) -> ThanksColumn:
    """Note that what was shown is printed: its gifts appear in no later column. Safe to repeat.

    Raises:
        StaleForm: what there is to print is not what was shown any more.
        NotPossible: there is nothing to print.
    """
    with writing() as session:
        session.execute(select(Appeal.id).where(Appeal.id == appeal.id).with_for_update(key_share=True))
        known = select(ThanksColumn).where(ThanksColumn.fingerprint == fingerprint)
        if (done := session.scalars(known).one_or_none()) is not None:
            return done
        proposal = propose(appeal, since, until)
        if not proposal.gift_count:
            raise NotPossible("There is nothing to print.")
        if proposal.fingerprint != fingerprint:
            raise StaleForm("Gifts or names have changed since you looked. Look again before you print.")
        column = ThanksColumn(
            appeal_id=appeal.id,
            fingerprint=fingerprint,
            text=head(appeal),
            named_count=proposal.gift_count - proposal.unnamed,
            unnamed_count=proposal.unnamed,
            printed_on=printed_on,
            marked_by=actor.email,
            marked_at=clock.now(),
        )
        session.add(column)
        session.flush()
        _name_gifts(column, proposal.donation_ids)
        after = {"named": column.named_count, "unnamed": column.unnamed_count, "printed_on": printed_on}
        audit.write(actor, "column.printed", _subject(column), after=after)
        return column


def _name_gifts(column: ThanksColumn, donation_ids: Sequence[int]) -> None:
    same = {
        "column_id": column.id,
        "appeal_id": column.appeal_id,
        "printed_on": column.printed_on,
        "actor": column.marked_by,
    }
    for first in range(0, len(donation_ids), AT_ONCE):
        rows = [{"donation_id": one, **same} for one in donation_ids[first : first + AT_ONCE]]
        db.session.execute(insert(CreditPrint), rows)


def undo(column_id: int, actor: Actor) -> ThanksColumn:
    """Take a column back: it was not printed after all, and its gifts are to be thanked for again.

    Raises:
        NoSuchColumn: there is none.
    """
    with writing() as session:
        column = session.get(ThanksColumn, column_id, with_for_update=True) if column_id < 2**62 else None
        if column is None:
            raise NoSuchColumn
        if column.undone_at is None:
            session.query(CreditPrint).filter_by(column_id=column.id).delete()
            column.undone_at, column.undone_by = clock.now(), actor.email
            # The same gifts may be printed again, so the name of this column makes way.
            column.fingerprint = hashlib.sha256(f"{column.fingerprint}:{column.id}".encode()).hexdigest()
            audit.write(actor, "column.undone", _subject(column), before={"printed_on": column.printed_on})
        return column


def as_printed(column_id: int) -> tuple[ThanksColumn, Proposal]:
    """Return a column and whom it thanks; the names are the gifts' own, so that an erased one is gone here too.

    Raises:
        NoSuchColumn: there is none.
    """
    column = db.session.get(ThanksColumn, column_id) if column_id < 2**62 else None
    if column is None:
        raise NoSuchColumn
    own = select(*_CREDIT).join(CreditPrint, CreditPrint.donation_id == Donation.id)
    rows = list(db.session.execute(own.where(CreditPrint.column_id == column_id)))
    named = [row for row in rows if row.credit != "anonymous"]
    ids = tuple(sorted(row.id for row in rows))
    return column, Proposal(_grouped(named), len(rows) - len(named), 0, ids)


def printed(appeal_id: int, most: int = 30) -> list[ThanksColumn]:
    """List the columns that were printed or taken back, newest first."""
    query = select(ThanksColumn).where(ThanksColumn.appeal_id == appeal_id)
    return list(db.session.scalars(query.order_by(ThanksColumn.id.desc()).limit(most)))


def _subject(column: ThanksColumn) -> str:
    return f"column:{column.id}"
