"""Logs: one JSON line an event in production, readable lines in development. Personal data is not logged at all."""

from __future__ import annotations

import logging
import sys

import structlog

from appeal.settings import Settings


def configure(settings: Settings) -> None:
    """Set up structlog for the process; stripe's own debug lines, which hold personal data, stay off."""
    render = (
        structlog.processors.JSONRenderer()
        if settings.production
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("stripe").setLevel(logging.WARNING)
    if settings.sentry_dsn.get_secret_value():
        _report_errors(settings)


def _report_errors(settings: Settings) -> None:
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.appeal_env,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
    )
