"""Lines that look like a gift that is here already: the same cheque typed twice, or somebody who also gave online.

Nothing is refused; whoever types decides. A whole batch is looked at with three questions to the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select

from appeal.core import clock
from appeal.extensions import db
from appeal.models import Appeal, Donation, Donor, PostLine
from appeal.people import donors

WITHIN = timedelta(days=30)
MOST_EACH = 3


@dataclass(frozen=True, slots=True)
class Likeness:
    """Another gift that a line resembles: why, and where to find it. Amount in minor units."""

    why: str
    name: str
    amount_minor: int
    line_id: int | None = None
    batch_id: int | None = None
    donation_public_id: str | None = None


def of_lines(appeal: Appeal, lines: Sequence[PostLine]) -> dict[int, list[Likeness]]:
    """Say which lines of one batch resemble a gift that is here already; lines that resemble none are left out."""
    if not lines:
        return {}
    found: dict[int, list[Likeness]] = defaultdict(list)
    _compare_lines(lines, [*lines, *_other_lines(lines)], found)
    _compare_online(appeal, lines, found)
    return {line_id: likenesses[:MOST_EACH] for line_id, likenesses in found.items()}


def _names(lines: Iterable[PostLine]) -> set[str]:
    """Return the ways in which the names may have been written: an index finds them only letter by letter."""
    typed = {line.name for line in lines if line.name}
    return typed | {way(name) for name in typed for way in (str.title, str.upper, str.lower)}


def _emails(lines: Iterable[PostLine]) -> set[str]:
    """Return the addresses in small letters, as the donors' index has them."""
    return {donors.email_key(line.email) for line in lines if line.email}


def _typed_emails(lines: Iterable[PostLine]) -> set[str]:
    """Return the ways in which a line may have the addresses: as here, small, with a capital first, in capitals."""
    keys = _emails(lines)
    ways = {way(key) for key in keys for way in (str.capitalize, str.upper)}
    return keys | ways | {line.email for line in lines if line.email}


def _other_lines(lines: Sequence[PostLine]) -> list[PostLine]:
    same_gift = PostLine.amount_minor.in_({line.amount_minor for line in lines}) & PostLine.name.in_(
        _names(lines)
    )
    query = select(PostLine).where(
        PostLine.batch_id != lines[0].batch_id,
        PostLine.received_on >= min(line.received_on for line in lines) - WITHIN,
        or_(same_gift, PostLine.email.in_(_typed_emails(lines))),
    )
    return list(db.session.scalars(query.order_by(PostLine.id.desc()).limit(500)))


def _compare_lines(
    lines: Sequence[PostLine], others: Sequence[PostLine], found: dict[int, list[Likeness]]
) -> None:
    by_gift: dict[Any, list[PostLine]] = defaultdict(list)
    by_email: dict[str, list[PostLine]] = defaultdict(list)
    for other in others:
        if other.name:
            by_gift[_gift_of(other)].append(other)
        if other.email:
            by_email[donors.email_key(other.email)].append(other)
    for line in lines:
        alike = by_gift.get(_gift_of(line), []) if line.name else []
        same_person = by_email.get(donors.email_key(line.email), []) if line.email else []
        for why, matches in (("same name and amount", alike), ("same e-mail address", same_person)):
            found_here = {one.line_id for one in found[line.id]} if line.id in found else set()
            for other in matches:
                if other.id != line.id and other.id not in found_here and _near(line, other):
                    found[line.id].append(
                        Likeness(
                            why, other.name, other.amount_minor, line_id=other.id, batch_id=other.batch_id
                        )
                    )


def _gift_of(line: PostLine) -> tuple[str, int]:
    return _plain(line.name), line.amount_minor


def _near(line: PostLine, other: PostLine) -> bool:
    return abs(line.received_on - other.received_on) <= WITHIN


def _compare_online(appeal: Appeal, lines: Sequence[PostLine], found: dict[int, list[Likeness]]) -> None:
    """Find gifts online by the same people: any by the same address, those of the same amount by the same name."""
    emails, names = _emails(lines), _names(lines)
    since = clock.start_of_day(min(line.received_on for line in lines) - WITHIN, appeal.time_zone)
    query = (
        select(Donation.public_id, Donation.amount_minor, Donation.name, Donor.email_key)
        .join(Donor, Donor.id == Donation.donor_id)
        .where(
            or_(Donor.email_key.in_(emails), Donor.name.in_(names)),
            Donation.appeal_id == appeal.id,
            Donation.source == "online",
            Donation.status == "received",
            Donation.received_at >= since,
        )
        .order_by(Donation.id.desc())
        .limit(500)
    )
    gifts = db.session.execute(query).all() if emails or names else []
    for line in lines:
        for gift in gifts:
            by_email = bool(line.email) and gift.email_key == donors.email_key(line.email)
            by_name = bool(line.name) and (_plain(gift.name), gift.amount_minor) == _gift_of(line)
            if by_email or by_name:
                found[line.id].append(
                    Likeness(
                        "also gave online" if by_email else "same name and amount online",
                        gift.name,
                        gift.amount_minor,
                        donation_public_id=gift.public_id,
                    )
                )


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
