"""One cookie for the staff, sent to `/staff` alone: no public page and no embed ever sees or sets it."""

from __future__ import annotations

from flask import Flask, has_request_context, request
from flask.sessions import SecureCookieSessionInterface

NAME, PATH = "appeal_staff", "/staff"


class DoorSessions(SecureCookieSessionInterface):
    """Flask's signed session, under the staff's own name and path on their pages."""

    def get_cookie_name(self, app: Flask) -> str:
        """Return the cookie's name for this address."""
        return NAME if _among_staff() else super().get_cookie_name(app)

    def get_cookie_path(self, app: Flask) -> str:
        """Return the path that the cookie is sent to."""
        return PATH if _among_staff() else super().get_cookie_path(app)


def _among_staff() -> bool:
    return has_request_context() and (request.path == PATH or request.path.startswith(f"{PATH}/"))
