"""What a machine may lack, by name, with the line that says how to get it.

A test whose part is missing is skipped with that line; with `CI=true` it fails instead, because a part that is
quietly missing there would mean a promise nobody checks.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Component:
    """A program from outside Python: its name, how it is found, how to get it."""

    name: str
    find: Callable[[], str | None]
    remedy: str

    def path(self) -> str | None:
        """Return where it is, or None."""
        return self.find()

    def need(self) -> str:
        """Return where it is; without it the test is skipped, or fails in CI."""
        found = self.path()
        if found:
            return found
        message = f"{self.name} is missing: {self.remedy}"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)


def _chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


def _postgresql_bin() -> str | None:
    """Return the folder with initdb, pg_ctl and postgres: on the PATH, or the newest of Debian's."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return str(Path(on_path).resolve().parent)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return str(installed[-1].parent) if installed else None


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


CHROMIUM = Component("Chromium", _chromium, "apt-get install chromium")
POSTGRESQL = Component("PostgreSQL", _postgresql_bin, "apt-get install postgresql, or set TEST_POSTGRES_URL")
REDIS = Component("Redis", lambda: shutil.which("redis-server"), "apt-get install redis-server")
NGINX = Component("nginx", _nginx, "apt-get install nginx")
COMPONENTS = (CHROMIUM, POSTGRESQL, REDIS, NGINX)


def missing() -> list[str]:
    """List the components this machine lacks, each with its remedy."""
    lacking = [part for part in COMPONENTS if not part.path()]
    if os.environ.get("TEST_POSTGRES_URL"):
        lacking = [part for part in lacking if part is not POSTGRESQL]
    return [f"{part.name}: {part.remedy}" for part in lacking]
