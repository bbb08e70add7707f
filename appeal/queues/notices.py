"""What staff should see: failed renewals, disputes, warnings of fraud, refunds that failed, books that differ."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import case, func, select, update

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Notice

# What staff call each kind, one and several, the most urgent first.
NAMES = {
    "dispute": ("disputed gift", "disputed gifts"),
    "fraud_warning": ("gift flagged by a bank", "gifts flagged by a bank"),
    "refund_failed": ("refund that did not arrive", "refunds that did not arrive"),
    "renewal_failed": ("monthly gift not paid", "monthly gifts not paid"),
    "reconcile": ("difference from Stripe", "differences from Stripe"),
    "unknown_terms": ("monthly gift with unknown terms", "monthly gifts with unknown terms"),
    "complaint": ("complaint about data", "complaints about data"),
    "endpoint_off": ("endpoint switched off", "endpoints switched off"),
    "other": ("notice", "notices"),
}

# Who has put away a notice that later news has overtaken.
OVERTAKEN = "later news"


def add(
    kind: str, dedupe: str, sentence: str, *, donation: Donation | None = None, appeal_id: int | None = None
) -> None:
    """Write a notice of one of the kinds in `NAMES`, once for its `dedupe`, in the caller's transaction."""
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


def any_known(names: Iterable[str]) -> bool:
    """Say whether a notice was ever written under one of these names (its `dedupe`)."""
    query = select(Notice.id).where(Notice.dedupe.in_(list(names))).limit(1)
    return db.session.scalar(query) is not None


def settle(names: Iterable[str]) -> None:
    """Put away the notices of these names that have been overtaken, in the caller's transaction."""
    with writing() as session:
        change = update(Notice).where(Notice.dedupe.in_(list(names)), Notice.seen_at.is_(None))
        values = {"seen_at": clock.now(), "seen_by": OVERTAKEN}
        session.execute(change.values(values).execution_options(synchronize_session=False))


def unseen(most: int = 100, *, donation: Donation | None = None) -> list[Notice]:
    """List the notices that nobody has put away, of one gift or of all: the most urgent kind first, then the newest."""
    urgency = case({kind: rank for rank, kind in enumerate(NAMES)}, value=Notice.kind, else_=len(NAMES))
    query = select(Notice).where(Notice.seen_at.is_(None))
    if donation is not None:
        query = query.where(Notice.donation_id == donation.id)
    query = query.order_by(urgency, Notice.created_at.desc(), Notice.id.desc())
    return list(db.session.scalars(query.limit(most)))


def by_kind(found: Iterable[Notice]) -> list[tuple[str, list[Notice]]]:
    """Sort notices into the kinds of `NAMES`, in its order, without those that have none."""
    kinds: dict[str, list[Notice]] = {kind: [] for kind in NAMES}
    for notice in found:
        kinds[notice.kind if notice.kind in kinds else "other"].append(notice)
    return [(kind, rows) for kind, rows in kinds.items() if rows]


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
