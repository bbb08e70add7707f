"""`flask staff`: the people who may sign in."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from appeal.cli.output import as_json, plainly, say
from appeal.context import settings
from appeal.core import clock
from appeal.core.errors import Forbidden
from appeal.models.people import ROLES
from appeal.office import staff_people
from appeal.office.audit import COMMAND_LINE
from appeal.settings import Settings

group = AppGroup("staff", help="The people who may sign in: add, list, reset.")
DEMO_EMAIL = "staff@dailylantern.example"


@group.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="viewer", show_default=True)
@click.option("--name", default="", help="What to call them.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@as_json
@plainly
def add(email: str, role: str, name: str, *, password_stdin: bool, as_json: bool) -> None:
    """Add somebody; without a password they are sent an invitation by mail."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise click.UsageError("there was no password on standard input")
        person = staff_people.add(email, role, COMMAND_LINE, name=name, password=password)
        words = f"{person.email} may sign in as {role}."
    else:
        person = staff_people.invite(email, role, name, COMMAND_LINE, _key())
        words = f"{person.email} is added as {role}; an invitation leaves by mail."
    say({"email": person.email, "role": role, "active": True}, words, as_json=as_json)


@group.command("list")
@as_json
@plainly
def list_all(*, as_json: bool) -> None:
    """List everybody."""
    rows = [
        {
            "email": one.email,
            "name": one.name,
            "role": one.role,
            "active": one.active,
            "second_factor": bool(one.second_factor),
            "signed_in_at": clock.rfc3339(one.signed_in_at) if one.signed_in_at else None,
        }
        for one in staff_people.everybody()
    ]
    lines = [
        f"{row['email']:40} {row['role']:7} {'' if row['active'] else 'shut out'}".rstrip() for row in rows
    ]
    say(rows, "\n".join(lines) or "There is nobody yet.", as_json=as_json)


@group.command("reset")
@click.argument("email")
@click.option("--second-factor", is_flag=True, help="Also take a lost second factor off.")
@as_json
@plainly
def reset(email: str, *, second_factor: bool, as_json: bool) -> None:
    """Send somebody a link to choose a new password."""
    person = staff_people.by_email(email)
    if person is None:
        raise staff_people.PersonRefused(f"There is nobody called {email} among the staff.")
    if second_factor:
        staff_people.forget_second_factor(person.id, COMMAND_LINE)
    if not staff_people.send_letter(person, "reset", _key()):
        raise staff_people.PersonRefused(f"Several letters went to {person.email} lately. Wait an hour.")
    say({"email": person.email}, f"A letter to {person.email} leaves by mail.", as_json=as_json)


@group.command("demo")
@plainly
def demo() -> None:
    """Make the demonstration's sign-in, or keep it, and print it as `EMAIL PASSWORD`; refused in production."""
    config = settings()
    if config.production:
        raise Forbidden("The demonstration's sign-in is refused in production.")
    password = _demo_password(config)
    if staff_people.by_email(DEMO_EMAIL) is None:
        staff_people.add(DEMO_EMAIL, "admin", COMMAND_LINE, name="Demo", password=password)
    click.echo(f"{DEMO_EMAIL} {password}")


def _demo_password(config: Settings) -> str:
    """Return the generated password of the demonstration, kept in the instance folder beside the generated key."""
    path: Path = config.instance_dir / "demo_password"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("-".join(secrets.token_hex(2) for _ in range(4)))
    return path.read_text(encoding="ascii")


def _key() -> bytes:
    return settings().secret_key.get_secret_value().encode()
