"""Every page, every role: who may open what, and that nothing opens by itself."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator

import html5lib
import pytest
from flask import Flask

from appeal.appeals import by_slug
from appeal.books import adjustments, ledger
from appeal.core import clock, texts
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, AuditEntry, Donation, Donor, Person, PostBatch, ThanksColumn
from appeal.office import column, editing, post_closing, post_import
from tests.making_post import ANNA, enter, open_batch
from tests.staff.conftest import Office, make_gift

Enter = Callable[..., Office]

# The least role that a route opens to. A new route without a row here fails the test below.
MATRIX = {
    "staff.session.login": "",
    "staff.session.sign_somebody_in": "",
    "staff.session.logout": "viewer",
    "staff.account.show": "viewer",
    "staff.account.change_password": "viewer",
    "staff.account.end": "viewer",
    "staff.account.second_factor": "viewer",
    "staff.account.turn_on": "viewer",
    "staff.account.turn_off": "viewer",
    "staff.dashboard.show": "viewer",
    "staff.dashboard.wall": "viewer",
    "staff.dashboard.pulse": "viewer",
    "staff.donations.show": "viewer",
    "staff.donations.one": "viewer",
    "staff.donations.refund": "admin",
    "staff.donations.correct": "admin",
    "staff.donations.credit": "editor",
    "staff.donations.note": "editor",
    "staff.donations.receipt": "editor",
    "staff.donors.show": "editor",
    "staff.donors.one": "editor",
    "staff.donors.note": "editor",
    "staff.donors.merge": "editor",
    "staff.donors.undo": "editor",
    "staff.donors.data": "admin",
    "staff.donors.erase": "admin",
    "staff.moderation.show": "editor",
    "staff.moderation.judge": "editor",
    "staff.moderation.words": "editor",
    "staff.exports.entries_csv": "viewer",
    "staff.exports.uncounted_csv": "viewer",
    "staff.exports.entries_xlsx": "viewer",
    "staff.exports.npsp": "editor",
    "staff.exports.donors": "editor",
    "staff.exports.show": "editor",
    "staff.exports.begin": "editor",
    "staff.exports.one": "editor",
    "staff.exports.file": "editor",
    "staff.appeals.show": "viewer",
    "staff.appeals.new": "editor",
    "staff.appeals.create": "editor",
    "staff.appeals.edit": "editor",
    "staff.appeals.save": "editor",
    "staff.appeals.open_": "editor",
    "staff.appeals.close": "editor",
    "staff.appeals.extend": "editor",
    "staff.appeals.stretch": "editor",
    "staff.attribution.show": "viewer",
    "staff.people.show": "admin",
    "staff.people.invite": "admin",
    "staff.people.one": "admin",
    "staff.people.change": "admin",
    "staff.people.letter": "admin",
    "staff.people.sign_out": "admin",
    "staff.people.forget_factor": "admin",
    "staff.people.house": "admin",
    "staff.audit.show": "admin",
    "staff.post.show": "viewer",
    "staff.post.open_batch": "editor",
    "staff.post.one": "viewer",
    "staff.post.enter": "editor",
    "staff.post.recount": "editor",
    "staff.post.close": "editor",
    "staff.post.discard": "editor",
    "staff.post.line": "editor",
    "staff.post.change": "editor",
    "staff.post.remove": "editor",
    "staff.post.match": "editor",
    "staff.post.correct": "admin",
    "staff.promises.show": "editor",
    "staff.promises.add": "editor",
    "staff.promises.withdraw": "editor",
    "staff.statements.show": "editor",
    "staff.statements.hand_in": "editor",
    "staff.statements.one": "editor",
    "staff.statements.columns": "editor",
    "staff.statements.make_batch": "editor",
    "staff.statements.forget": "editor",
    "staff.column.show": "viewer",
    "staff.column.one": "viewer",
    "staff.column.mark": "editor",
    "staff.column.undo": "editor",
    "staff.reconcile.show": "editor",
    "staff.reconcile.retry": "editor",
    "staff.reconcile.set_event_aside": "editor",
    "staff.reconcile.send_again": "editor",
    "staff.reconcile.set_letter_aside": "editor",
    "staff.reconcile.put_away": "editor",
    "staff.reconcile.run": "admin",
    "staff.reconcile.payout": "editor",
    "staff.embeds.show": "viewer",
    "staff.embeds.words": "editor",
    "staff.embeds.switch": "editor",
    "staff.outgoing.show": "admin",
    "staff.outgoing.new": "admin",
    "staff.outgoing.add": "admin",
    "staff.outgoing.one": "admin",
    "staff.outgoing.change": "admin",
    "staff.outgoing.roll": "admin",
    "staff.outgoing.rolled": "admin",
    "staff.outgoing.switch": "admin",
    "staff.outgoing.test": "admin",
    "staff.outgoing.again": "admin",
    "staff.outgoing.daily": "viewer",
    "staff.outgoing.choose_daily": "viewer",
}
LOCKING_OUT = {
    "staff.session.logout",
    "staff.account.turn_off",
    "staff.account.end",
    "staff.people.sign_out",
    "staff.people.forget_factor",
}
RANK = {"": -1, "viewer": 0, "editor": 1, "admin": 2}


def routes(app: Flask) -> Iterator[tuple[str, str, str]]:
    """List endpoint, method and a filled-in address of everything under /staff."""
    with app.app_context():
        gift, donor = db.session.query(Donation).first().public_id, db.session.query(Donor).first().public_id
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/staff"):
            known = {"slug": "winter", "public_id": donor if "/donors/" in rule.rule else gift}
            parts = re.split(r"<(?:\w+:)?(\w+)>", rule.rule)
            address = "".join(known.get(part, "1") if at % 2 else part for at, part in enumerate(parts))
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield rule.endpoint, method, address


def test_the_matrix_names_every_route_and_no_other(app: Flask, winter: str) -> None:
    assert {endpoint for endpoint, _, _ in routes(app)} == set(MATRIX)


def test_a_stranger_opens_nothing_but_the_way_in(app: Flask, office: Enter, winter: str) -> None:
    stranger = office()
    for endpoint, method, address in routes(app):
        answer = stranger.client.open(address, method=method)
        if MATRIX[endpoint]:
            assert answer.status_code == (303 if method == "GET" else 401), (method, address)
            assert "Byron" not in answer.text


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
def test_each_role_opens_exactly_what_it_may(app: Flask, office: Enter, winter: str, role: str) -> None:
    one = office(role)
    for endpoint, method, address in routes(app):
        if endpoint in LOCKING_OUT:
            continue
        answer = one.get(address) if method == "GET" else one.post(address)
        allowed = RANK[role] >= RANK[MATRIX[endpoint]]
        assert (answer.status_code != 403) is allowed, (role, method, address, answer.status_code)
        assert answer.status_code < 500, (method, address)


def test_no_form_is_taken_without_its_token(app: Flask, office: Enter, winter: str) -> None:
    admin = office("admin")
    for endpoint, method, address in routes(app):
        if method == "POST" and endpoint != "staff.session.sign_somebody_in":
            assert admin.client.post(address, data={"reason": "typed"}).status_code == 400, address


def test_what_was_typed_is_carried_along_when_the_token_is_missing(office: Enter, winter: str) -> None:
    answer = office("editor").client.post("/staff/moderation/words", data={"words": "viagra"})
    assert '<input type="hidden" name="words" value="viagra">' in answer.text


def test_every_page_forbids_framing_keeping_and_foreign_script(
    app: Flask, office: Enter, winter: str
) -> None:
    admin = office("admin")
    for endpoint, method, address in routes(app):
        if method == "GET":
            headers = admin.get(address).headers
            assert headers["X-Frame-Options"] == "DENY", endpoint
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], endpoint
            assert "unsafe" not in headers["Content-Security-Policy"], endpoint
            assert "no-store" in headers["Cache-Control"] or "no-cache" in headers["Cache-Control"], endpoint


def test_a_viewer_sees_no_email_address_anywhere(app: Flask, office: Enter, winter: str) -> None:
    with app.app_context():
        write_addresses_wherever_they_can_be_typed(by_slug(winter))
        batch, printed = db.session.query(PostBatch).one().id, db.session.query(ThanksColumn).one().id
    viewer = office("viewer")
    asked = [
        address
        for endpoint, method, address in routes(app)
        if method == "GET" and MATRIX[endpoint] in {"", "viewer"}
    ]
    refused = ["/staff/donors", "/staff/audit", "/staff/nothing?q=mary@readers.example"]
    searched = [f"/staff/donations?q={typed}&status=" for typed in ("mary@readers.example", "Byron", "")]
    for address in [*asked, *refused, *searched, f"/staff/post/{batch}", f"/staff/column/{printed}"]:
        found = set(texts.EMAIL.findall(everything_in(viewer.get(address).data)))
        assert found <= {"viewer@lantern.example", "mary@readers.example" if "mary" in address else ""}, (
            address
        )
    assert "Mary" not in viewer.get("/staff/donations?q=mary@readers.example").text


def everything_in(content: bytes) -> str:
    """Return the text of a page, or of every part of a workbook."""
    if not content.startswith(b"PK"):
        return content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as workbook:
        return "".join(workbook.read(name).decode() for name in workbook.namelist())


def write_addresses_wherever_they_can_be_typed(appeal: Appeal) -> None:
    """Do what staff do, and give what donors give, with an address in every text."""
    note = "ask ada@readers.example"
    editing.stretch(appeal.slug, 2_000_000, ANNA)
    batch = open_batch(appeal, 1, 500)
    enter(batch, 500, "cheque@readers.example", reference="from bank@readers.example")
    post_closing.close(batch.id, ANNA)
    gift = make_gift(appeal, 700, "named@readers.example", "n@readers.example", message=note, page="/mine")
    [entry] = ledger.entries_of(gift)
    with writing():
        adjustments.correct(entry.id, -100, reason=note, actor=ANNA.email, key="1")
        day = clock.today(appeal.time_zone)
        shown = column.propose(appeal, day, day).fingerprint
        column.mark_printed(appeal, day, day, fingerprint=shown, printed_on=day, actor=ANNA)
    db.session.remove()


def test_an_unknown_staff_address_is_not_there(office: Enter) -> None:
    assert office("admin").get("/staff/nothing-of-the-kind").status_code == 404


def test_a_number_that_no_row_has_leads_nowhere_and_breaks_nothing(
    app: Flask, office: Enter, winter: str
) -> None:
    """Beyond 63 bits SQLite's driver raises, and nobody asks for such a row by mistake."""
    admin, far = office("admin"), "9" * 20
    for rule in app.url_map.iter_rules():
        if "<int:" in rule.rule:
            address = re.sub("<[^>]+>", far, rule.rule)
            found = admin.get(address) if "GET" in (rule.methods or ()) else admin.post(address)
            assert found.status_code in {404, 405}, address
    for address in (
        "reconcile?letters",
        "reconcile?events",
        "post?before",
        "post/promises?before",
        "donations?before",
    ):
        assert admin.get(f"/staff/{address}={far}").status_code == 200, address


