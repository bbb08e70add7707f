"""The audit: the sole writer of what staff changed, and the search in it.

An entry is written in the transaction of the change it tells of, so that there is never one without the other.
E-mail addresses of donors are masked: the audit outlives an erasure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person of the staff by e-mail address, or a command on the server."""

    email: str
    person_id: int | None = None


COMMAND_LINE = Actor("command line")


def write(
    actor: Actor,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Add one entry in the caller's transaction."""
    with writing() as session:
        session.add(
            AuditEntry(
                at=clock.now(),
                actor=actor.email,
                person_id=actor.person_id,
                action=action,
                subject=subject[:160],
                before=_plain(before or {}),
                after=_plain(after or {}),
                reason=reason,
            )
        )


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of what changed, and nothing of what did not."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Write values as JSON can keep them."""
    return {name: _one(value) for name, value in values.items()}


def _one(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in the audit; an empty text looks for anything."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    before_id: int | None = None


def entries(search: Search, *, most: int = 50) -> tuple[list[AuditEntry], int | None]:
    """Return the newest entries that fit, and the id from which the next page goes on."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most + 1)
    if search.actor:
        query = query.where(AuditEntry.actor == search.actor)
    if search.action:
        query = query.where(AuditEntry.action == search.action)
    if search.subject:
        query = query.where(AuditEntry.subject == search.subject)
    if search.before_id:
        query = query.where(AuditEntry.id < search.before_id)
    found = list(db.session.scalars(query))
    return found[:most], found[most - 1].id if len(found) > most else None


def actions() -> list[str]:
    """List the kinds of change that occur, by name."""
    return list(db.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)))
