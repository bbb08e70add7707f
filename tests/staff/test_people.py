"""People: invited, given a role, shut out, by admins alone and with a fresh password; commands on the server."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask

from appeal.appeals import by_slug
from appeal.core import clock
from appeal.core.clock import travel as travel_to
from appeal.extensions import db
from appeal.models import OutboxItem, Person
from appeal.office import attribution, audit, staff_people
from tests.staff.conftest import Office

Enter = Callable[..., Office]


def person(app: Flask, email: str) -> Person:
    with app.app_context():
        return staff_people.by_email(email)


def test_an_admin_invites_somebody_who_then_waits_for_the_letter(app: Flask, office: Enter) -> None:
    admin = office("admin")
    assert (
        admin.post(
            "/staff/people", {"email": "new@lantern.example", "name": "Nell", "role": "editor"}
        ).status_code
        == 303
    )
    page = admin.get("/staff/people").text
    assert "new@lantern.example" in page
    assert "invited" in page
    with app.app_context():
        assert db.session.query(OutboxItem).one().recipient == "new@lantern.example"
    again = admin.post("/staff/people", {"email": "NEW@lantern.example", "role": "editor"})
    assert again.status_code == 422
    assert "among the staff already" in again.text


def test_the_letter_in_the_outbox_holds_no_key_to_the_house(app: Flask, office: Enter) -> None:
    office("admin").post("/staff/people", {"email": "new@lantern.example", "role": "editor"})
    with app.app_context():
        assert db.session.query(OutboxItem).one().content == {"token_id": 1}


def test_a_role_is_changed_with_a_fresh_password_and_ends_the_sessions(
    app: Flask, office: Enter, people: dict[str, str]
) -> None:
    admin, editor = office("admin"), office("editor")
    one = person(app, people["editor"])
    values = {"name": "Ed", "role": "viewer", "active": "yes", "revision": str(one.revision)}
    with travel_to(clock.now() + timedelta(minutes=20)):
        assert admin.post(f"/staff/people/{one.id}", values).status_code == 403
    assert admin.post(f"/staff/people/{one.id}", values).status_code == 303
    assert editor.get("/staff/account/").status_code == 303
    with app.app_context():
        entry = audit.entries(audit.Search(action="person.changed"))[0][0]
        assert (entry.before["role"], entry.after["role"]) == ("editor", "viewer")


def test_two_admins_who_change_somebody_at_once_hear_of_each_other(
    app: Flask, office: Enter, people: dict[str, str]
) -> None:
    admin, one = office("admin"), person(app, people["viewer"])
    values = {"name": "First", "role": "viewer", "active": "yes", "revision": "1"}
    assert admin.post(f"/staff/people/{one.id}", values).status_code == 303
    late = admin.post(f"/staff/people/{one.id}", values | {"name": "Second"})
    assert late.status_code == 409
    assert "Second" in late.text
    assert person(app, people["viewer"]).name == "First"


def test_the_last_admin_stays(app: Flask, office: Enter, people: dict[str, str]) -> None:
    one = person(app, people["admin"])
    admin = office("admin")
    answer = admin.post(
        f"/staff/people/{one.id}", {"name": "", "role": "viewer", "active": "yes", "revision": "1"}
    )
    assert answer.status_code == 422
    assert admin.get("/staff/people").status_code == 200


def test_an_admin_signs_somebody_out_everywhere(app: Flask, office: Enter, people: dict[str, str]) -> None:
    viewer = office("viewer")
    address = f"/staff/people/{person(app, people['viewer']).id}"
    office("admin").post(f"{address}/sign-out")
    office("admin").post(f"{address}/letter")
    with app.app_context():
        told = audit.entries(audit.Search(subject=f"person:{people['viewer']}"))[0]
        assert [one.action for one in told][:2] == ["person.letter_sent", "person.signed_out"]
    assert viewer.get("/staff/account/").status_code == 303


def test_the_commands_add_list_and_reset(app: Flask) -> None:
    runner = app.test_cli_runner()
    added = runner.invoke(
        args=["staff", "add", "boss@lantern.example", "--role", "admin", "--password-stdin"],
        input="a very good password\n",
    )
    assert added.exit_code == 0, added.output
    assert "boss@lantern.example" in runner.invoke(args=["staff", "list", "--json"]).output
    assert runner.invoke(args=["staff", "reset", "boss@lantern.example"]).exit_code == 0
    assert runner.invoke(args=["staff", "reset", "nobody@lantern.example"]).exit_code == 1
    assert (
        runner.invoke(
            args=["staff", "add", "weak@lantern.example", "--password-stdin"], input="short\n"
        ).exit_code
        == 1
    )
    first = runner.invoke(args=["staff", "demo"]).output
    assert first == runner.invoke(args=["staff", "demo"]).output
    assert len(first.split()) == 2


def test_sources_add_up_to_what_their_gifts_brought(app: Flask, office: Enter, winter: str) -> None:
    with app.app_context():
        appeal = by_slug("winter")
        assert sum(one.net_minor for one in attribution.by_placement(appeal)) == 5500
        links = attribution.links(appeal)
        assert [(one.name, one.net_minor) for one in attribution.sites(links)] == [
            ("www.lantern.example", 1000)
        ]
        assert [(one.name, one.gift_count) for one in attribution.articles(appeal)] == [("/mine", 1)]
    assert "/mine" in office("viewer").get("/staff/sources").text
