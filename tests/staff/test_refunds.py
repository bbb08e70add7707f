"""Refunds by staff, against the sandbox: whole and in part, by admins alone, with who and why."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import stripe_sandbox
from appeal.books import proof
from appeal.extensions import db
from appeal.models import LedgerEntry
from appeal.office import audit
from appeal.payments import StripeGateway
from appeal.settings import Settings
from stripe_sandbox import Sandbox
from tests.making import open_appeal
from tests.money.shop import Shop
from tests.staff.conftest import Office
from tests.support.settings import test_settings as settings_for_tests


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a Stripe that tells nothing by itself."""
    with stripe_sandbox.running(webhook_url="http://127.0.0.1:9/none") as running:
        running.webhooks(drop=1.0)
        yield running


@pytest.fixture
def settings(database_url: str, tmp_path: Path, sandbox: Sandbox) -> Settings:
    return settings_for_tests(database_url, tmp_path, stripe_api_base=sandbox.url)


@pytest.fixture
def gift(app: Flask, sandbox: Sandbox) -> str:
    """Give 25.00 by card."""
    with app.app_context():
        shop = Shop(sandbox, StripeGateway(app.extensions["appeal.settings"]), open_appeal())
        public_id = shop.give(2500).public_id
        db.session.remove()
    return public_id


def test_a_refund_in_part_and_the_rest_leave_nothing_and_name_who_and_why(
    app: Flask, office, gift: str
) -> None:
    admin: Office = office("admin")
    address = f"/staff/donations/{gift}/refund"
    first = {"amount": "10.00", "reason": "Gave twice", "key": "0" * 26}
    asked = admin.post(address, first)
    assert "Refund £10.00?" in asked.text
    assert "£10.00 of £25.00 goes back" in asked.text
    assert "The public figure falls by £10.00 at once." in asked.text
    with app.app_context():
        assert db.session.query(LedgerEntry).count() == 1
    for _click in range(2):
        assert admin.post(address, first | {"sure": "yes"}).status_code == 303
    assert "£15.00" in admin.get("/staff/").text
    too_much = admin.post(address, {"amount": "15.01", "reason": "Too much", "sure": "yes"})
    assert admin.post(address, {"amount": "15.01", "reason": "Too much"}).status_code == 422
    assert too_much.status_code == 422
    assert "At most £15 of this gift can be refunded." in too_much.text
    assert admin.post(address, {"amount": "15", "reason": "All of it", "sure": "yes"}).status_code == 303
    with app.app_context():
        assert not proof.differences()
        amounts = [entry.amount_minor for entry in db.session.query(LedgerEntry).order_by(LedgerEntry.id)]
        assert amounts == [2500, -1000, -1500]
        told = audit.entries(audit.Search(action="donation.refunded"))[0]
        assert [(one.actor, one.reason) for one in told] == [
            ("admin@lantern.example", "All of it"),
            ("admin@lantern.example", "Gave twice"),
        ]


def test_a_refund_without_a_reason_or_by_an_editor_moves_nothing(app: Flask, office, gift: str) -> None:
    address = f"/staff/donations/{gift}/refund"
    assert office("editor").post(address, {"amount": "10.00", "reason": "Gave twice"}).status_code == 403
    for sure in ({}, {"sure": "yes"}):
        typed = {"amount": "10.00", "reason": " ", **sure}
        answer = office("admin").post(address, typed)
        assert answer.status_code == 422
        assert 'maxlength="2000" aria-describedby="refund-reason-error" aria-invalid="true"' in answer.text
        assert 'value="10.00"' in answer.text
    with app.app_context():
        assert db.session.query(LedgerEntry).count() == 1
