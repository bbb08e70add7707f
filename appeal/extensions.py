"""The Flask extensions, as instances only; `create_app` binds them to an application."""

from __future__ import annotations

from flask import Flask
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from appeal.models.base import Base
from appeal.settings import ROOT

# Values stay readable after a commit: a page that has just written need not ask again.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(compare_type=True, render_as_batch=True)
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, headers_enabled=False)
babel = Babel()


def init_app(app: Flask) -> None:
    """Bind every extension to an application."""
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    csrf.init_app(app)
    limiter.init_app(app)
    babel.init_app(app)
