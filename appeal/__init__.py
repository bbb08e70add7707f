"""Donation appeals for newspapers, charities and co-operatives: `create_app` assembles the application."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from appeal import settings as configuration
from appeal.settings import ROOT, Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Assemble the application from its settings, read from the environment when none are given.

    Raises:
        SettingsProblem: with every problem, by name.
    """
    from appeal import cli, database, doors, extensions, logs, payments, rates, reports, static_files, web
    from appeal.bodies import Bodies
    from appeal.fastlane import FastLane

    settings = settings or configuration.load()
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_url_path=static_files.url_path(),
        instance_path=str(settings.instance_dir.resolve()),
    )
    app.config.from_mapping(_flask_config(settings))
    app.extensions["appeal.settings"] = settings
    app.extensions["appeal.gateway"] = payments.StripeGateway(settings)
    app.extensions["appeal.rates"] = rates.Rates(settings.redis_url.get_secret_value())
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    logs.configure(settings)
    extensions.init_app(app)
    with app.app_context():
        engine = extensions.db.engine
    database.prepare(engine, settings.instance_dir)
    web.install(app, settings)
    static_files.install(app)
    doors.open_all(app)
    cli.install(app)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[method-assign]
    app.wsgi_app = FastLane(app.wsgi_app, reports.facts_of(engine))  # type: ignore[method-assign]
    return app


def _flask_config(settings: Settings) -> dict[str, object]:
    from appeal.database import engine_options

    return {
        "TESTING": settings.appeal_env == "test",
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SECRET_KEY_FALLBACKS": [key.get_secret_value() for key in settings.secret_key_fallbacks],
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.sqlalchemy_url),
        "TRUSTED_HOSTS": settings.hosts,
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "MAX_FORM_PARTS": 200,
        # The donors' own pages; the staff have a cookie of their own, and nobody else has any.
        "SESSION_COOKIE_NAME": "appeal_donor",
        "SESSION_COOKIE_PATH": "/giving",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.public_url.startswith("https://"),
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_CHECK_DEFAULT": False,
    }
