"""The Flask extensions, as instances only; `create_app` binds them to an application."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from werkzeug.local import LocalProxy

from appeal.models.base import Base
from appeal.settings import ROOT

# Values stay readable after a commit: a page that has just written need not ask again.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    """Bind every extension to an application."""
    db.init_app(app)
    app.extensions["migrate"] = LocalProxy(lambda: _migrations(db))
    csrf.init_app(app)


@cache
def _migrations(database: SQLAlchemy) -> Any:
    """Make what `flask db` works with, when somebody does: no server needs Alembic at its start."""
    from flask_migrate import Migrate

    holder = Flask("migrations")
    migrate = Migrate(compare_type=True, render_as_batch=True)
    migrate.init_app(holder, database, directory=str(ROOT / "migrations"))
    return holder.extensions["migrate"]
