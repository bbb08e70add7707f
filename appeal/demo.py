"""Sample data: a fictional daily's 95th anniversary appeal with a few thousand plausible gifts, the same every time.

The gifts go through the ledger like any other, so the demonstration's books are as true as real ones.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from appeal import appeals, clock, giving, ids, ledger
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
from appeal.errors import DomainError
from appeal.extensions import db
from appeal.models import Appeal, Donation, Donor

SLUG = "95-years"
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
BATCH = 200


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


def seed(donations: int = 1893) -> Seeded:
    """Make the demonstration appeal, open, with that many paid gifts over its weeks; the same gifts every time.

    Raises:
        SlugTaken: it is there already; `reset` begins anew.
    """
    appeal = _appeal()
    chance = random.Random(SEED)  # noqa: S311 - sample data, the same every time
    for first in range(0, donations, BATCH):
        with writing():
            for number in range(first, min(first + BATCH, donations)):
                _give(appeal, number, donations, chance)
    return Seeded(SLUG, donations)


def reset() -> None:
    """Empty the database by building its tables anew: the ledger itself cannot be emptied."""
    from flask_migrate import downgrade, upgrade

    db.session.remove()
    downgrade(revision="base")
    upgrade()


def _appeal() -> Appeal:
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
        appeal.publisher_url = "https://www.dailylantern.example"
        appeal.contact_email = "appeal@dailylantern.example"
        appeal.return_hosts = ["www.dailylantern.example", "127.0.0.1", "localhost"]
    return appeal


def _give(appeal: Appeal, number: int, of: int, chance: random.Random) -> Donation:
    received_at = _moment(appeal, number, of, chance)
    source = chance.choices(("online", "post", "bank"), (88, 8, 4))[0]
    donor = _donor(number, received_at, chance)
    donation = Donation(
        public_id=ids.from_random(chance),
        appeal_id=appeal.id,
        donor_id=donor.id,
        source=source,
        status="received",
        currency=appeal.currency,
        amount_minor=chance.choices([minor for minor, _ in AMOUNTS], [weight for _, weight in AMOUNTS])[0],
        name=donor.name,
        created_at=received_at - timedelta(minutes=2),
        received_at=received_at,
        **_naming(chance),
        **(_attribution(chance) if source == "online" else {"placement": "direct"}),
    )
    db.session.add(donation)
    db.session.flush()
    giving.enter_gift(ledger.lock(donation.id), f"demo:{number}", received_at)
    return donation


def _moment(appeal: Appeal, number: int, of: int, chance: random.Random) -> datetime:
    """Spread the gifts over the weeks gone by: many at first, then fewer, and most of them in the evening."""
    opened = appeal.opens_at or appeal.created_at
    span = clock.now() - opened - timedelta(hours=1)
    moment: datetime = (
        opened + span * ((number + 0.5) / of) ** 1.25 + timedelta(minutes=chance.randint(-240, 240))
    )
    return min(moment, clock.now()).replace(microsecond=0)


def _donor(number: int, at: datetime, chance: random.Random) -> Donor:
    """Return a new donor, or for every seventh gift one who gave before."""
    if number % 7 == 6:
        return db.session.scalars(select(Donor).where(Donor.email_key == _address(number - 3))).one()
    name = f"{chance.choice(GIVEN_NAMES)} {chance.choice(FAMILY_NAMES)}"
    donor = Donor(
        public_id=ids.from_random(chance),
        email=_address(number),
        email_key=_address(number),
        name=name,
        created_at=at,
    )
    db.session.add(donor)
    db.session.flush()
    return donor


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
