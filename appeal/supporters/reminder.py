"""A reminder for the reader's own calendar: to give again, or that an appeal opens. Nothing is stored, nothing sent.

Source: RFC 5545 (iCalendar): lines end in CR LF, are folded after 75 octets, and text escapes commas and the like.
"""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

from appeal.core import clock, progress, texts
from appeal.models import Appeal

MONTHS_AFTER = {"month": 1, "year": 12}
LONGEST_LINE_BYTES = 75


def day_of(appeal: Appeal, after: str) -> date | None:
    """Return the day to remind on, in the appeal's zone; None for an `after` that means nothing."""
    if after == "opening":
        return clock.day_of(appeal.opens_at, appeal.time_zone) if appeal.opens_at else None
    months = MONTHS_AFTER.get(after)
    return progress.months_later(clock.today(appeal.time_zone), months) if months else None


def calendar(appeal: Appeal, after: str, on: date, public_url: str) -> bytes:
    """Write a calendar with one whole day in it, and an alarm at nine in the morning.

    To give again leads to whichever appeal runs then; the day of opening to the appeal itself.
    """
    opening = after == "opening"
    link = f"{public_url}/appeals/{appeal.slug}" if opening else f"{public_url}/"
    summary = f"{appeal.title} opens" if opening else f"Give again to {appeal.publisher or appeal.title}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Appeal//Reminder//EN",
        "BEGIN:VEVENT",
        f"UID:{appeal.slug}-{after}-{on:%Y%m%d}@{urlsplit(public_url).hostname}",
        f"DTSTAMP:{clock.now():%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{on:%Y%m%d}",
        f"SUMMARY:{_escaped(summary)}",
        f"DESCRIPTION:{_escaped(f'{link}?src=reminder')}",
        f"URL:{link}?src=reminder",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:PT9H",
        f"DESCRIPTION:{_escaped(summary)}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _escaped(text: str) -> str:
    plain = texts.one_line(text)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> bytes:
    """Break a long line between characters; what follows begins with a blank."""
    folded, room = b"", LONGEST_LINE_BYTES
    for sign in line:
        piece = sign.encode()
        if len(piece) > room:
            folded, room = folded + b"\r\n ", LONGEST_LINE_BYTES - 1
        folded, room = folded + piece, room - len(piece)
    return folded
