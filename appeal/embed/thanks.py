"""Where a host checks the "thank you" pass that a donor brought back to an article."""

from __future__ import annotations

from flask import Response, jsonify
from werkzeug.wrappers import Response as BaseResponse

from appeal.context import settings
from appeal.core import thanks_pass
from appeal.embed.blueprint import blueprint


@blueprint.get("/embed/v1/thanks/<token>")
def thanks(token: str) -> BaseResponse:
    """Say for which appeal a pass was given; 404 for one that is not ours or has run out."""
    found = thanks_pass.read(settings().signing_keys, token)
    if found is None:
        response: Response = jsonify(error="There is no such pass")
        response.status_code = 404
    else:
        response = jsonify(appeal=found.appeal, issued_on=found.issued_on.isoformat())
    response.headers["Cache-Control"] = "no-store"
    return response
