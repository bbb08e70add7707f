"""The post room's pages: typed with a keyboard, nothing lost, nothing doubled, closed once, corrected by admins alone."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from appeal import reports
from appeal.books import proof
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Appeal, BankStatement, Payout, PostBatch, PostLine
from appeal.office import post, promises
from appeal.office.audit import Actor
from tests.staff.conftest import Office, make_gift

Enter = Callable[..., Office]
ANNA = Actor("anna@lantern.example")
SURE = {"sure": "yes"}


@pytest.fixture
def batch(app: Flask, winter: str) -> int:
    """Open a batch of two gifts, 60.00 in all; give its number."""
    with app.app_context():
        appeal = db.session.scalars(select(Appeal)).one()
        new = post.NewBatch("post", clock.today(appeal.time_zone), 2, 6000, "Monday's post")
        return post.open_batch(appeal, new, ANNA).id


def line(app: Flask, batch: int, minor: int = 2000, name: str = "Ada Byron", **values: Any) -> int:
    with app.app_context():
        entry = post.Entry(minor, post.batch(batch).received_on, name=name, **values)
        entered = post.add_line(batch, entry, ANNA, fact=f"typed:{name}{minor}{values}")
        assert entered is not None
        return entered.id


def typed(page: Any, **values: str) -> dict[str, str]:
    """Fill in the form of the next line as a browser would send it."""
    form = re.search(r'name="form"[^>]*value="([^"]*)"', page.text)
    day = re.search(r'name="received_on"[^>]*value="([^"]+)"', page.text)
    assert form, "the page has no line to type"
    assert day
    return {
        "form": form[1],
        "revision": "1",
        "received_on": day[1],
        "credit": "anonymous",
        "name": "",
        "amount": "",
    } | values


def test_a_batch_is_opened_typed_and_closed_and_the_public_figure_moves(
    office: Enter, winter: str, app: Flask
) -> None:
    editor = office("editor")
    today = clock.today("Europe/London").isoformat()
    values = {"count": "2", "amount": "60", "received_on": today, "label": "Monday", "source": "post"}
    opened = editor.post("/staff/post?appeal=winter", values)
    assert opened.status_code == 303
    for name, amount in (("Ada King", "£20"), ("Émile Zola", "40.00")):
        page = editor.get(opened.location)
        assert (
            editor.post(f"{opened.location}/lines", typed(page, name=name, amount=amount)).status_code == 303
        )
    before = editor.client.get("/api/v1/appeals/winter").json["raised_minor"]
    assert editor.post(f"{opened.location}/close").status_code == 303
    assert "every gift is in the books" in editor.get(opened.location).text
    assert editor.client.get("/api/v1/appeals/winter").json["raised_minor"] == before + 6000
    with app.app_context():
        assert proof.differences() == []


def test_the_keyboard_lands_in_the_first_field_of_the_next_line(office: Enter, batch: int) -> None:
    fields = re.findall(r"<input[^>]*autofocus[^>]*>", office("editor").get(f"/staff/post/{batch}").text)
    assert len(fields) == 1
    assert 'name="name"' in fields[0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"amount": "twenty"}, "Enter the amount in figures"),
        ({"amount": ""}, "Enter an amount"),
        ({"email": "nobody"}, "That is not an e-mail address"),
        ({"credit": "custom"}, "Enter the words in which the gift is named"),
        ({"credit": "name", "name": ""}, "Enter the name that is to be shown"),
        ({"received_on": "yesterday"}, "Enter the day, such as"),
        ({"received_on": "2199-01-01"}, "still to come"),
        ({"name": "A\x00B"}, "hidden or unusual"),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_is_said_and_kept(
    office: Enter, batch: int, app: Flask, wrong: dict[str, str], words: str
) -> None:
    editor = office("editor")
    values = (
        typed(editor.get(f"/staff/post/{batch}"), amount="20", name="Ada King", reference="Kept as typed")
        | wrong
    )
    answer = editor.post(f"/staff/post/{batch}/lines", values)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Kept as typed"' in answer.text
    with app.app_context():
        assert post.lines(batch) == []


def test_the_same_form_sent_twice_is_one_line(office: Enter, batch: int, app: Flask) -> None:
    editor = office("editor")
    values = typed(editor.get(f"/staff/post/{batch}"), amount="20", name="Ada King")
    for _ in range(2):
        assert editor.post(f"/staff/post/{batch}/lines", values).status_code == 303
    with app.app_context():
        assert post.tally(batch).count == 1


def test_a_batch_that_does_not_fit_is_refused_in_words(office: Enter, batch: int, app: Flask) -> None:
    line(app, batch)
    answer = office("editor").post(f"/staff/post/{batch}/close")
    assert answer.status_code == 422
    assert "The batch is still open. Counted were" in answer.text
    assert "entered are 1 gift of £20.00: 1 gift too few and £40.00 too little." in answer.text


def test_a_line_is_changed_taken_out_and_the_pile_recounted(office: Enter, batch: int, app: Flask) -> None:
    editor, first, second = office("editor"), line(app, batch), line(app, batch, 100, "Gone")
    values = typed(editor.get(f"/staff/post/lines/{first}"), amount="25", name="Ada King")
    assert editor.post(f"/staff/post/lines/{first}", values).status_code == 303
    assert editor.post(f"/staff/post/lines/{second}/remove", SURE).status_code == 303
    assert editor.post(f"/staff/post/{batch}/control", {"count": "1", "amount": "25"}).status_code == 303
    assert editor.post(f"/staff/post/{batch}/close").status_code == 303
    with app.app_context():
        assert [(one.amount_minor, one.name) for one in post.lines(batch)] == [(2500, "Ada King")]


def test_two_who_edit_one_line_see_both_and_lose_nothing(office: Enter, batch: int, app: Flask) -> None:
    editor, number = office("editor"), line(app, batch)
    seen = typed(editor.get(f"/staff/post/lines/{number}"), amount="30", name="Mine")
    with app.app_context():
        post.change_line(number, post.Entry(2200, post.batch(batch).received_on, name="Theirs"), 1, ANNA)
    answer = editor.post(f"/staff/post/lines/{number}", seen)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert "Theirs" in answer.text
    assert (
        editor.post(
            f"/staff/post/lines/{number}", typed(answer, amount="30", name="Mine") | {"revision": "2"}
        ).status_code
        == 303
    )


def test_a_line_typed_into_a_batch_that_was_closed_meanwhile_is_shown_back(
    office: Enter, batch: int, app: Flask
) -> None:
    editor = office("editor")
    values = typed(editor.get(f"/staff/post/{batch}"), amount="20", name="Late Comer")
    line(app, batch, 6000)
    editor.post(f"/staff/post/{batch}/control", {"count": "1", "amount": "60"})
    editor.post(f"/staff/post/{batch}/close")
    answer = editor.post(f"/staff/post/{batch}/lines", values)
    assert answer.status_code == 422
    assert "What you typed was not entered" in answer.text
    assert "Late Comer" in answer.text


def test_duplicates_are_pointed_out(office: Enter, batch: int, app: Flask) -> None:
    with app.app_context():
        make_gift(db.session.scalars(select(Appeal)).one(), 2000, "Ada Byron")
    line(app, batch, email="ada@readers.example")
    page = office("editor").get(f"/staff/post/{batch}").text
    assert "also gave online" in page


def closed(app: Flask, batch: int, editor: Office) -> int:
    number = line(app, batch, 6000)
    editor.post(f"/staff/post/{batch}/control", {"count": "1", "amount": "60"})
    assert editor.post(f"/staff/post/{batch}/close").status_code == 303
    return number


def test_an_admin_corrects_a_closed_line_with_a_reason(office: Enter, batch: int, app: Flask) -> None:
    admin = office("admin")
    number = closed(app, batch, admin)
    answer = admin.post(f"/staff/post/lines/{number}/correct", {"amount": "6", "reason": "", "form": "f"})
    assert answer.status_code == 422
    assert "Say why" in answer.text
    for _ in range(2):
        values = {"amount": "6", "reason": "Misread", "form": "f", **SURE}
        assert admin.post(f"/staff/post/lines/{number}/correct", values).status_code == 303
    with app.app_context():
        assert reports.figure("winter").raised_minor == 5500 + 600
        assert proof.differences() == []


def test_an_editor_cannot_correct_a_closed_line(office: Enter, batch: int, app: Flask) -> None:
    editor = office("editor")
    number = closed(app, batch, editor)
    answer = editor.post(f"/staff/post/lines/{number}/correct", {"amount": "6", "reason": "No", "form": "f"})
    assert answer.status_code == 403


def test_a_viewer_sees_totals_and_no_addresses(office: Enter, batch: int, app: Flask) -> None:
    line(app, batch, email="ada@readers.example", address="1 Quay Street")
    page = office("viewer").get(f"/staff/post/{batch}").text
    assert "£20.00" in page
    assert "readers.example" not in page
    assert "Quay Street" not in page
    assert "<form" not in page.split('id="main"')[1]


# -- promises


def test_a_promise_is_noted_matched_and_kept(office: Enter, batch: int, app: Flask) -> None:
    editor = office("editor")
    values = {"amount": "60", "name": "Ada Byron", "source": "post"}
    assert editor.post("/staff/post/promises?appeal=winter", values).status_code == 303
    assert editor.client.get("/api/v1/appeals/winter").json["promised_minor"] == 6000
    number = line(app, batch, 6000)
    page = editor.get(f"/staff/post/{batch}").text
    promise = re.search(r'name="promise" value="(\d+)"', page)
    assert promise
    assert editor.post(f"/staff/post/lines/{number}/match", {"promise": promise[1]}).status_code == 303
    editor.post(f"/staff/post/{batch}/control", {"count": "1", "amount": "60"})
    editor.post(f"/staff/post/{batch}/close")
    figure = editor.client.get("/api/v1/appeals/winter").json
    assert (figure["promised_minor"], figure["sources"]["post"]) == (0, 2500 + 6000)


def test_a_promise_is_withdrawn_with_a_reason(office: Enter, winter: str, app: Flask) -> None:
    with app.app_context():
        appeal = db.session.scalars(select(Appeal)).one()
        number = promises.add(appeal, promises.NewPromise(6000), ANNA).id
    editor = office("editor")
    assert editor.post(f"/staff/post/promises/{number}/withdraw", {"reason": " "}).status_code == 422
    assert editor.post(f"/staff/post/promises/{number}/withdraw", {"reason": "Moved away"}).status_code == 303
    with app.app_context():
        assert reports.figure("winter").promised_minor == 0


# -- statements

CSV = """Account;GB00 0000
Booking date;Amount;Payer;Details;Id
21/11/2026;25,00;Ada King;Appeal gift;TX1
21/11/2026;-9,50;The Bank;Fee;TX2
20/11/2026;1.250,00;STRIPE PAYMENTS;Payout;TX3
20/11/2026;10,00;Émile Zola;;TX4
nonsense;1,00;X;;TX5
"""
CAMT = """<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>
<Ntry><Amt Ccy="GBP">35.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>
<AcctSvcrRef>A1</AcctSvcrRef><NtryDtls>
<TxDtls><Refs><AcctSvcrRef>A1-1</AcctSvcrRef></Refs><Amt Ccy="GBP">25.00</Amt><RltdPties><Dbtr><Pty><Nm>Ada King</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>Appeal</Ustrd></RmtInf></TxDtls>
<TxDtls><Refs><AcctSvcrRef>A1-2</AcctSvcrRef></Refs><Amt Ccy="GBP">10.00</Amt><RltdPties><Dbtr><Nm>Émile Zola</Nm></Dbtr></RltdPties></TxDtls>
</NtryDtls></Ntry>
<Ntry><Amt Ccy="GBP">9.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="GBP">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry>
<Ntry><Amt Ccy="EUR">7.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


