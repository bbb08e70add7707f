"""Closing a batch: every line becomes a received donation in the books, all of them in one transaction or none.

The fact of a line's gift is `post:<line>`, so that a batch closed twice (a double click, two people) makes one set of
entries. A closed batch never changes; what is wrong in it is corrected by an entry that names the old one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from appeal.books import adjustments, ledger
from appeal.core import clock, ids, money
from appeal.core.errors import DomainError, NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import Appeal, Donation, Donor, LedgerEntry, PostBatch, PostLine, Promise
from appeal.office import audit, post, promises
from appeal.office.audit import Actor
from appeal.people import donors

HALF_A_DAY = timedelta(hours=12)


class ControlDiffers(DomainError):
    """What is entered is not what was counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is entered beyond what was counted; negative where something is missing. The sum in minor units."""

    count: int
    minor: int

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return bool(self.count or self.minor)


def difference(batch: PostBatch, tally: post.Tally) -> Difference:
    """Hold what is entered against what was counted."""
    return Difference(tally.count - batch.control_count, tally.sum_minor - batch.control_minor)


def in_words(batch: PostBatch, tally: post.Tally, appeal: Appeal) -> str:
    """Say how what is entered differs from what was counted; empty when it does not."""
    differs = difference(batch, tally)
    if not differs:
        return ""
    counted = f"{_gifts(batch.control_count)} of {_money(batch.control_minor, appeal)} in all"
    entered = f"{_gifts(tally.count)} of {_money(tally.sum_minor, appeal)}"
    parts = []
    if differs.count:
        parts.append(f"{_gifts(abs(differs.count))} too {'many' if differs.count > 0 else 'few'}")
    if differs.minor:
        parts.append(f"{_money(abs(differs.minor), appeal)} too {'much' if differs.minor > 0 else 'little'}")
    return f"Counted were {counted}; entered are {entered}: {' and '.join(parts)}."


def _gifts(count: int) -> str:
    return f"{count} gift" if count == 1 else f"{count} gifts"


def _money(minor: int, appeal: Appeal) -> str:
    return money.format_money(minor, appeal.currency, appeal.locale, whole="never")


def close(batch_id: int, actor: Actor) -> bool:
    """Enter a batch in the books; False when that was done already, whoever did it.

    Raises:
        NoSuchBatch: there is none.
        ControlDiffers: count or total is not what was counted; nothing is changed.
    """
    with writing():
        batch = post.locked(batch_id, even_closed=True)
        if batch.closed_at is not None:
            return False
        appeal = db.session.get_one(Appeal, batch.appeal_id)
        tally = post.tally(batch_id)
        if differs := in_words(batch, tally, appeal):
            raise ControlDiffers(differs)
        _enter(appeal, batch, post.lines(batch_id))
        batch.closed_by, batch.closed_at = actor.email, clock.now()
        after = {"count": tally.count, "sum_minor": tally.sum_minor}
        audit.write(actor, "batch.closed", post.subject(batch_id), after=after)
        return True


def _enter(appeal: Appeal, batch: PostBatch, lines: list[PostLine]) -> None:
    """Write donors, then donations, then the books: always in that order, so that closings and gifts never deadlock."""
    now = clock.now()
    owners = _donors(lines)
    gifts = [_donation(appeal, batch, line, owners[line.id], now) for line in lines]
    db.session.add_all(gifts)
    db.session.flush()
    _lock_promises(lines)
    for line, gift in zip(lines, gifts, strict=True):
        line.donation_id = gift.id
        received_at = _instant(line.received_on, appeal, now)
        giving.mark_received(ledger.lock(gift.id), f"post:{line.id}", received_at)
    for line in lines:
        if line.promise_id is not None:
            promises.keep(line.promise_id, db.session.get_one(Donation, line.donation_id))


def _donors(lines: list[PostLine]) -> dict[int, int]:
    """Say whose each line is: by e-mail address, in one order for everybody; without one, somebody new."""
    owners = {}
    for line in sorted(lines, key=lambda one: (donors.email_key(one.email), one.id)):
        donor = donors.find_or_add(line.email, line.name) if line.email else _somebody(line)
        owners[line.id] = donor.id
    return owners


def _somebody(line: PostLine) -> Donor:
    donor = Donor(
        public_id=ids.public_id(), email=None, email_key=None, name=line.name, created_at=clock.now()
    )
    db.session.add(donor)
    db.session.flush()
    return donor


def _donation(appeal: Appeal, batch: PostBatch, line: PostLine, donor_id: int, now: datetime) -> Donation:
    return Donation(
        public_id=ids.public_id(),
        appeal_id=appeal.id,
        donor_id=donor_id,
        source=batch.source,
        frequency="once",
        currency=appeal.currency,
        amount_minor=line.amount_minor,
        name=line.name,
        credit=line.credit,
        credit_line=line.credit_line if line.credit == "custom" else "",
        # Whoever typed it has read it: that is the approval.
        credit_review="none" if line.credit == "anonymous" else "approved",
        created_at=now,
    )


def _lock_promises(lines: list[PostLine]) -> None:
    wanted = [line.promise_id for line in lines if line.promise_id is not None]
    query = select(Promise.id).where(Promise.id.in_(wanted)).order_by(Promise.id)
    db.session.execute(query.with_for_update()).all()


def _instant(day: date, appeal: Appeal, now: datetime) -> datetime:
    """Return an instant that falls on a day in the appeal's zone and is not to come."""
    return min(clock.start_of_day(day, appeal.time_zone) + HALF_A_DAY, now)


# -- afterwards


def entry_of(line: PostLine) -> LedgerEntry | None:
    """Return the entry that a line made; None while its batch is open."""
    return db.session.scalars(select(LedgerEntry).where(LedgerEntry.fact == f"post:{line.id}")).one_or_none()


def correct(line_id: int, right_minor: int, actor: Actor, *, reason: str, key: str) -> LedgerEntry:
    """Correct a line of a closed batch to what it should have been, once for `key`; nought where it was no gift at all.

    Raises:
        NoSuchLine: there is none.
        NotPossible: the batch is open, no reason is given, the amount is right already, or more than is left would go.
    """
    if not reason.strip():
        raise NotPossible("Say why, in a few words.")
    with writing() as session:
        line = post.line(line_id)
        old = entry_of(line)
        if old is None:
            raise NotPossible("The batch is still open: change the line itself.")
        donation = ledger.lock(old.donation_id)
        fact = f"co:post:{line_id}:{key}"
        known = session.scalars(select(LedgerEntry).where(LedgerEntry.fact == fact)).one_or_none()
        if known is not None:
            return known
        change_minor = right_minor - donation.received_minor
        if not change_minor:
            raise NotPossible("That is the amount that is in the books already.")
        entry = adjustments.correct(
            old.id, change_minor, reason=reason, actor=actor.email, key=f"post:{line_id}:{key}"
        )
        audit.write(
            actor,
            "line.corrected",
            post.subject(line.batch_id),
            before={"line": line.id, "amount_minor": right_minor - change_minor},
            after={"amount_minor": right_minor, "entry": entry.id},
            reason=reason,
        )
        return entry
