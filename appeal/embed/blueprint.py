"""The embeds' blueprint and its one header policy: no cookie, any site may read, nothing may run or be framed."""

from __future__ import annotations

from flask import Blueprint, Response

blueprint = Blueprint("embed", __name__)

# A CDN asks at most every 30 s; while it asks, and while we are away, it shows what it has.
CACHE = "public, max-age=10, s-maxage=30, stale-while-revalidate=30, stale-if-error=86400"
EVERGREEN = "public, max-age=300, s-maxage=300, stale-while-revalidate=600, stale-if-error=604800"
IMMUTABLE = "public, max-age=31536000, immutable"
# Long enough to spare us a storm of mistyped addresses, short enough for an appeal that opens now.
REFUSED = "public, max-age=5"


@blueprint.after_request
def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Access-Control-Allow-Origin", "*")
    headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    if response.status_code >= 400:
        # An error of ours is kept nowhere: what a cache has from before is better.
        headers.setdefault("Cache-Control", REFUSED if response.status_code < 500 else "no-store")
    return response
