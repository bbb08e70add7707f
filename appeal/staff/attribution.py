"""Where gifts come from: placement, site, article, newsletter and print code."""

from __future__ import annotations

from flask import Blueprint, render_template

from appeal.office import attribution
from appeal.staff import access, choice

routes = Blueprint("attribution", __name__, url_prefix="/sources")


@routes.get("")
@access.allow("viewer")
def show() -> str:
    """Show what each source brought."""
    found = choice.chosen()
    links = attribution.links(found.appeal)
    tables = [
        ("Where the ask stood", "Placement", attribution.by_placement(found.appeal)),
        ("Articles that bring gifts", "Article", attribution.articles(found.appeal)),
        ("Sites", "Site", attribution.sites(links)),
        ("Newsletters and print", "Code", attribution.codes(links)),
        ("Every link", "Link", links),
    ]
    return render_template("staff/attribution.html", choice=found, tables=tables)
