"""A process of the same host that enters a gift for every line it reads, and says what is raised then."""

from __future__ import annotations

import sys
from uuid import uuid4

from appeal import appeals, create_app
from appeal.books import ledger
from appeal.demo import SLUG
from tests.making import received


def main() -> None:
    """Give as often as told."""
    app = create_app()
    for _line in sys.stdin:
        with app.app_context():
            appeal = appeals.by_slug(SLUG)
            received(appeal, form_id=uuid4().hex, email=f"{uuid4().hex}@example.org")
            print(ledger.sum_minor(appeal.id), flush=True)


if __name__ == "__main__":
    main()
