"""Form encoding as Stripe's clients write it: `line_items[0][price_data][currency]=gbp`.

Turns a query string or body into nested dictionaries of strings. Lists stay dictionaries keyed by their index
until the types say that a list was meant (see `requests_types`).
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox.errors import invalid

_KEY = re.compile(r"^[^\[\]]+(\[[^\[\]]*\])*$")
MAX_FIELDS = 1000


def parse(raw: str) -> dict[str, Any]:
    """Return the nested parameters of an encoded form; keys keep the order in which they came.

    Raises:
        ApiError: a key is not well-formed, or stands for a value and a group at once.
    """
    tree: dict[str, Any] = {}
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, strict_parsing=False, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise invalid("Too many parameters were sent.") from error
    for key, value in pairs:
        _insert(tree, key, value)
    return tree


def _insert(tree: dict[str, Any], key: str, value: str) -> None:
    if not _KEY.match(key):
        raise invalid(f"Invalid request: the parameter name {key!r} is not well-formed.", key)
    names = key.replace("]", "").split("[")
    node = tree
    for name in names[:-1]:
        node = node.setdefault(name, {})
        if not isinstance(node, dict):
            raise invalid("Invalid object", key)
    last = names[-1] or str(len(node))
    if isinstance(node.get(last), dict):
        raise invalid("Invalid string: a group of parameters was sent as well", key)
    node[last] = value
