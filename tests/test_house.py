"""Tests about the house itself: rules that every file keeps, whoever writes it.

They read the source, the templates and the address table, so that a rule of the project fails here, by name and
place, on the day it is first broken.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import StrictUndefined

from appeal.queues.events import HANDLERS
from appeal.settings import Settings
from tests.support.run import ROOT

APPEAL = sorted((ROOT / "appeal").rglob("*.py"))
OURS = sorted(
    path
    for folder in ("appeal", "stripe_sandbox", "demo_article", "tools")
    for path in (ROOT / folder).rglob("*.py")
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MIGRATIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
LONGEST_MODULE_LINES = 400
LARGEST_MODULE_BYTES = 14 * 1024

# Settings that exist for tests and for moving folders about: documented in .env.example, but not a public promise.
CONTRACT = {
    "APPEAL_ENV", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "PUBLIC_URL", "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE", "CHECKOUT_ORIGINS", "MAIL_URL", "MAIL_FROM", "REDIS_URL",
    "TRUSTED_HOSTS", "PROXY_HOPS", "EMBED_ANCESTORS", "METRICS_TOKEN", "SENTRY_DSN",
}  # fmt: skip
PUBLIC_ADDRESSES = {
    ("GET", "/"),
    ("GET", "/appeals/<slug>"),
    ("POST", "/appeals/<slug>/donations"),
    ("GET", "/donations/<public_id>/thank-you"),
    ("GET", "/appeals/<slug>/credits"),
    ("GET", "/appeals/<slug>/reminder.ics"),
    ("POST", "/webhooks/stripe"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/appeals/<slug>"),
    ("GET", "/embed/<slug>/fragment"),
    ("GET", "/embed/<slug>"),
    ("GET", "/embed/<slug>/banner"),
    ("GET", "/embed/<slug>/progress.svg"),
    ("GET", "/embed/<slug>/progress.png"),
    ("GET", "/embed/<slug>/qr.svg"),
    ("GET", "/embed/<slug>/qr.png"),
    ("GET", "/embed/<slug>/feed.xml"),
    ("GET", "/embed/v1/<name>"),
    ("GET", "/embed/v1/manifest.json"),
    ("POST", "/embed/v1/beacon"),
    ("GET", "/oembed"),
}
COMMANDS = ("db", "appeals", "ledger", "work", "demo", "serve", "doctor")


def place(path: Path, line: int | None = None) -> str:
    """Name a place in the project, for the message of a failed test."""
    return f"{path.relative_to(ROOT)}" + (f":{line}" if line else "")


def nodes(paths: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    """Walk every node of every module."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def calls(paths: list[Path]) -> Iterator[tuple[Path, int, str]]:
    """List every call with its place and the name that is called, such as `datetime.now`."""
    for path, node in nodes(paths):
        if isinstance(node, ast.Call):
            yield path, node.lineno, ast.unparse(node.func)


def lines(paths: list[Path], pattern: str) -> list[str]:
    """List the places where a pattern occurs."""
    found = re.compile(pattern)
    return [
        f"{place(path, number)}: {text.strip()}"
        for path in paths
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if found.search(text)
    ]


# -- source ----------------------------------------------------------------------------------------------------


def test_there_is_source_to_look_at() -> None:
    assert len(APPEAL) > 20
    assert TEMPLATES
    assert MIGRATIONS


