"""Bank statements as files: CSV with columns that somebody names once, and CAMT.053 (ISO 20022) XML.

Only credits that are booked come back. Each carries the bank's own reference, or a digest of what it says where the
bank gives none, so that the same line is known again in another file. Pure: text in, values out.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from appeal.core import money, texts
from appeal.core.errors import DomainError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_ROWS = 5000
ROLES = ("date", "amount", "name", "text", "reference")
REQUIRED = ("date", "amount")
NO_REFERENCE = ("NONREF", "NOTPROVIDED")
DATE_ORDERS = ("day first", "month first")
# Headings that say by themselves what stands below them, as banks write them.
TELLING = {
    "date": ("booking date", "transaction date", "date", "posted", "buchungstag", "datum"),
    "amount": ("credit amount", "paid in", "money in", "credit", "amount", "betrag", "value"),
    "name": ("counter party", "counterparty", "payer", "name", "beguenstigter", "description", "from"),
    "text": ("details", "narrative", "memo", "purpose", "verwendungszweck", "description", "notes"),
    "reference": ("transaction id", "transaction reference", "bank reference", "fitid", "id", "reference"),
}


class StatementUnreadable(DomainError):
    """This file is no bank statement that can be read here: neither CSV nor CAMT.053."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One booked credit: `reference` is the bank's own or a digest, the same whenever the same line is read again."""

    reference: str
    booked_on: date
    amount_minor: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a statement holds: its credits, and in words what of it was left out."""

    credits: list[Credit]
    left_out: list[str]


def is_xml(content: str) -> bool:
    """Say whether a file is XML rather than CSV."""
    return content.lstrip("\ufeff \t\r\n").startswith("<")


def decode(raw: bytes) -> str:
    """Read a file's bytes as text: UTF-8, else as Windows wrote it.

    Raises:
        StatementUnreadable: it holds bytes that no text has.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise StatementUnreadable
    return text


# -- CSV


@dataclass(frozen=True, slots=True)
class Sheet:
    """A CSV as rows of cells under its headings; `digest` is the same for every file with these headings."""

    headings: list[str]
    rows: list[list[str]]

    @property
    def digest(self) -> str:
        """Return what the columns are remembered under."""
        return hashlib.sha256("\x1f".join(self.headings).casefold().encode()).hexdigest()


def sheet(content: str) -> Sheet:
    """Read a CSV: comma, semicolon, tab or bar; lines above the headings that banks put there are passed over.

    Raises:
        StatementUnreadable: there are no rows under a heading, or there are too many.
    """
    sample = content[:8000]
    mark = max(",;\t|", key=sample.count)
    try:
        cells = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(content), delimiter=mark)]
    except csv.Error as error:
        raise StatementUnreadable from error
    widest = max((len(row) for row in cells), default=0)
    rows = [row for row in cells if len(row) > widest // 2 and any(row)]
    if widest < 2 or len(rows) < 2:
        raise StatementUnreadable
    if len(rows) > MOST_ROWS:
        raise StatementUnreadable(
            f"The file has more than {MOST_ROWS:,} rows. Please hand it in by the month."
        )
    headings = [texts.storable(heading, 60) or f"column {n}" for n, heading in enumerate(rows[0], 1)]
    return Sheet(headings, [row + [""] * (len(headings) - len(row)) for row in rows[1:]])


def guessed_columns(headings: list[str]) -> dict[str, str]:
    """Guess by its headings what each column holds: role to heading; roles without a likely column are left out."""
    plain = {heading.casefold(): heading for heading in reversed(headings)}
    guessed: dict[str, str] = {}
    for role in ROLES:
        exact = [plain[word] for word in TELLING[role] if word in plain]
        near = [heading for word in TELLING[role] for low, heading in plain.items() if word in low]
        free = [heading for heading in (*exact, *near) if heading not in guessed.values()]
        if free:
            guessed[role] = free[0]
    return guessed


def read_csv(table: Sheet, columns: Mapping[str, str], currency: str, locale: str) -> Reading:
    """Read the credits of a CSV by its columns: role to heading, and under `order` how days are written.

    Raises:
        StatementUnreadable: a day or amount column is not named.
    """
    places = {
        role: table.headings.index(columns[role]) for role in ROLES if columns.get(role) in table.headings
    }
    if any(role not in places for role in REQUIRED):
        raise StatementUnreadable("Say which column holds the day and which the amount.")
    month_first = columns.get("order") == "month first"
    found: list[Credit] = []
    left_out: list[str] = []
    for number, row in enumerate(table.rows, 2):
        said = {role: row[place] for role, place in places.items()}
        booked_on, amount = day_of(said["date"], month_first=month_first), said["amount"].lstrip("+ ")
        if booked_on is None:
            left_out.append(f"Row {number}: “{said['date'][:30]}” is no day.")
            continue
        try:
            amount_minor = money.parse_amount(amount, currency, locale)
        except (money.AmountMissing, money.AmountNotPositive):
            continue  # what went out, or nothing
        except money.AmountError as error:
            left_out.append(f"Row {number}: {error.message}")
            continue
        found.append(
            _credit(
                said.get("reference", ""), booked_on, amount_minor, said.get("name", ""), said.get("text", "")
            )
        )
    # What stands in a column of references may be the payer's own words: they name nothing by themselves.
    return Reading(_named_apart(found, trusting=False), left_out)


def day_of(text: str, *, month_first: bool = False) -> date | None:
    """Read a day as banks write them; None when it is none."""
    text = text.strip()[:10]
    orders = ("%m/%d/%Y", "%m/%d/%y") if month_first else ("%d/%m/%Y", "%d/%m/%y")
    for shape in ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y%m%d", *orders, "%d-%m-%Y", "%Y/%m/%d"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            continue
    return None


def _credit(reference: str, booked_on: date, amount_minor: int, name: str, text: str) -> Credit:
    return Credit(
        texts.storable(reference, 90),
        booked_on,
        amount_minor,
        texts.storable(name, 120),
        texts.storable(text, 300),
    )


def _named_apart(found: Iterable[Credit], *, trusting: bool) -> list[Credit]:
    """Give each credit a reference of its own: the bank's where it is trusted and not shared, else what the line says.

    Lines that say the very same are counted: banks print all of a day, so the count is the same in every file.
    """
    found = list(found)
    shared = Counter(credit.reference for credit in found)
    seen: Counter[str] = Counter()
    named = []
    for credit in found:
        reference = credit.reference
        if not trusting or not reference or shared[reference] > 1:
            said = (
                reference,
                credit.booked_on.isoformat(),
                str(credit.amount_minor),
                credit.name,
                credit.text,
            )
            digest = hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:32]
            seen[digest] += 1
            reference = f"{digest}.{seen[digest]}"
        named.append(replace(credit, reference=reference))
    return named


