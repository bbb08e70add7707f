"""The doors, one per audience; each blueprint brings its own guard and header policy."""

from __future__ import annotations

from flask import Flask

from appeal.donor_pages import blueprint as donor_pages
from appeal.embed.routes import blueprint as embed
from appeal.staff import blueprint as staff
from appeal.supporters.routes import blueprint as supporters
from appeal.watch.routes import blueprint as watch
from appeal.webhooks.routes import blueprint as webhooks


def open_all(app: Flask) -> None:
    """Register every door."""
    for blueprint in (supporters, donor_pages, staff, embed, webhooks, watch):
        app.register_blueprint(blueprint)
