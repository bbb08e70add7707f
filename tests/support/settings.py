"""Settings as tests use them: passed, never patched, and independent of the developer's environment."""

import os
from pathlib import Path
from typing import Any

from appeal.settings import Settings, load

STRIPE_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_for_tests"
PUBLIC_URL = "http://127.0.0.1:8000"


def test_settings(database_url: str, directory: Path, **overrides: Any) -> Settings:
    """Make settings for one test: its own database, instance folder and mail folder; no `.env` is read."""
    values: dict[str, Any] = {
        "appeal_env": "test",
        "secret_key": "a key for tests, long enough to pass every check",
        "database_url": database_url,
        "instance_dir": directory / "instance",
        "mail_url": f"file:{directory / 'mail'}",
        "stripe_secret_key": STRIPE_KEY,
        "stripe_webhook_secrets": WEBHOOK_SECRET,
        "stripe_api_base": "http://127.0.0.1:1",
        "public_url": PUBLIC_URL,
        "form_min_age_seconds": 0,
        "worker_inside": False,
    }
    return load(_env_file=None, **(values | overrides))


test_settings.__test__ = False  # type: ignore[attr-defined]  # its name is a sentence, not a test


def environment_for(settings: dict[str, str]) -> dict[str, str]:
    """Make the environment of a child process: what a program needs, and the given settings alone.

    Every other setting is emptied, which counts as unset but wins over a `.env` file.
    """
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        if name in os.environ
    }
    emptied = {name.upper(): "" for name in Settings.model_fields}
    return kept | emptied | {"PYTHONUNBUFFERED": "1"} | settings


def forget_the_environment() -> None:
    """Remove every setting of the developer's from this process, so that no test depends on it."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
