"""What donors wrote, read by a person before anybody sees it: names to credit, messages; a list of words to look at."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sqlalchemy import select

from appeal.core import texts
from appeal.core.errors import DomainError, NoSuchDonation
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation
from appeal.models.donation import CREDITS, IS_TO_READ
from appeal.office import audit
from appeal.office.audit import Actor

PARTS = {"credit": "credit_review", "message": "message_review"}
LONE_LETTERS = re.compile(r"(?<=\b\w) (?=\w\b)")
VERDICTS = ("approved", "hidden", "waiting")


class CreditRefused(DomainError):
    """These words cannot be shown."""


def queue(appeal_id: int, *, after_id: int = 0, most: int = 30) -> list[Donation]:
    """Return received gifts with something to read, oldest first."""
    query = select(Donation).where(
        IS_TO_READ, Donation.appeal_id + 0 == appeal_id, Donation.received_at.is_not(None)
    )
    return list(db.session.scalars(query.where(Donation.id > after_id).order_by(Donation.id).limit(most)))


def review(public_id: str, verdicts: dict[str, str], actor: Actor) -> Donation:
    """Approve or hide a gift's name or message; anonymous stays anonymous whatever is asked.

    Raises:
        NoSuchDonation: there is none.
        CreditRefused: the verdict is none, or the gift is anonymous.
    """
    with writing():
        donation = _found(public_id)
        for part, verdict in verdicts.items():
            if part not in PARTS or verdict not in VERDICTS:
                raise CreditRefused("That is no verdict.")
            if part == "credit" and donation.credit == "anonymous" and verdict == "approved":
                raise CreditRefused("This gift is anonymous; there is nothing to show.")
        after = {PARTS[part]: verdict for part, verdict in verdicts.items()}
        _change(donation, after, "donation.reviewed", actor)
        return donation


def recredit(public_id: str, credit: str, line: str, actor: Actor, *, reason: str) -> Donation:
    """Change how a gift is named, as the donor asked for; it is approved by being typed.

    Raises:
        NoSuchDonation: there is none.
        CreditRefused: the words cannot be shown.
    """
    line = texts.one_line(line)
    if credit not in CREDITS:
        raise CreditRefused("Choose how the gift is named.")
    if credit == "custom" and (not line or len(line) > texts.CREDIT_LINE_LONGEST or texts.has_control(line)):
        raise CreditRefused(f"Enter the words, at most {texts.CREDIT_LINE_LONGEST} characters.")
    if credit == "custom" and texts.names_a_site(line):
        raise CreditRefused("Leave out addresses of web sites.")
    with writing():
        donation = _found(public_id)
        after = {
            "credit": credit,
            "credit_line": line if credit == "custom" else "",
            "credit_review": "none" if credit == "anonymous" else "approved",
        }
        _change(donation, after, "donation.recredited", actor, reason)
        return donation


def _found(public_id: str) -> Donation:
    query = select(Donation).where(Donation.public_id == public_id).with_for_update(of=Donation)
    donation = db.session.scalars(query).one_or_none()
    if donation is None:
        raise NoSuchDonation
    return donation


def _change(donation: Donation, after: dict[str, str], action: str, actor: Actor, reason: str = "") -> None:
    before, after = audit.differing({name: getattr(donation, name) for name in after}, after)
    if after:
        for name, value in after.items():
            setattr(donation, name, value)
        audit.write(
            actor, action, f"donation:{donation.public_id}", before=before, after=after, reason=reason
        )


def suspicious(text: str, refused: Iterable[str]) -> list[str]:
    """Return the listed words that occur in a text, whatever their case, accents or marks between their letters."""
    plain = _plain(text)
    return [word for word in refused if _plain(word) and _plain(word) in plain]


def _plain(text: str) -> str:
    """Return small letters without accents and marks; letters that stand alone in a row are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(sign for sign in decomposed if sign.isalnum() or sign.isspace())
    return LONE_LETTERS.sub("", " ".join(kept.split()))
