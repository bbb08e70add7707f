"""The delivery of outgoing messages: one attempt, its line in the log, and what failures in a row lead to.

The outbox decides when a message is tried again. An endpoint that fails is left alone for as long as its failures in
a row ask, all its messages with it, so that one dead address costs one attempt each time and not one a message; after
many failures it is switched off, its messages are parked, and staff see a notice.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select, update

from appeal.core import clock, ids
from appeal.database import writing
from appeal.extensions import db
from appeal.models import OutboxItem, OutgoingDelivery, OutgoingEndpoint
from appeal.outgoing import bodies, events, net, signing
from appeal.outgoing.addresses import NotAllowed
from appeal.queues import notices, outbox
from appeal.settings import Settings

MOST_FAILURES = 10
FAILING_AT_LEAST = timedelta(days=1)
KEEP_LOG = timedelta(days=30)
GONE = 410
# How long one round of the worker may spend here, so that no slow address holds up the letters.
ROUND_SECONDS = 3.0
AGENT = "appeal-outgoing/1"


class NotTaken(Exception):
    """The endpoint did not take the message; the outbox tries again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt; without a status nobody answered."""

    status: int | None
    problem: str
    answer: str
    took_ms: int

    @property
    def taken(self) -> bool:
        """Say whether the message was taken."""
        return not self.problem


def senders(settings: Settings) -> dict[str, outbox.Sender]:
    """Return the function that delivers outgoing messages."""
    return {events.KIND: lambda item: deliver(item, settings)}


def send_due(settings: Settings, *, most: int = 50, stop: threading.Event | None = None) -> int:
    """Deliver what is due, for a few seconds at most, until told to stop; return how many messages were taken up."""
    until, taken = time.monotonic() + ROUND_SECONDS, 0
    own = senders(settings)
    while taken < most and time.monotonic() < until and outbox.send_due(own, most=1, stop=stop):
        taken += 1
    return taken


def deliver(item: OutboxItem, settings: Settings) -> None:
    """Deliver one message.

    Raises:
        NotTaken: the endpoint did not take it.
        NothingToSend: the endpoint is switched off, or the books know nothing of the cause.
    """
    endpoint = db.session.get(OutgoingEndpoint, int(item.recipient), populate_existing=True)
    if endpoint is None or endpoint.state != "on":
        raise outbox.NothingToSend("The endpoint is switched off.")
    message_id, body = bodies.of_item(item, endpoint)
    outcome = attempt(endpoint, message_id, body, settings)
    _note(endpoint.id, message_id, item.content["type"], item.attempts, outcome)
    if not outcome.taken:
        raise NotTaken(outcome.problem)


def try_out(endpoint: OutgoingEndpoint, settings: Settings) -> Outcome:
    """Deliver a message that only tests the way, at once; it is logged, and counts neither for nor against."""
    message_id = f"msg_test_{ids.public_id()}"
    outcome = attempt(endpoint, message_id, bodies.trial(endpoint, clock.now()), settings)
    with writing():
        _log(endpoint.id, message_id, "test", 1, outcome)
    return outcome


def attempt(endpoint: OutgoingEndpoint, message_id: str, body: bytes, settings: Settings) -> Outcome:
    """Make one attempt; nothing of the database is held while it lasts."""
    try:
        address, secrets = opened(endpoint, settings)
    except signing.KeyGone:
        return Outcome(None, "The signing key that closed its address is gone; it must be added anew.", "", 0)
    headers = {"Content-Type": "application/json", "User-Agent": AGENT}
    if endpoint.kind == "webhook":
        headers |= signing.headers(message_id, int(clock.now().timestamp()), body, secrets)
    db.session.commit()  # gives the connection back; nothing was written
    began = time.monotonic()
    try:
        answer = net.post(address, body, headers, loopback=not settings.production)
    except (NotAllowed, net.Undelivered) as error:
        return Outcome(None, str(error), "", round((time.monotonic() - began) * 1000))
    problem = "" if answer.taken else _refusal(answer.status)
    return Outcome(answer.status, problem, answer.text, answer.took_ms)


def opened(endpoint: OutgoingEndpoint, settings: Settings) -> tuple[str, list[str]]:
    """Return an endpoint's address, and the secrets that sign for it now: the new one first."""
    safe = signing.safe_of(settings)
    closed = [endpoint.closed_secret]
    if endpoint.old_until and endpoint.old_until > clock.now():
        closed.append(endpoint.closed_old_secret)
    return safe.open(endpoint.closed_address), [safe.open(one) for one in closed if one]


