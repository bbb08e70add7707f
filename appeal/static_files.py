"""Static files: every address carries the version of the whole folder, so that each may be kept for ever.

Style sheets refer to fonts by relative addresses, which therefore carry the version too. Flask serves a file once;
from then on the fast lane gives it, packed where it is text.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

from appeal import fastlane

FOLDER = Path(__file__).resolve().parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
TEXT = ("text/", "image/svg+xml", "application/javascript", "application/json")


@lru_cache(maxsize=1)
def url_path() -> str:
    """Return the address of the folder, with its version: it changes when any file does."""
    digest = hashlib.sha256()
    for path in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(FOLDER)).encode())
        digest.update(path.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


def install(app: Flask) -> None:
    """Let everybody keep what Flask's static route gives; under `--debug`, where files are being edited, nobody."""
    if not app.debug:
        app.after_request(_kept)


def _kept(response: Response) -> Response:
    if request.endpoint != "static" or response.status_code != 200:
        return response
    response.direct_passthrough = False
    response.headers["Cache-Control"] = FOR_EVER
    if (response.mimetype or "").startswith(TEXT):
        response.vary.add("Accept-Encoding")
        response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:20], weak=True)
    fastlane.keep(request.environ, fastlane.Keep())
    return response