@pytest.mark.parametrize("path", OURS, ids=place)
def test_a_module_is_short_enough_to_be_read_at_one_sitting(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE_LINES
    assert len(text.encode()) <= LARGEST_MODULE_BYTES


@pytest.mark.parametrize("path", OURS, ids=place)
def test_a_module_says_what_lives_in_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_no_float_touches_money() -> None:
    uses = [place(path, line) for path, line, name in calls(APPEAL) if name == "float"]
    folder = ROOT / "appeal"
    counting = [folder / "core" / f"{name}.py" for name in ("currencies", "progress")]
    books = [*counting, *sorted((folder / "books").glob("*.py"))]
    literals = [
        place(path, node.lineno)
        for path, node in nodes([*books, *sorted((folder / "core" / "money").glob("*.py"))])
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    assert not uses
    assert not literals


def test_only_the_clock_asks_what_time_it_is() -> None:
    asking = {
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "time.time",
        "datetime.datetime.now",
    }
    elsewhere = [path for path in APPEAL if path.name != "clock.py"]
    assert not [place(path, line) for path, line, name in calls(elsewhere) if name in asking]


def test_only_payments_speaks_to_stripe() -> None:
    importing = {
        place(path)
        for path, node in nodes(APPEAL)
        if (
            isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "stripe" for alias in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "stripe")
    }
    assert importing == {
        "appeal/payments/gateway.py",
        "appeal/payments/trouble.py",
        "appeal/payments/webhook.py",
    }


def test_no_module_catches_everything_silently() -> None:
    bare = [
        place(path, node.lineno)
        for path, node in nodes(OURS)
        if isinstance(node, ast.ExceptHandler) and not node.type
    ]
    assert not bare


def test_nothing_is_left_for_later() -> None:
    later = "TO" + "DO|FIX" + "ME|XX" + "X|NotImplemented" + "Error"
    assert not lines([*OURS, *TEMPLATES, *MIGRATIONS], rf"\b({later})\b")


def test_no_test_patches_what_can_be_passed() -> None:
    tests = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert not lines(tests, r"unittest\.mock|monkeypatch\.setattr|mocker\.|MagicMock")


# -- settings --------------------------------------------------------------------------------------------------


def setting_names() -> set[str]:
    """List the settings by the names people write."""
    return {name.upper() for name in Settings.model_fields}


def test_the_events_to_order_from_stripe_are_those_that_are_understood() -> None:
    listed = (ROOT / "docs/running-it.md").read_text().split("```")[1::2]
    ordered = next(set(block.split()) for block in listed if "checkout.session.completed" in block)
    assert ordered == set(HANDLERS)


def test_every_promised_setting_exists() -> None:
    assert setting_names() >= CONTRACT


def test_the_sample_environment_lists_exactly_the_settings() -> None:
    sample = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?\s?([A-Z][A-Z_]+)=", sample, re.MULTILINE)) == setting_names()


def test_the_readme_explains_exactly_the_settings() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in readme.splitlines() if re.match(r"\|\s*`[A-Z_]+`", line)]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == setting_names()


# -- templates -------------------------------------------------------------------------------------------------


@pytest.fixture
def plain_app(make_app: Callable[..., Flask], sqlite_url: str) -> Flask:
    """Give one application, where the database makes no difference."""
    return make_app(sqlite_url)


def test_every_template_parses_and_undefined_names_are_errors(plain_app: Flask) -> None:
    assert plain_app.jinja_env.undefined is StrictUndefined
    for name in plain_app.jinja_env.list_templates(extensions=["html", "txt", "svg", "xml"]):
        plain_app.jinja_env.get_template(name)


def test_no_template_holds_inline_style_or_script() -> None:
    pages = [path for path in TEMPLATES if "email" not in path.parts]
    assert not lines(pages, r"\sstyle=|\son[a-z]+=\"|<style|javascript:")
    assert not lines(pages, r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/)")


# -- migrations ------------------------------------------------------------------------------------------------


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [path.name[:5] for path in MIGRATIONS] == [
        f"{number:04}_" for number in range(1, len(MIGRATIONS) + 1)
    ]


def test_every_migration_says_what_it_does_and_can_be_undone() -> None:
    for path in MIGRATIONS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), place(path)
        assert {"upgrade", "downgrade"} <= {
            node.name for node in tree.body if isinstance(node, ast.FunctionDef)
        }


# -- addresses and commands ------------------------------------------------------------------------------------


def addresses(app: Flask) -> set[tuple[str, str]]:
    """List methods and addresses as the contract writes them, without converters."""
    return {
        (method, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"<\1>", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def test_no_public_address_has_vanished(plain_app: Flask) -> None:
    assert not PUBLIC_ADDRESSES - addresses(plain_app)


def test_every_command_of_the_contract_explains_itself(plain_app: Flask) -> None:
    runner = plain_app.test_cli_runner()
    for name in COMMANDS:
        done = runner.invoke(args=[name, "--help"])
        assert done.exit_code == 0, done.output
        assert "Usage:" in done.output


@pytest.mark.parametrize(
    "address",
    ["/api/v1/appeals/nobody", "/embed/nobody/fragment", "/embed/v1/appeal.js", "/embed/nobody/banner"],
)
def test_other_peoples_pages_never_get_a_cookie(plain_app: Flask, address: str) -> None:
    answer = plain_app.test_client().get(address, headers={"Cookie": "appeal_session=abc"})
    assert "Set-Cookie" not in answer.headers
    assert "cookie" not in answer.headers.get("Vary", "").lower()


def test_every_staff_address_turns_a_stranger_away(plain_app: Flask) -> None:
    client = plain_app.test_client()
    open_to_all = {"/staff/login"}
    for method, address in sorted(addresses(plain_app)):
        if address.startswith("/staff") and address not in open_to_all and method in {"GET", "POST"}:
            answer = client.open(re.sub(r"<[^>]+>", "1", address), method=method)
            assert answer.status_code in {302, 303, 400, 401, 403}, (
                f"{method} {address}: {answer.status_code}"
            )


# -- the checks of this file can fail --------------------------------------------------------------------------


def test_the_search_for_calls_finds_what_it_looks_for(tmp_path: Path) -> None:
    guilty = tmp_path / "guilty.py"
    guilty.write_text("import datetime\nx = float('1')\ny = datetime.datetime.now()\n")
    assert [name for _, _, name in calls([guilty])] == ["float", "datetime.datetime.now"]
