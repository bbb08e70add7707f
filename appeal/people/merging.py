"""Two donors found to be one person, and one person found to be two after all.

The gifts change hands, each appeal's standing of the two donors moves with them, and what moved is kept, so that the
step can be taken back. Entries of the ledger are not touched: they belong to gifts, not to people.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from appeal.books.ledger import lock_totals
from appeal.core import clock
from appeal.core.errors import DomainError, NoSuchThing
from appeal.database import writing
from appeal.extensions import db
from appeal.models import AppealDonor, AppealTotals, Donation, Donor, DonorMerge, RecurringGift
from appeal.office import audit, search
from appeal.office.audit import Actor
from appeal.people import donors


class MergeRefused(DomainError):
    """These two cannot be made one."""


def by_public_id(public_id: str) -> Donor:
    """Find a donor.

    Raises:
        NoSuchThing: there is none.
    """
    donor = db.session.scalars(select(Donor).where(Donor.public_id == public_id)).one_or_none()
    if donor is None:
        raise NoSuchThing("There is no such donor.")
    return donor


def by_email_or_public_id(text: str) -> Donor:
    """Find a donor by what a person has at hand of them: the whole e-mail address, or the reference.

    Raises:
        NoSuchThing: there is none.
    """
    if "@" not in text:
        return by_public_id(text)
    donor = db.session.scalars(select(Donor).where(Donor.email_key == donors.email_key(text))).one_or_none()
    if donor is None:
        raise NoSuchThing("There is no donor with this address.")
    return donor


def merge(kept: Donor, merged: Donor, actor: Actor) -> DonorMerge:
    """Give everything of one donor to another, who remains.

    Raises:
        MergeRefused: they are one already, or one of them is merged or erased.
    """
    with writing() as session:
        for donor in sorted((kept, merged), key=lambda one: one.id):
            session.refresh(donor, with_for_update=True)
        if kept.id == merged.id or kept.merged_into_id or merged.merged_into_id:
            raise MergeRefused
        if kept.erased_at or merged.erased_at:
            raise MergeRefused("One of the two was erased.")
        moved = _belongings(merged)
        _hand_over(session, moved, merged.id, kept.id)
        merged.merged_into_id = kept.id
        step = DonorMerge(
            kept_id=kept.id, merged_id=merged.id, moved=moved, actor=actor.email, merged_at=clock.now()
        )
        session.add(step)
        audit.write(
            actor,
            "donor.merged",
            f"donor:{kept.public_id}",
            after={"merged": merged.public_id, "gifts": len(moved["donations"])},
        )
        return step


def undo(step_id: int, actor: Actor) -> Donor:
    """Take a merge back; gifts made since stay where they are. Return the donor who is himself again.

    Raises:
        MergeRefused: there is no such step, or it was taken back already.
    """
    with writing() as session:
        step = session.get(DonorMerge, step_id, with_for_update=True)
        if step is None or step.undone_at:
            raise MergeRefused("That was taken back already.")
        kept, merged = session.get_one(Donor, step.kept_id), session.get_one(Donor, step.merged_id)
        if merged.merged_into_id != kept.id or kept.merged_into_id:
            raise MergeRefused("Take back the later step first.")
        _hand_over(session, step.moved, kept.id, merged.id)
        merged.merged_into_id = None
        step.undone_at = clock.now()
        search.file_anew(merged)
        audit.write(
            actor, "donor.merge_undone", f"donor:{kept.public_id}", after={"merged": merged.public_id}
        )
        return merged


def _belongings(donor: Donor) -> dict[str, list[int]]:
    return {
        "donations": list(db.session.scalars(select(Donation.id).where(Donation.donor_id == donor.id))),
        "recurring": list(
            db.session.scalars(select(RecurringGift.id).where(RecurringGift.donor_id == donor.id))
        ),
    }


def _hand_over(session: Session, moved: dict[str, list[int]], giver_id: int, taker_id: int) -> None:
    """Move gifts from one donor to another, and each appeal's standing and number of donors with them."""
    donations = list(
        session.scalars(
            select(Donation)
            .where(Donation.id.in_(moved["donations"]))
            .order_by(Donation.id)
            .with_for_update(of=Donation)
        )
    )
    for appeal_id in sorted({donation.appeal_id for donation in donations}):
        own = [donation for donation in donations if donation.appeal_id == appeal_id and donation.received_at]
        _move_standing(session, appeal_id, own, giver_id, taker_id)
    for table, ids in ((Donation, moved["donations"]), (RecurringGift, moved["recurring"])):
        change = update(table).where(table.id.in_(ids)).values(donor_id=taker_id)
        session.execute(change.execution_options(synchronize_session=False))
    session.expire_all()


def _move_standing(
    session: Session, appeal_id: int, donations: list[Donation], giver_id: int, taker_id: int
) -> None:
    lock_totals(session, appeal_id)
    gifts = sum(donation.standing_minor > 0 for donation in donations)
    given = sum(donation.standing_minor for donation in donations)
    before = _givers(session, appeal_id, giver_id, taker_id)
    for donor_id, sign in ((giver_id, -1), (taker_id, 1)):
        row = session.get(AppealDonor, (appeal_id, donor_id))
        if row is None:
            row = AppealDonor(appeal_id=appeal_id, donor_id=donor_id, gift_count=0, given_minor=0)
            session.add(row)
        row.gift_count += sign * gifts
        row.given_minor += sign * given
    session.flush()
    difference = _givers(session, appeal_id, giver_id, taker_id) - before
    session.execute(
        update(AppealTotals)
        .where(AppealTotals.appeal_id == appeal_id)
        .values(donor_count=AppealTotals.donor_count + difference)
        .execution_options(synchronize_session=False)
    )


def _givers(session: Session, appeal_id: int, *donor_ids: int) -> int:
    query = select(func.count()).select_from(AppealDonor)
    query = query.where(
        AppealDonor.appeal_id == appeal_id, AppealDonor.donor_id.in_(donor_ids), AppealDonor.gift_count > 0
    )
    return int(session.scalar(query) or 0)


def steps_of(donor: Donor) -> list[DonorMerge]:
    """Return the merges into a donor that still stand, newest first."""
    query = select(DonorMerge).where(DonorMerge.kept_id == donor.id, DonorMerge.undone_at.is_(None))
    return list(db.session.scalars(query.order_by(DonorMerge.id.desc())))


@dataclass(frozen=True, slots=True)
class History:
    """What a donor gave."""

    donations: list[Donation]
    recurring: list[RecurringGift]
    standings: list[AppealDonor]


def history(donor: Donor, *, most: int = 200) -> History:
    """Return a donor's gifts, newest first, monthly gifts, and what stands in each appeal."""
    gifts = select(Donation).where(Donation.donor_id == donor.id).order_by(Donation.id.desc()).limit(most)
    monthly = (
        select(RecurringGift).where(RecurringGift.donor_id == donor.id).order_by(RecurringGift.id.desc())
    )
    standings = select(AppealDonor).where(AppealDonor.donor_id == donor.id, AppealDonor.gift_count > 0)
    return History(
        list(db.session.scalars(gifts)),
        list(db.session.scalars(monthly)),
        list(db.session.scalars(standings)),
    )


def likely_same(donor: Donor) -> list[Donor]:
    """Return donors who may be the same person: alike in name."""
    if not donor.name.strip():
        return []
    found, _ = search.found_donors(donor.name.replace("@", " "), most=10)
    return [one for one in found if one.id != donor.id and one.merged_into_id is None][:5]
