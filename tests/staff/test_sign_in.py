"""The way in: throttled, in sessions that end and can be ended, with a second factor where one is on."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask import Flask
from passlib.totp import TOTP

from appeal.core import clock
from appeal.core.clock import travel as travel_to
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Person, SignIn
from appeal.office import passwords, second_factor, sign_in, staff_people
from appeal.office.audit import COMMAND_LINE, Actor
from appeal.queues import jobs
from tests.staff.conftest import PASSWORD, Office

Enter = Callable[..., Office]


def test_the_right_password_opens_the_dashboard(office: Enter) -> None:
    page = office("viewer").get("/staff/", follow_redirects=True)
    assert page.status_code == 200


def test_a_stranger_is_led_to_the_way_in_and_back(office: Enter, people: dict[str, str]) -> None:
    stranger = office()
    answer = stranger.get("/staff/donations?q=byron")
    assert answer.status_code == 303
    assert answer.location == "/staff/login?next=/staff/donations?q%3Dbyron"
    back = stranger.sign_in(people["viewer"], next="/staff/account/?x=1")
    assert back.location == "/staff/account/?x=1"


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example/staff/", "/staff/\\evil.example", "/staff/login", "/"]
)
def test_the_way_back_never_leaves_the_staff_pages(office: Enter, people: dict[str, str], next_: str) -> None:
    assert office().sign_in(people["viewer"], next=next_).location == "/staff/"


def test_a_password_is_stored_as_dear_to_guess_as_rfc_9106_asks_for() -> None:
    """The second recommended option of section 4: 64 MiB, three passes, four lanes, 128 bits of salt, 256 of tag."""
    stored = extract_parameters(passwords.digest_of(PASSWORD))
    assert stored == RFC_9106_LOW_MEMORY
    assert (stored.type, stored.memory_cost, stored.time_cost, stored.parallelism) == (Type.ID, 65536, 3, 4)
    assert (stored.salt_len, stored.hash_len) == (16, 32)


def test_somebody_unknown_takes_as_long_as_somebody_known() -> None:
    assert extract_parameters(passwords._nobodys()) == extract_parameters(passwords.digest_of(PASSWORD))
    assert not passwords.fits("", PASSWORD)


@pytest.mark.parametrize("email", ["viewer@lantern.example", "nobody@lantern.example"])
def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(office: Enter, email: str) -> None:
    answer = office().sign_in(email, "not the password at all")
    assert answer.status_code == 422
    assert "That e-mail address and password do not belong together." in answer.text
    assert 'value="' + email in answer.text


def test_the_sixth_attempt_for_a_person_is_refused_even_with_the_right_password(
    office: Enter, people: dict[str, str]
) -> None:
    for _ in range(sign_in.FAILURES_A_PERSON):
        assert office().sign_in(people["admin"], "not the password at all").status_code == 422
    refused = office().sign_in(people["admin"])
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert office().sign_in(people["viewer"]).status_code == 303


def test_an_address_that_tries_many_people_is_refused(
    office: Enter, app: Flask, people: dict[str, str]
) -> None:
    origin = sign_in.Origin(
        "127.0.0.1", "", app.extensions["appeal.settings"].secret_key.get_secret_value().encode()
    )
    with app.app_context():
        for number in range(sign_in.FAILURES_AN_ADDRESS):
            sign_in.failed(f"guess{number}@lantern.example", origin)
    assert office().sign_in(people["viewer"]).status_code == 429


def test_waiting_lets_somebody_in_again(office: Enter, people: dict[str, str]) -> None:
    for _ in range(sign_in.FAILURES_A_PERSON):
        office().sign_in(people["viewer"], "not the password at all")
    with travel_to(clock.now() + sign_in.WINDOW + timedelta(seconds=1)):
        assert office().sign_in(people["viewer"]).status_code == 303


def test_the_form_without_its_token_lets_nobody_in_and_keeps_what_was_typed(
    office: Enter, people: dict[str, str]
) -> None:
    answer = office().client.post("/staff/login", data={"email": people["viewer"], "password": PASSWORD})
    assert answer.status_code == 400
    assert people["viewer"] in answer.text


def test_the_cookie_is_sent_to_the_staff_pages_alone(
    office: Enter, people: dict[str, str], winter: str
) -> None:
    one = office()
    cookie = one.sign_in(people["viewer"]).headers["Set-Cookie"]
    assert cookie.startswith("appeal_staff=")
    assert "Path=/staff" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    for address in ("/", "/api/v1/appeals/winter", "/embed/winter/fragment"):
        assert "Set-Cookie" not in one.get(address).headers


def test_signing_in_changes_the_session_and_its_form_token(office: Enter, people: dict[str, str]) -> None:
    one = office()
    before = one.token()
    one.sign_in(people["viewer"])
    answer = one.client.post("/staff/logout", data={"csrf_token": before})
    assert answer.status_code == 400


def test_signing_out_ends_the_session_on_the_server(office: Enter, app: Flask) -> None:
    one = office("viewer")
    kept = one.client.get_cookie("appeal_staff", path="/staff")
    assert one.post("/staff/logout").status_code == 303
    one.client.set_cookie("appeal_staff", kept.value, path="/staff")
    assert one.get("/staff/account/").status_code == 303


@pytest.mark.parametrize(("hours", "still_in"), [(1.9, True), (2.1, False)])
def test_a_session_that_idles_ends(office: Enter, hours: float, still_in: bool) -> None:
    one = office("viewer")
    with travel_to(clock.now() + timedelta(hours=hours)):
        assert (one.get("/staff/account/").status_code == 200) is still_in


def test_a_session_in_use_ends_after_twelve_hours(office: Enter) -> None:
    one = office("viewer")
    began = clock.now()
    for hours in range(1, 12):
        with travel_to(began + timedelta(hours=hours)):
            assert one.get("/staff/account/").status_code == 200
    with travel_to(began + timedelta(hours=12, minutes=1)):
        assert one.get("/staff/account/").status_code == 303


def test_one_can_see_and_end_ones_other_sessions(office: Enter, app: Flask) -> None:
    here, there = office("viewer"), office("viewer")
    with app.app_context():
        other = db.session.query(SignIn).order_by(SignIn.id.desc()).first()
    assert here.get("/staff/account/").text.count('scope="row"') == 2
    here.post(f"/staff/account/sign-ins/{other.id}/end")
    assert there.get("/staff/account/").status_code == 303
    assert here.get("/staff/account/").status_code == 200


def test_nobody_ends_somebody_elses_session(office: Enter, app: Flask) -> None:
    admin = office("admin")
    with app.app_context():
        theirs = db.session.query(SignIn).one().id
    office("viewer").post(f"/staff/account/sign-ins/{theirs}/end")
    assert admin.get("/staff/account/").status_code == 200


def test_changing_the_password_ends_the_other_sessions(office: Enter, people: dict[str, str]) -> None:
    here, there = office("viewer"), office("viewer")
    answer = here.post("/staff/account/password", {"current": PASSWORD, "password": "another long one here"})
    assert answer.status_code == 303
    assert there.get("/staff/account/").status_code == 303
    assert here.get("/staff/account/").status_code == 200
    assert office().sign_in(people["viewer"], "another long one here").status_code == 303


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 201])
def test_a_weak_password_is_refused(office: Enter, password: str) -> None:
    answer = office("viewer").post("/staff/account/password", {"current": PASSWORD, "password": password})
    assert answer.status_code == 422


# -- the second factor -----------------------------------------------------------------------------------------


def turn_on(one: Office) -> tuple[str, list[str]]:
    """Set a second factor up; return its key and the recovery codes."""
    page = one.get("/staff/account/second-factor").text
    key = re.search(r"<code>([^<]+)</code>", page)[1].replace("-", "")
    done = one.post("/staff/account/second-factor", {"code": code_of(key)})
    assert done.status_code == 200, done.text
    return key, re.findall(r"<code>([^<]+)</code>", done.text)


def code_of(key: str) -> str:
    """Return the code that the app shows now."""
    return TOTP(key=key).generate(time=clock.now()).token


def test_a_second_factor_is_asked_for_and_each_code_is_good_once(
    office: Enter, people: dict[str, str]
) -> None:
    key, _ = turn_on(office("viewer"))
    with travel_to(clock.now() + timedelta(minutes=2)):
        code = code_of(key)
        one = office()
        asked = one.sign_in(people["viewer"])
        assert asked.status_code == 200
        assert one.get("/staff/account/").status_code == 303
        token = re.search(r'name="csrf_token" value="([^"]+)"', asked.text)[1]
        assert (
            one.client.post("/staff/login", data={"code": "000000", "csrf_token": token}).status_code == 422
        )
        assert one.client.post("/staff/login", data={"code": code, "csrf_token": token}).status_code == 303
        assert one.get("/staff/account/").status_code == 200
        assert office().sign_in(people["viewer"], code=code).status_code == 422


def test_a_recovery_code_lets_in_once(office: Enter, people: dict[str, str]) -> None:
    _, codes = turn_on(office("viewer"))
    assert len(codes) == second_factor.RECOVERY_CODES
    assert office().sign_in(people["viewer"], code=codes[0]).status_code == 303
    assert office().sign_in(people["viewer"], code=codes[0]).status_code == 422


def test_where_the_publisher_asks_for_it_nothing_opens_before_it_is_set_up(office: Enter, app: Flask) -> None:
    with app.app_context():
        staff_people.change_house({"second_factor_required": True}, 1, COMMAND_LINE)
    one = office("admin")
    assert one.get("/staff/").location == "/staff/account/second-factor"
    turn_on(one)
    assert one.get("/staff/").status_code == 200


def test_the_secret_is_stored_sealed(office: Enter, app: Flask) -> None:
    key, codes = turn_on(office("viewer"))
    with app.app_context():
        person = staff_people.by_email("viewer@lantern.example")
        stored = person.second_factor + str(person.recovery_digests)
    assert key not in stored
    assert codes[0] not in stored


# -- letters ---------------------------------------------------------------------------------------------------


def link_in(folder: Path) -> str:
    """Read the link of the newest letter."""
    from email import message_from_bytes, policy

    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    text = message_from_bytes(newest.read_bytes(), policy=policy.default).get_body(("plain",)).get_content()
    return re.search(r"/staff/login\?token=(\w+)", text)[1]


def test_an_invitation_lets_somebody_choose_a_password_once(
    office: Enter, app: Flask, tmp_path: Path
) -> None:
    key = app.extensions["appeal.settings"].secret_key.get_secret_value().encode()
    with app.app_context():
        staff_people.invite("new@lantern.example", "editor", "Nell", COMMAND_LINE, key)
        jobs.round_once(app.extensions["appeal.settings"])
    token = link_in(tmp_path / "mail")
    one = office()
    assert one.get(f"/staff/login?token={token}").status_code == 200
    values = {"token": token, "password": "short", "csrf_token": one.token()}
    assert one.client.post("/staff/login", data=values).status_code == 422
    values["password"] = "a very good password"
    assert one.client.post("/staff/login", data=values).status_code == 200
    assert one.sign_in("new@lantern.example", "a very good password").status_code == 303
    assert office().get(f"/staff/login?token={token}").status_code == 403


def test_a_forgotten_password_gets_the_same_answer_for_anybody_and_a_letter_for_staff(
    office: Enter, app: Flask, tmp_path: Path
) -> None:
    pages = []
    for email in ("viewer@lantern.example", "nobody@lantern.example"):
        one = office()
        values = {"forgotten": "1", "email": email, "csrf_token": one.token()}
        pages.append(one.client.post("/staff/login", data=values))
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text
    with app.app_context():
        assert jobs.round_once(app.extensions["appeal.settings"]).letters == 1
    assert link_in(tmp_path / "mail")


def test_a_link_grows_old(office: Enter, app: Flask, people: dict[str, str]) -> None:
    with app.app_context():
        staff_people.send_letter(staff_people.by_email(people["viewer"]), "reset", b"key")
    nonce_owner = staff_people
    with app.app_context():
        from appeal.models import StaffToken

        text = nonce_owner.token_text(db.session.query(StaffToken).one().nonce, b"key")
        assert staff_people.owner_of(text).email == people["viewer"]
        with travel_to(clock.now() + timedelta(hours=3)), pytest.raises(staff_people.TokenUnusable):
            staff_people.owner_of(text)


def test_somebody_shut_out_is_out_at_once(office: Enter, app: Flask, people: dict[str, str]) -> None:
    one = office("viewer")
    with app.app_context(), writing():
        person = db.session.query(Person).filter_by(email=people["viewer"]).one()
        staff_people.change(person.id, {"active": False}, person.revision, Actor("admin@lantern.example"))
    assert one.get("/staff/account/").status_code == 303
    assert office().sign_in(people["viewer"]).status_code == 422


def test_the_last_admin_cannot_be_taken_away(app: Flask, people: dict[str, str]) -> None:
    with app.app_context():
        admin = staff_people.by_email(people["admin"])
        with pytest.raises(staff_people.PersonRefused):
            staff_people.change(admin.id, {"role": "viewer"}, admin.revision, COMMAND_LINE)
        db.session.expire_all()
        assert staff_people.by_email(people["admin"]).role == "admin"


def test_a_dashboard_left_open_idles_out_though_it_asks_for_live_figures(office: Enter, winter: str) -> None:
    left, wall = office("viewer"), office("viewer")
    began = clock.now()
    for minutes in range(20, 140, 20):
        with travel_to(began + timedelta(minutes=minutes)):
            left.get("/staff/pulse.json")
            wall.get("/staff/pulse.json?wall=1")
    with travel_to(began + timedelta(minutes=125)):
        assert left.get("/staff/pulse.json").status_code == 303
        assert wall.get("/staff/pulse.json?wall=1").status_code == 200
