"""Gifts by post and bank: batches are opened with the count and total written on the pile, typed line by line, closed.

Closing (`appeal.office.post_closing`) is the only way into the books. Until then lines are changed and taken out freely, each
change in the audit. Amounts are in the appeal's minor units. A donor's address and e-mail never enter the audit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import func, select

from appeal.books.ledger import insert_once
from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, PostBatch, PostLine
from appeal.office import audit
from appeal.office.audit import Actor

# Closing holds the appeal's totals while it writes: that many take one to three seconds.
MOST_LINES = 300


class NoSuchBatch(NoSuchThing):
    """There is no such batch."""


class NoSuchLine(NoSuchThing):
    """That line is not there any more; somebody has taken it out."""


class BatchClosed(StaleForm):
    """This batch is closed. What is wrong in it is corrected by an entry of its own, which gives the reason."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What is written on a pile before anything is typed: how many gifts, and what they come to."""

    source: str
    received_on: date
    control_count: int
    control_minor: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One gift as it is typed. `credit` is how it may be named, as for gifts online."""

    amount_minor: int
    received_on: date
    name: str = ""
    address: str = ""
    email: str = ""
    credit: str = "anonymous"
    credit_line: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is entered in a batch so far."""

    count: int
    sum_minor: int


# -- batches


def open_batch(appeal: Appeal, new: NewBatch, actor: Actor) -> PostBatch:
    """Open a batch.

    Raises:
        NotPossible: the control count or total is nothing, or the day is to come.
    """
    _check_control(new.control_count, new.control_minor)
    if new.received_on > clock.today(appeal.time_zone):
        raise NotPossible("The day of receipt is still to come.")
    with writing() as session:
        batch = PostBatch(
            appeal_id=appeal.id, opened_by=actor.email, opened_at=clock.now(), closed_by="", **asdict(new)
        )
        session.add(batch)
        session.flush()
        audit.write(actor, "batch.opened", subject(batch.id), after=asdict(new))
        return batch


def _check_control(count: int, minor: int) -> None:
    if not 0 < count <= MOST_LINES or minor <= 0:
        raise NotPossible(
            f"Count the gifts (at most {MOST_LINES} in one batch) and add them up before you begin."
        )


def change_control(batch_id: int, count: int, minor: int, actor: Actor) -> PostBatch:
    """Write another count and total on an open batch: the pile was miscounted.

    Raises:
        NoSuchBatch: there is none.
        BatchClosed: it is closed.
        NotPossible: the control count or total is nothing.
    """
    _check_control(count, minor)
    with writing():
        found = locked(batch_id)
        old = {"control_count": found.control_count, "control_minor": found.control_minor}
        before, after = audit.differing(old, {"control_count": count, "control_minor": minor})
        if after:
            found.control_count, found.control_minor = count, minor
            audit.write(actor, "batch.recounted", subject(batch_id), before=before, after=after)
        return found


def discard(batch_id: int, actor: Actor) -> None:
    """Take away an open batch that has no lines.

    Raises:
        NoSuchBatch: there is none.
        BatchClosed: it is closed.
        NotPossible: it has lines.
    """
    with writing() as session:
        found = locked(batch_id)
        if tally(batch_id).count:
            raise NotPossible("Take its lines out first.")
        audit.write(actor, "batch.discarded", subject(batch_id), before={"label": found.label})
        session.delete(found)


def batch(batch_id: int) -> PostBatch:
    """Find a batch by its number.

    Raises:
        NoSuchBatch: there is none.
    """
    found = db.session.get(PostBatch, batch_id) if batch_id < 2**62 else None
    if found is None:
        raise NoSuchBatch
    return found


def locked(batch_id: int, *, even_closed: bool = False) -> PostBatch:
    """Load a batch for change, in the caller's transaction; on PostgreSQL those who change it take turns.

    Raises:
        NoSuchBatch: there is none.
        BatchClosed: it is closed.
    """
    query = select(PostBatch).where(PostBatch.id == batch_id).with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NoSuchBatch
    if found.closed_at is not None and not even_closed:
        raise BatchClosed
    return found


def batches(
    appeal_id: int, *, closed: bool, before_id: int | None = None, most: int = 30
) -> tuple[list[tuple[PostBatch, Tally]], int | None]:
    """List an appeal's open or closed batches with what is entered, newest first, and where the next page goes on."""
    query = select(PostBatch).where(PostBatch.appeal_id == appeal_id)
    query = query.where(PostBatch.closed_at.is_not(None) if closed else PostBatch.closed_at.is_(None))
    if before_id is not None:
        query = query.where(PostBatch.id < before_id)
    found = list(db.session.scalars(query.order_by(PostBatch.id.desc()).limit(most + 1)))
    tallies = _tallies(one.id for one in found)
    rows = [(one, tallies.get(one.id, Tally(0, 0))) for one in found[:most]]
    return rows, found[most - 1].id if len(found) > most else None


