"""The application for any WSGI server: `flask --app wsgi ...`, `granian --interface wsgi wsgi:app`.

While it is put together nothing is thrown away, so looking for garbage waits: it would take a sixth of the start. What is
there afterwards stays: it is neither looked through again nor copied into the processes that fork from this one.
"""

import gc
import sys

gc.disable()

from appeal import create_app  # noqa: E402
from appeal.settings import SettingsProblem  # noqa: E402

try:
    app = create_app()
except SettingsProblem as problem:
    sys.exit(str(problem))

gc.freeze()
gc.enable()
