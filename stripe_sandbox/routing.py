"""Which function answers which address: a table that the modules under `resources` fill.

A handler takes the world, the ids in the path and the typed parameters, and returns the object to send.
"""

from collections.abc import Callable
from typing import NamedTuple

from stripe_sandbox.errors import ApiError
from stripe_sandbox.store import Item

Handler = Callable[..., Item]


class Route(NamedTuple):
    """One address of the API."""

    method: str
    parts: tuple[str, ...]
    params: type
    handler: Handler


_EXACT: dict[tuple[str, str], Route] = {}
_BY_LENGTH: dict[tuple[str, int], list[Route]] = {}


def route(method: str, path: str, params: type) -> Callable[[Handler], Handler]:
    """Register a handler; parts of the path in braces are handed to it in order."""

    def register(handler: Handler) -> Handler:
        parts = tuple(path.strip("/").split("/"))
        found = Route(method, parts, params, handler)
        if "{" in path:
            _BY_LENGTH.setdefault((method, len(parts)), []).append(found)
        else:
            _EXACT[method, path] = found
        return handler

    return register


def find(method: str, path: str) -> tuple[Route, list[str]]:
    """Return the route for an address and the ids in it.

    Raises:
        ApiError: there is none.
    """
    exact = _EXACT.get((method, path))
    if exact:
        return exact, []
    parts = path.strip("/").split("/")
    for candidate in _BY_LENGTH.get((method, len(parts)), []):
        if all(own.startswith("{") or own == part for own, part in zip(candidate.parts, parts, strict=True)):
            return candidate, [
                part for own, part in zip(candidate.parts, parts, strict=True) if own.startswith("{")
            ]
    raise ApiError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.",
        validation=True,
    )
