"""Promises: gifts announced by post or bank. The sole writer of their state and of the sum that is still promised.

A promise is open until a line of the post room brings the money, or staff withdraw it. The sum of the open ones is a
running total of the appeal, moved in the same transaction, so that the public figure costs no more for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update

from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible
from appeal.core.ids import ALPHABET
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, Donation, PostBatch, PostLine, Promise
from appeal.office import audit
from appeal.office.audit import Actor
from appeal.people import donors


class NoSuchPromise(NoSuchThing):
    """There is no such promise."""


@dataclass(frozen=True, slots=True)
class NewPromise:
    """What somebody announces; `amount_minor` in the appeal's minor units, name and address may be empty."""

    amount_minor: int
    name: str = ""
    email: str = ""
    source: str = "post"


def add(appeal: Appeal, new: NewPromise, actor: Actor | None = None) -> Promise:
    """Note a promise under a reference to write on the cheque or transfer; `actor` is who of the staff entered it."""
    with writing() as session:
        promise = Promise(
            appeal_id=appeal.id,
            reference=_reference(),
            name=new.name,
            email=donors.email_key(new.email),
            amount_minor=new.amount_minor,
            source=new.source,
            state="open",
            promised_at=clock.now(),
        )
        session.add(promise)
        session.flush()
        _move(appeal.id, new.amount_minor)
        if actor is not None:
            after = {"amount_minor": new.amount_minor, "source": new.source}
            audit.write(actor, "promise.added", _subject(promise), after=after)
        return promise


def _reference() -> str:
    """Make a reference that can be read aloud: 40 random bits, in two groups of four."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(8)).upper()
    return f"P-{signs[:4]}-{signs[4:]}"


def withdraw(promise_id: int, actor: Actor, *, reason: str) -> Promise:
    """Stop waiting for a promise.

    Raises:
        NoSuchPromise: there is none.
        NotPossible: it is not open, it is matched to a line, or no reason is given.
    """
    if not reason.strip():
        raise NotPossible("Say why, in a few words.")
    with writing() as session:
        promise = locked(promise_id)
        if promise.state != "open":
            raise NotPossible("That promise is not open any more.")
        if session.scalar(select(PostLine.id).where(PostLine.promise_id == promise.id)):
            raise NotPossible("A line of an open batch is matched to it. Take the match off first.")
        promise.state = "withdrawn"
        _move(promise.appeal_id, -promise.amount_minor)
        audit.write(
            actor,
            "promise.withdrawn",
            _subject(promise),
            before={"state": "open"},
            after={"state": "withdrawn"},
            reason=reason,
        )
        return promise


def keep(promise_id: int, donation: Donation) -> None:
    """Mark a promise as kept by a gift that is entered, in the caller's transaction."""
    with writing():
        promise = locked(promise_id)
        if promise.state == "open":
            _move(promise.appeal_id, -promise.amount_minor)
        promise.state, promise.donation_id = "matched", donation.id


def locked(promise_id: int) -> Promise:
    """Load a promise for change.

    Raises:
        NoSuchPromise: there is none.
    """
    query = select(Promise).where(Promise.id == promise_id).with_for_update()
    found = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NoSuchPromise
    return found


def _move(appeal_id: int, amount_minor: int) -> None:
    change = update(AppealTotals).where(AppealTotals.appeal_id == appeal_id)
    db.session.execute(
        change.values(promised_minor=AppealTotals.promised_minor + amount_minor).execution_options(
            synchronize_session=False
        )
    )


def _subject(promise: Promise) -> str:
    return f"promise:{promise.reference}"


# -- matching


def match(line_id: int, promise_id: int | None, actor: Actor) -> PostLine:
    """Match a line of an open batch to an open promise, or with None to none; closing the batch keeps the promise.

    Raises:
        NotPossible: the batch is closed, the promise is another appeal's, not open, or matched to another line.
    """
    with writing() as session:
        line = session.get(PostLine, line_id)
        batch = session.get(PostBatch, line.batch_id, with_for_update=True) if line else None
        if line is None or batch is None or batch.closed_at is not None:
            raise NotPossible("The batch is closed; its lines do not change any more.")
        if promise_id is not None:
            _must_be_free(promise_id, line, batch)
        before, line.promise_id = line.promise_id, promise_id
        session.flush()
        audit.write(
            actor,
            "line.matched" if promise_id else "line.unmatched",
            f"batch:{batch.id}",
            before={"promise": before},
            after={"line": line.id, "promise": promise_id},
        )
        return line


