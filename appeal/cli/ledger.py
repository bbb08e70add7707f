"""`flask ledger`: the proof of the books, and how a figure came about."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import AppGroup

from appeal import appeals
from appeal.books import explain, proof, seals
from appeal.cli.output import as_json, plainly, say
from appeal.core import clock, money
from appeal.models import Appeal, LedgerEntry

group = AppGroup("ledger", help="Prove and explain the books.")
INSTANT = click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@group.command("verify")
@as_json
@plainly
def verify(*, as_json: bool) -> None:
    """Recompute every total and every daily seal; list what differs and exit non-zero if anything does."""
    found = proof.differences()
    torn = list(seals.broken())
    newest = seals.newest_seal()
    lines = [
        f"{one.where}: {one.what} is kept as {one.kept}, the ledger adds up to {one.proven}" for one in found
    ]
    lines += [f"seal of {one.day}: {one.problem}" for one in torn]
    sealed = f" Sealed up to {newest.day}: {newest.digest}" if newest else ""
    content = {
        "true": not (found or torn),
        "differences": [one.as_dict() for one in found],
        "seals": [{"day": one.day.isoformat(), "problem": one.problem} for one in torn],
        "newest_seal": {"day": newest.day.isoformat(), "digest": newest.digest} if newest else None,
    }
    say(content, "\n".join(lines) or f"Every total is what the ledger adds up to.{sealed}", as_json=as_json)
    sys.exit(1 if found or torn else 0)


@group.command("explain")
@click.argument("slug")
@click.option("--at", type=INSTANT, help="An instant, UTC; now by default.")
@as_json
@plainly
def explain_figure(slug: str, at: datetime | None, *, as_json: bool) -> None:
    """Say what the public figure was at an instant, and list the entries that made it."""
    appeal = appeals.by_slug(slug)
    instant = at.replace(tzinfo=UTC) if at else clock.now()
    found = explain.at(appeal, instant)
    rows = [(entry, public_id) for entry, public_id in explain.entries(appeal, instant)]
    content = {
        "slug": slug,
        "at": clock.rfc3339(instant),
        "currency": found.currency,
        "raised_minor": found.raised_minor,
        "uncounted_minor": found.uncounted_minor,
        "sources": found.by_source,
        "kinds": found.by_kind,
        "entries": [_row(entry, public_id) for entry, public_id in rows],
    }
    say(content, "\n".join(_lines(appeal, found, rows)), as_json=as_json)


def _lines(appeal: Appeal, found: explain.Explanation, rows: list[tuple[LedgerEntry, str]]) -> list[str]:
    def shown(minor: int) -> str:
        return money.format_money(minor, appeal.currency, appeal.locale, whole="never")

    head = [f"{appeal.title} at {clock.rfc3339(found.at)}: {shown(found.raised_minor)} raised"]
    head += [f"  by {source}: {shown(minor)}" for source, minor in found.by_source.items()]
    head += [f"  {kind.replace('_', ' ')}: {shown(minor)}" for kind, minor in found.by_kind.items()]
    if found.uncounted_minor:
        head.append(f"  in the books, not counted: {shown(found.uncounted_minor)}")
    return head + [_line(entry, public_id, shown(entry.amount_minor)) for entry, public_id in rows]


def _line(entry: LedgerEntry, public_id: str, amount: str) -> str:
    mark = "" if entry.counted else " (not counted)"
    why = f" {entry.reason} ({entry.actor})" if entry.reason else ""
    return (
        f"{clock.rfc3339(entry.recorded_at)} {entry.kind:18} {amount:>14} {public_id} {entry.fact}{mark}{why}"
    )


def _row(entry: LedgerEntry, public_id: str) -> dict[str, Any]:
    return {
        "id": entry.id,
        "recorded_at": clock.rfc3339(entry.recorded_at),
        "occurred_at": clock.rfc3339(entry.occurred_at),
        "kind": entry.kind,
        "fact": entry.fact,
        "amount_minor": entry.amount_minor,
        "counted": entry.counted,
        "source": entry.source,
        "donation": public_id,
        "corrects": entry.corrects_id,
        "reason": entry.reason,
        "actor": entry.actor,
    }
