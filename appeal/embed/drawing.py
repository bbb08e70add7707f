"""Draw the figure as a PNG: for newsletters, for pages that share a link, and wherever nothing else is shown.

Pillow with the house's own fonts: Newsreader where it has every sign of a line, else DejaVu Sans, which has nearly
all there are. Lengths are in px of the 600 px wide picture and are multiplied by the scale, so that text is drawn
at its final size and stays sharp. The usual size is the reduced sharp one: drawn in so few px, every sign would be
moved to a whole px and words would fall apart.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from appeal.embed.lines import MARGIN, WIDTH, Lines

FONTS = Path(__file__).resolve().parent.parent / "static" / "fonts"
# What the cut of Newsreader that is served here has (static/css/house.css, unicode-range).
_NEWSREADER = frozenset(
    chr(sign)
    for signs in (
        range(0x20, 0x7F),
        range(0xA0, 0x100),
        range(0x2018, 0x201F),
        (0x131, 0x152, 0x153, 0x2013, 0x2014, 0x2022, 0x2026, 0x20AC, 0x2212),
    )
    for sign in signs
)
_SUPERSAMPLED = 4

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of one theme."""

    paper: Colour
    ink: Colour
    soft: Colour
    rail: Colour
    fill: Colour


def look(theme: str, accent: str) -> Look:
    """Return the colours of a theme with an appeal's own accent."""
    own = _rgb(accent)
    if theme == "dark":
        lighter = tuple(part + (255 - part) * 4 // 10 for part in own)
        return Look(
            (36, 32, 28), (244, 239, 231), (199, 188, 174), (88, 80, 71), (lighter[0], lighter[1], lighter[2])
        )
    return Look((251, 246, 238), (32, 27, 22), (92, 83, 72), (221, 211, 195), own)


def _rgb(colour: str) -> Colour:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


@lru_cache(maxsize=64)
def png(lines: Lines, height: int, scale: int, colours: Look) -> bytes:
    """Draw the lines into a picture of 600 px by `height` px, times the scale.

    The last few are kept: drawing takes a tenth of a second, and an address with an idle query must not cost that.
    """
    final = (WIDTH * scale, height * scale)
    scale = max(scale, 2)
    picture = Image.new("RGB", (WIDTH * scale, height * scale), colours.paper)
    pen = _Pen(ImageDraw.Draw(picture), scale, room=WIDTH - 2 * MARGIN, rtl=lines.rtl)
    gap = max(0, height - 220) // 4
    pen.line(MARGIN, 40 + gap // 2, lines.kicker, 14, colours.fill, display=False)
    pen.line(MARGIN, 80 + gap, lines.heading, 28, colours.ink)
    end = pen.line(MARGIN, 138 + gap * 2, lines.raised, 46, colours.ink)
    pen.line(end + 10, 138 + gap * 2, lines.of_goal, 20, colours.soft)
    if lines.tenths is not None:
        _bar(picture, scale, 156 + gap * 5 // 2, lines, colours)
    day_width = pen.width(lines.day, 15)
    pen.line(MARGIN, 200 + gap * 3, lines.facts, 15, colours.soft, room=WIDTH - 3 * MARGIN - day_width)
    pen.line(WIDTH - MARGIN - day_width, 200 + gap * 3, lines.day, 15, colours.soft)
    file = io.BytesIO()
    picture = picture.resize(final, Image.Resampling.BOX)
    picture.quantize(128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _bar(picture: Image.Image, scale: int, top: int, lines: Lines, colours: Look) -> None:
    """Draw the bar: its ends are round, and however little was given can be seen."""
    height, width = 16, WIDTH - 2 * MARGIN
    tenths = min(lines.tenths or 0, 1000)
    filled = max(height, width * tenths // 1000) if tenths else 0
    for length, colour in ((width, colours.rail), (filled, colours.fill)):
        if length:
            size = (length * scale, height * scale)
            mask = Image.new("L", (size[0] * _SUPERSAMPLED, size[1] * _SUPERSAMPLED))
            ImageDraw.Draw(mask).rounded_rectangle(
                (0, 0, mask.width - 1, mask.height - 1), mask.height // 2, fill=255
            )
            left = WIDTH - MARGIN - length if lines.rtl else MARGIN
            picture.paste(colour, (left * scale, top * scale), mask.resize(size, Image.Resampling.LANCZOS))


@dataclass(frozen=True, slots=True)
class _Pen:
    """Writes lines of text; `room` is how wide a line may become, in px; with `rtl`, places count from the right."""

    draw: ImageDraw.ImageDraw
    scale: int
    room: int
    rtl: bool

    def width(self, text: str, size: int) -> int:
        """Return how wide a line is, rounded up to whole px."""
        return -(-int(_font(text, size * self.scale).getlength(text)) // self.scale) + 1

    def line(
        self,
        x: int,
        baseline: int,
        text: str,
        size: int,
        colour: Colour,
        *,
        room: int = 0,
        display: bool = True,
    ) -> int:
        """Write one line, smaller where it needs to be, cut where even that is not enough; return where it ends."""
        room = (room or self.room) - (x - MARGIN if not room else 0)
        while size > 13 and self.width(text, size) > room:
            size -= 1
        while len(text) > 1 and self.width(text, size) > room:
            text = text[:-2].rstrip() + "\u2026"
        font = _font(text, size * self.scale, display=display)
        place, anchor = (WIDTH - x, "rs") if self.rtl else (x, "ls")
        self.draw.text(
            (place * self.scale, baseline * self.scale), text, fill=colour, font=font, anchor=anchor
        )
        return x + self.width(text, size)


def _font(text: str, size: int, *, display: bool = True) -> ImageFont.FreeTypeFont:
    if not _NEWSREADER.issuperset(text):
        return _file("DejaVuSans.ttf", size)
    return _file("newsreader-display.woff2" if display else "newsreader-text.woff2", size)


@lru_cache(maxsize=64)
def _file(name: str, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(FONTS / name), size)
    if name == "newsreader-text.woff2":
        font.set_variation_by_axes([600])
    return font
