"""What leaves the house as a file: the entries of the books, donors, and gifts as a CRM takes them.

Rows are read in windows of four thousand ids, so that an export of a million rows holds four thousand at a time and
disturbs nobody. It reaches up to the entry that was the newest when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, String, func, select, type_coerce

from appeal.core import clock
from appeal.extensions import db
from appeal.models import Appeal, Donation, Donor, LedgerEntry
from appeal.office import audit
from appeal.office.audit import Actor
from appeal.office.sheets import Amount, Cell

WINDOW_IDS = 4000


@dataclass(frozen=True, slots=True)
class Table:
    """An export: its file name, its headings, its rows when they are asked for, and about how many there are."""

    name: str
    title: str
    head: tuple[str, ...]
    rows: Callable[[], Iterator[Sequence[Cell]]]
    count: Callable[[], int]


def entries(appeal: Appeal, *, personal: bool, counted: bool = True) -> Table:
    """Return every counted entry, refunds negative, so that the column of amounts adds up to *raised*.

    With `counted` false those that are in the books and not part of *raised*: most fee covers, instalments after closing.
    Names and e-mail addresses are there only where `personal` says that they may be seen.
    """
    head: tuple[str, ...] = ("Entry", "Day", "Time (UTC)", "Kind", "Amount", "Currency", "Source", "Frequency", "Placement", "Link", "Page", "Gift")  # fmt: skip
    columns: list[Any] = [
        LedgerEntry.id, _day(LedgerEntry.day), _time(LedgerEntry.occurred_at), _word(LedgerEntry.kind),
        LedgerEntry.amount_minor, LedgerEntry.currency, _word(LedgerEntry.source), _word(LedgerEntry.frequency),
        LedgerEntry.placement, Donation.src, Donation.page, Donation.public_id,
    ]  # fmt: skip
    own = (LedgerEntry.appeal_id == appeal.id, LedgerEntry.counted.is_(counted))
    # A sum keeps the index on the appeal out of it: every window would be looked for among all of its entries.
    by_id = (LedgerEntry.appeal_id + 0 == appeal.id, LedgerEntry.counted.is_(counted))
    if personal:
        head += ("Name", "E-mail", "Reason")
        columns += [Donation.name, Donor.email, LedgerEntry.reason]
    query = select(*columns).join(Donation, Donation.id == LedgerEntry.donation_id).where(*by_id)
    if personal:
        query = query.join(Donor, Donor.id == Donation.donor_id)
    return Table(
        f"{appeal.slug}-{'entries' if counted else 'uncounted'}",
        "Entries" if counted else "Entries that do not count",
        head,
        lambda: map(_entry, _paged(query, LedgerEntry.id)),
        lambda: int(db.session.scalar(select(func.count()).select_from(LedgerEntry).where(*own)) or 0),
    )


def _entry(row: Any) -> Sequence[Cell]:
    minor, currency = row[4:6]
    return (*row[:4], Amount.of(minor, currency), currency.upper(), *row[6:])


NPSP_HEAD = (
    "Contact1 First Name", "Contact1 Last Name", "Contact1 Personal Email", "Donation Donor", "Donation Name",
    "Donation Amount", "Donation Date", "Donation Stage", "Donation Type", "Donation Description",
    "Donation Campaign Name", "Payment Method", "Payment Paid", "Payment Check/Reference Number",
)  # fmt: skip


def npsp(appeal: Appeal) -> Table:
    """Return every gift that stands, under the headings of Salesforce's NPSP Data Import.

    A gift's amount is what its donor gave and did not get back: fee cover included, and what came after closing.
    Source: Salesforce, "NPSP Data Import: field reference".
    """
    booked = select(func.coalesce(func.sum(LedgerEntry.amount_minor), 0)).where(
        LedgerEntry.donation_id == Donation.id
    )
    given = booked.scalar_subquery()
    own = (Donation.appeal_id == appeal.id, given > 0)
    title, zone = appeal.title, appeal.time_zone
    query = select(
        Donation.id, Donation.public_id, Donor.name, Donor.email, given, Donation.currency, Donation.received_at,
        Donation.frequency, Donation.source,
    ).join(Donor, Donor.id == Donation.donor_id)  # fmt: skip
    return Table(
        f"{appeal.slug}-npsp",
        "NPSP Data Import",
        NPSP_HEAD,
        lambda: (_npsp(row, title, zone) for row in _paged(query.where(*own), Donation.id)),
        lambda: int(db.session.scalar(select(func.count()).select_from(Donation).where(*own)) or 0),
    )


METHODS = {"online": "Credit Card", "post": "Check", "bank": "EFT"}


def _npsp(row: Any, title: str, zone: str) -> Sequence[Cell]:
    _id, public_id, name, email, given, currency, at, frequency, source = row
    first, _, last = (name or "A supporter").rpartition(" ")
    day = clock.day_of(at, zone).isoformat()
    rhythm = "Recurring" if frequency == "monthly" else "One-time"
    return (
        first, last, email or "", "Contact1", f"{title} {day}", Amount.of(int(given), currency), day,
        "Closed Won", rhythm, "", title, METHODS[source], "True", public_id,
    )  # fmt: skip


def donors() -> Table:
    """Return every donor."""
    own = (Donor.merged_into_id.is_(None), Donor.erased_at.is_(None))
    query = select(Donor.id, Donor.public_id, Donor.name, Donor.email, Donor.created_at).where(*own)
    return Table(
        "donors",
        "Donors",
        ("Donor", "Name", "E-mail", "Since"),
        lambda: (
            (public_id, name, email or "", at.date().isoformat())
            for _, public_id, name, email, at in _paged(query, Donor.id)
        ),
        lambda: int(db.session.scalar(select(func.count()).select_from(Donor).where(*own)) or 0),
    )


# What follows lets the database write what it holds as the text that goes into the file: a date or a word that becomes
# an object on the way and a text again costs as much as the whole line does otherwise.


def _word(column: Any) -> Any:
    """Read a word of a list as the text that it is."""
    return type_coerce(column, String)


def _day(column: Any) -> Any:
    """Read a day as YYYY-MM-DD; SQLite keeps it so."""
    return _word(column) if _sqlite() else func.to_char(column, "YYYY-MM-DD")


def _time(column: Any) -> Any:
    """Read the time of an instant in UTC as HH:MM:SS; SQLite keeps "YYYY-MM-DD HH:MM:SS.ffffff", in UTC."""
    if _sqlite():
        return func.substr(_word(column), 12, 8)
    return func.to_char(func.timezone("UTC", column), "HH24:MI:SS")


def _sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _paged(query: Any, key: Any) -> Iterator[Any]:
    """Read a query page by page; needs the application only now, not while the rows are read."""
    return _pages(db.engine, query, key)


def _pages(engine: Engine, query: Any, key: Any) -> Iterator[Any]:
    """Read window by window of ids, up to what was the newest row; no transaction stays open between two of them.

    A window is bounded at both ends, so that reading the last costs what reading the first does.
    """
    with engine.connect() as connection:
        newest = connection.scalar(select(func.max(key))) or 0
    for last in range(0, newest, WINDOW_IDS):
        upto = min(last + WINDOW_IDS, newest)
        with engine.connect() as connection:
            page = connection.execute(query.where(key > last, key <= upto).order_by(key)).all()
        yield from page


def told(actor: Actor, table: Table, form: str, *, personal: bool) -> None:
    """Enter an export in the audit before its first byte leaves."""
    after = {"file": f"{table.name}.{form}", "with_personal_data": personal}
    audit.write(actor, "export.made", f"export:{table.name}", after=after)
