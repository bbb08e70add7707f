"""The commands: what each does, says, prints as JSON and ends with."""

import json
import socket
import threading

import pytest
from flask import Flask
from sqlalchemy import text, update

from appeal.database import writing
from appeal.extensions import db
from appeal.models import AppealTotals
from tests.making import SLUG, body_of, completed, open_appeal, received, started

COMMANDS = [
    ["appeals"], ["appeals", "create"], ["appeals", "list"], ["appeals", "show"], ["appeals", "open"],
    ["appeals", "close"], ["ledger"], ["ledger", "verify"], ["work"], ["demo"], ["demo", "seed"], ["demo", "reset"],
    ["doctor"], ["serve"], ["db"], ["db", "upgrade"], ["db", "check"],
]  # fmt: skip


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Commands call use cases, which are asked on both databases elsewhere."""
    return sqlite_url


@pytest.fixture
def flask(app: Flask):
    """Run a command; return its exit code, what it said and what it complained of."""

    def go(*words: str, answer: str = ""):
        done = app.test_cli_runner().invoke(args=list(words), input=answer)
        with app.app_context():
            db.session.remove()
        return done

    return go


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(flask, words) -> None:
    done = flask(*words, "--help")
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 3


def test_an_appeal_is_created_shown_opened_and_closed(flask, client) -> None:
    made = flask(
        "appeals", "create", "95-years", "--title", "T", "--goal", "95,000", "--opens", "2026-01-01", "--closes", "2099-12-24", "--json"
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    assert json.loads(made.output) == {
        "slug": "95-years",
        "title": "T",
        "status": "draft",
        "currency": "gbp",
        "goal_minor": 9_500_000,
    }
    assert client.get("/appeals/95-years").status_code == 404
    assert flask("appeals", "open", "95-years").exit_code == 0
    shown = json.loads(flask("appeals", "show", "95-years", "--json").output)
    assert shown["status"] == "open"
    assert shown["opens_at"] == "2026-01-01T00:00:00Z"
    assert shown["closes_at"] == "2099-12-25T00:00:00Z"  # the end of the closing day
    assert "Be the first to give towards £95,000" in flask("appeals", "show", "95-years").output
    assert [row["slug"] for row in json.loads(flask("appeals", "list", "--json").output)] == ["95-years"]
    assert flask("appeals", "close", "95-years").exit_code == 0
    assert client.get("/api/v1/appeals/95-years").get_json()["state"] == "ended"


@pytest.mark.parametrize(
    "words",
    [
        ["create", "Not A Slug", "--title", "T"],
        ["create", "a" * 81, "--title", "T"],
        ["create", "ok", "--title", "T", "--currency", "xxx"],
        ["create", "ok", "--title", "T", "--goal", "NaN"],
        ["create", "ok", "--title", "T", "--goal", "-5"],
        ["create", "ok", "--title", "T", "--opens", "yesterday"],
        ["create", "ok", "--title", "T", "--opens", "2026-02-01", "--closes", "2026-01-01"],
        ["create", "ok"],
        ["create", "ok", "--title", " "],
        ["create", "ok", "--title", "T" * 201],
        ["create", "ok", "--title", "T", "--time-zone", "Mars/Olympus"],
        ["create", "ok", "--title", "T", "--locale", "xx_YY"],
        ["create", "ok", "--title", "T", "--closes", "9999-12-31"],
        ["create", "ok", "--title", "T", "--opens", "0001-01-01"],
        ["show", "nowhere"],
        ["open", "nowhere"],
        ["close", "nowhere"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_ends_non_zero(flask, words) -> None:
    done = flask("appeals", *words)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)


REPORTING = [
    ["appeals", "list"], ["staff", "list"], ["ledger", "verify"], ["work", "--once"], ["stripe", "reconcile"],
    ["demo", "seed"], ["privacy", "export", "a@example.org"], ["staff", "reset", "a@example.org"],
]  # fmt: skip


@pytest.mark.parametrize("words", REPORTING, ids=" ".join)
def test_a_database_without_tables_is_named_with_the_way_out(make_app, tmp_path, words) -> None:
    app = make_app(f"sqlite:///{tmp_path}/new.sqlite3")
    done = app.test_cli_runner().invoke(args=words)
    assert done.exit_code == 1
    assert "db upgrade" in done.output or "did not answer" in done.output  # reconcile asks Stripe first
    assert isinstance(done.exception, SystemExit)


def test_opening_and_closing_report_as_json_too(flask) -> None:
    flask("appeals", "create", "one", "--title", "T")
    assert json.loads(flask("appeals", "open", "one", "--json").output)["status"] == "open"
    assert json.loads(flask("appeals", "close", "one", "--json").output)["status"] == "closed"
    switched = flask("appeals", "banner", "one", "top", "--off", "--json")
    assert json.loads(switched.output) == {"slug": "one", "off": ["top"]}


def test_a_slug_that_is_taken_is_said(flask) -> None:
    assert flask("appeals", "create", "one", "--title", "T").exit_code == 0
    again = flask("appeals", "create", "one", "--title", "T")
    assert again.exit_code == 1
    assert "already" in again.output


def test_verify_ends_with_nought_while_the_books_are_true(flask, app) -> None:
    with app.app_context():
        received(open_appeal())
    done = flask("ledger", "verify", "--json")
    assert done.exit_code == 0
    assert json.loads(done.output)["differences"] == []


def test_verify_lists_what_differs_and_ends_non_zero(flask, app) -> None:
    with app.app_context():
        received(open_appeal())
        with writing() as session:
            session.execute(update(AppealTotals).values(raised_minor=1))
    done = flask("ledger", "verify", "--json")
    assert done.exit_code == 1
    [difference] = json.loads(done.output)["differences"]
    assert (difference["what"], difference["kept"], difference["proven"]) == ("raised_minor", 1, 2500)
    assert "the ledger adds up to 2500" in flask("ledger", "verify").output


def test_one_round_of_work_applies_events_and_sends_letters(flask, app, tmp_path) -> None:
    from appeal.queues import inbox

    with app.app_context():
        content = completed(started(open_appeal()))
        inbox.accept(content, body_of(content))
    done = flask("work", "--once", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == {"events": 1, "letters": 1}
    assert len(list((tmp_path / "mail").iterdir())) == 1


def test_the_doctor_names_what_is_wrong_and_ends_non_zero(flask, app) -> None:
    done = flask("doctor", "--json")
    said = json.loads(done.output)
    findings = {one["what"]: one["fine"] for one in said}
    assert findings["database"]
    assert not findings["stripe"]  # nothing answers there in this test
    assert "does not answer as it should" in said[2]["words"]
    assert done.exit_code == 1
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        db.session.commit()
    assert "db upgrade" in flask("doctor").output


def test_the_doctor_is_content_where_all_is_well(make_app, sqlite_url) -> None:
    from stripe_sandbox.sandbox import running

    with running() as sandbox:
        app = make_app(sqlite_url, stripe_api_base=sandbox.url)
        done = app.test_cli_runner().invoke(args=["doctor", "--json"])
    assert done.exit_code == 0, done.output
    assert all(one["fine"] for one in json.loads(done.output))


def test_the_doctor_speaks_to_a_mail_server_as_the_letters_do(make_app, sqlite_url, smtp) -> None:
    app = make_app(sqlite_url, mail_url=smtp.url)
    found = json.loads(app.test_cli_runner().invoke(args=["doctor", "--json"]).output)
    assert {one["what"]: one["fine"] for one in found}["mail"]


def test_the_doctor_greets_an_encrypted_mail_server_encrypted(make_app, sqlite_url) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard: list[bytes] = []

        def listen() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(1))

        listener = threading.Thread(target=listen)
        listener.start()
        app = make_app(sqlite_url, mail_url=f"smtps://127.0.0.1:{server.getsockname()[1]}")
        app.test_cli_runner().invoke(args=["doctor", "--json"])
        listener.join(10)
    assert heard == [b"\x16"]  # the first byte of a TLS handshake


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_a_server_says_so_where_it_cannot_listen(flask, host) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        done = flask("serve", "--host", host, "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "cannot be listened on" in done.output


def test_sample_data_never_comes_into_production(make_app, sqlite_url) -> None:
    app = make_app(
        sqlite_url,
        appeal_env="production",
        public_url="https://give.example.org",
        stripe_secret_key="sk_live_x",
        stripe_api_base="",
        form_min_age_seconds=3,
    )
    for words in (["demo", "seed"], ["demo", "reset", "--yes"]):
        done = app.test_cli_runner().invoke(args=words)
        assert done.exit_code == 1
        assert "real books" in done.output
    with app.app_context():
        assert db.session.scalar(text("SELECT count(*) FROM appeals")) == 0


def test_migrations_match_the_records(flask) -> None:
    done = flask("db", "check")
    assert done.exit_code == 0, done.output


def test_the_figure_on_the_command_line_is_the_public_one(flask, app, client) -> None:
    with app.app_context():
        received(open_appeal())
    shown = json.loads(flask("appeals", "show", SLUG, "--json").output)
    public = client.get(f"/api/v1/appeals/{SLUG}").get_json()
    assert {name: shown[name] for name in ("raised_minor", "formatted", "as_of")} == {
        name: public[name] for name in ("raised_minor", "formatted", "as_of")
    }
