"""Objects and events against the annotations of the installed stripe package's resource classes.

Every object that leaves the sandbox is checked: no field that the class does not have, none missing that it
promises, every value of the annotated type, every word from the annotated list. What fails is a defect of the
sandbox, never a surprise for an application.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

from stripe import StripeObject
from stripe._object_classes import OBJECT_CLASSES

from stripe_sandbox.errors import SandboxDefectError

# A checker yields one sentence for every problem it finds.
Checker = Callable[[Any, str], Iterator[str]]
_IMPORT = re.compile(r"from\s+(stripe[\w.]*)\s+import\s+\(?\s*(\w+)(?:\s+as\s+(\w+))?")


def check(value: dict[str, Any]) -> None:
    """Check one object, with everything in it, against the class that its `object` names.

    Raises:
        SandboxDefectError: with every problem found.
    """
    problems = list(_object_checker(str(value.get("object")))(value, str(value.get("object"))))
    if problems:
        raise SandboxDefectError("; ".join(problems[:10]))


def fields(kind: str) -> frozenset[str]:
    """Return the field names that the class for `kind` has."""
    return frozenset(_annotations(_class_for(kind)))


def nullable(kind: str) -> tuple[str, ...]:
    """Return the names of the fields that may be null."""
    return tuple(
        name for name, hint in _annotations(_class_for(kind)).items() if type(None) in get_args(hint)
    )


def _class_for(kind: str) -> Any:
    module, name = OBJECT_CLASSES[kind]
    return getattr(importlib.import_module(module), name)


@cache
def _object_checker(kind: str) -> Checker:
    if kind not in OBJECT_CLASSES:
        return lambda _value, path: iter((f"{path}: no class for the object {kind!r}",))
    return _class_checker(_class_for(kind))


@cache
def _annotations(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for base in reversed(inspect.getmro(cls)):
        if base is not StripeObject and issubclass(base, StripeObject):
            found.update(vars(base).get("__annotations__", {}))
    return {n: h for n, h in found.items() if not n.startswith("_") and get_origin(h) is not ClassVar}


@cache
def _class_checker(cls: Any) -> Checker:
    """Compile one class: its field names, which of them must be there, and each field's checker."""
    hints = _annotations(cls)
    checkers = {name: _checker(hint, cls.__module__) for name, hint in hints.items()}
    required = [name for name, hint in hints.items() if type(None) not in get_args(hint)]

    def check_class(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no {cls.__name__}"
            return
        for name, item in value.items():
            checker = checkers.get(name)
            if checker is None:
                yield f"{path}.{name}: {cls.__qualname__} has no such field"
            elif item is not None or name in required:
                yield from checker(item, f"{path}.{name}")
        for name in required:
            if name not in value:
                yield f"{path}.{name}: missing"

    return check_class


def _checker(hint: Any, module: str) -> Checker:  # noqa: PLR0911 - one line per form of annotation
    """Compile one annotation of a class of `module`."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return _anything
    if isinstance(hint, ForwardRef | str):
        return _later(hint if isinstance(hint, str) else hint.__forward_arg__, module)
    if origin is Union:
        return _union(args, module)
    if origin is Literal:
        return _literals(args)
    if origin is list:
        return _list(_checker(args[0], module))
    name = getattr(origin or hint, "__name__", "")
    if name == "ListObject":
        return _page(_checker(args[0], module))
    if name == "UntypedStripeObject":
        return _mapping(_checker(args[0], module))
    if isinstance(hint, type) and issubclass(hint, StripeObject):
        return _nested(hint)
    return _SCALARS[hint]


def _nested(cls: Any) -> Checker:
    """Compile a nested class when it is first needed, as the classes nest deeply."""

    def check_nested(value: Any, path: str) -> Iterator[str]:
        yield from _class_checker(cls)(value, path)

    return check_nested


def _anything(_value: Any, _path: str) -> Iterator[str]:
    """Find nothing wrong."""
    return iter(())


def _later(name: str, module: str) -> Checker:
    """Resolve a quoted name when it is first needed: the classes refer to each other in circles."""

    def check_later(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict) and value.get("object") in OBJECT_CLASSES:
            yield from _object_checker(value["object"])(value, path)
        elif name.isidentifier():
            yield from _class_checker(_named(name, module))(value, path)

    return check_later


@cache
def _named(name: str, module: str) -> Any:
    source = inspect.getsource(sys.modules[module])
    for found in _IMPORT.finditer(source):
        if (found.group(3) or found.group(2)) == name:
            return getattr(importlib.import_module(found.group(1)), found.group(2))
    return getattr(sys.modules[module], name)


def _union(arms: tuple[Any, ...], module: str) -> Checker:
    literals = tuple(value for arm in arms if get_origin(arm) is Literal for value in get_args(arm))
    if literals:
        return _literals(literals)
    plain = [arm for arm in arms if arm is not type(None)]
    if len(plain) == 1:
        return _checker(plain[0], module)
    objects = [_checker(arm, module) for arm in plain if arm not in _SCALARS]
    scalars = [_SCALARS[arm] for arm in plain if arm in _SCALARS]

    def check_union(value: Any, path: str) -> Iterator[str]:
        candidates = objects if isinstance(value, dict | list) else scalars
        reports = [list(candidate(value, path)) for candidate in candidates]
        if not reports:
            yield f"{path}: {value!r} fits no arm of the union"
        elif all(reports):
            yield from min(reports, key=len)

    return check_union


def _literals(allowed: tuple[Any, ...]) -> Checker:
    choices = frozenset(allowed)

    def check_literal(value: Any, path: str) -> Iterator[str]:
        if value not in choices:
            yield f"{path}: {value!r} is not one of the {len(choices)} values"

    return check_literal


def _list(item: Checker) -> Checker:
    def check_list(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        for index, entry in enumerate(value):
            yield from item(entry, f"{path}[{index}]")

    return check_list


def _page(item: Checker) -> Checker:
    entries = _list(item)

    def check_page(value: Any, path: str) -> Iterator[str]:
        if (
            not isinstance(value, dict)
            or value.get("object") != "list"
            or set(value) - {"object", "data", "has_more", "url"}
        ):
            yield f"{path}: no list object"
            return
        yield from entries(value["data"], f"{path}.data")

    return check_page


def _mapping(item: Checker) -> Checker:
    def check_mapping(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: {value!r} is no mapping"
            return
        for key, entry in value.items():
            yield from item(entry, f"{path}.{key}")

    return check_mapping


def _scalar(name: str, fits: Callable[[Any], bool]) -> Checker:
    def check_scalar(value: Any, path: str) -> Iterator[str]:
        if not fits(value):
            yield f"{path}: {value!r} is no {name}"

    return check_scalar


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_SCALARS: dict[Any, Checker] = {
    str: _scalar("text", lambda value: isinstance(value, str)),
    bool: _scalar("flag", lambda value: isinstance(value, bool)),
    int: _scalar("integer", _is_whole),
    float: _scalar("number", lambda value: _is_whole(value) or isinstance(value, float)),
    Decimal: _scalar("decimal written as text", lambda value: isinstance(value, str)),
    object: _anything,
}
