"""The receipt of a gift as PDF: the house's own type where it has every sign, else a face that has nearly all there are.

What cannot be set (Arabic, whose letters join; Chinese, Japanese and Korean; emoji) is said in other words rather
than left blank.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from babel.dates import format_date

from appeal.books import adjustments, ledger
from appeal.core import clock, money
from appeal.mail import Attachment
from appeal.models import Donation
from appeal.settings import ROOT, Settings

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS = ROOT / "appeal" / "static" / "fonts"
FACES = {"Display": "newsreader-display", "Text": "newsreader-text-400", "Strong": "newsreader-text-600"}
FALLBACK = "DejaVuSans"
MARGIN_MM, LABEL_MM, ROW_MM = 24, 52, 8
INK, SOFT, LINE = (31, 26, 21), (92, 83, 72), (221, 211, 195)
MARKS = str.maketrans("", "", "\u200e\u200f\u061c")  # directions are settled before anything is set
OTHER_SIGNS = str.maketrans({"\uffe5": "¥", "\u202f": "\xa0"})


def as_attachment(donation: Donation, settings: Settings) -> Attachment:
    """Return the receipt as a file to go with a letter."""
    return Attachment(f"receipt-{donation.public_id}.pdf", as_pdf(donation, settings))


def as_pdf(donation: Donation, settings: Settings) -> bytes:
    """Set the receipt of a received gift: who, how much, when, for what, and the reference."""
    from fpdf import FPDF

    appeal = donation.appeal
    sheet = _Sheet(FPDF(format="A4"))
    sheet.begin(donation)
    sheet.masthead(sheet.sayable(appeal.publisher or appeal.title, settings.public_url))
    for label, value in _lines(donation, sheet, settings):
        sheet.row(label, value)
    contact = f" Questions: {appeal.contact_email}." if appeal.contact_email else ""
    sheet.foot(f"This gift is not a purchase; nothing was given in return.{contact}\n{settings.public_url}")
    return bytes(sheet.pdf.output())


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One page to set text on."""

    pdf: FPDF

    def begin(self, donation: Donation) -> None:
        pdf, appeal = self.pdf, donation.appeal
        pdf.set_creation_date(donation.received_at or donation.created_at)
        pdf.set_title(f"Receipt {donation.public_id}")
        pdf.set_author(appeal.publisher or appeal.title)
        pdf.set_lang("en")
        for family, file in FACES.items():
            pdf.add_font(family, fname=FONTS / f"{file}.ttf")
        pdf.set_margins(MARGIN_MM, MARGIN_MM)
        pdf.c_margin = 0  # text begins where the rules do
        pdf.add_page()

    def masthead(self, publisher: str) -> None:
        """Set the publisher over its double rule, as the pages have it, and what this is."""
        self._line("Display", 20, publisher, 9)
        self.pdf.ln(3)
        self._rule(0.9, INK)
        self.pdf.ln(1.1)
        self._rule(0.25, INK)
        self.pdf.ln(12)
        self._line("Display", 30, "Receipt for your gift", 13)
        self.pdf.ln(7)
        self._rule(0.2, LINE)

    def row(self, label: str, value: str) -> None:
        """Set one fact between hair lines."""
        self.pdf.ln(1.6)
        self._face("Text", 11, SOFT, label)
        self.pdf.cell(LABEL_MM, ROW_MM, label)
        self._line("Strong", 12, value, ROW_MM)
        self.pdf.ln(1.6)
        self._rule(0.2, LINE)

    def foot(self, text: str) -> None:
        self.pdf.ln(9)
        self._line("Text", 10.5, text, 6, SOFT)

    def sayable(self, text: str, otherwise: str) -> str:
        """Return a text if there is a sign for each of its letters; else what says it in other words."""
        joins = any(unicodedata.bidirectional(sign) == "AL" for sign in text)  # nothing here joins letters
        return text if not joins and self._has(FALLBACK, self._readable(text)) else otherwise

    def _line(
        self, face: str, size: float, text: str, height_mm: float, ink: tuple[int, int, int] = INK
    ) -> None:
        text = self._readable(text)
        self._face(face, size, ink, text)
        self.pdf.multi_cell(0, height_mm, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _face(self, face: str, size: float, ink: tuple[int, int, int], text: str) -> None:
        if not self._has(face, text):
            face, size = self._loaded(FALLBACK), size * 0.86  # it is drawn larger
        self.pdf.set_font(face, size=size)
        self.pdf.set_text_color(*ink)

    def _loaded(self, face: str) -> str:
        """Load a font when it is first needed: the great one takes a moment."""
        if face.lower() not in self.pdf.fonts:
            self.pdf.add_font(face, fname=FONTS / f"{face}.ttf")
        return face

    def _has(self, face: str, text: str) -> bool:
        """Say whether a face has every sign of a text; the great one is opened only if the others do not do."""
        if face == FALLBACK and all(self._has(small, text) for small in FACES):
            return True
        from fpdf.fonts import TTFFont

        font = self.pdf.fonts[self._loaded(face).lower()]
        signs = {ord(sign) for sign in text if sign.isprintable()}
        return isinstance(font, TTFFont) and signs <= font.cmap.keys()

    def _readable(self, text: str) -> str:
        """Put a text into the order in which it is drawn, where parts of it run from right to left."""
        plain = text.translate(OTHER_SIGNS)
        runs = {unicodedata.bidirectional(sign) for sign in plain}
        if not runs & {"R", "AL"}:
            return plain
        from fpdf.bidi import BidiParagraph
        from fpdf.enums import TextDirection

        base = TextDirection.LTR if "L" in runs else TextDirection.RTL
        drawn = BidiParagraph(plain, base_direction=base).get_reordered_string()
        return str(drawn).translate(MARKS)

    def _rule(self, width_mm: float, ink: tuple[int, int, int]) -> None:
        self.pdf.set_draw_color(*ink)
        self.pdf.set_line_width(width_mm)
        self.pdf.line(self.pdf.l_margin, self.pdf.get_y(), self.pdf.w - self.pdf.r_margin, self.pdf.get_y())


def _lines(donation: Donation, sheet: _Sheet, settings: Settings) -> Iterator[tuple[str, str]]:
    appeal = donation.appeal

    def shown(minor: int) -> str:
        local = money.format_money(minor, donation.currency, appeal.locale, whole="never")
        return sheet.sayable(local, money.format_money(minor, donation.currency, whole="never"))

    yield "Received from", sheet.sayable(donation.name or "A supporter", "The supporter this was sent to")
    yield (
        "Gift",
        f"{shown(donation.amount_minor)} ({'monthly gift' if donation.frequency == 'monthly' else 'one gift'})",
    )
    if donation.cover_minor:
        yield "Card fee cover", shown(donation.cover_minor)
        yield "Charged in all", shown(donation.charge_minor)
    stands = adjustments.standing(ledger.entries_of(donation))
    if stands and stands.back_minor > 0:
        yield "Refunded", shown(stands.back_minor)
    received_at = donation.received_at or donation.created_at
    local_day = _day(received_at, appeal.time_zone, appeal.locale)
    yield "Received on", sheet.sayable(local_day, _day(received_at, appeal.time_zone, "en_GB"))
    yield "For", sheet.sayable(appeal.title, f"{settings.public_url}/appeals/{appeal.slug}")
    yield "Reference", donation.public_id


def _day(instant: datetime, zone: str, locale: str) -> str:
    return format_date(clock.day_of(instant, zone), format="long", locale=locale)
