"""What comparing Stripe with the books found, kept so that staff see the latest without running it again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from appeal.books import reconcile
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import ReconcileRun

BY_SCHEDULE = "schedule"
MOST_TOLD = 200
# How far back each run of the schedule looks, and how far it reaches into the one before.
LOOKS_BACK, OVERLAP = timedelta(days=2), timedelta(days=1)


def keep(report: reconcile.Report, actor: str) -> ReconcileRun:
    """Keep a report, of its differences the first `MOST_TOLD`, and write notices of what it could not put right."""
    with writing() as session:
        reconcile.tell_staff(report)
        told = reconcile.as_dict(report)
        told["differences"] = told["differences"][:MOST_TOLD]
        run = ReconcileRun(ran_at=clock.now(), actor=actor, report=told)
        session.add(run)
        return run


def due_since() -> datetime:
    """Return from when on the schedule has to look: further back where its runs have failed or nothing ran for long."""
    query = select(func.max(ReconcileRun.ran_at)).where(ReconcileRun.actor == BY_SCHEDULE)
    ran_at = db.session.scalar(query)
    usual = clock.now() - LOOKS_BACK
    return min(usual, ran_at - OVERLAP) if ran_at else usual


def latest(most: int = 1) -> list[ReconcileRun]:
    """List the latest reports, newest first."""
    return list(db.session.scalars(select(ReconcileRun).order_by(ReconcileRun.id.desc()).limit(most)))
