"""The letters donors get, each rendered when it is sent from what the books then say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from babel.dates import format_date
from sqlalchemy import select

from appeal import clock, mail, money, outbox, receipts
from appeal.extensions import db
from appeal.models import Donation, OutboxItem
from appeal.settings import Settings

KINDS = ("receipt", "on_its_way", "not_completed")


def senders(settings: Settings) -> dict[str, outbox.Sender]:
    """Return the function that sends each kind of letter."""
    return {kind: _sender(kind, settings) for kind in KINDS}


def _sender(kind: str, settings: Settings) -> outbox.Sender:
    def send(item: OutboxItem) -> None:
        donation = db.session.scalars(select(Donation).where(Donation.id == item.donation_id)).one()
        mail.send(letter(kind, donation, settings), settings)

    return send


def letter(kind: str, donation: Donation, settings: Settings) -> mail.Letter:
    """Render one letter about a donation.

    Raises:
        NothingToSend: the donor has no address any more.
    """
    if not donation.donor.email:
        raise outbox.NothingToSend("The donor has no e-mail address.")
    appeal = donation.appeal
    subject, text, html = mail.render(
        kind,
        _filters(donation),
        donation=donation,
        appeal=appeal,
        page_url=f"{settings.public_url}/appeals/{appeal.slug}",
        gift_url=f"{settings.public_url}/donations/{donation.public_id}/thank-you",
    )
    attachments = (receipts.as_attachment(donation, settings),) if kind == "receipt" else ()
    return mail.Letter(
        to=donation.donor.email,
        subject=subject,
        text=text,
        html=html,
        message_id=f"{kind}.{donation.public_id}",
        reply_to=appeal.contact_email,
        attachments=attachments,
    )


def _filters(donation: Donation) -> dict[str, Callable[..., Any]]:
    appeal = donation.appeal

    def amount(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale)

    def exact(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale, whole="never")

    def day(value: datetime) -> str:
        return format_date(clock.day_of(value, appeal.time_zone), format="long", locale=appeal.locale)

    return {"money": amount, "money_exact": exact, "day": day}
