"""Proof of being a donor: a link, e-mailed, that works once and soon runs out. Only a digest of its token is stored.

Asking answers the same for everybody; the letter is written for those we know. The token is made when the letter is
sent, so that no stored row can open a door.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, select, update

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donor, DonorLink, OutboxItem
from appeal.people import donors
from appeal.queues import outbox

LIFE = timedelta(minutes=30)
KEEP = timedelta(days=7)
LETTERS_AN_HOUR = 3


def ask(email: str) -> None:
    """Let a link be sent to the donor with an address, if there is one; nothing comes back, whoever asks."""
    with writing() as session:
        key = donors.email_key(email)
        donor = session.scalars(select(Donor).where(Donor.email_key == key)).one_or_none()
        if donor is None or not donor.email or _asked_lately(donor.email) >= LETTERS_AN_HOUR:
            return
        stamp = int(clock.now().timestamp() * 1000)
        content = {"donor_id": donor.id}
        outbox.add("giving_link", f"giving_link:{donor.id}:{stamp}", recipient=donor.email, content=content)


def _asked_lately(address: str) -> int:
    query = select(func.count()).select_from(OutboxItem)
    lately = OutboxItem.created_at > clock.now() - timedelta(hours=1)
    query = query.where(OutboxItem.kind == "giving_link", OutboxItem.recipient == address, lately)
    return int(db.session.scalar(query) or 0)


def make(donor_id: int) -> str:
    """Make a new link for a donor and return its token: 256 random bits."""
    token = secrets.token_urlsafe(32)
    with writing() as session:
        now = clock.now()
        link = DonorLink(donor_id=donor_id, token_digest=digest(token), created_at=now, expires_at=now + LIFE)
        session.add(link)
    return token


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def use(token: str) -> int | None:
    """Use up a link; return its donor's id, or None when it is unknown, used or too old."""
    with writing() as session:
        now = clock.now()
        usable = (DonorLink.used_at.is_(None), DonorLink.expires_at > now)
        change = update(DonorLink).where(DonorLink.token_digest == digest(token), *usable).values(used_at=now)
        donor_id = session.scalar(
            change.returning(DonorLink.donor_id).execution_options(synchronize_session=False)
        )
        donor = session.get(Donor, donor_id) if donor_id else None
        while donor is not None and donor.merged_into_id is not None:
            donor = session.get(Donor, donor.merged_into_id)
        return donor.id if donor is not None and donor.erased_at is None else None


def forget_old() -> int:
    """Delete links that have long run out; return how many."""
    with writing() as session:
        old = delete(DonorLink).where(DonorLink.expires_at < clock.now() - KEEP)
        return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
