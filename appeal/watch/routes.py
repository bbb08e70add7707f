"""`/healthz`, `/readyz` and `/metrics`."""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import asdict

from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from appeal import health
from appeal.context import settings
from appeal.extensions import db

blueprint = Blueprint("watch", __name__)


@blueprint.after_request
def _headers(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> tuple[dict[str, object], int]:
    """Say whether traffic should come here, and if not, why."""
    try:
        found = health.look()
    except SQLAlchemyError as error:
        db.session.rollback()
        return {"status": "not ready", "database": type(error).__name__}, 503
    status = "ready" if found.ready else "not ready"
    return {"status": status, **asdict(found)}, 200 if found.ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Give Prometheus the state of the books and of what waits; only loopback, or whoever has the token."""
    _only_watchers()
    from appeal.watch import metrics as measured

    return Response(measured.text(), mimetype="text/plain; version=0.0.4")


def _only_watchers() -> None:
    token = settings().metrics_token.get_secret_value()
    if token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            abort(403)
    elif not _is_loopback(request.remote_addr or ""):
        abort(403)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
