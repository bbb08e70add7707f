"""A donor's data: everything that is held about a person, and its erasure.

Erasing takes out who the person is and keeps what the books must keep: amounts, days, Stripe's ids. Financial
records are kept for about six years; who they are about need not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, delete, func, literal, or_, select, update

from appeal.books import standing
from appeal.books.standing import Standing
from appeal.core import clock
from appeal.core.errors import NotPossible
from appeal.database import writing
from appeal.extensions import db
from appeal.models import (
    CheckoutSlot,
    Complaint,
    Consent,
    Donation,
    Donor,
    DonorLink,
    DonorWord,
    InboxEvent,
    Note,
    OutboxItem,
    PostLine,
    Promise,
)
from appeal.people import donors


def find(email: str) -> Donor:
    """Find the donor with an address.

    Raises:
        NotPossible: there is none.
    """
    key = donors.email_key(email)
    donor = db.session.scalars(select(Donor).where(Donor.email_key == key)).one_or_none()
    if donor is None:
        raise NotPossible("Nobody with this address is in the books.")
    return donor


def export(donor: Donor) -> dict[str, Any]:
    """Return everything that is held about a person, as plain values; amounts in minor units."""
    people = _same_person(donor)
    gifts = _gifts(people)
    stand = standing.of_all(gifts)
    return {
        "donor": {
            "email": donor.email,
            "name": donor.name,
            "since": clock.rfc3339(donor.created_at),
            "stripe_customer": donor.stripe_customer_id,
        },
        "gifts": [_gift(gift, stand.get(gift.id)) for gift in gifts],
        "by_post_and_bank": [
            {
                "name": one.name,
                "address": one.address,
                "email": one.email,
                "reference": one.reference,
                "received_on": one.received_on.isoformat(),
            }
            for one in _post_lines(people)
        ],
        "monthly_gifts": [
            {
                "amount_minor": gift.amount_minor,
                "cover_minor": gift.cover_minor,
                "currency": gift.currency,
                "status": gift.status,
                "since": clock.rfc3339(gift.started_at),
                "subscription": gift.subscription_id,
            }
            for key in people
            for gift in donors.recurring_gifts(key)
        ],
        "consents": [
            {
                "purpose": one.purpose,
                "given": one.given,
                "wording": one.wording,
                "form": one.form,
                "answered_at": clock.rfc3339(one.answered_at),
            }
            for one in db.session.scalars(select(Consent).where(Consent.donor_id.in_(people)))
        ],
        "notes": [
            {"text": one.text, "written_at": clock.rfc3339(one.written_at)}
            for one in db.session.scalars(select(Note).where(Note.donor_id.in_(people)))
        ],
        "complaints": [
            {"reference": one.public_id, "text": one.text, "made_at": clock.rfc3339(one.created_at)}
            for one in db.session.scalars(select(Complaint).where(Complaint.donor_id.in_(people)))
        ],
    }


def _post_lines(people: Sequence[int]) -> Sequence[PostLine]:
    own = select(PostLine).join(Donation, Donation.id == PostLine.donation_id)
    return db.session.scalars(own.where(Donation.donor_id.in_(people)).order_by(PostLine.id)).all()


def _same_person(donor: Donor) -> list[int]:
    """Return the ids of a donor and of those merged into them."""
    merged = db.session.scalars(select(Donor.id).where(Donor.merged_into_id == donor.id))
    return [donor.id, *merged]


def gifts_of(donor: Donor) -> Sequence[Donation]:
    """List a person's gifts, newest first."""
    return _gifts(_same_person(donor))


def _gifts(people: Sequence[int]) -> Sequence[Donation]:
    query = select(Donation).where(Donation.donor_id.in_(people)).order_by(Donation.id.desc())
    return db.session.scalars(query).all()