def _must_be_free(promise_id: int, line: PostLine, batch: PostBatch) -> None:
    promise = locked(promise_id)
    if promise.appeal_id != batch.appeal_id or promise.state != "open":
        raise NotPossible("That promise is not open any more.")
    other = select(PostLine.id).where(PostLine.promise_id == promise_id, PostLine.id != line.id)
    if db.session.scalar(other):
        raise NotPossible("That promise is matched to another line already.")


def suggested(appeal_id: int, lines: Iterable[PostLine], *, most: int = 3) -> dict[int, list[Promise]]:
    """Suggest for each unmatched line the open promises it may keep, the likeliest first.

    A line fits by the promise's reference in its own, by the e-mail address, or by the same amount under the same name.
    """
    loose = [line for line in lines if line.promise_id is None and line.donation_id is None]
    if not loose:
        return {}
    found = _candidates(appeal_id, loose)
    suggestions = {}
    for line in loose:
        ranked = [(score, promise) for promise in found if (score := _likeness(line, promise)) > 0]
        ranked.sort(key=lambda pair: (-pair[0], pair[1].id))
        if ranked:
            suggestions[line.id] = [promise for _, promise in ranked[:most]]
    return suggestions


def _candidates(appeal_id: int, lines: list[PostLine]) -> list[Promise]:
    taken = select(PostLine.promise_id).where(PostLine.promise_id.is_not(None))
    alike = or_(
        Promise.amount_minor.in_({line.amount_minor for line in lines}),
        Promise.email.in_({line.email.casefold() for line in lines if line.email}),
        Promise.reference.in_({reference for line in lines for reference in _references(line.reference)}),
    )
    query = select(Promise).where(Promise.appeal_id == appeal_id, Promise.state == "open", alike)
    return list(db.session.scalars(query.where(Promise.id.not_in(taken)).order_by(Promise.id).limit(500)))


def _references(text: str) -> list[str]:
    """Find what may be a promise's reference in what a bank or a cheque says."""
    squeezed = "".join(sign for sign in text.upper() if sign.isalnum())
    starts = [place for place, sign in enumerate(squeezed) if sign == "P"]
    parts = [squeezed[place + 1 : place + 9] for place in starts]
    return [f"P-{part[:4]}-{part[4:]}" for part in parts if len(part) == 8]


def _likeness(line: PostLine, promise: Promise) -> int:
    if promise.reference in _references(line.reference):
        return 8
    same_email = bool(line.email) and line.email.casefold() == promise.email
    same_name = bool(promise.name) and _plain(line.name) == _plain(promise.name)
    same_amount = line.amount_minor == promise.amount_minor
    return 4 * same_email + 2 * (same_name and same_amount)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


# -- reading


def open_ones(
    appeal_id: int, *, before_id: int | None = None, most: int = 50
) -> tuple[list[Promise], int | None]:
    """List the open promises, newest first, and the id from which the next page goes on."""
    query = select(Promise).where(Promise.appeal_id == appeal_id, Promise.state == "open")
    if before_id is not None:
        query = query.where(Promise.id < before_id)
    found = list(db.session.scalars(query.order_by(Promise.id.desc()).limit(most + 1)))
    return found[:most], found[most - 1].id if len(found) > most else None


def open_count(appeal_id: int) -> int:
    """Count the open promises of an appeal."""
    query = select(func.count()).select_from(Promise)
    return int(db.session.scalar(query.where(Promise.appeal_id == appeal_id, Promise.state == "open")) or 0)


def by_ids(promise_ids: Iterable[int]) -> dict[int, Promise]:
    """Return promises by their ids."""
    query = select(Promise).where(Promise.id.in_(list(promise_ids)))
    return {promise.id: promise for promise in db.session.scalars(query)}
