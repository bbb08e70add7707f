"""Rows as files that open in a spreadsheet and cannot run there: CSV, plain or for Excel, and XLSX.

A cell that a spreadsheet could take for a formula gets an apostrophe in front and is text. Both writers hold a few
hundred rows at a time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Self

from appeal.core import money

Cell = str | int | None
FORMULA_SIGNS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b|%")
SKIPPED = " \u00a0\u3000\ufeff\u200b"  # before a sign of a formula, by some programs
LOOK_CLOSER = FORMULA_SIGNS | {" "}
BOM = "\ufeff"
CHUNK_ROWS = 500
DISTINCT_AMOUNTS = 4096


class Amount(int):
    """An amount in minor units, written as a plain number; `exponent` says how many decimals."""

    exponent: int

    def __new__(cls, minor: int, currency: str) -> Self:
        """Take minor units of a currency."""
        amount = super().__new__(cls, minor)
        amount.exponent = money.exponent(currency)
        return amount

    @staticmethod
    @lru_cache(DISTINCT_AMOUNTS)
    def of(minor: int, currency: str) -> Amount:
        """Return an amount of a long table, where the same few come again and again, each made once."""
        return Amount(minor, currency)

    def __str__(self) -> str:
        """Write it with a point and as many decimals as the currency has."""
        return self._text

    @cached_property
    def _text(self) -> str:
        units, rest = divmod(abs(int(self)), 10**self.exponent)
        sign = "-" if self < 0 else ""
        return f"{sign}{units}.{rest:0{self.exponent}}" if self.exponent else f"{sign}{units}"


def text_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes before one that could be.

    Source: OWASP, "CSV Injection"; full-width forms of the signs are taken for them by some programs.
    """
    kept = "".join(sign for sign in text if sign >= " " or sign in "\t\r\n")
    leading = kept.lstrip(SKIPPED)[:1]
    return f"'{kept}" if leading in FORMULA_SIGNS and leading else kept


def _safe(rows: list[Sequence[Cell]]) -> list[Sequence[Cell]]:
    """Return rows in which no text is taken for a formula.

    Each distinct text is looked at once, and nearly every one is printable throughout and begins with something
    harmless; only the others are looked at closely. Of what may stand skipped before a sign, the space alone is printable.
    """
    texts = [cell for cell in set(chain.from_iterable(rows)) if isinstance(cell, str)]
    changed = {
        text: safe
        for text in texts
        if (text[:1] in LOOK_CLOSER or not text.isprintable()) and (safe := text_cell(text)) != text
    }
    if not changed:
        return rows
    return [[changed.get(cell, cell) if isinstance(cell, str) else cell for cell in row] for row in rows]


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, excel: bool = False) -> Iterator[bytes]:
    """Write rows as CSV in UTF-8, piece by piece; for Excel with a byte order mark, which tells it so."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM if excel else "")
    writer.writerow(head)
    yield _taken(buffer)
    supply = iter(rows)
    while batch := list(islice(supply, CHUNK_ROWS)):
        writer.writerows(_safe(batch))
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    piece = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return piece


def write_xlsx(path: Path, title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write rows as a workbook, row after row: amounts are numbers, everything else is text and stays text."""
    from xlsxwriter import Workbook

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(path.parent),
    }
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet(title[:31])
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = [
            book.add_format({"num_format": form}) for form in ("#,##0", "#,##0.0", "#,##0.00", "#,##0.000")
        ]
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(head):
            sheet.write_string(0, column, name, bold)
            sheet.set_column(column, column, max(12, min(34, len(name) + 4)))
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, Amount):
                    # The workbook's own numbers are binary fractions; a decimal is handed over and written as its text.
                    sheet.write_number(number, column, _decimal(cell), formats[cell.exponent])
                elif isinstance(cell, int):
                    sheet.write_number(number, column, cell)
                elif cell:
                    sheet.write_string(number, column, text_cell(cell))


def _decimal(amount: Amount) -> object:
    from decimal import Decimal

    return Decimal(str(amount))
