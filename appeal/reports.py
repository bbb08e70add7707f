"""What may be read: the public figure, the appeals to choose from, the published credit lines. Reads only.

`figure` is the one source of the number: page, banner, JSON, pictures and mail all take it from here. It is worked
out from the appeal's row and its running totals, so its cost does not grow with the gifts; they are read in one
statement and kept until something is written (`appeal.freshness`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, func, select

from appeal import freshness
from appeal.core import clock, progress
from appeal.core.errors import NoSuchAppeal
from appeal.extensions import db
from appeal.gifts import running
from appeal.models import Appeal, AppealTotals, Donation

# The logo is large and has an address of its own.
_APPEAL = [column for column in Appeal.__table__.columns if column.key != "logo"]
_TOTALS = list(AppealTotals.__table__.columns)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a figure is worked out from, as it was read: equal facts give equal figures at equal instants.

    `appeal` and `totals` are copies that belong to no session and are not to be changed; `values` are their columns.
    """

    values: tuple[Any, ...]
    appeal: Appeal = field(compare=False)
    totals: AppealTotals = field(compare=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """How an appeal stands at one instant; amounts in minor units of `currency`.

    While its facts stay, it holds from `holds_from` (included) to `holds_until` (excluded; None: for ever): in
    between only the state and the days left could change, and they do not.
    """

    slug: str
    title: str
    currency: str
    locale: str
    time_zone: str
    goal_minor: int | None
    raised_minor: int
    gift_count: int
    donor_count: int
    promised_minor: int
    projected_monthly_minor: int
    sources: dict[str, int]
    state: progress.State
    opens_at: datetime | None
    closes_at: datetime | None
    days_left: int | None
    as_of: datetime
    formatted: progress.Formatted
    sentence: str
    facts: Facts = field(repr=False, compare=False)
    holds_from: datetime = field(repr=False, compare=False)
    holds_until: datetime | None = field(repr=False, compare=False)

    @property
    def percent_tenths(self) -> int | None:
        """Return the share of the goal in tenths of a percent, rounded down; None without a goal."""
        return progress.percent_tenths(self.raised_minor, self.goal_minor)

    @property
    def projected_tenths(self) -> int | None:
        """Return where the bar would stand with what running monthly gifts will add until closing, in tenths of a percent."""
        return progress.percent_tenths(self.raised_minor + self.projected_monthly_minor, self.goal_minor)


@dataclass(frozen=True, slots=True)
class Credit:
    """One published credit line."""

    line: str
    amount_minor: int
    currency: str
    received_at: datetime
    message: str


def appeal_by_slug(slug: str) -> Appeal:
    """Find an appeal that the public may see.

    Raises:
        NoSuchAppeal: there is none of that name, or it is a draft.
    """
    appeal = db.session.scalars(
        select(Appeal).where(Appeal.slug == slug, Appeal.status != "draft")
    ).one_or_none()
    if appeal is None:
        raise NoSuchAppeal
    return appeal


def kept_appeal(slug: str) -> Appeal:
    """Find an appeal that the public may see, as it was read last: it belongs to no session, and nobody may change it.

    Raises:
        NoSuchAppeal: there is none of that name, or it is a draft.
    """
    found = facts(db.engine, slug)
    if found is None:
        raise NoSuchAppeal
    return found.appeal


def public_appeals() -> list[Appeal]:
    """List the appeals that the public may see, newest first."""
    return list(db.session.scalars(select(Appeal).where(Appeal.status != "draft").order_by(Appeal.id.desc())))


def live_appeals() -> list[Appeal]:
    """List the appeals that take gifts now or soon: open, and not past their closing time."""
    now = clock.now()
    return [
        one
        for one in public_appeals()
        if one.status == "open" and (one.closes_at is None or now < one.closes_at)
    ]


def figure(slug: str) -> Figure:
    """Return how an appeal stands now; while the database is away, how it stood last.

    Raises:
        NoSuchAppeal: there is none of that name, or it is a draft.
    """
    found = facts(db.engine, slug)
    if found is None:
        raise NoSuchAppeal
    return figure_of(found, clock.now())


def facts(engine: Engine, slug: str) -> Facts | None:
    """Return what the figure of a public appeal is worked out from: the same object for as long as nothing changed."""
    return facts_of(engine)(slug)


def facts_of(engine: Engine) -> Callable[[str], Facts | None]:
    """Return `facts` for one database, for those who ask it thousands of times a second."""
    return freshness.kept(engine, read_facts).get


def read_facts(connection: Connection, slug: str) -> Facts | None:
    """Read the facts of a public appeal in one statement; None where there is none."""
    row = connection.execute(_facts_query(), {"of_slug": slug}).one_or_none()
    if row is None:
        return None
    values, cut = tuple(row), len(_APPEAL)
    appeal = Appeal(**{column.key: value for column, value in zip(_APPEAL, values[:cut], strict=True)})
    totals = AppealTotals(**{column.key: value for column, value in zip(_TOTALS, values[cut:], strict=True)})
    return Facts(values, appeal, totals)


@lru_cache(maxsize=1)
def _facts_query() -> Any:
    """Build the question once: that takes longer than its answer."""
    query = select(*_APPEAL, *_TOTALS).join(AppealTotals, AppealTotals.appeal_id == Appeal.id)
    return query.where(Appeal.slug == bindparam("of_slug"), Appeal.status != "draft")


def figure_of(facts: Facts, now: datetime) -> Figure:
    """Work out how an appeal stands at an instant."""
    appeal, totals = facts.appeal, facts.totals
    state = progress.state(
        now=now,
        opens_at=appeal.opens_at,
        closes_at=appeal.closes_at,
        raised_minor=totals.raised_minor,
        goal_minor=appeal.goal_minor,
        closed=appeal.status == "closed",
    )
    days_left = progress.days_left(now, appeal.closes_at, clock.zone(appeal.time_zone))
    if state == "ended" and days_left:  # closed by hand before its day
        days_left = 0
    formatted = progress.formatted(totals.raised_minor, appeal.goal_minor, appeal.currency, appeal.locale)
    return Figure(
        slug=appeal.slug,
        title=appeal.title,
        currency=appeal.currency,
        locale=appeal.locale,
        time_zone=appeal.time_zone,
        goal_minor=appeal.goal_minor,
        raised_minor=totals.raised_minor,
        gift_count=totals.gift_count,
        donor_count=totals.donor_count,
        promised_minor=totals.promised_minor,
        projected_monthly_minor=running.projected_minor(appeal, totals, now),
        sources={"online": totals.online_minor, "post": totals.post_minor, "bank": totals.bank_minor},
        state=state,
        opens_at=appeal.opens_at,
        closes_at=appeal.closes_at,
        days_left=days_left,
        as_of=totals.as_of or appeal.created_at,
        formatted=formatted,
        sentence=_sentence(appeal, totals, state, days_left),
        facts=facts,
        holds_from=now,
        holds_until=_next_change(appeal, totals, now),
    )


def _next_change(appeal: Appeal, totals: AppealTotals, now: datetime) -> datetime | None:
    """Return the next instant at which the figure may change though nothing is written; None if there is none.

    State and days left follow the appeal's own days, the projection of monthly gifts the days of UTC.
    """
    instants = [appeal.opens_at] if appeal.opens_at else []
    if appeal.closes_at:
        if now >= appeal.closes_at:
            return None
        instants += [appeal.closes_at - progress.LAST_DAYS, appeal.closes_at]
        zones = (appeal.time_zone, "UTC") if totals.running_monthly else (appeal.time_zone,)
        instants += [clock.end_of_day(clock.day_of(now, zone), zone) for zone in zones]
    return min((instant for instant in instants if instant > now), default=None)


def _sentence(appeal: Appeal, totals: AppealTotals, state: progress.State, days_left: int | None) -> str:
    return progress.sentence(
        state=state,
        currency=appeal.currency,
        raised_minor=totals.raised_minor,
        goal_minor=appeal.goal_minor,
        gift_count=totals.gift_count,
        days_left=days_left,
        opens_on=clock.day_of(appeal.opens_at, appeal.time_zone) if appeal.opens_at else None,
        locale=appeal.locale,
    )


def document(figure: Figure, donate_url: str) -> dict[str, Any]:
    """Write a figure as the JSON of docs/interface.md, every key in its place."""
    tenths = figure.percent_tenths
    return {
        "slug": figure.slug,
        "title": figure.title,
        "currency": figure.currency,
        "goal_minor": figure.goal_minor,
        "raised_minor": figure.raised_minor,
        "percent": None if tenths is None else progress.percent_json(tenths),
        "gift_count": figure.gift_count,
        "donor_count": figure.donor_count,
        "promised_minor": figure.promised_minor,
        "projected_monthly_minor": figure.projected_monthly_minor,
        "state": figure.state,
        "opens_at": _instant(figure.opens_at),
        "closes_at": _instant(figure.closes_at),
        "days_left": figure.days_left,
        "sources": figure.sources,
        "formatted": {
            "raised": figure.formatted.raised,
            "goal": figure.formatted.goal,
            "remaining": figure.formatted.remaining,
        },
        "donate_url": donate_url,
        "as_of": _instant(figure.as_of),
    }


def _instant(value: datetime | None) -> str | None:
    return None if value is None else clock.rfc3339(value)


def body_and_etag(content: dict[str, Any]) -> tuple[bytes, str]:
    """Write a document as compact JSON, and name its content: the tag changes only when a figure or the state does."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return body, hashlib.sha256(body).hexdigest()[:20]


# What a credit line needs of a donation; the rest of the row is not even read.
_CREDIT = (
    Donation.id,
    Donation.name,
    Donation.credit,
    Donation.credit_line,
    Donation.message,
    Donation.message_review,
    Donation.currency,
    Donation.received_minor,
    Donation.returned_minor,
    func.coalesce(Donation.received_at, Donation.created_at).label("received_at"),
)


def published_credits(
    appeal_id: int, *, most: int = 12, before: int | None = None
) -> tuple[list[Credit], int | None]:
    """Return approved credit lines of gifts that stand, newest first, and the id from which the next page goes on.

    Only what a person approved is here; an anonymous gift never is.
    """
    return credits_in(db.session.connection(), appeal_id, most=most, before=before)


def credits_in(
    connection: Connection, appeal_id: int, *, most: int, before: int | None = None
) -> tuple[list[Credit], int | None]:
    """Return `published_credits` as one connection sees them."""
    query = select(*_CREDIT).where(
        Donation.appeal_id == appeal_id,
        Donation.credit_review == "approved",
        Donation.received_minor > Donation.returned_minor,
    )
    if before is not None:
        query = query.where(Donation.id < before)
    found = connection.execute(query.order_by(Donation.id.desc()).limit(most + 1)).all()
    following = found[most - 1].id if len(found) > most else None
    return [_credit(row) for row in found[:most]], following


def _credit(row: Any) -> Credit:
    return Credit(
        line=credit_line(row),
        amount_minor=row.received_minor - row.returned_minor,
        currency=row.currency,
        received_at=row.received_at,
        message=row.message if row.message_review == "approved" else "",
    )


def credit_line(donation: Any) -> str:
    """Return the words under which a gift may be named, once approved; empty for an anonymous one."""
    if donation.credit == "name":
        return str(donation.name)
    if donation.credit == "initials":
        return " ".join(f"{part[0].upper()}." for part in donation.name.split() if part)
    return str(donation.credit_line) if donation.credit == "custom" else ""
