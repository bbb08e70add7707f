"""The letters staff get: an invitation, a link to choose a new password."""

from __future__ import annotations

from appeal import mail
from appeal.core import clock
from appeal.extensions import db
from appeal.models import OutboxItem, Person, StaffToken
from appeal.office import staff_people
from appeal.queues import outbox
from appeal.settings import Settings

PURPOSES = ("invitation", "reset")


def senders(settings: Settings) -> dict[str, outbox.Sender]:
    """Return the function that sends each kind of letter."""
    return {f"staff_{purpose}": _sender(settings) for purpose in PURPOSES}


def _sender(settings: Settings) -> outbox.Sender:
    def send(item: OutboxItem) -> None:
        mail.send(letter(item, settings), settings)

    return send


def letter(item: OutboxItem, settings: Settings) -> mail.Letter:
    """Render one letter with its link.

    Raises:
        NothingToSend: the link was used or is too old by now.
    """
    token = db.session.get(StaffToken, item.content["token_id"])
    if token is None or token.used_at or token.expires_at < clock.now():
        raise outbox.NothingToSend("The link is of no use any more.")
    person = db.session.get_one(Person, token.person_id)
    text = staff_people.token_text(token.nonce, settings.secret_key.get_secret_value().encode())
    subject, plain, html = mail.render(
        item.kind, {}, person=person, link=f"{settings.public_url}/staff/login?token={text}"
    )
    return mail.Letter(
        to=item.recipient, subject=subject, text=plain, html=html, message_id=f"staff.{token.id}"
    )
