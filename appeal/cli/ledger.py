"""`flask ledger`: the proof of the books."""

from __future__ import annotations

import sys

from flask.cli import AppGroup

from appeal import proof
from appeal.cli.output import as_json, say

group = AppGroup("ledger", help="Prove and explain the books.")


@group.command("verify")
@as_json
def verify(*, as_json: bool) -> None:
    """Recompute every total from the ledger; list what differs and exit non-zero if anything does."""
    found = proof.differences()
    lines = [
        f"{one.where}: {one.what} is kept as {one.kept}, the ledger adds up to {one.proven}" for one in found
    ]
    sentences = "\n".join(lines) or "Every total is what the ledger adds up to."
    say({"true": not found, "differences": [one.as_dict() for one in found]}, sentences, as_json=as_json)
    sys.exit(1 if found else 0)
