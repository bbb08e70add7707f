"""What staff decide about outgoing messages: which addresses are told of what, their secrets, on and off.

A secret is returned once, when it is made, and can never be read again. While one is rolled, messages carry both
signatures, for a day or until staff say that the other side has changed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update

from appeal.core import clock
from appeal.core.errors import NoSuchThing, NotPossible, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models import OutboxItem, OutgoingDelivery, OutgoingEndpoint
from appeal.office import audit
from appeal.office.audit import Actor
from appeal.outgoing import events, sending, signing
from appeal.outgoing.addresses import Target, target_of
from appeal.outgoing.bodies import PERSONAL
from appeal.settings import Settings

ROLL = timedelta(days=1)
MOST = 20
CLOSED = ("closed_address", "closed_secret", "closed_old_secret")


class NoSuchEndpoint(NoSuchThing):
    """There is no such endpoint."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint shall be. An empty address keeps the one that is there."""

    kind: str
    name: str
    address: str
    event_types: tuple[str, ...]
    personal: tuple[str, ...] = ()
    appeal_id: int | None = None


def every() -> list[OutgoingEndpoint]:
    """List the endpoints: those switched on first, then by name."""
    query = select(OutgoingEndpoint).order_by(OutgoingEndpoint.state.desc(), OutgoingEndpoint.name)
    return list(db.session.scalars(query))


def one(endpoint_id: int) -> OutgoingEndpoint:
    """Return one endpoint.

    Raises:
        NoSuchEndpoint: there is none of that number.
    """
    endpoint = db.session.get(OutgoingEndpoint, endpoint_id) if endpoint_id < 2**62 else None
    if endpoint is None:
        raise NoSuchEndpoint
    return endpoint


def add(wanted: Wanted, actor: Actor, settings: Settings) -> tuple[OutgoingEndpoint, str]:
    """Add an endpoint, switched on; return it and its secret, which is shown once (a chat hook has none).

    Raises:
        NotAllowed: that is not an address to write to.
        NotPossible: there are too many, or nothing is to be told.
    """
    target = target_of(wanted.address, loopback=not settings.production)
    with writing() as session:
        if len(every()) >= MOST:
            raise NotPossible(f"There are {MOST} endpoints already.")
        secret = signing.new_secret() if wanted.kind == "webhook" else ""
        safe = signing.safe_of(settings)
        endpoint = OutgoingEndpoint(
            kind=wanted.kind,
            closed_address=safe.close(wanted.address),
            shown=_shown(target, wanted.kind),
            closed_secret=safe.close(secret) if secret else "",
            created_at=clock.now(),
            **_choices(wanted),
        )
        session.add(endpoint)
        session.flush()
        audit.write(actor, "outgoing.add", _subject(endpoint), after=_state(endpoint))
        return endpoint, secret


def change(endpoint_id: int, wanted: Wanted, revision: int, actor: Actor, settings: Settings) -> None:
    """Change an endpoint's name, address and what it is told.

    Raises:
        NotAllowed: that is not an address to write to.
        StaleForm: somebody else changed it meanwhile.
    """
    with writing():
        endpoint = _locked(endpoint_id)
        if endpoint.revision != revision:
            raise StaleForm
        before = _state(endpoint)
        for name, value in _choices(wanted).items():
            setattr(endpoint, name, value)
        if wanted.address:
            target = target_of(wanted.address, loopback=not settings.production)
            endpoint.closed_address = signing.safe_of(settings).close(wanted.address)
            endpoint.shown = _shown(target, endpoint.kind)
        endpoint.revision += 1
        old, new = audit.differing(before, _state(endpoint))
        audit.write(actor, "outgoing.change", _subject(endpoint), before=old, after=new)


def roll(endpoint_id: int, actor: Actor, settings: Settings) -> str:
    """Give an endpoint a new secret and return it; the old one signs beside it for a day.

    Raises:
        NotPossible: it has no secret (a chat hook).
    """
    with writing():
        endpoint = _locked(endpoint_id)
        if endpoint.kind != "webhook":
            raise NotPossible("A chat hook has no secret.")
        secret = signing.new_secret()
        endpoint.closed_old_secret = endpoint.closed_secret
        endpoint.old_until = clock.now() + ROLL
        endpoint.closed_secret = signing.safe_of(settings).close(secret)
        audit.write(actor, "outgoing.roll", _subject(endpoint), after={"old_until": endpoint.old_until})
        return secret


def finish_roll(endpoint_id: int, actor: Actor) -> None:
    """Drop the old secret now."""
    with writing():
        endpoint = _locked(endpoint_id)
        endpoint.closed_old_secret, endpoint.old_until = "", None
        audit.write(actor, "outgoing.roll_finished", _subject(endpoint))


