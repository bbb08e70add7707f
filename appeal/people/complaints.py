"""Complaints about how data is handled: kept, acknowledged by mail, told to staff, answered by a person.

Source: UK data protection law since June 2026: a form, and an acknowledgement within 30 days; ours is at once.
"""

from __future__ import annotations

from babel.dates import format_date

from appeal.core import clock, ids
from appeal.database import writing
from appeal.models import Complaint, Donor
from appeal.queues import notices, outbox

LONGEST = 5_000


def receive(donor: Donor, text: str) -> str:
    """Keep a complaint, acknowledge it, and tell staff; return its reference."""
    with writing() as session:
        reference = ids.public_id()
        now = clock.now()
        session.add(Complaint(public_id=reference, donor_id=donor.id, text=text, created_at=now))
        notices.add(
            "complaint",
            f"complaint:{reference}",
            "Somebody complains about how their data is handled. Answer within 30 days.",
        )
        if donor.email:
            content = {
                "reference": reference,
                "text": text,
                "received_on": format_date(now.date(), format="long", locale="en_GB"),
            }
            outbox.add(
                "complaint_received",
                f"complaint_received:{reference}",
                recipient=donor.email,
                content=content,
            )
        return reference
