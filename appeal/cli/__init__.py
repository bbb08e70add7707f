"""The commands of `flask --app wsgi`, one module a noun. Each parses, calls a use case and prints.

`db upgrade` and `db check` are Flask-Migrate's own. A command's module is imported when the command is asked for: no
server process needs any of them.
"""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup
from werkzeug.utils import import_string

COMMANDS = {
    "db": "flask_migrate.cli:db",
    "appeals": "appeal.cli.appeals:group",
    "ledger": "appeal.cli.ledger:group",
    "demo": "appeal.cli.demo:group",
    "staff": "appeal.cli.staff:group",
    "stripe": "appeal.cli.stripe:group",
    "privacy": "appeal.cli.privacy:group",
    "work": "appeal.cli.work:command",
    "serve": "appeal.cli.serve:command",
    "doctor": "appeal.cli.doctor:command",
}


class Commands(AppGroup):
    """Knows every command by name, and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command and return it; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = import_string(COMMANDS[cmd_name])
        return command


def install(app: Flask) -> None:
    """Add every command to an application."""
    app.cli = Commands()