@pytest.fixture
def november(travel: Callable[[str], Any]) -> None:
    """Let it be the day after the statements."""
    travel("2026-11-23T12:00:00Z")


def hand_in(editor: Office, content: str, name: str = "november.csv") -> Any:
    file = (io.BytesIO(content.encode()), name)
    return editor.post(
        "/staff/post/statements?appeal=winter", {"file": file}, content_type="multipart/form-data"
    )


def picks(page: str, *, ticked: bool = True) -> list[str]:
    boxes = re.findall(r'<input type="checkbox"[^>]*>', page)
    return [re.search(r'value="([^"]+)"', box)[1] for box in boxes if not ticked or " checked" in box]  # type: ignore[index]


@pytest.mark.usefixtures("november")
@pytest.mark.parametrize(("content", "name"), [(CSV, "november.csv"), (CAMT, "november.xml")])
def test_a_statement_becomes_a_batch_once(
    office: Enter, winter: str, app: Flask, content: str, name: str
) -> None:
    editor = office("editor")
    first = hand_in(editor, content, name)
    page = editor.get(first.location).text
    assert "Ada King" in page
    assert len(picks(page)) == 2
    made = editor.post(f"{first.location}/batch", {"pick": picks(page)})
    assert made.status_code == 303
    assert editor.post(f"{made.location}/close").status_code == 303
    again = hand_in(editor, content, name)
    assert "in a batch already" in editor.get(again.location).text
    assert editor.post(f"{again.location}/batch", {"pick": picks(page)}).status_code == 422
    with app.app_context():
        assert reports.figure("winter").sources["bank"] == 3500
        assert proof.differences() == []


