"""What people write in a settings file, read into values; each reader says in a few words what it takes.

A reader takes a text that is not empty. It raises ValueError with what the setting "must be", never with the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable


class Secret:
    """A text that is told only to who asks for it by name: it is in no repr, no log and no traceback."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        """Keep the text."""
        self._text = text

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        """Say only whether there is any."""
        return "Secret(...)" if self._text else "Secret()"


def one_of(*words: str) -> Callable[[str], str]:
    """Read one of a few words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return text

    return read


def whole(least: int, most: int) -> Callable[[str], int]:
    """Read a whole number, both bounds included."""

    def read(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", text.strip()) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return read


def yes_or_no(text: str) -> bool:
    """Read a switch."""
    word = text.strip().lower()
    if word not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ValueError("must be true or false")
    return word in {"1", "true", "yes", "on"}


def comma_list(text: str) -> tuple[str, ...]:
    """Read what stands between commas; nothing is no entry."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def secret_list(text: str) -> tuple[Secret, ...]:
    """Read secrets that stand between commas."""
    return tuple(Secret(part) for part in comma_list(text))
