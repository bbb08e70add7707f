"""A process that gives: `python -m tests.speed.giver DATABASE_URL FOLDER`; an amount a line in, "done" a line out."""

import sys
from pathlib import Path

from appeal import appeals, create_app
from tests.making import SLUG, received
from tests.support.settings import test_settings


def main() -> None:
    """Give as often as told."""
    app = create_app(test_settings(sys.argv[1], Path(sys.argv[2])))
    print("ready", flush=True)
    for number, line in enumerate(sys.stdin):
        with app.app_context():
            received(appeals.by_slug(SLUG), form_id=f"another process {number}", amount_minor=int(line))
        print("done", flush=True)


if __name__ == "__main__":
    main()
