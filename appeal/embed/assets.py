"""The script and the style sheets: at an evergreen address with a short life, and at one that never changes."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import structlog
from flask import Response, abort
from werkzeug.wrappers import Response as BaseResponse

from appeal.context import settings
from appeal.embed import script
from appeal.embed.answers import of_build
from appeal.embed.blueprint import blueprint
from appeal.embed.script import Asset

PREFIX = "/embed/v1/"
_HASHED = re.compile(r"[a-z]+-[0-9a-f]{16}\.(?:js|css)")
log = structlog.get_logger(__name__)


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
    """Return the path of a file that never changes its content, and keep the file."""
    _keep(settings().instance_dir)
    return PREFIX + built()[name].hashed_name


@blueprint.get(f"{PREFIX}<name>")
def asset(name: str) -> BaseResponse:
    """Give a file by its evergreen or its hashed name, those of versions gone by as well."""
    files = built()
    found = files.get(name) or next((file for file in files.values() if file.hashed_name == name), None)
    found = found or _of_old(settings().instance_dir, name)
    if found is None:
        abort(404)
    return of_build(Response(found.body, content_type=found.media_type), immutable=name not in files)


@blueprint.get(f"{PREFIX}manifest.json")
def asset_manifest() -> BaseResponse:
    """Name the hashed addresses and the integrity values for hosts that pin what they load, and keep those files."""
    _keep(settings().instance_dir)
    named = script.manifest([built()["appeal.js"], built()["appeal.css"], built()["height.js"]], PREFIX)
    return of_build(Response(json.dumps(named, indent=2) + "\n", mimetype="application/json"))


@cache
def _keep(instance_dir: Path) -> None:
    """Put what hosts may pin into the instance folder: it has to be there when this version is not."""
    folder = instance_dir / "embed"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in built().values():
            (folder / file.hashed_name).write_bytes(file.body)
    except OSError as error:
        log.warning("embed.not_kept", problem=str(error))


def _of_old(instance_dir: Path, name: str) -> Asset | None:
    """Return a file of a version gone by; one whose content is not what its name says is not given."""
    path = instance_dir / "embed" / name
    if not _HASHED.fullmatch(name) or not path.is_file():
        return None
    stem, ending = name.split("-", maxsplit=1)[0], path.suffix
    media_type = script.SCRIPT_TYPE if ending == ".js" else script.STYLE_TYPE
    old = Asset(stem + ending, media_type, path.read_bytes())
    return old if old.hashed_name == name else None
