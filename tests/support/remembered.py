"""What hundreds of applications in one process need only work out once.

Every test has an application of its own, and each would compile the same hundred and fifty addresses, the same
templates and the same statements again: more than half of what most tests took. What is compiled depends on nothing
but its source, so it is kept from one application to the next; everything that has a state is made anew. All three go
in where Flask and SQLAlchemy ask for them.
"""

from collections.abc import Callable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import Compiled
from werkzeug.routing import Rule


class RememberedRule(Rule):
    """An address whose way back, from values to the address, is compiled once.

    Werkzeug's compiled function is given the rule whenever it is called, and finds the converters there.
    """

    _builders: dict[Any, Callable[..., tuple[str, str]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        source = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if source not in self._builders:
            self._builders[source] = super()._compile_builder(append_unknown)
        return self._builders[source]


class RememberedTemplates(BytecodeCache):
    """The code of every template that was compiled in this process, found again while its source is the same."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


class RememberedStatements:
    """SQL that was compiled in this process, for whichever engine of a kind.

    SQLAlchemy's own cache serves one engine: the first part of its key is the engine's dialect, the object.
    """

    def __init__(self) -> None:
        self._compiled: dict[Any, Compiled] = {}

    @staticmethod
    def _for_any_engine(key: tuple[Any, ...]) -> tuple[Any, ...]:
        dialect, *rest = key
        return (type(dialect), dialect.paramstyle, *rest)

    def get(self, key: tuple[Any, ...]) -> Compiled | None:
        return self._compiled.get(self._for_any_engine(key))

    def __setitem__(self, key: tuple[Any, ...], compiled: Compiled) -> None:
        self._compiled[self._for_any_engine(key)] = compiled


def remember() -> None:
    """Let the applications of this process share what is the same for all of them."""
    statements = RememberedStatements()

    def use_them(connection: Connection) -> None:
        connection.execution_options(compiled_cache=statements)

    event.listen(Engine, "engine_connect", use_them)
    Flask.url_rule_class = RememberedRule
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": RememberedTemplates()}
