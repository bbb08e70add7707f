"""Exports made beside the request: a long one is written to the instance folder while its page shows how far it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import structlog
from flask import Flask, current_app
from sqlalchemy import update

from appeal.context import settings
from appeal.core import clock
from appeal.core.errors import NoSuchThing
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, Export
from appeal.office import exports, sheets
from appeal.office.sheets import Cell

TELL_EVERY_ROWS = 2000
PRESETS = {
    "plain": ("Entries of the books, CSV", "csv"),
    "excel": ("Entries of the books, CSV for Excel", "csv"),
    "xlsx": ("Entries of the books, Excel workbook", "xlsx"),
    "uncounted": ("Entries that do not count toward the appeal, CSV", "csv"),
    "npsp": ("Gifts for Salesforce NPSP, CSV", "csv"),
    "donors": ("Donors, CSV for Excel", "csv"),
}

log = structlog.get_logger(__name__)


class NoSuchExport(NoSuchThing):
    """There is no such export."""


def table_of(preset: str, appeal: Appeal | None, *, personal: bool) -> exports.Table:
    """Return what a preset exports.

    Raises:
        NoSuchExport: there is no such preset, or it needs an appeal.
    """
    if preset == "donors" and personal:
        return exports.donors()
    if appeal is None or preset not in PRESETS or (preset == "npsp" and not personal):
        raise NoSuchExport
    if preset == "npsp":
        return exports.npsp(appeal)
    return exports.entries(appeal, personal=personal, counted=preset != "uncounted")


def begin(preset: str, appeal: Appeal | None, person_id: int, *, personal: bool) -> int:
    """Start an export beside the request; return its number."""
    table = table_of(preset, appeal, personal=personal)
    with writing() as session:
        export = Export(
            name=f"{table.name}.{PRESETS[preset][1]}",
            preset=preset,
            appeal_id=appeal.id if appeal else None,
            person_id=person_id,
            with_personal=personal,
            rows_all=table.count(),
            asked_at=clock.now(),
        )
        session.add(export)
        session.flush()
        number = export.id
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way
    threading.Thread(target=_run, args=(app, number), name=f"export-{number}", daemon=True).start()
    return number


def path_of(export: Export) -> Path:
    """Return where an export's file lies."""
    folder = settings().instance_dir / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{export.id}.{PRESETS[export.preset][1]}"


def _run(app: Flask, number: int) -> None:
    with app.app_context():
        try:
            _make(number)
        except Exception as error:
            log.exception("export.failed", export=number)
            db.session.rollback()
            _tell(number, state="failed", problem=type(error).__name__)
        finally:
            db.session.remove()


def _make(number: int) -> None:
    export = db.session.get_one(Export, number)
    appeal = db.session.get(Appeal, export.appeal_id) if export.appeal_id else None
    table = table_of(export.preset, appeal, personal=export.with_personal)
    path, preset = path_of(export), export.preset
    _tell(number, state="running")
    rows = _counted(number, table.rows())
    part = path.with_suffix(".part")
    if preset == "xlsx":
        sheets.write_xlsx(part, table.title, table.head, rows)
    else:
        with part.open("wb") as file:
            file.writelines(sheets.as_csv(table.head, rows, excel=preset in {"excel", "donors"}))
    part.replace(path)
    _tell(number, state="done", done_at=clock.now())


def _counted(number: int, rows: Iterator[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    done = 0
    for done, row in enumerate(rows, 1):
        if done % TELL_EVERY_ROWS == 0:
            _tell(number, rows_done=done)
        yield row
    _tell(number, rows_done=done)


def _tell(number: int, **values: object) -> None:
    with writing() as session:
        session.execute(update(Export).where(Export.id == number).values(**values))
