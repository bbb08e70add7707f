"""How many unpaid Checkout sessions one address, network, e-mail address or appeal may hold open.

Donation forms are where stolen cards are tried. The counters live in our own database and are taken in the
transaction that writes the donation, so that no race slips past them; a gift that is paid or on its way holds no slot,
so that an office behind one address is not locked out. No address is stored, only a keyed digest of it.
Why these figures: docs/adr/0004.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, case, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from appeal.core import clock
from appeal.core.errors import GivingPaused, TooManyAttempts
from appeal.database import writing
from appeal.extensions import db
from appeal.models import CheckoutSlot, Donation
from appeal.models.base import Instant

HOUR = timedelta(hours=1)
# Where many pay, a few who give up are no sign of stolen cards: an office behind one address is not locked out.
PAID_PER_EXTRA = 5
# An appeal looks attacked when of its newest sessions so many are unpaid, and such a share; then it takes ten an hour.
BUDGET_SAMPLE = 50
BUDGET_UNPAID = 20
BUDGET_SHARE_PERCENT = 60
ATTACK_PACE = timedelta(minutes=6)
KEEP_DIGESTS = timedelta(days=7)

UNPAID = case(
    (CheckoutSlot.released_at.is_not(None) | Donation.status.in_(("received", "on_its_way")), 0), else_=1
)
TAKE_TURNS = text(
    "SELECT pg_advisory_xact_lock(:key_0), pg_advisory_xact_lock(:key_1), pg_advisory_xact_lock(:key_2)"
)

Key = tuple[str, str]


class Held(NamedTuple):
    """How many sessions of the last hour stand on a key."""

    unpaid: int
    paid: int


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
        limits = dict(_limits(visitor, email_key))
        appeal_key = "appeal", _digest(visitor, str(donation.appeal_id))
        keys = [*limits, appeal_key]
        _one_at_a_time(session, limits)
        held = _held(session, keys)
        for key, most in limits.items():
            if held[key].unpaid >= most + held[key].paid // PAID_PER_EXTRA:
                raise TooManyAttempts
        if held[appeal_key].unpaid >= BUDGET_UNPAID and _paused(donation.appeal_id):
            raise GivingPaused(retry_after_seconds=int(ATTACK_PACE.total_seconds()))
        slot = {"donation_id": donation.id, "taken_at": clock.now()}
        rows = [slot | {"scope": scope, "key_digest": digest} for scope, digest in keys]
        session.connection().execute(insert(CheckoutSlot), rows)


def release(donation_id: int) -> None:
    """Give a donation's slots back: no session was made for it."""
    with writing() as session:
        session.execute(
            update(CheckoutSlot)
            .where(CheckoutSlot.donation_id == donation_id, CheckoutSlot.released_at.is_(None))
            .values(released_at=clock.now())
            .execution_options(synchronize_session=False)
        )


def under_attack(appeal_id: int) -> bool:
    """Say whether an appeal's newest sessions look like stolen cards being tried: many, and hardly any paid."""
    newest = _newest(appeal_id)
    unpaid = sum(int(one.unpaid) for one in newest)
    return unpaid >= BUDGET_UNPAID and unpaid * 100 > len(newest) * BUDGET_SHARE_PERCENT


def _paused(appeal_id: int) -> bool:
    """Say whether an appeal that is under attack has let its one attempt through for now."""
    return under_attack(appeal_id) and bool(_newest(appeal_id, 1)[0].taken_at > clock.now() - ATTACK_PACE)


def _newest(appeal_id: int, most: int = BUDGET_SAMPLE) -> Sequence[Any]:
    """Return an appeal's newest sessions of the last hour, newest first: when each was taken, whether it is unpaid."""
    query = (
        select(CheckoutSlot.taken_at, UNPAID.label("unpaid"))
        .join(Donation, Donation.id == CheckoutSlot.donation_id)
        .where(CheckoutSlot.scope == "appeal", Donation.appeal_id == appeal_id)
        .where(CheckoutSlot.taken_at > clock.now() - HOUR)
        .order_by(CheckoutSlot.id.desc())
    )
    return db.session.execute(query.limit(most)).all()


def forget_old() -> int:
    """Delete slots older than the retention of address digests; return how many."""
    with writing() as session:
        old = delete(CheckoutSlot).where(CheckoutSlot.taken_at < clock.now() - KEEP_DIGESTS)
        return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]


def _limits(visitor: Visitor, email_key: str) -> Iterator[tuple[Key, int]]:
    """Yield on what is counted, always in this order, and how many unpaid sessions an hour each may hold."""
    yield ("address", _digest(visitor, visitor.host)), visitor.per_address_hour
    yield ("network", _digest(visitor, visitor.network)), visitor.per_address_hour * 12
    yield ("email", _digest(visitor, email_key)), visitor.per_address_hour * 2


def _digest(visitor: Visitor, value: str) -> str:
    return hmac.new(visitor.digest_key, value.encode(), hashlib.sha256).hexdigest()


def _held(session: Session, keys: Iterable[Key]) -> dict[Key, Held]:
    """Count the sessions of the last hour on each key: those that are not paid, and those that were."""
    values: dict[str, Any] = {"since": clock.now() - HOUR}
    for place, (scope, digest) in enumerate(keys):
        values |= {f"scope_{place}": scope, f"key_{place}": digest}
    found = session.connection().execute(_count_held(), values)
    return defaultdict(lambda: Held(0, 0)) | {
        (row.scope, row.key_digest): Held(row.unpaid, row.paid) for row in found
    }


@lru_cache(maxsize=1)
def _count_held() -> Any:
    """Build the one question that counts on all four keys."""
    slot = CheckoutSlot
    one_of = [
        and_(slot.scope == bindparam(f"scope_{place}"), slot.key_digest == bindparam(f"key_{place}"))
        for place in range(4)
    ]
    paid = case((Donation.status == "received", 1), else_=0)
    query = select(
        slot.scope, slot.key_digest, func.sum(UNPAID).label("unpaid"), func.sum(paid).label("paid")
    )
    query = query.join(Donation, Donation.id == slot.donation_id).where(or_(*one_of))
    return query.where(slot.taken_at > bindparam("since", type_=Instant)).group_by(
        slot.scope, slot.key_digest
    )


def _one_at_a_time(session: Session, keys: Iterable[Key]) -> None:
    """Let those who count on the same key take turns; SQLite's writers do already."""
    if session.connection().dialect.name == "postgresql":
        numbers = [hashlib.sha256(":".join(key).encode()).digest()[:8] for key in keys]
        values = {f"key_{place}": int.from_bytes(one, signed=True) for place, one in enumerate(numbers)}
        session.connection().execute(TAKE_TURNS, values)
