"""The receipt of a gift as PDF, set in a font that has every sign of money and names."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from babel.dates import format_date

from appeal.core import clock, money
from appeal.mail import Attachment
from appeal.models import Donation
from appeal.settings import ROOT, Settings

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = ROOT / "appeal" / "static" / "fonts" / "DejaVuSans.ttf"


def as_attachment(donation: Donation, settings: Settings) -> Attachment:
    """Return the receipt as a file to go with a letter."""
    return Attachment(f"receipt-{donation.public_id}.pdf", as_pdf(donation, settings))


def as_pdf(donation: Donation, settings: Settings) -> bytes:
    """Set the receipt of a received gift: who, how much, when, for what, and the reference."""
    from fpdf import FPDF

    appeal = donation.appeal
    pdf = FPDF(format="A4")
    pdf.set_creation_date(donation.received_at or donation.created_at)
    pdf.set_title(f"Receipt {donation.public_id}")
    pdf.set_author(appeal.publisher or appeal.title)
    pdf.set_lang(appeal.locale.replace("_", "-"))
    pdf.add_font("Text", fname=FONT)
    pdf.set_margins(24, 24)
    pdf.add_page()
    _heading(pdf, appeal.publisher or appeal.title)
    for label, value in _lines(donation):
        pdf.set_font("Text", size=9)
        pdf.set_text_color(90)
        pdf.cell(55, 9, label)
        pdf.set_font("Text", size=11)
        pdf.set_text_color(20)
        pdf.multi_cell(0, 9, value, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(8)
    pdf.set_font("Text", size=9)
    pdf.set_text_color(90)
    contact = f" Questions: {appeal.contact_email}." if appeal.contact_email else ""
    pdf.multi_cell(
        0, 6, f"This gift is not a purchase; nothing was given in return.{contact}\n{settings.public_url}"
    )
    return bytes(pdf.output())


def _heading(pdf: FPDF, publisher: str) -> None:
    pdf.set_font("Text", size=11)
    pdf.set_text_color(90)
    pdf.multi_cell(0, 8, publisher, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Text", size=24)
    pdf.set_text_color(20)
    pdf.multi_cell(0, 14, "Receipt for your gift", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(6)


def _lines(donation: Donation) -> list[tuple[str, str]]:
    appeal = donation.appeal

    def shown(minor: int) -> str:
        return money.format_money(minor, donation.currency, appeal.locale, whole="never")

    rhythm = "monthly gift" if donation.frequency == "monthly" else "one gift"
    lines = [
        ("Received from", donation.name or "A supporter"),
        ("Gift", f"{shown(donation.amount_minor)} ({rhythm})"),
    ]
    if donation.cover_minor:
        lines += [
            ("Card fee cover", shown(donation.cover_minor)),
            ("Charged in all", shown(donation.charge_minor)),
        ]
    if donation.returned_minor:
        lines.append(("Refunded", shown(donation.returned_minor)))
    return [
        *lines,
        ("Received on", _day(donation.received_at or donation.created_at, appeal.time_zone, appeal.locale)),
        ("For", appeal.title),
        ("Reference", donation.public_id),
    ]


def _day(instant: datetime, zone: str, locale: str) -> str:
    return format_date(clock.day_of(instant, zone), format="long", locale=locale)
