"""What staff should see: failed renewals, disputes, warnings of fraud, refunds that failed, books that differ."""

from __future__ import annotations

from sqlalchemy import func, select

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Notice


def add(
    kind: str, dedupe: str, sentence: str, *, donation: Donation | None = None, appeal_id: int | None = None
) -> None:
    """Write a notice, once for its `dedupe`, in the caller's transaction."""
    with writing() as session:
        values = {
            "kind": kind,
            "dedupe": dedupe[:200],
            "sentence": sentence,
            "appeal_id": donation.appeal_id if donation else appeal_id,
            "donation_id": donation.id if donation else None,
            "created_at": clock.now(),
            "seen_by": "",
        }
        ledger.insert_once(session, Notice, values, key="dedupe")


def unseen(most: int = 100) -> list[Notice]:
    """List the notices that nobody has put away, newest first."""
    query = (
        select(Notice).where(Notice.seen_at.is_(None)).order_by(Notice.created_at.desc(), Notice.id.desc())
    )
    return list(db.session.scalars(query.limit(most)))


def unseen_count() -> int:
    """Count the notices that nobody has put away."""
    return int(
        db.session.scalar(select(func.count()).select_from(Notice).where(Notice.seen_at.is_(None))) or 0
    )


def put_away(notice_id: int, actor: str) -> None:
    """Note that somebody has seen a notice."""
    with writing() as session:
        notice = session.get(Notice, notice_id)
        if notice is not None and notice.seen_at is None:
            notice.seen_at, notice.seen_by = clock.now(), actor
