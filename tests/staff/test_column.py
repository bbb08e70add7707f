"""The thank-you column: only approved names, each gift once, the unnamed counted, all of it taken back when it must be."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from appeal import reports
from appeal.core import clock
from appeal.core.errors import NotPossible, StaleForm
from appeal.extensions import db
from appeal.models import Appeal, AuditEntry, CreditPrint, Donation
from appeal.office import column
from appeal.office.audit import Actor
from tests.staff.conftest import Office, give_back, make_appeal, make_gift

Enter = Callable[..., Office]
ANNA = Actor("anna@lantern.example")


def gift(appeal: Appeal, name: str = "Ada Byron", credit: str = "name", **values: Any) -> Donation:
    values.setdefault("credit_review", "none" if credit == "anonymous" else "approved")
    return make_gift(appeal, values.pop("minor", 1000), name, credit=credit, **values)


def propose(appeal: Appeal) -> column.Proposal:
    return column.propose(appeal, None, clock.today(appeal.time_zone))


def shown(appeal: Appeal) -> list[str]:
    return [one.shown for one in propose(appeal).named]


def mark(appeal: Appeal, fingerprint: str = "") -> Any:
    today = clock.today(appeal.time_zone)
    return column.mark_printed(
        appeal,
        None,
        today,
        fingerprint=fingerprint or propose(appeal).fingerprint,
        printed_on=today,
        actor=ANNA,
    )


# -- who is in it


def test_only_what_was_approved_is_printed(session) -> None:
    appeal = make_appeal()
    gift(appeal, "Ada Byron")
    gift(appeal, "Not Yet", credit_review="waiting")
    gift(appeal, "Rude Word", credit_review="hidden")
    proposal = propose(appeal)
    assert [one.line for one in proposal.named] == ["Ada Byron"]
    assert (proposal.waiting, proposal.unnamed, proposal.gift_count) == (1, 0, 1)


def test_an_anonymous_gift_is_counted_and_never_named_whatever_its_review_says(session) -> None:
    appeal = make_appeal()
    gift(appeal, "Secret Giver", credit="anonymous")
    gift(appeal, "Secret Other", credit="anonymous", credit_review="approved")
    proposal = propose(appeal)
    assert (proposal.named, proposal.unnamed) == ([], 2)
    assert "Secret" not in column.run_in(proposal, "") + column.one_a_line(proposal, "")


def test_a_gift_that_was_given_back_is_left_out(session) -> None:
    appeal = make_appeal()
    give_back(gift(appeal, "Ada Byron"), 1000, "re:1")
    give_back(gift(appeal, "Mary Shelley"), 400, "re:2")
    assert shown(appeal) == ["Mary Shelley"]


def test_a_gift_of_another_appeal_or_another_day_is_left_out(session) -> None:
    appeal, other = make_appeal(), make_appeal("spring")
    gift(other, "Elsewhere")
    gift(appeal, "Long Ago", received_at=clock.now() - timedelta(days=3))
    today = clock.today(appeal.time_zone)
    assert column.propose(appeal, today, today).named == []
    assert [one.line for one in column.propose(appeal, today - timedelta(days=3), today).named] == [
        "Long Ago"
    ]


# -- how it reads


def test_names_stand_by_family_name_then_initials_then_words(session) -> None:
    appeal = make_appeal()
    for name, credit, words in (
        ("Émile Zola", "name", ""), ("Ada Byron", "name", ""), ("Mary Ödman", "name", ""),
        ("Zoe Abel", "initials", ""), ("X", "custom", "A reader in Leeds"),
    ):  # fmt: skip
        gift(appeal, name, credit, credit_line=words)
    assert shown(appeal) == ["Ada Byron", "Mary Ödman", "Émile Zola", "Z. A.", "A reader in Leeds"]


def test_the_same_words_of_three_readers_are_one_line_and_of_one_reader_have_no_number(session) -> None:
    appeal = make_appeal()
    for name in ("One", "Two", "Three"):
        gift(appeal, name, "custom", credit_line="A reader in Leeds")
    gift(appeal, "Ada Byron")
    gift(appeal, "Ada Byron")
    assert shown(appeal) == ["Ada Byron", "A reader in Leeds (3)"]


@pytest.mark.parametrize(
    ("names", "unnamed", "words"),
    [
        (["Ada Byron"], 0, "Our thanks to Ada Byron."),
        (["Ada Byron", "Mary Shelley"], 0, "Our thanks to Ada Byron and Mary Shelley."),
        (["Ada Byron"], 1, "Our thanks to Ada Byron; and to one who wishes to stay unnamed."),
        ([], 14, "Our thanks to 14 who wish to stay unnamed."),
        (["Byron, Ada", "Mary Shelley"], 2, "Our thanks to Byron, Ada; Mary Shelley; and to 2 who wish to stay unnamed."),
    ],
)  # fmt: skip
def test_the_paragraph_reads_well(names: list[str], unnamed: int, words: str) -> None:
    named = [column.Named("name", name, 1, 1) for name in names]
    proposal = column.Proposal(named, unnamed, 0, ())
    assert column.run_in(proposal, "") == words


def test_the_figure_above_the_names_is_that_of_every_other_surface(session) -> None:
    appeal = make_appeal()
    gift(appeal)
    assert reports.figure("winter").sentence in column.head(appeal)


# -- printed


def test_a_gift_is_in_one_column_only(session) -> None:
    appeal = make_appeal()
    gift(appeal)
    gift(appeal, "Silent", credit="anonymous")
    printed = mark(appeal)
    assert (printed.named_count, printed.unnamed_count) == (1, 1)
    assert propose(appeal).gift_count == 0
    gift(appeal, "Mary Shelley")
    assert shown(appeal) == ["Mary Shelley"]
    _, proposal = column.as_printed(printed.id)
    assert ([one.line for one in proposal.named], proposal.unnamed) == (["Ada Byron"], 1)


def test_marking_twice_is_one_column(session) -> None:
    appeal = make_appeal()
    gift(appeal)
    fingerprint = propose(appeal).fingerprint
    assert mark(appeal, fingerprint).id == mark(appeal, fingerprint).id
    assert session.scalar(select(func.count()).select_from(CreditPrint)) == 1


def test_what_changed_since_it_was_seen_is_not_marked(session) -> None:
    appeal = make_appeal()
    one = gift(appeal)
    gift(appeal, "Mary Shelley")
    fingerprint = propose(appeal).fingerprint
    give_back(one, 1000, "re:1")
    with pytest.raises(StaleForm):
        mark(appeal, fingerprint)
    assert session.scalar(select(func.count()).select_from(CreditPrint)) == 0


def test_nothing_is_not_printed(session) -> None:
    with pytest.raises(NotPossible):
        mark(make_appeal())


def test_a_column_taken_back_can_be_printed_again(session) -> None:
    appeal = make_appeal()
    gift(appeal)
    first = mark(appeal)
    column.undo(first.id, ANNA)
    column.undo(first.id, ANNA)
    assert shown(appeal) == ["Ada Byron"]
    assert mark(appeal).id != first.id
    actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert [one for one in actions if one.startswith("column")] == [
        "column.printed",
        "column.undone",
        "column.printed",
    ]


# -- the page


def fields(page: str) -> dict[str, str]:
    form = re.search(r'<form method="post" action="/staff/column".*?</form>', page, re.DOTALL)
    assert form, "nothing to mark"
    return dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form[0]))


def test_an_editor_marks_and_takes_back(office: Enter, winter: str, app: Flask) -> None:
    editor = office("editor")
    page = editor.get("/staff/column").text
    assert "=HYPERLINK(1)" in page
    assert "one who wishes to stay unnamed" in page
    assert "1 name waits" in page
    assert "Byron" not in page
    assert editor.post("/staff/column", fields(page)).status_code == 303
    page = editor.get("/staff/column").text
    assert "every approved line was printed" in page
    number = re.search(r"/staff/column/(\d+)/undo", page)
    assert number
    assert "=HYPERLINK(1)" in editor.get(f"/staff/column/{number[1]}").text
    assert editor.post(f"/staff/column/{number[1]}/undo").status_code == 303
    assert "=HYPERLINK(1)" in editor.get("/staff/column").text


def test_a_page_that_is_out_of_date_is_told_so(office: Enter, winter: str, app: Flask) -> None:
    editor = office("editor")
    values = fields(editor.get("/staff/column").text)
    with app.app_context():
        gift(db.session.scalars(select(Appeal)).one(), "Late Comer")
    answer = editor.post("/staff/column", values)
    assert answer.status_code == 409
    assert "Look again before you print" in answer.text
    assert "Late Comer" in answer.text


def test_a_day_that_is_none_is_asked_again(office: Enter, winter: str) -> None:
    editor = office("editor")
    values = fields(editor.get("/staff/column").text) | {"printed_on": "soon"}
    assert "Enter the day" in editor.post("/staff/column", values).text


def test_a_viewer_reads_and_cannot_mark(office: Enter, winter: str) -> None:
    page = office("viewer").get("/staff/column")
    assert "=HYPERLINK(1)" in page.text
    assert 'method="post" action="/staff/column"' not in page.text