def _gift(gift: Donation, stands: Standing | None) -> dict[str, Any]:
    return {
        "reference": gift.public_id,
        "appeal": gift.appeal.slug,
        "amount_minor": gift.amount_minor,
        "cover_minor": gift.cover_minor,
        "received_minor": stands.received_minor if stands else 0,
        "returned_minor": stands.back_minor if stands else 0,
        "currency": gift.currency,
        "frequency": gift.frequency,
        "status": gift.status,
        "given_at": clock.rfc3339(gift.created_at),
        "received_at": clock.rfc3339(gift.received_at) if gift.received_at else None,
        "name": gift.name,
        "credit": gift.credit,
        "credit_line": gift.credit_line,
        "message": gift.message,
        "src": gift.src,
        "page": gift.page,
        "payment": gift.payment_intent_id,
    }


def erase(donor: Donor) -> None:
    """Take a person out of the books and keep their gifts' amounts, days and Stripe ids. Safe to repeat.

    Raises:
        NotPossible: a monthly gift still runs; it must be cancelled first, or Stripe would go on charging.
    """
    with writing() as session:
        people = _same_person(donor)
        if any(gift.status != "ended" for key in people for gift in donors.recurring_gifts(key)):
            raise NotPossible(
                "A monthly gift still runs. Cancel it first, at once; then nothing holds the data."
            )
        addresses = [
            address for address in session.scalars(select(Donor.email).where(Donor.id.in_(people))) if address
        ]
        _forget_gifts(people)
        _forget_around(people, addresses)
        change = update(Donor).where(Donor.id.in_(people))
        nobody = {"email": None, "email_key": None, "name": "", "stripe_customer_id": None}
        session.execute(change.values(**nobody, erased_at=clock.now()))


def _forget_gifts(people: Sequence[int]) -> None:
    gifts = select(Donation.id).where(Donation.donor_id.in_(people))
    anonymous = {"name": "", "credit": "anonymous", "credit_line": "", "credit_review": "none"}
    silent = {"message": "", "message_review": "none", "form_digest": None}
    change = update(Donation).where(Donation.donor_id.in_(people)).values(**anonymous, **silent)
    db.session.execute(change.execution_options(synchronize_session=False))
    db.session.execute(delete(CheckoutSlot).where(CheckoutSlot.donation_id.in_(gifts)))
    lines = (
        update(PostLine)
        .where(PostLine.donation_id.in_(gifts))
        .values(name="", address="", email="", credit_line="", reference="")
    )
    db.session.execute(lines.execution_options(synchronize_session=False))
    letters = update(OutboxItem).where(OutboxItem.donation_id.in_(gifts)).values(recipient="", content={})
    db.session.execute(letters.execution_options(synchronize_session=False))
    unsent = update(OutboxItem).where(OutboxItem.donation_id.in_(gifts), OutboxItem.state != "done")
    db.session.execute(unsent.values(state="ignored").execution_options(synchronize_session=False))


def _forget_around(people: Sequence[int], addresses: Sequence[str]) -> None:
    for table in (DonorLink, DonorWord, Note):
        db.session.execute(delete(table).where(table.donor_id.in_(people)))
    answered = Complaint.donor_id.in_(people) & Complaint.answered_at.is_not(None)
    db.session.execute(update(Complaint).where(answered).values(text=""))
    for address in addresses:
        recipient = update(OutboxItem).where(OutboxItem.recipient == address).values(recipient="", content={})
        db.session.execute(recipient.execution_options(synchronize_session=False))
        promised = update(Promise).where(Promise.email == donors.email_key(address)).values(name="", email="")
        db.session.execute(promised.execution_options(synchronize_session=False))
        # What Stripe sent is kept raw; once applied, nothing needs the words of it any more.
        applied = InboxEvent.state.in_(("done", "ignored"))
        bodies = update(InboxEvent).where(applied, or_(_mentions(address), _mentions(address.casefold())))
        db.session.execute(bodies.values(body=b"{}").execution_options(synchronize_session=False))


def _mentions(address: str) -> ColumnElement[bool]:
    """Say in SQL whether an event's raw body holds an address."""
    text = literal(address.encode(), LargeBinary)
    if db.session.get_bind().dialect.name == "postgresql":
        return func.strpos(func.encode(InboxEvent.body, "escape"), address) > 0
    return func.instr(InboxEvent.body, text) > 0
