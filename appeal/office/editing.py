"""What staff change about an appeal, so that two who edit at once do not undo each other's work.

Every change names the revision it was made from; a change of goal or dates is kept as history for the charts. The
words of every page and banner follow by themselves, because they are written from the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from appeal import appeals
from appeal.core import clock
from appeal.core.errors import DomainError, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import running
from appeal.models import Appeal, AppealChange, AuditEntry
from appeal.office import audit
from appeal.office.audit import Actor

HISTORY = {"goal_minor": "goal", "opens_at": "opens", "closes_at": "closes"}
EDITABLE = frozenset({
    "title", "goal_minor", "time_zone", "locale", "opens_at", "closes_at", "standfirst", "story_markdown",
    "thanks_markdown", "other_ways_markdown", "terms_markdown", "presets_minor", "default_minor", "minimum_minor",
    "maximum_minor", "publisher", "publisher_url", "contact_email", "accent", "accent_dark", "return_hosts",
    "monthly_offered", "late_instalments", "cover_offered", "cover_counts", "cover_percent_bps", "cover_fixed_minor",
})  # fmt: skip


class ChangeRefused(DomainError):
    """The appeal cannot be changed like that."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture of the publisher's, checked: PNG, JPEG or WebP."""

    content: bytes
    media_type: str


def create(new: appeals.NewAppeal, actor: Actor) -> Appeal:
    """Add an appeal as a draft.

    Raises:
        SlugTaken: there is one with that address.
        InvalidGift: currency or dates do not fit.
    """
    with writing():
        appeal = appeals.create(new)
        after = {"title": new.title, "currency": new.currency, "goal_minor": new.goal_minor}
        audit.write(actor, "appeal.created", _subject(appeal), after=after)
        return appeal


def change(
    slug: str, values: dict[str, Any], revision: int, actor: Actor, *, logo: Logo | None = None
) -> Appeal:
    """Change an appeal from the revision that the form was made of; both sides of every change are audited.

    Raises:
        NoSuchAppeal: there is none of that name.
        StaleForm: somebody else changed it meanwhile; nothing is changed.
        ChangeRefused: the dates, bounds or presets do not fit together.
    """
    with writing() as session:
        appeal = _locked(slug)
        if appeal.revision != revision:
            raise StaleForm
        before, after = audit.differing(
            {name: getattr(appeal, name) for name in values},
            {k: v for k, v in values.items() if k in EDITABLE},
        )
        if logo is not None:
            appeal.logo, appeal.logo_type = logo.content, logo.media_type
            after["logo"] = logo.media_type
        if not after:
            return appeal
        _apply(appeal, before, after, actor)
        session.flush()
        if "cover_counts" in after:
            running.recount(appeal)
        return appeal


def _apply(appeal: Appeal, before: dict[str, Any], after: dict[str, Any], actor: Actor) -> None:
    for name, value in after.items():
        if name in EDITABLE:
            setattr(appeal, name, value)
    _must_fit(appeal)
    appeal.revision += 1
    for name in HISTORY.keys() & after.keys():
        if appeal.status != "draft":
            db.session.add(_history(appeal, name, before[name], after[name], actor))
    audit.write(actor, "appeal.changed", _subject(appeal), before=before, after=after)


def _history(appeal: Appeal, name: str, before: Any, after: Any, actor: Actor) -> AppealChange:
    return AppealChange(
        appeal_id=appeal.id,
        changed_at=clock.now(),
        actor=actor.email,
        field=HISTORY[name],
        before=_text(before),
        after=_text(after),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return clock.rfc3339(value) if isinstance(value, datetime) else str(value)


def _must_fit(appeal: Appeal) -> None:
    if appeal.opens_at and appeal.closes_at and appeal.closes_at <= appeal.opens_at:
        raise ChangeRefused("The closing day comes before the opening day.")
    if appeal.goal_minor is not None and appeal.goal_minor <= 0:
        raise ChangeRefused("A goal is more than nought; leave it empty for none.")
    if not 0 < appeal.minimum_minor <= appeal.maximum_minor:
        raise ChangeRefused("The largest gift must not be smaller than the smallest.")
    amounts = [*appeal.presets_minor, appeal.default_minor]
    if any(not appeal.minimum_minor <= one <= appeal.maximum_minor for one in amounts):
        raise ChangeRefused("Every amount offered must lie between the smallest and the largest gift.")
    if appeal.default_minor not in appeal.presets_minor:
        raise ChangeRefused("The amount chosen at first must be one of those offered.")


def extend(slug: str, last_day: date, actor: Actor) -> Appeal:
    """Move the closing time to the end of a later day, in one step.

    Raises:
        ChangeRefused: the day is not later than the present one, or is past.
    """
    with writing():
        appeal = _locked(slug)
        closes_at = clock.end_of_day(last_day, appeal.time_zone)
        if (appeal.closes_at and closes_at <= appeal.closes_at) or closes_at <= clock.now():
            raise ChangeRefused("Choose a day later than the present closing day.")
        return change(slug, {"closes_at": closes_at}, appeal.revision, actor)


def stretch(slug: str, goal_minor: int, actor: Actor) -> Appeal:
    """Raise the goal, in one step.

    Raises:
        ChangeRefused: it is not higher than the present one.
    """
    with writing():
        appeal = _locked(slug)
        if appeal.goal_minor and goal_minor <= appeal.goal_minor:
            raise ChangeRefused("A stretched goal is higher than the present one.")
        return change(slug, {"goal_minor": goal_minor}, appeal.revision, actor)


def set_status(slug: str, status: str, actor: Actor) -> Appeal:
    """Open or close an appeal."""
    with writing():
        before = appeals.by_slug(slug).status
        appeal = appeals.set_status(slug, status)
        if before != status:
            audit.write(
                actor,
                f"appeal.{status}",
                _subject(appeal),
                before={"status": before},
                after={"status": status},
            )
        return appeal


def last_change(appeal: Appeal) -> AuditEntry | None:
    """Return who changed an appeal last, and what."""
    found, _ = audit.entries(audit.Search(subject=_subject(appeal)), most=1)
    return found[0] if found else None


def _locked(slug: str) -> Appeal:
    appeals.by_slug(slug)
    query = select(Appeal).where(Appeal.slug == slug).with_for_update()
    return db.session.execute(query.execution_options(populate_existing=True)).scalar_one()


def _subject(appeal: Appeal) -> str:
    return f"appeal:{appeal.slug}"