# -- CAMT.053


def read_camt(content: str, currency: str) -> Reading:
    """Read the booked credits of a CAMT.053 statement, one by one where an entry bundles several.

    Raises:
        StatementUnreadable: it is not CAMT.053, or its XML is unsound.
    Source: ISO 20022, camt.053.001 (versions 02 to 08 name these elements alike).
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(content.encode(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise StatementUnreadable from error
    for node in root.iter():
        node.tag = re.sub(r"^\{[^}]*\}", "", node.tag) if isinstance(node.tag, str) else ""
    statements = list(root.iter("Stmt"))
    if not statements:
        raise StatementUnreadable
    left_out: list[str] = []
    found = [credit for entry in _entries(statements) for credit in _of_entry(entry, currency, left_out)]
    return Reading(_named_apart(found, trusting=True), left_out)


def _entries(statements: list[Element]) -> Iterator[Element]:
    for statement in statements:
        for entry in statement.iter("Ntry"):
            status = _text(entry, "Sts/Cd") or _text(entry, "Sts")
            if _text(entry, "CdtDbtInd") == "CRDT" and status == "BOOK" and _text(entry, "RvslInd") != "true":
                yield entry


def _of_entry(entry: Element, currency: str, left_out: list[str]) -> Iterator[Credit]:
    booked = _text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm") or _text(entry, "ValDt/Dt")
    booked_on = day_of(booked)
    details = list(entry.iter("TxDtls")) or [entry]
    own = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    for detail in details:
        amount = _amount(detail) if len(details) > 1 else entry.find("Amt")
        amount_minor = _minor(amount, currency)
        if booked_on is None or amount_minor is None:
            left_out.append(
                f"An entry of {booked or 'no day'} is not in {currency.upper()} or has no amount."
            )
            continue
        reference = _text(detail, "Refs/AcctSvcrRef") or _text(detail, "Refs/TxId") or own
        reference = "" if reference in NO_REFERENCE else reference
        name = _text(detail, ".//Dbtr/Pty/Nm") or _text(detail, ".//Dbtr/Nm")
        said = " ".join(part.text or "" for part in detail.iter("Ustrd")) or _text(entry, "AddtlNtryInf")
        structured = _text(detail, ".//CdtrRefInf/Ref")
        yield _credit(reference, booked_on, amount_minor, name, f"{said} {structured}".strip())


def _amount(detail: Element) -> Element | None:
    for place in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if (found := detail.find(place)) is not None:
            return found
    return None


def _minor(amount: Element | None, currency: str) -> int | None:
    """Return a decimal of the statement in minor units; None when it is in another currency or no amount."""
    if amount is None or (amount.get("Ccy") or "").casefold() != currency:
        return None
    try:
        minor = Decimal((amount.text or "").strip()) * money.unit(currency)
    except InvalidOperation:
        return None
    whole = minor == minor.to_integral_value() and 0 < minor <= money.MAX_AMOUNT_MINOR
    return int(minor) if whole else None


def _text(node: Element, path: str) -> str:
    return (node.findtext(path) or "").strip()
