"""Gifts by post and bank: batches are opened with the count and total written on the pile, typed line by line, closed.

Closing is the only way into the books: each line becomes a donation with the fact `post:<line>`, all in one
transaction. A closed batch is never changed; a wrong line is corrected by a correction entry that says why.
"""

from __future__ import annotations

from sqlalchemy import select

from appeal.errors import DomainError
from appeal.extensions import db
from appeal.models import PostBatch, PostLine


class NoSuchBatch(DomainError):
    """There is no such batch."""


def batch(batch_id: int) -> PostBatch:
    """Find a batch by its number.

    Raises:
        NoSuchBatch: there is none.
    """
    found = db.session.get(PostBatch, batch_id) if batch_id < 2**62 else None
    if found is None:
        raise NoSuchBatch
    return found


def lines(batch_id: int) -> list[PostLine]:
    """List a batch's lines in the order in which they were typed."""
    return list(db.session.scalars(select(PostLine).where(PostLine.batch_id == batch_id).order_by(PostLine.id)))
