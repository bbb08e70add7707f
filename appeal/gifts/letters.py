"""The letters donors get, each rendered when it is sent from what the books then say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from babel.dates import format_date
from sqlalchemy import select

from appeal import mail
from appeal.books import standing
from appeal.core import clock, money
from appeal.extensions import db
from appeal.gifts import monthly, receipts
from appeal.models import Donation, OutboxItem
from appeal.people import donor_links
from appeal.queues import outbox
from appeal.settings import Settings

KINDS = ("receipt", "on_its_way", "not_completed", "renewal_failed", "refunded", "monthly_changed")


def senders(settings: Settings) -> dict[str, outbox.Sender]:
    """Return the function that sends each kind of letter."""
    return {kind: _sender(kind, settings) for kind in KINDS} | {
        "giving_link": lambda item: mail.send(_link_letter(item, settings), settings),
        "complaint_received": lambda item: mail.send(_complaint_letter(item, settings), settings),
    }


def _sender(kind: str, settings: Settings) -> outbox.Sender:
    def send(item: OutboxItem) -> None:
        donation = db.session.scalars(select(Donation).where(Donation.id == item.donation_id)).one()
        if _overtaken(item, donation):
            raise outbox.NothingToSend("The gift has been paid since.")
        mail.send(letter(kind, donation, settings, item.content, name=item.dedupe), settings)

    return send


def _overtaken(item: OutboxItem, donation: Donation) -> bool:
    """Say whether a letter that waited for long would tell of a payment as missing that has come since."""
    if item.kind == "renewal_failed":
        return monthly.is_paid(item.content.get("invoice_id", ""))
    return item.kind in {"on_its_way", "not_completed"} and donation.status == "received"


def letter(
    kind: str,
    donation: Donation,
    settings: Settings,
    content: Mapping[str, Any] | None = None,
    *,
    name: str = "",
) -> mail.Letter:
    """Render one letter about a donation; `content` is what the cause added, `name` the cause's own.

    Raises:
        NothingToSend: the donor has no address any more.
    """
    if not donation.donor.email:
        raise outbox.NothingToSend("The donor has no e-mail address.")
    appeal = donation.appeal
    stands = standing.of(donation)
    subject, text, html = mail.render(
        kind,
        _filters(donation),
        donation=donation,
        appeal=appeal,
        content=content or {},
        counted=stands is None or stands.gift_counts,
        page_url=f"{settings.public_url}/appeals/{appeal.slug}",
        gift_url=f"{settings.public_url}/donations/{donation.public_id}/thank-you",
        giving_url=f"{settings.public_url}/giving",
    )
    attachments = (receipts.as_attachment(donation, settings),) if kind == "receipt" else ()
    return mail.Letter(
        to=donation.donor.email,
        subject=subject,
        text=text,
        html=html,
        message_id=_message_id(name or f"{kind}:{donation.public_id}"),
        reply_to=appeal.contact_email,
        attachments=attachments,
    )


def _message_id(dedupe: str) -> str:
    """Return the left part of a Message-ID: the cause's own name, in signs that every mail program takes."""
    return "".join(sign if sign.isalnum() or sign in "-_." else "." for sign in dedupe)


def _filters(donation: Donation) -> dict[str, Callable[..., Any]]:
    appeal = donation.appeal

    def amount(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale)

    def exact(value: int) -> str:
        return money.format_money(value, appeal.currency, appeal.locale, whole="never")

    def day(value: datetime) -> str:
        return format_date(clock.day_of(value, appeal.time_zone), format="long", locale=appeal.locale)

    return {"money": amount, "money_exact": exact, "day": day}


def _link_letter(item: OutboxItem, settings: Settings) -> mail.Letter:
    """Write the letter with a donor's link; the link is made now, and stored nowhere as it is."""
    token = donor_links.make(int(item.content["donor_id"]))
    link = f"{settings.public_url}/giving/enter/{token}"
    minutes = int(donor_links.LIFE.total_seconds() // 60)
    return _personal(item, settings, link=link, minutes=minutes)


def _complaint_letter(item: OutboxItem, settings: Settings) -> mail.Letter:
    return _personal(item, settings, **item.content)


def _personal(item: OutboxItem, settings: Settings, **values: Any) -> mail.Letter:
    if not item.recipient:
        raise outbox.NothingToSend("There is no address to write to.")
    house = settings.mail_from.partition("<")[0].strip() or "Your gifts"
    subject, text, html = mail.render(item.kind, {}, house=house, **values)
    return mail.Letter(
        to=item.recipient, subject=subject, text=text, html=html, message_id=_message_id(item.dedupe)
    )
