"""Notes of the staff about donors and gifts: added, never changed; gone with the donor who is erased."""

from __future__ import annotations

from sqlalchemy import select

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation, Donor, Note
from appeal.office import audit
from appeal.office.audit import Actor

LONGEST = 4000


class NoteRefused(DomainError):
    """A note needs some words."""


def add(donor: Donor, text: str, actor: Actor, *, donation: Donation | None = None) -> Note:
    """Add a note to a donor, and to one of their gifts where it is about that.

    Raises:
        NoteRefused: it is empty or far too long.
    """
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        raise NoteRefused(f"Write a note of at most {LONGEST} characters.")
    with writing() as session:
        note = Note(
            donor_id=donor.id,
            donation_id=donation.id if donation else None,
            text=text,
            author=actor.email,
            written_at=clock.now(),
        )
        session.add(note)
        audit.write(actor, "note.added", f"donor:{donor.public_id}")
        return note


def about(donor_ids: list[int]) -> list[Note]:
    """Return the notes about donors, newest first."""
    query = select(Note).where(Note.donor_id.in_(donor_ids)).order_by(Note.id.desc())
    return list(db.session.scalars(query))
