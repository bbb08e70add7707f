"""The application for any WSGI server: `flask --app wsgi ...`, `granian --interface wsgi wsgi:app`."""

import sys

from appeal import create_app
from appeal.settings import SettingsProblem

try:
    app = create_app()
except SettingsProblem as problem:
    sys.exit(str(problem))
