"""The script and the style sheets: at an evergreen address with a short life, and at one that never changes."""

from __future__ import annotations

import json
from functools import cache

from flask import Response, abort
from werkzeug.wrappers import Response as BaseResponse

from appeal.embed import script
from appeal.embed.answers import of_build
from appeal.embed.blueprint import blueprint
from appeal.embed.script import Asset

PREFIX = "/embed/v1/"


@cache
def built() -> dict[str, Asset]:
    """Return every file by its evergreen name, built once a process."""
    files = (
        script.build_script(),
        script.build_host_style(),
        script.build_frame_style(),
        script.build_small_script("frame.js"),
        script.build_small_script("height.js"),
    )
    return {file.name: file for file in files}


def hashed_url(name: str) -> str:
    """Return the path of a file that never changes its content."""
    return PREFIX + built()[name].hashed_name


@blueprint.get(f"{PREFIX}<name>")
def asset(name: str) -> BaseResponse:
    """Give a file by its evergreen or its hashed name."""
    files = built()
    found = files.get(name) or next((file for file in files.values() if file.hashed_name == name), None)
    if found is None:
        abort(404)
    return of_build(Response(found.body, content_type=found.media_type), immutable=name not in files)


@blueprint.get(f"{PREFIX}manifest.json")
def asset_manifest() -> BaseResponse:
    """Name the hashed addresses and the integrity values for hosts that pin what they load."""
    named = script.manifest([built()["appeal.js"], built()["appeal.css"], built()["height.js"]], PREFIX)
    return of_build(Response(json.dumps(named, indent=2) + "\n", mimetype="application/json"))
