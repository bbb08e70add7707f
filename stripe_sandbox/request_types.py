"""Requests against the types of the installed stripe package.

Every `*Params` TypedDict is compiled once into functions that turn the strings of a form into typed values, or
refuse them in Stripe's words: unknown names, missing names, wrong types, values outside a list of literals.
The package writes open lists as `Literal[...] | str`; the service refuses what is not on the list, and so do we.
"""

import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stripe import RequestOptions
from typing_extensions import is_typeddict

from stripe_sandbox.errors import invalid

Reader = Callable[[Any, str], Any]
_OPTIONS = frozenset(RequestOptions.__annotations__)


def read(params_type: type, raw: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters typed as `params_type` wants them.

    Raises:
        ApiError: a parameter is unknown, missing or of the wrong type.
    """
    values: dict[str, Any] = _group(params_type)(raw, "")
    return values


def child(path: str, name: str) -> str:
    """Return the name of a nested parameter, as Stripe writes it."""
    return f"{path}[{name}]" if path else name


@cache
def _group(params_type: Any) -> Reader:
    """Compile one TypedDict."""
    written = {name: hint for name, hint in params_type.__annotations__.items() if name not in _OPTIONS}
    hints = get_type_hints(
        type("Own", (), {"__annotations__": written}), vars(sys.modules[params_type.__module__])
    )
    readers = {name: _reader(hint) for name, hint in hints.items()}
    required = [name for name in params_type.__required_keys__ if name in readers]

    def read_group(raw: Any, path: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise invalid(f"Invalid {path}: must be an object", path)
        values = {}
        for name, value in raw.items():
            reader = readers.get(name)
            if reader is None:
                raise invalid(
                    f"Received unknown parameter: {child(path, name)}", child(path, name), "parameter_unknown"
                )
            values[name] = reader(value, child(path, name))
        for name in required:
            if name not in values:
                full = child(path, name)
                raise invalid(f"Missing required param: {full}.", full, "parameter_missing")
        return values

    return read_group


def _reader(hint: Any) -> Reader:
    """Compile one annotation."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _union(get_args(hint))
    if origin is Literal:
        return _literals([str(value) for value in get_args(hint)])
    if origin is list:
        return _list(_reader(get_args(hint)[0]))
    if origin is dict or (isinstance(origin, type) and origin.__name__ == "UntypedStripeObject"):
        return _mapping
    if is_typeddict(hint):
        return _nested(hint)
    return _SCALARS.get(hint, _text)


def _nested(hint: Any) -> Reader:
    """Compile a nested TypedDict when it is first needed, as Stripe's types are deep."""

    def read_nested(raw: Any, path: str) -> Any:
        return _group(hint)(raw, path)

    return read_nested


def _union(arms: tuple[Any, ...]) -> Reader:
    """Compile a union: the shape of what came (text or group) chooses the arm."""
    literals = [str(value) for arm in arms if get_origin(arm) is Literal for value in get_args(arm)]
    others = [arm for arm in arms if get_origin(arm) is not Literal and arm is not type(None)]
    grouped = [_reader(arm) for arm in others if _is_group(arm)]
    scalars = [arm for arm in others if not _is_group(arm)]
    listed = [value for value in literals if value]
    text = _literals(literals) if listed else next((_reader(arm) for arm in scalars), _literals(literals))

    def read_union(raw: Any, path: str) -> Any:
        if raw == "" and "" in literals:
            return ""
        if isinstance(raw, dict) and grouped:
            return grouped[0](raw, path)
        return text(raw, path)

    return read_union


def _is_group(hint: Any) -> bool:
    origin = get_origin(hint)
    return (
        origin in (list, dict)
        or is_typeddict(hint)
        or (isinstance(origin, type) and origin.__name__ == "UntypedStripeObject")
    )


def _text(raw: Any, path: str) -> str:
    if not isinstance(raw, str):
        raise invalid("Invalid string: a group of parameters was sent", path)
    if raw == "":
        raise invalid(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; "
            f"however '{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value.",
            path,
            "parameter_invalid_empty",
        )
    return raw


def _whole(raw: Any, path: str) -> int:
    text = _text(raw, path)
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):
        raise invalid(f"Invalid integer: {text}", path, "parameter_invalid_integer")
    return int(text)


def _flag(raw: Any, path: str) -> bool:
    text = _text(raw, path)
    if text not in ("true", "false"):
        raise invalid(f"Invalid boolean: {text}", path)
    return text == "true"


def _decimal(raw: Any, path: str) -> str:
    text = _text(raw, path)
    try:
        if Decimal(text).is_finite():
            return text
    except InvalidOperation:
        pass
    raise invalid(f"Invalid decimal: {text}; must contain at maximum twelve decimal places.", path)


_SCALARS: dict[Any, Reader] = {str: _text, int: _whole, bool: _flag, Decimal: _decimal, float: _decimal}


def _literals(allowed: list[str]) -> Reader:
    choices = frozenset(allowed)
    listed = ", ".join(value for value in allowed if value)

    def read_literal(raw: Any, path: str) -> str:
        if raw == "" and "" in choices:
            return ""
        text = _text(raw, path)
        if text not in choices:
            raise invalid(f"Invalid {path}: must be one of {listed}", path)
        return text

    return read_literal


def _list(item: Reader) -> Reader:
    def read_list(raw: Any, path: str) -> list[Any]:
        if not isinstance(raw, dict):
            raise invalid("Invalid array", path)
        if not all(index.isdigit() for index in raw):
            raise invalid("Invalid array: its items must be numbered", path)
        return [item(raw[index], child(path, index)) for index in sorted(raw, key=int)]

    return read_list


def _mapping(raw: Any, path: str) -> dict[str, str]:
    if not isinstance(raw, dict):
        raise invalid("Invalid object", path)
    for key, value in raw.items():
        if not isinstance(value, str):
            raise invalid("Invalid string: nested values are not allowed here", child(path, key))
    return dict(raw)
