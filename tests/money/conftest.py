"""A shop on each database, with a sandbox of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import stripe_sandbox
from appeal import create_app
from appeal.extensions import db
from appeal.payments import StripeGateway
from appeal.settings import Settings
from stripe_sandbox import Sandbox
from tests.making import open_appeal
from tests.money.shop import Shop
from tests.support.settings import test_settings as settings_for_tests


@contextmanager
def world_of_its_own() -> Iterator[Sandbox]:
    """Run a sandbox that delivers nothing by itself."""
    with stripe_sandbox.running(webhook_url="http://127.0.0.1:9/none") as running:
        running.webhooks(drop=1.0)
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with world_of_its_own() as running:
        yield running


@pytest.fixture
def settings(database_url: str, tmp_path: Path, sandbox: Sandbox) -> Settings:
    return settings_for_tests(database_url, tmp_path, stripe_api_base=sandbox.url)


@contextmanager
def open_shop(app: Flask, sandbox: Sandbox, **values: Any) -> Iterator[Shop]:
    with app.app_context():
        gateway = StripeGateway(app.extensions["appeal.settings"])
        yield Shop(sandbox, gateway, open_appeal(**values))
        db.session.remove()


@pytest.fixture
def shop(app: Flask, sandbox: Sandbox) -> Iterator[Shop]:
    """A shop on SQLite and on PostgreSQL in turn."""
    with open_shop(app, sandbox) as found:
        yield found


@pytest.fixture
def make_shop(tmp_path: Path) -> Callable[..., Any]:
    """Open further shops: `with make_shop(url, sandbox) as shop`."""

    @contextmanager
    def make(url: str, sandbox: Sandbox, **values: Any) -> Iterator[Shop]:
        app = create_app(settings_for_tests(url, tmp_path, stripe_api_base=sandbox.url))
        with open_shop(app, sandbox, **values) as found:
            yield found
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()

    return make