def test_a_payout_from_stripe_is_pointed_out_and_not_chosen(office: Enter, winter: str) -> None:
    page = office("editor")
    proposed = page.get(hand_in(page, CSV).location).text
    assert "payout from Stripe" in proposed
    assert len(picks(proposed, ticked=False)) == 3


def test_a_line_leads_to_the_payout_that_stripe_told_of_around_its_day(
    office: Enter, winter: str, app: Flask
) -> None:
    arrives_at = datetime(2026, 11, 20, tzinfo=UTC)
    with app.app_context(), writing() as session:
        values = {"currency": "gbp", "status": "paid", "created_at": arrives_at, "told_at": arrives_at}
        payout = Payout(payout_id="po_1", amount_minor=950, arrives_at=arrives_at, **values)
        session.add(payout)
        session.flush()
        link = f"/staff/reconcile/payouts/{payout.id}"
    editor = office("editor")
    for day, leads in (("22/11/2026", True), ("13/10/2026", False)):
        content = f"Date,Amount,Name,Reference\n{day},9.50,STRIPE PAYMENTS,R1\n"
        page = editor.get(hand_in(editor, content).location).text
        assert (link in page) is leads
        assert picks(page) == []


def test_what_was_not_read_is_said(office: Enter, winter: str) -> None:
    editor = office("editor")
    assert "“nonsense” is no day." in editor.get(hand_in(editor, CSV).location).text


