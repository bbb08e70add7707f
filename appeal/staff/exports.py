"""Exports: at once for what is short, beside the request for what is long, each in the audit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Blueprint, Response, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from appeal.context import settings
from appeal.core.errors import NoSuchAppeal
from appeal.extensions import db
from appeal.models import Export
from appeal.office import exports, sheets
from appeal.staff import access, choice, filing

routes = Blueprint("exports", __name__)
AT_ONCE_ROWS = 50_000


@routes.get("/donations.csv")
@access.allow("viewer")
def entries_csv() -> BaseResponse:
    """Stream the counted entries as CSV: the amounts add up to *raised*. `?preset=excel` adds what Excel wants."""
    found = _chosen()
    table = exports.entries(found.appeal, personal=access.may("editor"))
    return _stream(table, excel=request.args.get("preset") == "excel", personal=access.may("editor"))


@routes.get("/uncounted.csv")
@access.allow("viewer")
def uncounted_csv() -> BaseResponse:
    """Stream the entries that are in the books and not part of *raised* as CSV."""
    found = _chosen()
    personal = access.may("editor")
    return _stream(
        exports.entries(found.appeal, personal=personal, counted=False), excel=False, personal=personal
    )


@routes.get("/donations.xlsx")
@access.allow("viewer")
def entries_xlsx() -> BaseResponse:
    """Give the counted entries as a workbook; a long one is made beside the request."""
    found = _chosen()
    personal = access.may("editor")
    if found.totals.entry_count > AT_ONCE_ROWS and personal:
        return redirect(url_for("staff.exports.show", appeal=found.appeal.slug, long="xlsx"), code=303)
    table = exports.entries(found.appeal, personal=personal)
    exports.told(access.actor(), table, "xlsx", personal=personal)
    with tempfile.TemporaryDirectory(dir=settings().instance_dir) as folder:
        path = Path(folder) / "entries.xlsx"
        sheets.write_xlsx(path, table.title, table.head, table.rows())
        content = path.read_bytes()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    response = Response(content, mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{table.name}.xlsx"'
    return response


@routes.get("/npsp.csv")
@access.allow("editor")
def npsp() -> BaseResponse:
    """Stream every gift that stands as Salesforce's NPSP Data Import takes it."""
    found = _chosen()
    return _stream(exports.npsp(found.appeal), excel=False, personal=True)


@routes.get("/donors.csv")
@access.allow("editor")
def donors() -> BaseResponse:
    """Stream every donor."""
    return _stream(exports.donors(), excel=request.args.get("preset") != "plain", personal=True)


def _chosen() -> choice.Choice:
    found = choice.if_any()
    if found is None:
        raise NoSuchAppeal
    return found


def _stream(table: exports.Table, *, excel: bool, personal: bool) -> BaseResponse:
    exports.told(access.actor(), table, "csv", personal=personal)
    response = Response(sheets.as_csv(table.head, table.rows(), excel=excel), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
    response.headers["X-Accel-Buffering"] = "no"
    return response


@routes.get("/exports")
@access.allow("editor")
def show() -> str:
    """Show what can be exported, and one's own long exports."""
    found = choice.if_any()
    query = select(Export).where(Export.person_id == access.person().id).order_by(Export.id.desc()).limit(20)
    return render_template(
        "staff/exports.html",
        choice=found,
        mine=list(db.session.scalars(query)),
        presets=filing.PRESETS,
        long=request.args.get("long", ""),
    )


@routes.post("/exports")
@access.allow("editor")
def begin() -> BaseResponse:
    """Start a long export."""
    found = choice.if_any()
    preset = request.form.get("preset", "")
    table = filing.table_of(preset, found.appeal if found else None, personal=True)
    exports.told(access.actor(), table, filing.PRESETS[preset][1], personal=True)
    number = filing.begin(preset, found.appeal if found else None, access.person().id, personal=True)
    return redirect(url_for("staff.exports.one", number=number), code=303)


@routes.get("/exports/<int:number>")
@access.allow("editor")
def one(number: int) -> BaseResponse:
    """Show how far a long export is; the page renews itself until it is ready."""
    export = _own(number)
    response = make_response(render_template("staff/export.html", export=export))
    if export.state in {"waiting", "running"}:
        response.headers["Refresh"] = "3"
    return response


@routes.get("/exports/<int:number>/file")
@access.allow("editor")
def file(number: int) -> BaseResponse:
    """Give the file of a long export."""
    export = _own(number)
    path = filing.path_of(export)
    if export.state != "done" or not path.exists():
        raise filing.NoSuchExport("That file is not there (any more). Make the export again.")
    return send_file(path, as_attachment=True, download_name=export.name, max_age=0)


def _own(number: int) -> Export:
    """Return one's own export; somebody else's is not there."""
    export = db.session.get(Export, number) if number < 2**62 else None
    if export is None or export.person_id != access.person().id:
        raise filing.NoSuchExport
    return export
