"""The appeal page with blanks in it: rendered once for everybody, its blanks filled in for each reader.

The blanks are the form's token and where the reader came from (`src`, `page`). Everything else is the same for all
until something is written or an instant comes, so that a reader costs a signature and three replacements.
"""

from __future__ import annotations

import re
import secrets
from functools import cached_property
from urllib.parse import parse_qsl, urlencode

from markupsafe import escape

from appeal.core import packing, texts
from appeal.settings import Settings
from appeal.supporters import form_token

# Random for each process: no text of an appeal or of a reader can be taken for a blank.
TOKEN, SRC, PAGE = (f"blank-{secrets.token_hex(12)}" for _ in range(3))
SRC_LONGEST, PAGE_LONGEST = 120, 300
PREFILLED = ("amount", "frequency")


def variant(query: str) -> str:
    """Return the part of a query that changes more than the blanks: what the link fills in."""
    given = _first_values(query)
    return urlencode([(name, given[name]) for name in PREFILLED if name in given])


class Filler:
    """Fills in one rendered page for one reader after the other, plain or as gzip."""

    def __init__(self, template: str, settings: Settings, slug: str) -> None:
        """Cut the page at its blanks; the parts between them are compressed once, when the first reader asks."""
        pieces = re.split(f"({TOKEN}|{SRC}|{PAGE})", template)
        self._parts = [piece.encode() for piece in pieces[::2]]
        self._blanks = pieces[1::2]
        self._issue = form_token.issuer(settings)
        self._slug = slug

    def __call__(self, query: str) -> bytes:
        """Return a reader's own page."""
        return b"".join(_woven(self._parts, self._words(query)))

    def packed(self, query: str) -> bytes:
        """Return a reader's own page as gzip."""
        words = self._words(query)
        whole = b"".join(_woven(self._parts, words))
        return packing.stream(_woven(self._packed_parts, [packing.stored(word) for word in words]), whole)

    @cached_property
    def _packed_parts(self) -> list[bytes]:
        return [packing.block(part) for part in self._parts]

    def _words(self, query: str) -> list[bytes]:
        given = _first_values(query) if query else {}
        values = {TOKEN: self._issue(self._slug)}
        for blank, name, longest in ((SRC, "src", SRC_LONGEST), (PAGE, "page", PAGE_LONGEST)):
            values[blank] = str(escape(texts.storable(given.get(name, ""), longest)))
        return [values[blank].encode() for blank in self._blanks]


def _woven(parts: list[bytes], words: list[bytes]) -> list[bytes]:
    """Put the words between the parts; there is one part more than words."""
    return [piece for pair in zip(parts, [*words, b""], strict=True) for piece in pair if piece]


def _first_values(query: str) -> dict[str, str]:
    """Read a query as a server gives it; of a name that comes twice, the first counts."""
    text = query.encode("latin-1", "replace").decode("utf-8", "replace")
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))
