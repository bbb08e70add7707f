"""Gauges read from the books when asked, so that every process tells the same."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import select

from appeal import health
from appeal.extensions import db
from appeal.models import Appeal, AppealTotals


def text() -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    found = health.look()
    for name, value, words in (
        ("appeal_oldest_event_seconds", found.oldest_event_seconds, "Age of the oldest event not applied"),
        ("appeal_oldest_mail_seconds", found.oldest_mail_seconds, "Age of the oldest mail not sent"),
        ("appeal_parked_events", found.parked_events, "Events that wait for a person"),
        ("appeal_parked_mails", found.parked_mails, "Mails that wait for a person"),
        ("appeal_migrated", int(found.migrated), "Whether the database is at this code's migration"),
    ):
        Gauge(name, words, registry=registry).set(value)
    raised = Gauge("appeal_raised_minor", "Raised, in minor units", ["appeal", "currency"], registry=registry)
    gifts = Gauge("appeal_gifts", "Gifts that stand", ["appeal"], registry=registry)
    query = select(Appeal.slug, Appeal.currency, AppealTotals.raised_minor, AppealTotals.gift_count)
    for slug, currency, raised_minor, gift_count in db.session.execute(query.join(AppealTotals)):
        raised.labels(slug, currency).set(raised_minor)
        gifts.labels(slug).set(gift_count)
    return generate_latest(registry)