def _tallies(batch_ids: Iterable[int]) -> dict[int, Tally]:
    query = select(PostLine.batch_id, func.count(), func.sum(PostLine.amount_minor))
    query = query.where(PostLine.batch_id.in_(list(batch_ids))).group_by(PostLine.batch_id)
    return {row[0]: Tally(int(row[1]), int(row[2])) for row in db.session.execute(query)}


def tally(batch_id: int) -> Tally:
    """Add up what is entered in a batch."""
    return _tallies([batch_id]).get(batch_id, Tally(0, 0))


def subject(batch_id: int) -> str:
    """Name a batch as the audit does."""
    return f"batch:{batch_id}"


# -- lines


def add_line(batch_id: int, entry: Entry, actor: Actor, *, fact: str) -> PostLine | None:
    """Enter one gift in an open batch, once for its `fact`; None when that was entered before.

    Raises:
        NoSuchBatch: there is none.
        BatchClosed: it is closed.
        NotPossible: it is full, or the gift's day is to come.
    """
    with writing() as session:
        found = locked(batch_id)
        if tally(batch_id).count >= MOST_LINES:
            raise NotPossible(f"A batch holds at most {MOST_LINES} gifts. Close this one and open another.")
        _not_to_come(found, entry.received_on)
        values = asdict(entry) | {
            "batch_id": batch_id,
            "fact": fact,
            "revision": 1,
            "entered_by": actor.email,
            "entered_at": clock.now(),
        }
        line_id = insert_once(session, PostLine, values, key="fact")
        if line_id is None:
            return None
        told = {"line": line_id, **_told(entry)}
        audit.write(actor, "line.entered", subject(batch_id), after=told)
        return session.get_one(PostLine, line_id)


def _not_to_come(found: PostBatch, day: date) -> None:
    appeal = db.session.get_one(Appeal, found.appeal_id)
    if day > clock.today(appeal.time_zone):
        raise NotPossible("The day of this gift is still to come.")


def _told(entry: Entry) -> dict[str, object]:
    """Return what the audit may keep of a line: nothing by which the donor could be found again once erased."""
    return {
        "amount_minor": entry.amount_minor,
        "received_on": entry.received_on,
        "credit": entry.credit,
        "reference": entry.reference,
    }


def change_line(line_id: int, entry: Entry, revision: int, actor: Actor) -> PostLine:
    """Change a line of an open batch.

    Raises:
        NoSuchLine: it is not there any more.
        BatchClosed: its batch is closed.
        StaleForm: somebody else changed it since `revision`.
        NotPossible: the gift's day is to come.
    """
    with writing():
        line = _locked_line(line_id)
        if line.revision != revision:
            raise StaleForm(
                "Somebody else changed this line meanwhile. What they entered is shown below yours."
            )
        _not_to_come(locked(line.batch_id), entry.received_on)
        before, after = audit.differing(_told(as_entry(line)), _told(entry))
        typed = asdict(entry)
        silent = [name for name in typed if name not in _told(entry) and getattr(line, name) != typed[name]]
        if after or silent:
            for name, value in typed.items():
                setattr(line, name, value)
            line.revision += 1
            audit.write(
                actor,
                "line.changed",
                subject(line.batch_id),
                before={"line": line.id, **before},
                after={**after, "also": sorted(silent)} if silent else after,
            )
        return line


def remove_line(line_id: int, actor: Actor) -> PostLine:
    """Take a line out of an open batch; return it as it was.

    Raises:
        NoSuchLine: it is not there any more.
        BatchClosed: its batch is closed.
    """
    with writing() as session:
        line = _locked_line(line_id)
        audit.write(
            actor, "line.removed", subject(line.batch_id), before={"line": line.id, **_told(as_entry(line))}
        )
        session.delete(line)
        session.flush()
        session.expunge(line)
        return line


def _locked_line(line_id: int) -> PostLine:
    """Load a line for change: its batch first, so that all who change a batch queue at one place."""
    batch_id = line(line_id).batch_id
    locked(batch_id)
    query = select(PostLine).where(PostLine.id == line_id).execution_options(populate_existing=True)
    found = db.session.scalars(query).one_or_none()
    if found is None:
        raise NoSuchLine
    return found


def line(line_id: int) -> PostLine:
    """Find a line by its number.

    Raises:
        NoSuchLine: there is none.
    """
    found = db.session.get(PostLine, line_id) if line_id < 2**62 else None
    if found is None:
        raise NoSuchLine
    return found


def as_entry(line: PostLine) -> Entry:
    """Return a line as it would be typed again."""
    return Entry(**{name: getattr(line, name) for name in Entry.__dataclass_fields__})


def lines(batch_id: int) -> list[PostLine]:
    """List a batch's lines in the order in which they were typed."""
    return list(
        db.session.scalars(select(PostLine).where(PostLine.batch_id == batch_id).order_by(PostLine.id))
    )
