"""The daily letter to staff who want it: how each open appeal stands, what yesterday brought, what waits for a person.

Written once for each appeal, day and reader, after the hour that is set, by the clock of the appeal's own zone; the
letter itself is made when it is sent, from the figures the dashboard shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date
from sqlalchemy import delete, select

from appeal import mail
from appeal.books import ledger
from appeal.core import clock, money, progress
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals, DailyTotal, DigestReader, OutboxItem, Person
from appeal.office import dashboard
from appeal.queues import notices, outbox
from appeal.settings import Settings

KIND = "digest"
HOUR = 7
LATEST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of gift brought on the day, refunds taken off; minor units."""

    label: str
    net_minor: int
    gift_count: int


@dataclass(frozen=True, slots=True)
class Digest:
    """All that the letter says about one appeal and day."""

    appeal: Appeal
    day: date
    board: dashboard.Board
    percent: str
    net_minor: int
    gift_count: int
    lines: list[Line]
    notices: int


def wants(person_id: int) -> bool:
    """Say whether somebody gets the letter."""
    return db.session.get(DigestReader, person_id) is not None


def choose(person_id: int, *, wanted: bool) -> None:
    """Begin or stop sending the letter to somebody."""
    with writing() as session:
        if wanted:
            values = {"person_id": person_id, "since": clock.now()}
            ledger.insert_once(session, DigestReader, values, key="person_id", returning="person_id")
        else:
            session.execute(delete(DigestReader).where(DigestReader.person_id == person_id))


def write_due() -> int:
    """Write the letters that are due into the outbox; return how many. Any number of workers may do so at once."""
    readers = _readers()
    if not readers:
        return 0
    due = [
        (_dedupe(appeal, day, person), appeal, day, person)
        for appeal, day in _due_days(clock.now())
        for person in readers
    ]
    written = set(
        db.session.scalars(select(OutboxItem.dedupe).where(OutboxItem.dedupe.in_([one[0] for one in due])))
    )
    missing = [one for one in due if one[0] not in written]
    if missing:
        with writing():
            for dedupe, appeal, day, person in missing:
                content = {"appeal_id": appeal.id, "person_id": person.id, "day": day.isoformat()}
                outbox.add(KIND, dedupe, content=content)
    return len(missing)


def _dedupe(appeal: Appeal, day: date, person: Person) -> str:
    return f"digest:{appeal.id}:{day.isoformat()}:{person.id}"


def _readers() -> list[Person]:
    query = select(Person).join(DigestReader, DigestReader.person_id == Person.id)
    return list(db.session.scalars(query.where(Person.active.is_(True)).order_by(Person.id)))


def _due_days(now: datetime) -> Iterable[tuple[Appeal, date]]:
    """Yield each appeal whose hour has come, and the day to tell of: yesterday, if the appeal was on."""
    for appeal in db.session.scalars(select(Appeal).where(Appeal.status != "draft")):
        today = clock.day_of(now, appeal.time_zone)
        yesterday = today - timedelta(days=1)
        if now.astimezone(clock.zone(appeal.time_zone)).hour >= HOUR and _was_on(appeal, yesterday):
            yield appeal, yesterday


def _was_on(appeal: Appeal, day: date) -> bool:
    """Say whether an appeal was on at any time of a day; one closed by hand is over."""
    start, end = clock.start_of_day(day, appeal.time_zone), clock.end_of_day(day, appeal.time_zone)
    begun = (appeal.opens_at or appeal.created_at) < end
    return begun and (appeal.closes_at > start if appeal.closes_at else appeal.status == "open")


def senders(settings: Settings) -> dict[str, outbox.Sender]:
    """Return the function that sends the letter."""
    return {KIND: lambda item: mail.send(letter(item, settings), settings)}


def letter(item: OutboxItem, settings: Settings) -> mail.Letter:
    """Make one letter.

    Raises:
        NothingToSend: its reader does not want it any more, or it has grown too old to be news.
    """
    person = db.session.get(Person, item.content["person_id"])
    if person is None or not person.active or not wants(person.id):
        raise outbox.NothingToSend("Nobody wants this letter any more.")
    if item.created_at < clock.now() - LATEST:
        raise outbox.NothingToSend("The letter is too old to be news.")
    appeal = db.session.get_one(Appeal, item.content["appeal_id"])
    found = digest_of(appeal, date.fromisoformat(item.content["day"]))
    subject, text, html = render(found, person, settings)
    return mail.Letter(
        to=person.email, subject=subject, text=text, html=html, message_id=item.dedupe.replace(":", ".")
    )


def render(found: Digest, person: Person, settings: Settings) -> tuple[str, str, str]:
    """Return subject, text and HTML of the letter."""
    exact, short, long_day = _writers(found.appeal)
    return mail.render(
        KIND,
        {"money_exact": exact},
        short=short,
        long_day=long_day,
        found=found,
        appeal=found.appeal,
        person=person,
        board_url=f"{settings.public_url}/staff/?appeal={found.appeal.slug}",
        choose_url=f"{settings.public_url}/staff/outgoing/digest",
    )


def digest_of(appeal: Appeal, day: date) -> Digest:
    """Gather what the letter says; the sums are the running totals that the dashboard draws."""
    totals = db.session.get_one(AppealTotals, appeal.id)
    rows = list(
        db.session.scalars(select(DailyTotal).where(DailyTotal.appeal_id == appeal.id, DailyTotal.day == day))
    )
    board = dashboard.board(appeal, totals)
    tenths = board.figure.percent_tenths
    return Digest(
        appeal=appeal,
        day=day,
        board=board,
        percent="" if tenths is None else progress.percent_shown(tenths, appeal.locale),
        net_minor=_net(rows),
        gift_count=sum(row.gift_count for row in rows),
        lines=list(_lines(rows)),
        notices=notices.unseen_count(),
    )


def _net(rows: Iterable[DailyTotal]) -> int:
    return sum(row.received_minor - row.returned_minor for row in rows)


def _lines(rows: list[DailyTotal]) -> Iterable[Line]:
    """Yield what each kind of gift brought: online once and monthly, post, bank."""
    kinds: tuple[tuple[str, Callable[[DailyTotal], bool]], ...] = (
        ("Online, once", lambda row: row.source == "online" and row.frequency == "once"),
        ("Online, monthly", lambda row: row.source == "online" and row.frequency == "monthly"),
        ("By post", lambda row: row.source == "post"),
        ("By bank", lambda row: row.source == "bank"),
    )
    for label, belongs in kinds:
        own = [row for row in rows if belongs(row)]
        yield Line(label, _net(own), sum(row.gift_count for row in own))


def _writers(appeal: Appeal) -> tuple[Callable[[int], str], Callable[[int], str], Callable[[date], str]]:
    """Return how an amount is written to the penny and in whole units, and how a day is."""

    def exact(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale, whole="never")

    def short(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale, whole="down")

    def long_day(value: date) -> str:
        return format_date(value, format="full", locale=appeal.locale)

    return exact, short, long_day
