"""What a message says, made of the books when it is sent, so that a retry says the same and an erased donor is gone.

`amount_minor` and `cover_minor` are signed as the ledger's; `counted_minor` is what the fact adds to *raised*: over all
messages of an appeal it adds up to it. docs/outgoing.md lists every field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from appeal.core import clock, money
from appeal.extensions import db
from appeal.models import Appeal, Donation, LedgerEntry, OutboxItem, OutgoingEndpoint, RecurringGift
from appeal.outgoing import events
from appeal.queues import outbox

PERSONAL = {"name": "Name", "email": "E-mail address", "message": "Message, once approved"}
Json = dict[str, Any]


def message_id(event_type: str, subject: str) -> str:
    """Return the id of an event's message: the same at every endpoint and every attempt."""
    return "msg_" + hashlib.sha256(f"{event_type}:{subject}".encode()).hexdigest()[:32]


def of_item(item: OutboxItem, endpoint: OutgoingEndpoint) -> tuple[str, bytes]:
    """Return the id and the bytes of the message that an item asks for.

    Raises:
        NothingToSend: what it tells of is not in the books.
    """
    event_type, subject = item.content["type"], item.content["subject"]
    at, data = _told(event_type, subject, item, endpoint)
    content = _chat(data) if endpoint.kind == "chat" else _standard(event_type, at, data)
    return message_id(event_type, subject), _bytes(content)


def trial(endpoint: OutgoingEndpoint, now: datetime) -> bytes:
    """Return the bytes of a message that only tests the way."""
    if endpoint.kind == "chat":
        return _bytes({"text": "A test from the appeal office: messages about milestones will arrive here."})
    return _bytes(_standard("test", now, {"note": "This message only tests the way; no money moved."}))


def _standard(event_type: str, at: datetime, data: Json) -> Json:
    return {"type": event_type, "timestamp": clock.rfc3339(at), "data": data}


def _bytes(content: Json) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _told(
    event_type: str, subject: str, item: OutboxItem, endpoint: OutgoingEndpoint
) -> tuple[datetime, Json]:
    if event_type == "milestone.reached":
        return item.created_at, {
            name: value for name, value in item.content.items() if name not in {"type", "subject"}
        }
    if event_type == "monthly.cancelled":
        return _end(subject, endpoint)
    return _movement(subject, item.donation_id, endpoint)


def _movement(fact: str, donation_id: int | None, endpoint: OutgoingEndpoint) -> tuple[datetime, Json]:
    """Tell of one fact of the ledger: its gift's entry and its cover's, whichever there are."""
    query = select(LedgerEntry).where(LedgerEntry.fact.in_([fact, fact + events.COVER]))
    entries = list(db.session.scalars(query))
    donation = db.session.get(Donation, donation_id)
    if not entries or donation is None:
        raise outbox.NothingToSend("The books know no such fact.")
    first = entries[0]
    monthly = db.session.get(RecurringGift, donation.recurring_gift_id or 0)
    data = {
        "appeal": donation.appeal.slug,
        "donation_id": donation.public_id,
        "amount_minor": _sum(one for one in entries if not _is_cover(one)),
        "cover_minor": _sum(one for one in entries if _is_cover(one)),
        "counted_minor": _sum(one for one in entries if one.counted),
        "currency": first.currency,
        "occurred_at": clock.rfc3339(first.occurred_at),
        "source": first.source,
        "frequency": first.frequency,
        "monthly_gift_id": monthly.public_id if monthly else None,
        "placement": first.placement,
        "page": donation.page,
        "src": donation.src,
    }
    return first.occurred_at, data | _personal(donation, endpoint)


def _sum(entries: Iterable[LedgerEntry]) -> int:
    return sum(one.amount_minor for one in entries)


def _is_cover(entry: LedgerEntry) -> bool:
    return entry.fact.endswith(events.COVER)


def _end(public_id: str, endpoint: OutgoingEndpoint) -> tuple[datetime, Json]:
    gift = db.session.scalars(select(RecurringGift).where(RecurringGift.public_id == public_id)).one_or_none()
    if gift is None:
        raise outbox.NothingToSend("The books know no such monthly gift.")
    began = db.session.scalars(select(Donation).where(Donation.public_id == gift.begun_by)).one()
    ended_at = gift.ended_at or gift.told_at
    data = {
        "appeal": db.session.get_one(Appeal, gift.appeal_id).slug,
        "monthly_gift_id": gift.public_id,
        "donation_id": gift.begun_by,
        "amount_minor": gift.amount_minor,
        "cover_minor": gift.cover_minor,
        "currency": gift.currency,
        "started_at": clock.rfc3339(gift.started_at),
        "ended_at": clock.rfc3339(ended_at),
    }
    return ended_at, data | _personal(began, endpoint)


def _personal(donation: Donation, endpoint: OutgoingEndpoint) -> Json:
    """Add what the publisher chose to send of the donor, and nothing else; an erased donor has nothing left."""
    known = {
        "name": donation.name or None,
        "email": donation.donor.email or None,
        "message": donation.message if donation.message_review == "approved" else None,
    }
    chosen = {name: value for name, value in known.items() if name in endpoint.personal}
    return {"donor": chosen} if chosen else {}


def _chat(data: Json) -> Json:
    """Write a milestone as Slack, Mattermost and Teams take it; signs that would be markup are escaped."""

    def amount(minor: int) -> str:
        return money.format_money(minor, data["currency"], data["locale"], whole="down")

    text = (
        f"“{data['title']}” has passed {data['percent']}% of its goal: "
        f"{amount(data['raised_minor'])} of {amount(data['goal_minor'])}, "
        f"{data['gift_count']:,} {'gift' if data['gift_count'] == 1 else 'gifts'}."
    )
    if data["percent"] == 100:
        text += " The goal is reached!"
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
