"""Sample data: a fictional daily's 95th anniversary appeal with a few thousand plausible gifts, the same every time.

The gifts are entered in bulk (`appeal.bulk`), so that a million takes a minute or two; the books are as true as if
each had come by itself.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from appeal import appeals, bulk
from appeal.core import clock, ids
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.demo_words import (
    ARTICLES,
    CREDIT_LINES,
    FAMILY_NAMES,
    GIVEN_NAMES,
    MESSAGES,
    OTHER_WAYS,
    STORY,
    TERMS,
)
from appeal.extensions import db
from appeal.models import Appeal

SLUG = "95-years"
PUBLISHER_URL = "https://www.dailylantern.example"
SEED = 95
WEEKS = 6
AHEAD_DAYS = 12
AMOUNTS = (
    (500, 6),
    (1000, 24),
    (1500, 6),
    (2000, 10),
    (2500, 28),
    (3000, 4),
    (4000, 3),
    (5000, 12),
    (7500, 2),
    (10000, 4),
    (25000, 1),
)
PLACEMENTS = (("article", 40), ("end", 22), ("paywall", 16), ("top", 14), ("newsletter", 5), ("print", 3))
SAME_AS = 3
_AMOUNTS = tuple(zip(*AMOUNTS, strict=True))


class RefusedInProduction(DomainError):
    """Sample data never mixes with real books."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made."""

    slug: str
    donations: int


def is_empty() -> bool:
    """Say whether there is no appeal yet."""
    return db.session.scalar(select(func.count()).select_from(Appeal)) == 0


def seed(donations: int = 1893, publisher_url: str = PUBLISHER_URL) -> Seeded:
    """Make the demonstration appeal, open, with that many paid gifts over its weeks; the same gifts every time.

    `publisher_url` is where its newspaper can be read: thank-you pages lead back there.

    Raises:
        SlugTaken: it is there already; `reset` begins anew.
    """
    appeal = _appeal(publisher_url)
    chance = random.Random(SEED)  # noqa: S311 - sample data, the same every time
    if donations:
        bulk.enter(appeal.id, appeal.time_zone, _gifts(appeal, donations, chance))
    return Seeded(SLUG, donations)


def reset() -> None:
    """Empty the database by building its tables anew: the ledger itself cannot be emptied."""
    from flask_migrate import downgrade, upgrade

    db.session.remove()
    downgrade(revision="base")
    upgrade()


def _appeal(publisher_url: str) -> Appeal:
    today = clock.today("Europe/London")
    new = appeals.NewAppeal(
        slug=SLUG,
        title="The 95 years appeal",
        currency="gbp",
        goal_minor=9_500_000,
        opens_on=today - timedelta(weeks=WEEKS),
        closes_on=today + timedelta(days=AHEAD_DAYS - 1),
        publisher="The Daily Lantern",
    )
    with writing():
        appeal = appeals.create(new)
        appeal.status = "open"
        appeal.standfirst = (
            "Ninety-five years of independent reporting, owned by its readers. Help us to the hundredth."
        )
        appeal.story_markdown, appeal.other_ways_markdown, appeal.terms_markdown = STORY, OTHER_WAYS, TERMS
        appeal.thanks_markdown = "You have helped to keep the lantern lit. Thank you."
        appeal.publisher_url = publisher_url
        appeal.contact_email = "appeal@dailylantern.example"
        appeal.return_hosts = ["www.dailylantern.example", "127.0.0.1", "localhost"]
    return appeal


def _gifts(appeal: Appeal, of: int, chance: random.Random) -> Iterator[bulk.Gift]:
    """Make the gifts one after the other; for every seventh the donor is one who gave three gifts before."""
    names: deque[str] = deque(maxlen=SAME_AS)
    for number in range(of):
        received_at = _moment(appeal, number, of, chance)
        source = chance.choices(("online", "post", "bank"), (88, 8, 4))[0]
        donor = None if number % 7 == 6 else _donor(number, received_at, chance)
        name = names[-SAME_AS] if donor is None else donor["name"]
        names.append(name)
        donation = _donation(appeal, name, source, received_at, chance)
        yield bulk.Gift(f"demo:{number}", donor, SAME_AS, donation)


def _donation(
    appeal: Appeal, name: str, source: str, received_at: datetime, chance: random.Random
) -> bulk.Values:
    public_id = ids.from_random(chance)
    amount_minor = chance.choices(*_AMOUNTS)[0]
    naming = {"credit_line": "", "message": "", "message_review": "none"} | _naming(chance)
    attribution = {"placement": "direct", "src": "", "page": ""}
    return {
        "public_id": public_id,
        "appeal_id": appeal.id,
        "source": source,
        "frequency": "once",
        "status": "received",
        "currency": appeal.currency,
        "amount_minor": amount_minor,
        "name": name,
        "created_at": received_at - timedelta(minutes=2),
        "received_at": received_at,
        **naming,
        **(attribution | (_attribution(chance) if source == "online" else {})),
    }


def _moment(appeal: Appeal, number: int, of: int, chance: random.Random) -> datetime:
    """Spread the gifts over the weeks gone by, each after the one before: many at first, then fewer."""
    opened = appeal.opens_at or appeal.created_at
    span = clock.now() - opened - timedelta(hours=1)
    moment: datetime = opened + span * ((number + chance.randint(0, 480) / 481) / of) ** 1.25
    return moment.replace(microsecond=0)


def _donor(number: int, at: datetime, chance: random.Random) -> bulk.Values:
    name = f"{chance.choice(GIVEN_NAMES)} {chance.choice(FAMILY_NAMES)}"
    return {
        "public_id": ids.from_random(chance),
        "email": _address(number),
        "email_key": _address(number),
        "name": name,
        "created_at": at,
    }


def _address(number: int) -> str:
    return f"reader{number}@readers.example"


def _naming(chance: random.Random) -> dict[str, str]:
    credit = chance.choices(("anonymous", "name", "initials", "custom"), (55, 25, 10, 10))[0]
    naming = {"credit": credit, "credit_review": "none" if credit == "anonymous" else "approved"}
    if credit == "custom":
        naming["credit_line"] = chance.choice(CREDIT_LINES)
    if credit != "anonymous" and chance.random() < 0.2:
        naming |= {"message": chance.choice(MESSAGES), "message_review": "approved"}
    return naming


def _attribution(chance: random.Random) -> dict[str, str]:
    placement = chance.choices([name for name, _ in PLACEMENTS], [weight for _, weight in PLACEMENTS])[0]
    if placement in {"newsletter", "print"}:
        return {"placement": placement, "src": f"{placement}-anniversary"}
    return {
        "placement": placement,
        "src": f"www.dailylantern.example:{placement}",
        "page": chance.choice(ARTICLES),
    }