def test_every_page_is_sound_html_and_names_each_thing_once(app: Flask, office: Enter, winter: str) -> None:
    admin, looked_at = office("admin"), 0
    for _, method, address in routes(app):
        answer = admin.get(address) if method == "GET" else None
        if answer is not None and answer.mimetype == "text/html" and answer.status_code == 200:
            parser = html5lib.HTMLParser()
            parser.parse(answer.text)
            assert not parser.errors, (address, parser.errors)
            ids = re.findall(r'\sid="([^"]+)"', answer.text)
            assert len(ids) == len(set(ids)), (address, sorted(ids))
            looked_at += 1
    assert looked_at >= 25


ASKED_FIRST = (
    ("/staff/appeals/winter/close", "editor", {}),
    ("/staff/donations/{gift}/refund", "admin", {"amount": "1", "reason": "Why not"}),
    ("/staff/donations/{gift}/correct", "admin", {"change": "-1", "reason": "Misread"}),
    ("/staff/post/lines/{line}/remove", "editor", {}),
    ("/staff/post/statements/{statement}/forget", "editor", {}),
    ("/staff/account/second-factor/off", "viewer", {}),
    ("/staff/people/{person}/second-factor/off", "admin", {}),
)


@pytest.fixture
def graspable(app: Flask, winter: str) -> dict[str, object]:
    """Make one of everything that can be destroyed; return what each address needs."""
    with app.app_context():
        appeal = by_slug(winter)
        batch = open_batch(appeal, 1, 500)
        csv = b"Date,Amount,Name,Reference\n2026-11-20,5.00,Ada,R1\n"
        found = {
            "gift": db.session.query(Donation).filter_by(source="online").first().public_id,
            "line": enter(batch, 500).id,
            "statement": post_import.hand_in(appeal, "november.csv", csv, ANNA).id,
            "person": db.session.query(Person).first().id,
        }
        db.session.remove()
    return found


@pytest.mark.parametrize("asked", ASKED_FIRST, ids=lambda asked: asked[0])
def test_what_cannot_be_taken_back_is_asked_first_and_changes_nothing(
    app: Flask, office: Enter, graspable: dict[str, object], asked: tuple[str, str, dict[str, str]]
) -> None:
    address, role, values = asked
    one = office(role)
    with app.app_context():
        before = db.session.query(AuditEntry).count()
    answer = one.post(address.format(**graspable), values)
    assert answer.status_code == 200
    assert 'name="sure" value="yes"' in answer.text
    assert all(f'name="{name}" value="{value}"' in answer.text for name, value in values.items())
    assert not html5lib_errors(answer.text)
    with app.app_context():
        assert db.session.query(AuditEntry).count() == before


def html5lib_errors(text: str) -> list[object]:
    parser = html5lib.HTMLParser()
    parser.parse(text)
    return parser.errors
