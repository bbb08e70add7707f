"""`flask privacy`: a donor's data, handed over or erased."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from appeal.cli.output import as_json, plainly, say
from appeal.people import privacy

group = AppGroup("privacy", help="Hand over or erase a donor's data.")


@group.command("export")
@click.argument("email")
@as_json
@plainly
def export(email: str, *, as_json: bool) -> None:
    """Print everything that is held about a person (always as JSON, so that it can be handed over)."""
    content = privacy.export(privacy.find(email))
    del as_json  # sentences would lose something
    say(content, "", as_json=True)


@group.command("erase")
@click.argument("email")
@as_json
@plainly
def erase(email: str, *, as_json: bool) -> None:
    """Take a person out of the books; amounts, days and Stripe's ids stay."""
    privacy.erase(privacy.find(email))
    say({"erased": True}, "Erased. At Stripe, redact the customer as well.", as_json=as_json)
