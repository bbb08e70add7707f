"""QR codes that lead to the appeal from paper, each with the code of the place it is printed in."""

from __future__ import annotations

import io
import re

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from appeal import reports
from appeal.core.errors import NoPrintCode
from appeal.embed.answers import appeal_url, of_figure
from appeal.embed.blueprint import blueprint

# Short, and without signs that an address would have to escape: every sign makes the code denser on paper.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}")
QUIET_ZONE, MODULE_PX = 4, 16
# A newspaper smudges: a quarter of the code may be lost.
ERROR_CORRECTION = "q"


@blueprint.get("/embed/<slug>/qr.svg")
def qr_svg(slug: str) -> BaseResponse:
    """Draw the code as SVG; `?src=` names the print placement."""
    return _code(slug, "svg", "image/svg+xml")


@blueprint.get("/embed/<slug>/qr.png")
def qr_png(slug: str) -> BaseResponse:
    """Draw the code as PNG, 16 px a module; `?src=` names the print placement."""
    return _code(slug, "png", "image/png")


def _code(slug: str, kind: str, media_type: str) -> BaseResponse:
    figure = reports.figure(slug)
    src = request.args.get("src", "qr")
    if not CODE.fullmatch(src):
        raise NoPrintCode  # a wrong code on paper cannot be taken back, so it is refused rather than mended
    body = drawn(appeal_url(slug, src=src), kind)
    return of_figure(Response(body, mimetype=media_type), figure, with_query=True)


def drawn(address: str, kind: str) -> bytes:
    """Draw an address as a QR code, `svg` or `png`, black on white with its quiet zone."""
    import segno

    file = io.BytesIO()
    code = segno.make_qr(address, error=ERROR_CORRECTION)
    more = {"xmldecl": False, "title": address, "omitsize": True} if kind == "svg" else {}
    scale = 1 if kind == "svg" else MODULE_PX
    code.save(file, kind=kind, border=QUIET_ZONE, scale=scale, light="#fff", **more)
    return file.getvalue()
