"""What staff and the command line change about an appeal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from appeal.books import ledger
from appeal.core import clock, money, texts
from appeal.core.errors import InvalidGift, NoSuchAppeal, SlugTaken
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal

TITLE_LONGEST = 200
SLUG_PATTERN = r"[a-z0-9]+(?:-[a-z0-9]+)*"

_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)  # what every zone can turn into an instant


@dataclass(frozen=True, slots=True)
class NewAppeal:
    """What a new appeal needs; the goal in minor units, days in the appeal's zone, the closing day included."""

    slug: str
    title: str
    currency: str
    goal_minor: int | None = None
    opens_on: date | None = None
    closes_on: date | None = None
    time_zone: str = "Europe/London"
    locale: str = "en_GB"
    publisher: str = ""


def create(new: NewAppeal) -> Appeal:
    """Add an appeal as a draft, with its row of totals.

    Raises:
        SlugTaken: there is one with that address.
        UnknownCurrency: Stripe takes no such currency.
        InvalidGift: there is no title, no such time zone or language, or the closing day comes before the opening day.
    """
    _must_be_known(new)
    if not all(_FIRST_DAY <= day <= _LAST_DAY for day in (new.opens_on, new.closes_on) if day):
        raise InvalidGift("opens", f"Choose days between {_FIRST_DAY} and {_LAST_DAY}.")
    if new.opens_on and new.closes_on and new.closes_on < new.opens_on:
        raise InvalidGift("closes", "The closing day comes before the opening day.")
    appeal = Appeal(
        slug=new.slug,
        title=new.title,
        currency=new.currency,
        goal_minor=new.goal_minor,
        time_zone=new.time_zone,
        locale=new.locale,
        publisher=new.publisher,
        opens_at=clock.start_of_day(new.opens_on, new.time_zone) if new.opens_on else None,
        closes_at=clock.end_of_day(new.closes_on, new.time_zone) if new.closes_on else None,
        created_at=clock.now(),
        **_amounts(new.currency),
    )
    try:
        with writing() as session:
            session.add(appeal)
            session.flush()
            ledger.open_totals(session, appeal.id)
    except IntegrityError:
        raise SlugTaken(f"There is an appeal called {new.slug} already.") from None
    return appeal


def _must_be_known(new: NewAppeal) -> None:
    """Refuse what no page could be written with."""
    money.exponent(new.currency)
    if not new.title.strip() or len(new.title) > TITLE_LONGEST or texts.has_control(new.title):
        raise InvalidGift("title", f"Give the appeal a title of at most {TITLE_LONGEST} signs.")
    if not clock.knows_zone(new.time_zone):
        raise InvalidGift("time_zone", f"There is no time zone {new.time_zone!r}; write it as Europe/London.")
    if not money.knows_locale(new.locale):
        raise InvalidGift("locale", f"There is no language {new.locale!r}; write it as en_GB.")


def _amounts(currency: str) -> dict[str, int | list[int]]:
    """Return starting presets and bounds in the currency's own unit."""
    unit = 10 ** money.exponent(currency)
    scale = 100 if money.exponent(currency) == 0 else 1
    floor = max(2 * unit * scale, money.minimum_charge_minor(currency))
    return {
        "presets_minor": [amount * unit * scale for amount in (10, 25, 50, 100)],
        "default_minor": 25 * unit * scale,
        "minimum_minor": floor,
        "maximum_minor": 10_000 * unit * scale,
        "cover_fixed_minor": 20 * unit * scale // 100,
    }


def by_slug(slug: str) -> Appeal:
    """Find an appeal, drafts included.

    Raises:
        NoSuchAppeal: there is none of that name.
    """
    appeal = db.session.scalars(select(Appeal).where(Appeal.slug == slug)).one_or_none()
    if appeal is None:
        raise NoSuchAppeal(f"There is no appeal called {slug}.")
    return appeal


def everything() -> list[Appeal]:
    """List every appeal, drafts included, newest first."""
    return list(db.session.scalars(select(Appeal).order_by(Appeal.id.desc())))


def set_status(slug: str, status: str) -> Appeal:
    """Open or close an appeal; what comes of monthly gifts from its closing on is late.

    Raises:
        NoSuchAppeal: there is none of that name.
    """
    with writing():
        appeal = by_slug(slug)
        if status != appeal.status:
            appeal.closed_at = clock.now() if status == "closed" else None
        appeal.status = status
        appeal.revision += 1
        return appeal
