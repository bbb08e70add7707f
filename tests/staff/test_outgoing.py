"""The office's page of what is told outside: added with a fresh password, its secret shown once, everything audited."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from appeal.core import clock
from appeal.core.clock import travel as travel_to
from appeal.extensions import db
from appeal.models import OutgoingEndpoint
from appeal.office import audit
from appeal.outgoing import digest
from tests.outgoing.receiver import Receiver, receiving
from tests.staff.conftest import Office

Enter = Callable[..., Office]
NEW = "/staff/outgoing/new/webhook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a publisher's system."""
    with receiving() as one:
        yield one


def form(receiver: Receiver, **values: object) -> dict[str, object]:
    """Fill in the form of an endpoint."""
    fields = {
        "name": "CRM", "address": receiver.address + "/in?key=theirs", "appeal_id": "0",
        "event_types": ["gift.received", "gift.refunded"], "personal": [],
    }  # fmt: skip
    return fields | values


def test_the_secret_is_shown_once_and_signs_the_test_message(
    office: Enter, app: Flask, receiver: Receiver
) -> None:
    admin = office("admin")
    page = admin.post(NEW, form(receiver)).text
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert "whsec_" not in admin.get("/staff/outgoing/1").text
    answer = admin.post("/staff/outgoing/1/test", follow_redirects=True)
    assert "It arrived." in answer.text
    assert receiver.messages[0].signed_by(secret)
    rolled = admin.post("/staff/outgoing/1/roll").text
    assert re.findall(r"whsec_[A-Za-z0-9+/=]+", rolled) != [secret]
    with app.app_context():
        entries = audit.entries(audit.Search(subject="outgoing:1"))[0]
        assert [entry.action for entry in entries] == ["outgoing.roll", "outgoing.add"]
        assert all(entry.actor == "admin@lantern.example" for entry in entries)
        assert "theirs" not in repr([entry.after for entry in entries])


def test_adding_and_rolling_ask_for_the_password_when_it_was_given_long_ago(
    office: Enter, app: Flask, receiver: Receiver
) -> None:
    admin = office("admin")
    with travel_to(clock.now() + timedelta(minutes=20)):
        assert admin.post(NEW, form(receiver)).status_code == 403
        assert admin.post("/staff/outgoing/1/roll").status_code == 403
    with app.app_context():
        assert db.session.query(OutgoingEndpoint).count() == 0


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("address", "https://169.254.169.254/latest", "leads into a private network"),
        ("address", "ftp://hooks.example.org/", "must begin with https://"),
        ("address", "https://user:pass@hooks.example.org/", "Leave name and password out"),
        ("event_types", [], "Choose at least one thing"),
        ("name", "", "Give it a name"),
    ],
)
def test_what_is_refused_is_said_at_the_field_and_what_was_typed_stays(
    office: Enter, receiver: Receiver, field: str, value: object, message: str
) -> None:
    answer = office("admin").post(NEW, form(receiver, **{"name": "The CRM", field: value}))
    assert answer.status_code == 422
    assert message in answer.text
    if field != "name":
        assert 'value="The CRM"' in answer.text


def test_two_people_editing_lose_nothing(office: Enter, receiver: Receiver) -> None:
    admin = office("admin")
    admin.post(NEW, form(receiver))
    assert (
        admin.post("/staff/outgoing/1", form(receiver, address="", name="First", revision="1")).status_code
        == 303
    )
    late = admin.post("/staff/outgoing/1", form(receiver, address="", name="Second", revision="1"))
    assert late.status_code == 409
    assert "What you typed is still here" in late.text
    assert 'value="Second"' in late.text
    admin.post("/staff/outgoing/1/test")
    assert receiver.messages[0].path == "/in?key=theirs"  # an empty address keeps the one there is


def test_an_endpoint_is_switched_off_and_on(office: Enter, receiver: Receiver) -> None:
    admin = office("admin")
    admin.post(NEW, form(receiver))
    admin.post("/staff/outgoing/1/switch", {"to": "off"})
    assert "Switched off by admin@lantern.example" in admin.get("/staff/outgoing/1").text
    admin.post("/staff/outgoing/1/switch", {"to": "on"})
    assert "Switched off by" not in admin.get("/staff/outgoing/1").text


def test_what_the_other_side_answers_is_shown_as_text(office: Enter, receiver: Receiver) -> None:
    admin = office("admin")
    admin.post(NEW, form(receiver))
    receiver.answer_next(500, body=b"<script>alert(1)</script>")
    assert "Not taken. It answered 500." in admin.post("/staff/outgoing/1/test", follow_redirects=True).text
    page = admin.get("/staff/outgoing/1").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_everybody_chooses_the_daily_letter_for_themselves(office: Enter, app: Flask, winter: str) -> None:
    viewer = office("viewer")
    assert "What it would say today" in viewer.get("/staff/outgoing/digest").text
    viewer.post("/staff/outgoing/digest", {"wanted": "yes"})
    with app.app_context():
        assert [digest.wants(number) for number in (1, 2, 3)].count(True) == 1
    viewer.post("/staff/outgoing/digest", {"wanted": "no"})
    with app.app_context():
        assert not any(digest.wants(number) for number in (1, 2, 3))
