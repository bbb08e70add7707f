"""The fixtures every test may ask for, and what holds for all of them.

No test reaches beyond this machine or sees the developer's settings. Fixtures that need a part the machine lacks
skip by name (in CI they fail). A test that asks for `database_url`, `settings`, `app`, `session` or `client` runs
once on SQLite and once on PostgreSQL.
"""

import contextlib
import gc
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appeal import create_app
from appeal.core.clock import travel as travel_to
from appeal.extensions import db
from appeal.settings import Settings
from tests.support import machine, network, remembered
from tests.support.browser import browsing, chromium
from tests.support.postgres import Cluster
from tests.support.processes import Stack
from tests.support.redis import redis_server
from tests.support.run import Run, make_run_directory, open_directory
from tests.support.settings import forget_the_environment, test_settings
from tests.support.smtp import MailServer, mail_server

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
_RUN = pytest.StashKey[Run]()


# -- the run ---------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the long form of the storms."""
    parser.addoption("--long", action="store_true", help="run the long form of tests that have one")


def pytest_configure(config: pytest.Config) -> None:
    """Shut the network, forget the developer's settings, and join or begin the run."""
    forget_the_environment()
    network.guard()
    # What is imported stays, and hundreds of applications are made: looking for garbage seldom is enough.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    remembered.remember()
    worker_input = getattr(config, "workerinput", None)
    config.stash[_RUN] = Run(Path(worker_input["run_directory"]) if worker_input else make_run_directory())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the storms and the kills: a long test that comes last leaves every other worker idle."""
    items.sort(key=lambda item: item.get_closest_marker("soak") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker of pytest-xdist which run it belongs to."""
    node.workerinput["run_directory"] = str(node.config.stash[_RUN].directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind, once every worker has ended."""
    if not hasattr(config, "workerinput") and _RUN in config.stash:
        config.stash[_RUN].finish()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say by name what this machine lacks, and how to get it."""
    lacking = machine.missing()
    if lacking:
        terminalreporter.section("not on this machine")
        for line in lacking:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """Give the parts that all processes of this run share."""
    return request.config.stash[_RUN]


@pytest.fixture(scope="session")
def scaled(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Choose between a quick and a long figure: `scaled(2_000, 50_000)`."""
    long = request.config.getoption("--long")
    return lambda quick, lengthy: lengthy if long else quick


# -- databases -------------------------------------------------------------------------------------------------


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, run: Run) -> Iterator[str]:
    """Lend a migrated database to this test: once SQLite, once PostgreSQL."""
    with run.database(request.param) as url:
        yield url


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, run: Run) -> Iterator[str]:
    """Lend a database without any table, once SQLite, once PostgreSQL, for tests of the migrations."""
    with run.database(request.param, migrated=False) as url:
        yield url


@pytest.fixture
def sqlite_url(run: Run) -> Iterator[str]:
    """Lend a migrated SQLite database."""
    with run.database("sqlite") as url:
        yield url


@pytest.fixture
def postgresql_url(run: Run) -> Iterator[str]:
    """Lend a migrated PostgreSQL database."""
    with run.database("postgresql") as url:
        yield url


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Run a durable PostgreSQL server of this test's own, which it may stop, kill and restart."""
    own = Cluster(open_directory("cluster") / "postgres", durable=True)
    own.create()
    own.start()
    yield own
    own.remove()
    own.directory.parent.rmdir()


# -- the application in this process ---------------------------------------------------------------------------


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make applications: `make_app(database_url, public_url="https://...")`; they are closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(database_url: str, **overrides: Any) -> Flask:
            app = create_app(test_settings(database_url, tmp_path, **overrides))
            stack.callback(_close, app)
            return app

        yield make


def _close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Give the settings of `app`; a test module may override this fixture to change one."""
    return test_settings(database_url, tmp_path)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """Give an application on a migrated database of its own, on both databases in turn."""
    app = create_app(settings)
    yield app
    _close(app)


@pytest.fixture
def client(request: pytest.FixtureRequest, app: Flask) -> FlaskClient:
    """Give a test client. Not together with `session`: a pushed context would share its session with the request."""
    _refuse_both(request)
    return app.test_client()


@pytest.fixture
def session(request: pytest.FixtureRequest, app: Flask) -> Iterator[Any]:
    """Give the database session inside an application context, for tests of use cases. Not together with `client`."""
    _refuse_both(request)
    with app.app_context():
        yield db.session


def _refuse_both(request: pytest.FixtureRequest) -> None:
    if {"client", "session"} <= set(request.fixturenames):
        pytest.fail(
            "a test asks for `client` or for `session`; use `with app.app_context():` beside a client"
        )


@pytest.fixture
def travel() -> Iterator[Callable[[str], datetime]]:
    """Move the application's clock for the rest of the test: `travel("2026-11-20T12:00:00Z")`."""
    with contextlib.ExitStack() as stack:

        def move(to: str) -> datetime:
            instant = datetime.fromisoformat(to)
            stack.enter_context(travel_to(instant))
            return instant

        yield move


# -- servers and processes -------------------------------------------------------------------------------------


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """Run a real SMTP server that keeps what it is given; its `url` is a MAIL_URL."""
    with mail_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a Redis server, where the machine has one."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.ready_url


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Start the whole thing as processes: `make_stack(database_url, worker=False, environment={...})`."""
    with contextlib.ExitStack() as cleanup:

        def make(database_url: str, **options: Any) -> Stack:
            stack = Stack(tmp_path, database_url, **options)
            cleanup.callback(stack.stop)
            return stack.start()

        yield make


@pytest.fixture
def stack(make_stack: Callable[..., Stack], database_url: str) -> Stack:
    """Give app, worker and sandbox as processes, on both databases in turn, with nothing in the database."""
    return make_stack(database_url)


@pytest.fixture(scope="session")
def demo_stack(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give one stack with the demonstration appeal, shared by the tests of a worker process (SQLite)."""
    directory = tmp_path_factory.mktemp("demo")
    with run.database("sqlite") as url:
        stack = Stack(directory, url)
        try:
            stack.flask("demo", "seed")
            yield stack.start()
        finally:
            stack.stop()


# -- the browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Chromium once a worker process."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """Give a page without a past; the test fails if its console did not stay empty."""
    with browsing(browser) as context:
        yield context.new_page()


@pytest.fixture
def page_without_script(browser: Any) -> Iterator[Any]:
    """Give a page with JavaScript switched off."""
    with browsing(browser, java_script_enabled=False) as context:
        yield context.new_page()
