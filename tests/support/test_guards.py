"""The guards of the tests themselves: the network, the machine's parts, the databases lent to tests."""

import socket
import sqlite3

import psycopg
import pytest

from tests.support.machine import Component
from tests.support.network import NetworkRefused

NOWHERE = Component("Nowhere", lambda: None, "apt-get install nowhere")


def test_no_connection_leaves_this_machine() -> None:
    with socket.socket() as outward, pytest.raises(NetworkRefused):
        outward.connect(("192.0.2.1", 80))


def test_no_name_is_resolved_outside_this_machine() -> None:
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("example.org", 443)


def test_loopback_is_open() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as there,
    ):
        assert there.getpeername() == server.getsockname()


def test_a_missing_part_is_skipped_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Nowhere is missing: apt-get install nowhere"):
        NOWHERE.need()


def test_a_missing_part_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Nowhere is missing"):
        NOWHERE.need()


def test_each_test_gets_a_migrated_database_of_its_own(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.close()
    else:
        with psycopg.connect(database_url) as server:
            rows = server.execute("SELECT version_num FROM alembic_version").fetchall()
    assert len(rows) == 1


def test_a_killed_database_server_comes_back_with_what_it_had_committed(cluster) -> None:
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    cluster.kill()
    cluster.start()
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
