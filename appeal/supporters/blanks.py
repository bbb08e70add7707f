"""The appeal page with blanks in it: rendered once for everybody, its blanks filled in for each reader.

The blanks are the form's token and where the reader came from (`src`, `page`). Everything else is the same for all
until something is written or an instant comes, so that a reader costs a signature and three replacements.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from markupsafe import escape

from appeal import texts
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


def filler(template: str, settings: Settings, slug: str) -> Callable[[str], bytes]:
    """Return what fills in a rendered page: a reader's query in, the bytes of their own page out."""
    parts = template.split(TOKEN)
    issue = form_token.issuer(settings)

    def fill(query: str) -> bytes:
        page = issue(slug).join(parts)
        given = _first_values(query) if query else {}
        for blank, name, longest in ((SRC, "src", SRC_LONGEST), (PAGE, "page", PAGE_LONGEST)):
            page = page.replace(blank, str(escape(texts.storable(given.get(name, ""), longest))))
        return page.encode()

    return fill


def _first_values(query: str) -> dict[str, str]:
    """Read a query as a server gives it; of a name that comes twice, the first counts."""
    text = query.encode("latin-1", "replace").decode("utf-8", "replace")
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))
