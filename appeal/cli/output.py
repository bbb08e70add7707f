"""How commands report: sentences for people, or one JSON document with `--json`; domain errors as plain sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from appeal.core.errors import DomainError
from appeal.payments import PaymentsError

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of sentences."
)


def say(content: Any, sentences: str, *, as_json: bool) -> None:
    """Print a document or the sentences that say the same."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2) if as_json else sentences)


def plainly(command: Command) -> Command:
    """Turn what can go wrong into one sentence on stderr and exit status 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except PaymentsError as error:
            raise click.ClickException(f"Stripe did not answer, or refused ({error.message}).") from error
        except DomainError as error:
            raise click.ClickException(error.message) from error
        except (OperationalError, ProgrammingError, InterfaceError) as error:
            said = str(error.orig).strip().partition("\n")[0]
            raise click.ClickException(
                f"The database does not answer as it should: {said}. `flask --app wsgi doctor` says more; "
                "a new database needs `flask --app wsgi db upgrade`."
            ) from error

    return run  # type: ignore[return-value]  # wraps keeps the signature
