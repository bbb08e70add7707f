"""What the tests of the supporters' door share."""

import pytest

from tests.gateways import FakeGateway
from tests.making import open_appeal


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """These tests ask about the door; what lies behind it is asked on both databases elsewhere."""
    return sqlite_url


@pytest.fixture(autouse=True)
def gateway(app) -> FakeGateway:
    """Put a supplier of payments at the seam."""
    app.extensions["appeal.gateway"] = FakeGateway()
    return app.extensions["appeal.gateway"]


@pytest.fixture
def open_one(app):
    """Make an appeal, as staff did."""

    def make(**values) -> None:
        with app.app_context():
            open_appeal(**values)

    return make
