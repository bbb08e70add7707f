"""`flask appeals`: create, list, show, open, close, switch banners."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import click
from flask.cli import AppGroup

from appeal import appeals, banners, reports
from appeal.cli.output import as_json, plainly, say
from appeal.context import settings
from appeal.core import money, placements
from appeal.models import Appeal
from appeal.office.audit import COMMAND_LINE

group = AppGroup("appeals", help="Create, list, show, open and close appeals.")
DAY = click.DateTime(["%Y-%m-%d"])


@group.command("create")
@click.argument("slug")
@click.option("--title", required=True, help="What the appeal is called in public.")
@click.option("--goal", help="The goal in whole units, such as 95000.")
@click.option("--currency", default="gbp", show_default=True, help="ISO 4217 code.")
@click.option("--opens", type=DAY, help="Opening day in the appeal's zone, YYYY-MM-DD.")
@click.option("--closes", type=DAY, help="Closing day, included, YYYY-MM-DD.")
@click.option("--time-zone", default="Europe/London", show_default=True)
@click.option("--locale", default="en_GB", show_default=True)
@click.option("--publisher", default="", help="Whose appeal it is.")
@as_json
@plainly
def create(
    slug: str, goal: str | None, opens: datetime | None, closes: datetime | None, **options: Any
) -> None:
    """Create an appeal as a draft; `open` publishes it."""
    if not re.fullmatch(appeals.SLUG_PATTERN, slug) or len(slug) > 80:
        raise click.BadParameter("use small letters, digits and single hyphens", param_hint="SLUG")
    wants_json = options.pop("as_json")
    options["currency"] = options["currency"].lower()
    appeal = appeals.create(
        appeals.NewAppeal(
            slug=slug,
            goal_minor=money.parse_amount(goal, options["currency"], options["locale"]) if goal else None,
            opens_on=opens.date() if opens else None,
            closes_on=closes.date() if closes else None,
            **options,
        )
    )
    say(
        _row(appeal),
        f"Created {appeal.slug} as a draft. `appeals open {appeal.slug}` publishes it.",
        as_json=wants_json,
    )


@group.command("list")
@as_json
@plainly
def list_all(*, as_json: bool) -> None:
    """List every appeal, drafts included."""
    rows = [_row(appeal) for appeal in appeals.everything()]
    lines = [f"{row['slug']:30} {row['status']:8} {row['title']}" for row in rows]
    say(rows, "\n".join(lines) or "There are no appeals yet.", as_json=as_json)


@group.command("show")
@click.argument("slug")
@as_json
@plainly
def show(slug: str, *, as_json: bool) -> None:
    """Show how an appeal stands: the figure that every page shows."""
    appeal = appeals.by_slug(slug)
    if appeal.status == "draft":
        return say(_row(appeal), f"{appeal.title}: a draft, not public yet.", as_json=as_json)
    figure = reports.figure(slug)
    content = reports.document(figure, f"{settings().public_url}/appeals/{slug}") | {"status": appeal.status}
    return say(content, f"{appeal.title} ({appeal.status}): {figure.sentence}", as_json=as_json)


@group.command("open")
@click.argument("slug")
@as_json
@plainly
def open_(slug: str, *, as_json: bool) -> None:
    """Publish an appeal: it takes gifts between its opening and closing times."""
    say(_row(appeals.set_status(slug, "open")), f"{slug} is open.", as_json=as_json)


@group.command("close")
@click.argument("slug")
@as_json
@plainly
def close(slug: str, *, as_json: bool) -> None:
    """Close an appeal at once: it stays public and takes no more gifts."""
    say(_row(appeals.set_status(slug, "closed")), f"{slug} is closed.", as_json=as_json)


@group.command("banner")
@click.argument("slug")
@click.argument("placement", type=click.Choice(placements.BANNER))
@click.option(
    "--on/--off", required=True, help="Show the banner there, or nothing, on every page that has it."
)
@as_json
@plainly
def banner(slug: str, placement: str, *, on: bool, as_json: bool) -> None:
    """Switch the banner of a placement off everywhere, or on again; it works within a minute."""
    off = banners.switch(slug, placement, COMMAND_LINE, on=on)
    words = f"Switched off for {slug}: {', '.join(off) or 'nothing'}."
    say({"slug": slug, "off": list(off)}, words, as_json=as_json)


def _row(appeal: Appeal) -> dict[str, Any]:
    return {
        "slug": appeal.slug,
        "title": appeal.title,
        "status": appeal.status,
        "currency": appeal.currency,
        "goal_minor": appeal.goal_minor,
    }
