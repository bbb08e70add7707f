"""Where the script reports, for one view in a hundred, that a banner was shown, or that something was blocked.

The answer is 204 whatever came: an error here would be written to the console of somebody else's page.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import structlog
from flask import Response, request
from sqlalchemy.exc import SQLAlchemyError

from appeal import embed_health
from appeal.embed.assets import built
from appeal.embed.blueprint import blueprint

LONGEST_BYTES = 512
log = structlog.get_logger(__name__)


@blueprint.post("/embed/v1/beacon")
def beacon() -> Response:
    """Count a report: `host`, `placement`, `version`, `blocked`. No address, no cookie, no name is looked at."""
    try:
        embed_health.note(_report(), current_version=built()["appeal.js"].version)
    except SQLAlchemyError as error:
        log.warning("embed.beacon_dropped", problem=type(error).__name__)
    response = Response(status=204)
    response.headers["Cache-Control"] = "no-store"
    return response


def _report() -> embed_health.Report:
    length = request.content_length or 0
    body = request.stream.read(LONGEST_BYTES) if 0 < length <= LONGEST_BYTES else b""
    said = {
        name: values[0]
        for name, values in parse_qs(body.decode("ascii", "replace"), max_num_fields=None).items()
    }
    return embed_health.Report(
        host=_origin_host() or said.get("host", "").lower(),
        placement=said.get("placement", ""),
        version=said.get("version", ""),
        blocked=said.get("blocked", ""),
    )


def _origin_host() -> str:
    """Return the host as the browser vouches for it; a sandboxed page has none."""
    try:
        return urlsplit(request.headers.get("Origin", "")).hostname or ""
    except ValueError:
        return ""
