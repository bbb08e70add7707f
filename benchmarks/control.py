"""The controls, each the least that does the same: a bare Flask route giving bytes, one committing a row, a stub of Stripe.

`python -m benchmarks.control app PORT [PROCESSES]` serves `app` exactly as `flask serve` serves the application;
`python -m benchmarks.control stripe PORT` serves `stripe`, which answers at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask, Response, request

from appeal.cli.serve import recommended

BODIES = Path(os.environ.get("BENCH_BODIES", "."))
DATABASE = os.environ.get("BENCH_DATABASE", "")
SECRET = os.environ.get("BENCH_SECRET", "").encode()

app = Flask(__name__)
_own = threading.local()


@app.get("/bytes/<name>")
def give(name: str) -> Response:
    """Give prepared bytes."""
    return Response(_body(name), mimetype="text/html" if name.endswith(".html") else "application/json")


_bodies: dict[str, bytes] = {}


def _body(name: str) -> bytes:
    if name not in _bodies:
        _bodies[name] = (BODIES / name).read_bytes()
    return _bodies[name]


@app.post("/insert")
def insert() -> Response:
    """Commit one row, and send the person on."""
    _insert(uuid4().hex, request.get_data())
    return Response(status=303, headers={"Location": "https://checkout.example/"})


@app.post("/hook")
def hook() -> tuple[dict[str, bool], int]:
    """Verify the signature and commit one row."""
    body = request.get_data()
    stamp, mark = (
        part.partition("=")[2] for part in request.headers.get("Stripe-Signature", "t=,v1=").split(",")[:2]
    )
    known = hmac.new(SECRET, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(known, mark):
        return {"received": False}, 400
    _insert(json.loads(body)["id"], body)
    return {"received": True}, 200


def _insert(key: str, body: bytes) -> None:
    if DATABASE.startswith("sqlite"):
        connection = _sqlite()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO bare (key, body) VALUES (?, ?)", (key, body))
        connection.execute("COMMIT")
    else:
        _postgres().execute("INSERT INTO bare (key, body) VALUES (%s, %s)", (key, body))


def _sqlite() -> sqlite3.Connection:
    if not hasattr(_own, "connection"):
        _own.connection = sqlite3.connect(
            DATABASE.removeprefix("sqlite:///"), isolation_level=None, timeout=10, check_same_thread=False
        )
        _own.connection.execute("PRAGMA journal_mode=WAL")
        _own.connection.execute("PRAGMA synchronous=FULL")
    connection: sqlite3.Connection = _own.connection
    return connection


def _postgres() -> Any:
    import psycopg

    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(DATABASE, autocommit=True)
    return _own.connection


def make_table(database: str) -> None:
    """Make the table that the controls write to."""
    if database.startswith("sqlite"):
        with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
            connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body BLOB)")
        return
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, key TEXT UNIQUE, body BYTEA)")


def stripe(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer like Stripe to the making of a Checkout session, without thinking."""
    environ["wsgi.input"].read()
    name = f"cs_test_{uuid4().hex}"
    session = {"id": name, "object": "checkout.session", "url": f"https://checkout.stripe.com/c/{name}"}
    body = json.dumps(session).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


if __name__ == "__main__":
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    recommended(f"benchmarks.control:{sys.argv[1]}", port=int(sys.argv[2]), workers=workers).serve()