def switch(endpoint_id: int, actor: Actor, *, on: bool) -> None:
    """Switch an endpoint on or off; off parks what waits for it."""
    with writing():
        endpoint = _locked(endpoint_id)
        if on:
            endpoint.state, endpoint.off_why = "on", ""
            endpoint.failures, endpoint.failing_since = 0, None
        else:
            sending.switch_off(endpoint, f"Switched off by {actor.email}.")
        audit.write(actor, "outgoing.on" if on else "outgoing.off", _subject(endpoint))


def send_parked(endpoint_id: int, actor: Actor) -> int:
    """Try every parked message of an endpoint again; return how many.

    Raises:
        NotPossible: it is switched off.
    """
    with writing() as session:
        endpoint = _locked(endpoint_id)
        if endpoint.state != "on":
            raise NotPossible("Switch it on first.")
        again = update(OutboxItem).where(*sending.waiting_for(endpoint_id, "parked"))
        again = again.values(state="waiting", attempts=0, problem="", try_at=clock.now())
        done = session.execute(again.execution_options(synchronize_session=False))
        count = int(done.rowcount)  # type: ignore[attr-defined]
        audit.write(actor, "outgoing.again", _subject(endpoint), after={"messages": count})
        return count


def counts() -> dict[tuple[int, str], int]:
    """Count the messages that wait or are parked, by endpoint and state."""
    query = (
        select(OutboxItem.recipient, OutboxItem.state, func.count())
        .where(OutboxItem.kind == events.KIND, OutboxItem.state.in_(["waiting", "parked"]))
        .group_by(OutboxItem.recipient, OutboxItem.state)
    )
    return {(int(row[0]), row[1]): row[2] for row in db.session.execute(query)}


def deliveries(endpoint_id: int, *, most: int = 50, before_id: int | None = None) -> list[OutgoingDelivery]:
    """List the newest attempts to reach an endpoint."""
    query = select(OutgoingDelivery).where(OutgoingDelivery.endpoint_id == endpoint_id)
    if before_id is not None:
        query = query.where(OutgoingDelivery.id < before_id)
    return list(db.session.scalars(query.order_by(OutgoingDelivery.id.desc()).limit(most)))


def renew_all(settings: Settings) -> int:
    """Close with the current signing key what a former one has closed, so that it can be given up; return how many."""
    safe, changed = signing.safe_of(settings), 0
    for found in every():
        closed = {name: getattr(found, name) for name in CLOSED}
        try:
            anew = {name: safe.renew(value) for name, value in closed.items()}
        except signing.KeyGone:
            continue  # its key is gone; whoever sends says so
        if anew != closed:
            change_it = update(OutgoingEndpoint).where(OutgoingEndpoint.id == found.id)
            same = [getattr(OutgoingEndpoint, name) == value for name, value in closed.items()]
            with writing() as session:
                session.execute(change_it.where(*same).values(anew))
            changed += 1
    return changed


def _locked(endpoint_id: int) -> OutgoingEndpoint:
    query = select(OutgoingEndpoint).where(OutgoingEndpoint.id == endpoint_id).with_for_update()
    endpoint = db.session.scalars(query).one_or_none()
    if endpoint is None:
        raise NoSuchEndpoint
    return endpoint


def _choices(wanted: Wanted) -> dict[str, object]:
    """Return what staff choose, as it is stored; a chat hook is told of milestones alone."""
    types = ("milestone.reached",) if wanted.kind == "chat" else wanted.event_types
    known = [name for name in events.EVENT_TYPES if name in types]
    if not known:
        raise NotPossible("Choose at least one thing to be told of.")
    return {
        "name": wanted.name,
        "event_types": f" {' '.join(known)} ",
        "personal": [name for name in PERSONAL if name in wanted.personal and wanted.kind == "webhook"],
        "appeal_id": wanted.appeal_id,
    }


def _shown(target: Target, kind: str) -> str:
    """Return what pages and audit may say: of a chat hook the host alone, for its path is its password."""
    return f"{target.origin}/…" if kind == "chat" else (target.origin + target.path.partition("?")[0])[:300]


def _subject(endpoint: OutgoingEndpoint) -> str:
    return f"outgoing:{endpoint.id}"


def _state(endpoint: OutgoingEndpoint) -> dict[str, object]:
    return {
        "name": endpoint.name,
        "address": endpoint.shown,
        "event_types": endpoint.event_types.split(),
        "personal": list(endpoint.personal),
        "appeal_id": endpoint.appeal_id,
    }
