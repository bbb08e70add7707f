"""`flask demo`: sample data."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from appeal import demo
from appeal.cli.output import as_json, plainly, say
from appeal.context import settings

group = AppGroup("demo", help="Sample data for a demonstration; refused in production.")


@group.command("seed")
@click.option(
    "--donations", default=1893, show_default=True, type=click.IntRange(0, 5_000_000), help="Paid gifts."
)
@click.option("--if-empty", is_flag=True, help="Do nothing when there is an appeal already.")
@click.option(
    "--publisher-url", default=demo.PUBLISHER_URL, show_default=True, help="Where its newspaper is."
)
@as_json
@plainly
def seed(donations: int, *, if_empty: bool, publisher_url: str, as_json: bool) -> None:
    """Make the demonstration appeal with its gifts: deterministic, and live at `/`."""
    _refuse_in_production()
    if if_empty and not demo.is_empty():
        return say(
            {"slug": None, "donations": 0},
            "There is an appeal already; nothing was changed.",
            as_json=as_json,
        )
    made = demo.seed(donations, publisher_url)
    return say(
        {"slug": made.slug, "donations": made.donations},
        f"Made {made.slug} with {made.donations} gifts.",
        as_json=as_json,
    )


@group.command("reset")
@click.confirmation_option(prompt="This removes everything in the database. Go on?")
@as_json
@plainly
def reset(*, as_json: bool) -> None:
    """Remove everything and build the tables anew."""
    _refuse_in_production()
    demo.reset()
    say({"appeals": 0}, "The database is empty.", as_json=as_json)


def _refuse_in_production() -> None:
    if settings().production:
        raise demo.RefusedInProduction
