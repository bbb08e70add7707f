"""What a start does not wait for: libraries are imported by whoever needs them first, and by nobody before."""

import subprocess
import sys

from tests.support.run import ROOT
from tests.support.settings import environment_for

LATER = {
    "PIL", "alembic", "argon2", "cryptography", "css_inline", "defusedxml", "email_validator", "fpdf", "limits",
    "markdown_it", "nh3", "prometheus_client", "psycopg", "redis", "requests", "segno", "sentry_sdk", "stripe", "xlsxwriter",
}  # fmt: skip


def after(statement: str, tmp_path) -> list[str]:
    """Run a statement in a process of its own; return the lines it printed."""
    settings = environment_for({"APPEAL_ENV": "test", "INSTANCE_DIR": str(tmp_path)})
    command = [sys.executable, "-c", statement]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_server_is_ready_without_the_libraries_that_only_some_requests_need(tmp_path) -> None:
    loaded = after("import sys, wsgi; print(*sys.modules)", tmp_path)
    assert "flask" in loaded
    assert LATER.isdisjoint(loaded)


def test_the_collector_works_again_after_the_start_and_leaves_alone_what_was_there(tmp_path) -> None:
    assert after("import gc, wsgi; print(gc.isenabled(), gc.get_freeze_count() > 100_000)", tmp_path) == [
        "True",
        "True",
    ]
