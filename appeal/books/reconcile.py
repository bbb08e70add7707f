"""Stripe against the ledger: fetches what never came, applies it through the same use cases, names every difference.

Two passes. Events of the last thirty days that were never delivered go through the inbox as if they had been. Then the
objects themselves (sessions, invoices, refunds, disputes, subscriptions, warnings, payouts, movements) are listed and
held against the books, which also works when the events are long gone. With `dry_run` nothing at all is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, get_args

import structlog
from sqlalchemy import select

from appeal import payments
from appeal.books import adjustments, differences, fees
from appeal.books.differences import Claim, Difference
from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.extensions import db
from appeal.gifts import monthly
from appeal.models import Donation, InboxEvent
from appeal.payments import Gateway, Listed
from appeal.queues import events, inbox, notices

EVENTS_KEPT = timedelta(days=30)
# What was begun earlier can still be paid, refunded or disputed within the time that is looked at.
BEGUN_EARLIER = timedelta(days=15)
# Stripe tries to charge an invoice for up to two months.
INVOICED_EARLIER = timedelta(days=62)
BATCH = 200
Json = Mapping[str, Any]

log = structlog.get_logger(__name__)


@dataclass
class Report:
    """What a run found. `events_fetched`: events that had never been delivered; `objects`: how many were looked at."""

    since: datetime
    dry_run: bool
    events_fetched: int = 0
    objects: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def open(self) -> list[Difference]:
        """Return the differences that this run did not put right."""
        return [one for one in self.differences if not one.applied]


@dataclass(frozen=True, slots=True)
class _Run:
    gateway: Gateway
    since: datetime
    livemode: bool
    dry_run: bool
    report: Report


def run(gateway: Gateway, *, since: datetime, livemode: bool, dry_run: bool = False) -> Report:
    """Compare everything since an instant; apply what is missing unless it is a dry run.

    Raises:
        PaymentsError: Stripe did not answer; what was applied before stays, and running again goes on.
    """
    until = clock.now()
    current = _Run(gateway, since, livemode, dry_run, Report(since, dry_run))
    told, pending = _look(current)
    if not dry_run:
        current.report.events_fetched = fetch_events(gateway, since=since, livemode=livemode)
    current.report.differences += [_mend(current, one) for one in pending if not _foreign(current, one)]
    _subscriptions(current)
    if not dry_run:
        _warnings(current)
        _statement(current)
    current.report.differences += differences.unknown_to_stripe(told, since, until)
    return current.report


# -- events


def fetch_events(gateway: Gateway, *, since: datetime, livemode: bool) -> int:
    """Fetch the events since an instant that never came and apply them, oldest first; return how many there were."""
    since = max(since, clock.now() - EVENTS_KEPT)
    fetched = sorted(gateway.events(since, tuple(events.HANDLERS)), key=lambda event: event["created"])
    new = 0
    for first in range(0, len(fetched), BATCH):
        batch = fetched[first : first + BATCH]
        known = _known([event["id"] for event in batch])
        for event in batch:
            if event["id"] not in known and event["livemode"] == livemode:
                new += _take(event, livemode)
    return new


def _known(event_ids: list[str]) -> set[str]:
    return set(db.session.scalars(select(InboxEvent.event_id).where(InboxEvent.event_id.in_(event_ids))))


def _take(event: Json, livemode: bool) -> bool:
    row_id = inbox.accept(event, json.dumps(event).encode(), came_by="reconcile")
    if row_id is None:
        return False
    inbox.apply(row_id, livemode=livemode)
    return True


# -- objects


@dataclass(frozen=True, slots=True)
class _Pending:
    """An object whose fact the books do not have as it tells it."""

    kind: str
    item: Json
    claim: Claim
    difference: Difference


def _look(current: _Run) -> tuple[set[str], list[_Pending]]:
    """Hold every object that moved money against the books; return the facts told of, and what differs."""
    told: set[str] = set()
    pending: list[_Pending] = []
    for kind in ("sessions", "invoices", "refunds", "disputes", "moved refunds", "moved disputes"):
        for batch in _batches(_listed(current, kind)):
            kind = kind.removeprefix("moved ")  # noqa: PLW2901 - from here on they are alike
            found = ((item, claim) for item in batch for claim in _claims(current, kind, item))
            claims = [(item, claim) for item, claim in found if claim.fact not in told]
            told |= {claim.fact for _, claim in claims}
            pending += _pending(kind, claims)
            current.report.objects += len(batch)
            if kind == "sessions" and not current.dry_run:
                _ended_sessions(current, batch)
            if kind == "invoices" and not current.dry_run:
                _link_payments(batch)
    return told, pending


def _claims(current: _Run, kind: str, item: Json) -> list[Claim]:
    """Read what an object claims; one that cannot be read is named and does not hold up the rest."""
    try:
        return list(differences.claims_of(kind, item))
    except DomainError as error:
        if not _another_products(current, kind, item):
            found = Difference("unreadable", item["id"], kind.removesuffix("s"), 0, "", error.message)
            current.report.differences.append(found)
        return []


def _listed(current: _Run, kind: str) -> Iterator[Json]:
    """List the objects of a kind; `moved ...` are those that moved money lately, however long ago they were made."""
    since = current.since - (INVOICED_EARLIER if kind == "invoices" else BEGUN_EARLIER)
    if not kind.startswith("moved "):
        listed: dict[str, Listed] = {name: name for name in get_args(Listed)}
        yield from current.gateway.listed(listed[kind], since)
        return
    wanted = kind.removeprefix("moved ").removesuffix("s")
    for movement in current.gateway.listed("movements", since):
        source = movement.get("source")
        if isinstance(source, Mapping) and source.get("object") == wanted:
            yield source


def _pending(kind: str, claims: list[tuple[Json, Claim]]) -> Iterator[_Pending]:
    held = differences.in_books(claim for _, claim in claims)
    for item, claim in claims:
        difference = differences.compare(claim, held.get(claim.fact))
        if difference is not None:
            yield _Pending(kind, item, claim, difference)


def _batches(items: Iterator[Json]) -> Iterator[list[Json]]:
    batch: list[Json] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _foreign(current: _Run, pending: _Pending) -> bool:
    return pending.difference.kind == "missing" and _another_products(current, pending.kind, pending.item)


def _another_products(current: _Run, kind: str, item: Json) -> bool:
    """Say whether a refund or dispute is about a payment that another product took on the same account."""
    if kind not in {"refunds", "disputes"}:
        return False
    intent, charge = payments.id_of(item.get("payment_intent")), payments.id_of(item["charge"])
    if adjustments.find(intent, charge) is not None or intent is None:
        return False
    return not current.gateway.owner_of(intent)


def _mend(current: _Run, pending: _Pending) -> Difference:
    """Apply an object whose fact is missing, unless its event has done so by now; a wrong amount is never touched."""
    difference = pending.difference
    if current.dry_run or difference.kind != "missing":
        return difference
    if pending.claim.fact not in differences.in_books([pending.claim]):
        try:
            APPLY[pending.kind](pending.item, current.livemode)
        except DomainError as error:
            difference = replace(difference, cause=f"{difference.cause}; {error.message}")
    return replace(difference, applied=pending.claim.fact in differences.in_books([pending.claim]))


def _link_payments(batch: list[Json]) -> None:
    """Note which payment paid each invoice that is in the books already, where that news was lost."""
    paid = {
        told.invoice_id: told.payment_intent_id
        for item in batch
        if (told := payments.instalment_of_invoice(item))
    }
    unlinked = select(Donation.invoice_id).where(
        Donation.invoice_id.in_(paid), Donation.payment_intent_id.is_(None)
    )
    for invoice_id in db.session.scalars(unlinked).all():
        if invoice_id and (payment_intent_id := paid[invoice_id]):
            monthly.link(invoice_id, payment_intent_id)


def _ended_sessions(current: _Run, batch: list[Json]) -> None:
    """Take over sessions that expired, failed or are under way; no money moved, so nothing is reported."""
    for item in batch:
        if not payments.names_a_gift(item):
            continue
        told = payments.payment_of_session(item, clock.now())
        if told.state in {"expired", "on_its_way", "failed"}:
            _quietly(lambda told=told: monthly.settle(told, livemode=current.livemode))  # type: ignore[misc]


def _quietly(apply: Callable[[], object]) -> None:
    try:
        apply()
    except DomainError as error:
        log.info("reconcile.left", problem=error.message)


def _apply_session(item: Json, livemode: bool) -> None:
    monthly.settle(payments.payment_of_session(item, clock.from_unix(item["created"])), livemode=livemode)


def _apply_invoice(item: Json, _livemode: bool) -> None:
    if told := payments.instalment_of_invoice(item):
        monthly.receive(told)


def _apply_refund(item: Json, _livemode: bool) -> None:
    adjustments.apply_refund(payments.refund_of(item, clock.now()))


def _apply_dispute(item: Json, _livemode: bool) -> None:
    adjustments.apply_dispute(payments.dispute_of(item, clock.now()))


APPLY: dict[str, Callable[[Json, bool], None]] = {
    "sessions": _apply_session,
    "invoices": _apply_invoice,
    "refunds": _apply_refund,
    "disputes": _apply_dispute,
}


def _subscriptions(current: _Run) -> None:
    # Every subscription that still runs, whenever it began: the list is as long as there are monthly gifts.
    for item in current.gateway.listed("subscriptions", clock.from_unix(0)):
        told = payments.subscription_of(item, clock.now(), asked=True)
        if told is None or told.status == "begun":
            continue
        current.report.objects += 1
        cause = differences.standing_differs(told)
        if not cause:
            continue
        found = Difference("standing", told.subscription_id, "monthly gift", 0, told.currency, cause)
        if not current.dry_run:
            _quietly(lambda told=told: monthly.follow(told))  # type: ignore[misc]
            found = replace(found, applied=not differences.standing_differs(told))
        current.report.differences.append(found)


def _warnings(current: _Run) -> None:
    for item in current.gateway.listed("warnings", current.since):
        _quietly(lambda item=item: adjustments.flag(payments.warning_of(item)))  # type: ignore[misc]


def _statement(current: _Run) -> None:
    for item in current.gateway.listed("payouts", current.since):
        fees.note_payout(payments.payout_of(item), clock.now())
    fees.pull(current.gateway, current.since - BEGUN_EARLIER)
    fees.tie_loose()
    fees.read_payouts(current.gateway)


def tell_staff(report: Report) -> None:
    """Write a notice for each difference that a run could not put right."""
    for one in report.open:
        notices.add("reconcile", f"reconcile:{one.kind}:{one.what}:{one.stripe_id}", one.sentence())


def as_dict(report: Report) -> dict[str, Any]:
    """Return a report as plain values."""
    return {
        "since": clock.rfc3339(report.since),
        "dry_run": report.dry_run,
        "events_fetched": report.events_fetched,
        "objects": report.objects,
        "differences": [
            {
                "kind": one.kind,
                "stripe_id": one.stripe_id,
                "what": one.what,
                "amount_minor": one.amount_minor,
                "currency": one.currency,
                "cause": one.cause,
                "applied": one.applied,
            }
            for one in report.differences
        ],
        "open": len(report.open),
    }
