"""Whether the application lives, is ready for traffic, and how it is doing: for machines that watch.

Readiness looks at what a request needs (database, migrations) and at what waits too long (events, mail).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import InstrumentedAttribute

from appeal.core import clock
from appeal.extensions import db
from appeal.models import InboxEvent, OutboxItem
from appeal.settings import ROOT

WAITING_TOO_LONG_SECONDS = 15 * 60


@dataclass(frozen=True, slots=True)
class Health:
    """What was found; ages in seconds, 0 when nothing waits."""

    migrated: bool
    oldest_event_seconds: int
    oldest_mail_seconds: int
    parked_events: int
    parked_mails: int

    @property
    def ready(self) -> bool:
        """Say whether traffic should come here."""
        return (
            self.migrated
            and max(self.oldest_event_seconds, self.oldest_mail_seconds) < WAITING_TOO_LONG_SECONDS
        )


@lru_cache(maxsize=1)
def migration_head() -> str:
    """Return the newest migration of this code."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def look() -> Health:
    """Ask the database how things stand; raises what the database raises when it is away."""
    current = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    return Health(
        migrated=current == migration_head(),
        # News that waits for other news is no sign of trouble with this server; the worker asks Stripe about it.
        oldest_event_seconds=_age(
            db.session.scalar(
                _oldest(InboxEvent.received_at, InboxEvent.state).where(InboxEvent.waits_for.is_(None))
            )
        ),
        oldest_mail_seconds=_age(db.session.scalar(_oldest(OutboxItem.created_at, OutboxItem.state))),
        parked_events=_parked(InboxEvent),
        parked_mails=_parked(OutboxItem),
    )


def _oldest(
    came_at: InstrumentedAttribute[datetime], state: InstrumentedAttribute[str]
) -> Select[datetime | None]:
    return select(func.min(came_at)).where(state == "waiting")


def _parked(table: type[InboxEvent | OutboxItem]) -> int:
    query = select(func.count()).select_from(table).where(table.state == "parked")
    return int(db.session.scalar(query) or 0)


def _age(instant: datetime | None) -> int:
    return 0 if instant is None else max(0, int((clock.now() - instant).total_seconds()))
