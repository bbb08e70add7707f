"""Donors: finding the person behind an e-mail address, and what they agreed to."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from sqlalchemy import Select, bindparam, select, update

from appeal.books.ledger import insert_once
from appeal.core import clock, ids
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Consent, Donor, RecurringGift


def email_key(email: str) -> str:
    """Return what makes two ways of writing an address the same person's."""
    return email.strip().casefold()


def find_or_add(email: str, name: str) -> Donor:
    """Return the donor with this address, added if there is none; a merged donor leads to the one that remains."""
    with writing() as session:
        values = {
            "public_id": ids.public_id(),
            "email": email,
            "email_key": email_key(email),
            "name": name,
            "created_at": clock.now(),
        }
        insert_once(session, Donor, values, key="email_key")
        # Held until the gift is written: who came to nothing long ago is forgotten at any time (appeal/people/retention.py).
        donor = session.scalars(_held(), {"wanted": email_key(email)}).one_or_none()
        if donor is None:
            return find_or_add(email, name)
        while donor.merged_into_id is not None:
            donor = session.get_one(Donor, donor.merged_into_id)
        return donor


@lru_cache(maxsize=1)
def _held() -> Select[Donor]:
    query = select(Donor).where(Donor.email_key == bindparam("wanted"))
    return query.with_for_update(read=True, key_share=True)


def remember_customer(donor_id: int, customer_id: str | None) -> None:
    """Keep who a donor is at Stripe, the first time that is told."""
    if customer_id is None:
        return
    with writing() as session:
        change = update(Donor).where(Donor.id == donor_id, Donor.stripe_customer_id.is_(None))
        session.execute(
            change.values(stripe_customer_id=customer_id).execution_options(synchronize_session=False)
        )


def answer_marketing(donor: Donor, *, given: bool, wording: str, form: str) -> None:
    """Keep one answer about marketing with its wording; a tick is kept, and so is the tick that was left out.

    The wording's version is a digest of it, written behind the form's name: no two wordings ever share one.
    """
    version = hashlib.sha256(wording.encode()).hexdigest()[:8]
    with writing() as session:
        session.add(
            Consent(
                donor_id=donor.id,
                purpose="updates",
                given=given,
                wording=wording,
                form=f"{form[:60]}, wording {version}",
                answered_at=clock.now(),
            )
        )


def recurring_gifts(donor_id: int) -> list[RecurringGift]:
    """List a donor's monthly gifts, newest first."""
    query = select(RecurringGift).where(RecurringGift.donor_id == donor_id).order_by(RecurringGift.id.desc())
    return list(db.session.scalars(query))