def _refusal(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}; redirects are not followed."
    return f"It answered {status}."


def _note(endpoint_id: int, message_id: str, event_type: str, number: int, outcome: Outcome) -> None:
    """Log an attempt, and move what the endpoint's failures in a row lead to."""
    with writing() as session:
        _log(endpoint_id, message_id, event_type, number, outcome)
        query = select(OutgoingEndpoint).where(OutgoingEndpoint.id == endpoint_id).with_for_update()
        endpoint = session.scalars(query.execution_options(populate_existing=True)).one()
        if outcome.taken:
            endpoint.failures, endpoint.failing_since = 0, None
            endpoint.delivered_at = clock.now()
        else:
            _failed(endpoint, outcome)


def _log(endpoint_id: int, message_id: str, event_type: str, number: int, outcome: Outcome) -> None:
    db.session.add(
        OutgoingDelivery(
            endpoint_id=endpoint_id,
            message_id=message_id,
            event_type=event_type,
            attempt=number,
            status=outcome.status,
            problem=outcome.problem[:300],
            answer=outcome.answer.replace("\0", "")[:300],
            took_ms=outcome.took_ms,
            at=clock.now(),
        )
    )


def _failed(endpoint: OutgoingEndpoint, outcome: Outcome) -> None:
    now = clock.now()
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    long = now - endpoint.failing_since >= FAILING_AT_LEAST
    if outcome.status == GONE or (endpoint.failures >= MOST_FAILURES and long):
        switch_off(endpoint, outcome.problem)
        notices.add(
            "endpoint_off",
            f"endpoint_off:{endpoint.id}:{int(now.timestamp())}",
            f"Messages to “{endpoint.name}” were given up after {endpoint.failures} failures: {outcome.problem} "
            "Mend it, and switch it on again under Outgoing.",
        )
        return
    wait = outbox.BACKOFF_MINUTES[min(endpoint.failures, len(outbox.BACKOFF_MINUTES)) - 1]
    until = now + timedelta(minutes=wait)
    waiting = waiting_for(endpoint.id, "waiting")
    change = update(OutboxItem).where(*waiting, OutboxItem.try_at < until).values(try_at=until)
    db.session.execute(change.execution_options(synchronize_session=False))


def waiting_for(endpoint_id: int, state: str) -> tuple[ColumnElement[bool], ...]:
    """Return what picks the messages to one endpoint that are in one state."""
    return (
        OutboxItem.state == state,
        OutboxItem.kind == events.KIND,
        OutboxItem.recipient == str(endpoint_id),
    )


def switch_off(endpoint: OutgoingEndpoint, why: str) -> None:
    """Switch an endpoint off and park what waits for it, in the caller's transaction."""
    endpoint.state, endpoint.off_why = "off", why
    change = update(OutboxItem).where(*waiting_for(endpoint.id, "waiting"))
    change = change.values(state="parked", problem="The endpoint was switched off.")
    db.session.execute(change.execution_options(synchronize_session=False))


def forget_old() -> int:
    """Forget attempts older than a month; return how many."""
    with writing() as session:
        old = delete(OutgoingDelivery).where(OutgoingDelivery.at < clock.now() - KEEP_LOG)
        return int(session.execute(old).rowcount)  # type: ignore[attr-defined]