def test_columns_are_named_once_and_remembered(office: Enter, winter: str, app: Flask, travel: Any) -> None:
    travel("2026-11-23T12:00:00Z")
    strange = "a;b;c\n11/20/2026;5,00;Ada\n"
    editor = office("editor")
    first = hand_in(editor, strange).location
    assert "Say which column holds the day" in editor.get(first).text
    editor.post(f"{first}/columns", {"date": "a", "amount": "b", "name": "c", "order": "month first"})
    page = editor.get(first).text
    assert editor.post(f"{first}/batch", {"pick": picks(page)}).status_code == 303
    later = hand_in(editor, strange + "11/21/2026;6,00;Ben\n").location
    assert len(picks(editor.get(later).text)) == 1


def test_a_statement_is_not_kept_once_its_lines_are_in_a_batch(
    office: Enter, winter: str, app: Flask, travel: Any
) -> None:
    travel("2026-11-23T12:00:00Z")
    editor = office("editor")
    first = hand_in(editor, CSV).location
    editor.post(f"{first}/batch", {"pick": picks(editor.get(first).text)})
    with app.app_context():
        assert db.session.scalars(select(BankStatement.content)).all() == [""]


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><Document><Stmt>&b;</Stmt></Document>'


@pytest.mark.parametrize(
    "content", ["", "hello", "<html><body>no</body></html>", BOMB, "<Document>", "a;b\n", "a;b\x00\n1;2\n"]
)
def test_what_is_no_statement_is_refused(office: Enter, winter: str, app: Flask, content: str) -> None:
    answer = hand_in(office("editor"), content)
    assert answer.status_code == 422
    with app.app_context():
        assert db.session.scalars(select(BankStatement)).all() == []


def test_yesterdays_open_batch_is_on_the_overview(office: Enter, batch: int, app: Flask) -> None:
    line(app, batch)
    page = office("viewer").get("/staff/post").text
    assert "Monday&#39;s post" in page
    assert "not yet" in page


def test_an_empty_batch_is_thrown_away(office: Enter, batch: int, app: Flask) -> None:
    assert office("editor").post(f"/staff/post/{batch}/discard").status_code == 303
    with app.app_context():
        assert db.session.scalars(select(PostBatch)).all() == db.session.scalars(select(PostLine)).all() == []


def test_a_day_before_the_batch_may_be_typed(office: Enter, batch: int, app: Flask) -> None:
    editor = office("editor")
    day = clock.today("Europe/London") - timedelta(days=2)
    values = typed(editor.get(f"/staff/post/{batch}"), amount="20", received_on=day.isoformat())
    assert editor.post(f"/staff/post/{batch}/lines", values).status_code == 303
    with app.app_context():
        assert [one.received_on for one in post.lines(batch)] == [day]
