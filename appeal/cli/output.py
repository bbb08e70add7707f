"""How commands report: sentences for people, or one JSON document with `--json`; domain errors as plain sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from appeal.core.errors import DomainError

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document instead of sentences."
)


def say(content: Any, sentences: str, *, as_json: bool) -> None:
    """Print a document or the sentences that say the same."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2) if as_json else sentences)


def plainly(command: Command) -> Command:
    """Turn a domain error into one sentence on stderr and exit status 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from error

    return run  # type: ignore[return-value]  # wraps keeps the signature
