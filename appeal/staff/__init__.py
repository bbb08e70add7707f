"""The staff's door: everything under `/staff`, denied by default, framed by nobody, kept by no cache.

One module of routes a noun. `access` holds the guard and says what each role may do; a route without a word about
roles is closed to everybody.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from appeal.staff import access, choice, cookies, filters

blueprint = Blueprint("staff", __name__, url_prefix="/staff")
blueprint.before_request(access.guard)
blueprint.after_request(access.headers)
blueprint.context_processor(access.template_values)
blueprint.register_error_handler(choice.NoAppealYet, choice.nothing_yet)
for name, write in filters.FILTERS.items():
    blueprint.add_app_template_filter(write, name)

NOUNS = (
    "session",
    "account",
    "dashboard",
    "donations",
    "donors",
    "moderation",
    "exports",
    "appeals",
    "attribution",
    "people",
    "audit",
    "post",
    "promises",
    "statements",
    "column",
    "reconcile",
    "embeds",
    "outgoing",
)


@blueprint.record_once
def _use_own_cookie(state: BlueprintSetupState) -> None:
    cast(Flask, state.app).session_interface = cookies.DoorSessions()


for noun in NOUNS:
    blueprint.register_blueprint(import_module(f"appeal.staff.{noun}").routes)

__all__ = ["blueprint"]
