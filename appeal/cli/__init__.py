"""The commands of `flask --app wsgi`, one module a noun. Each parses, calls a use case and prints.

`db upgrade` and `db check` are Flask-Migrate's own.
"""

from __future__ import annotations

from flask import Flask

from appeal.cli import appeals, demo, doctor, ledger, privacy, serve, staff, stripe, work

COMMANDS = (
    appeals.group,
    ledger.group,
    demo.group,
    staff.group,
    stripe.group,
    privacy.group,
    work.command,
    serve.command,
    doctor.command,
)


def install(app: Flask) -> None:
    """Add every command to an application."""
    for command in COMMANDS:
        app.cli.add_command(command)
