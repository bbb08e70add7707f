"""How many unpaid Checkout sessions one address, network, e-mail address or appeal may hold open.

Donation forms are where stolen cards are tried. The counters live in our own database and are taken in the
transaction that writes the donation, so that no race slips past them; a slot is given back when the gift is paid,
so that an office behind one address is not locked out. No address is stored, only a keyed digest of it.
Why these figures: docs/adr/0004.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import case, delete, func, insert, select, text, update

from appeal.core import clock
from appeal.core.errors import GivingPaused, TooManyAttempts
from appeal.database import writing
from appeal.extensions import db
from appeal.models import CheckoutSlot, Donation

HOUR = timedelta(hours=1)
# Where many pay, a few who give up are no sign of stolen cards: an office behind one address is not locked out.
PAID_PER_EXTRA = 5
BUDGET_WINDOW = timedelta(minutes=10)
BUDGET_UNPAID = 20
BUDGET_SHARE_PERCENT = 60
BUDGET_SAMPLE = 50
UNDER_ATTACK_PER_HOUR = 10
KEEP_DIGESTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the address we believe, and the key its digest is made with."""

    address: str
    digest_key: bytes
    per_address_hour: int = 5

    @property
    def network(self) -> str:
        """Return the neighbourhood of the address: /24 for IPv4, /48 for IPv6."""
        return self._prefix(24, 48)

    @property
    def host(self) -> str:
        """Return the address itself for IPv4, its /64 for IPv6, where one person holds as many as they like."""
        return self._prefix(32, 64)

    def _prefix(self, v4: int, v6: int) -> str:
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return "unknown"
        bits = v4 if address.version == 4 else v6
        return str(ipaddress.ip_network((address, bits), strict=False))


def take(donation: Donation, visitor: Visitor, email_key: str) -> None:
    """Count one more unpaid session, in the transaction that writes the donation.

    Raises:
        TooManyAttempts: when an address, a network or an e-mail address holds too many.
        GivingPaused: when the whole appeal looks as if cards were being tried on it.
    """
    with writing() as session:
        now = clock.now()
        scopes = list(_scopes(visitor, email_key))
        for scope, key, most in scopes:
            _one_at_a_time(scope, key)
            unpaid, paid = _held(scope, key)
            if unpaid >= most + paid // PAID_PER_EXTRA:
                raise TooManyAttempts
        if (
            under_attack(donation.appeal_id)
            and _held(*_appeal_scope(donation, visitor))[0] >= UNDER_ATTACK_PER_HOUR
        ):
            raise GivingPaused(retry_after_seconds=int(BUDGET_WINDOW.total_seconds()))
        taken = [(scope, key) for scope, key, _most in scopes] + [_appeal_scope(donation, visitor)]
        rows = [
            {"donation_id": donation.id, "scope": scope, "key_digest": key, "taken_at": now}
            for scope, key in taken
        ]
        session.connection().execute(insert(CheckoutSlot), rows)


def release(donation_id: int) -> None:
    """Give a donation's slots back: it was paid, or no session was made for it."""
    with writing() as session:
        session.execute(
            update(CheckoutSlot)
            .where(CheckoutSlot.donation_id == donation_id, CheckoutSlot.released_at.is_(None))
            .values(released_at=clock.now())
            .execution_options(synchronize_session=False)
        )


def under_attack(appeal_id: int) -> bool:
    """Say whether an appeal's newest sessions look like stolen cards being tried: many, and hardly any paid."""
    fresh = CheckoutSlot.taken_at > clock.now() - BUDGET_WINDOW
    own = (CheckoutSlot.scope == "appeal", Donation.appeal_id == appeal_id)
    newest = (
        select(CheckoutSlot.released_at)
        .join(Donation, Donation.id == CheckoutSlot.donation_id)
        .where(*own, fresh)
        .order_by(CheckoutSlot.id.desc())
        .limit(BUDGET_SAMPLE)
    ).subquery()
    total, paid = db.session.execute(
        select(func.count(), func.count(newest.c.released_at)).select_from(newest)
    ).one()
    unpaid = total - paid
    return unpaid >= BUDGET_UNPAID and unpaid * 100 > total * BUDGET_SHARE_PERCENT


def forget_old() -> int:
    """Delete slots older than the retention of address digests; return how many."""
    with writing() as session:
        old = delete(CheckoutSlot).where(CheckoutSlot.taken_at < clock.now() - KEEP_DIGESTS)
        return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _scopes(visitor: Visitor, email_key: str) -> Iterator[tuple[str, str, int]]:
    yield "address", _digest(visitor, visitor.host), visitor.per_address_hour
    yield "network", _digest(visitor, visitor.network), visitor.per_address_hour * 12
    yield "email", _digest(visitor, email_key), visitor.per_address_hour * 2


def _appeal_scope(donation: Donation, visitor: Visitor) -> tuple[str, str]:
    return "appeal", _digest(visitor, str(donation.appeal_id))


def _digest(visitor: Visitor, value: str) -> str:
    return hmac.new(visitor.digest_key, value.encode(), hashlib.sha256).hexdigest()


def _held(scope: str, key: str) -> tuple[int, int]:
    """Count the sessions of the last hour on one key: those that are not paid, and those that were."""
    query = (
        select(
            func.count(case((CheckoutSlot.released_at.is_(None), 1))),
            func.count(case((Donation.status == "received", 1))),
        )
        .join(Donation, Donation.id == CheckoutSlot.donation_id)
        .where(
            CheckoutSlot.scope == scope,
            CheckoutSlot.key_digest == key,
            CheckoutSlot.taken_at > clock.now() - HOUR,
        )
    )
    unpaid, paid = db.session.execute(query).one()
    return int(unpaid), int(paid)


def _one_at_a_time(scope: str, key: str) -> None:
    """Let those who count on the same key take turns; SQLite's writers do already."""
    if db.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"{scope}:{key}".encode()).digest()[:8], signed=True)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
