"""The same figure on every surface, to the penny; and what the dashboard costs."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal

import openpyxl
from flask import Flask
from sqlalchemy import event

from appeal import appeals
from appeal.books import proof
from appeal.extensions import db
from appeal.office import dashboard
from tests.staff.conftest import Office, give_back, make_appeal, make_gift

Enter = Callable[..., Office]
MOST_STATEMENTS = 6


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_dashboard_json_books_and_exports_say_the_same_to_the_penny(
    app: Flask, office: Enter, winter: str
) -> None:
    admin = office("admin")
    raised = admin.get("/api/v1/appeals/winter").json["raised_minor"]
    assert raised == 5500
    assert "£55.00" in admin.get("/staff/?appeal=winter").text
    assert admin.get("/staff/pulse.json?appeal=winter").json["raised"] == "£55.00"
    as_csv = rows_of(admin.get("/staff/donations.csv?appeal=winter").text)
    assert sum(Decimal(row["Amount"]) for row in as_csv) == Decimal(raised) / 100
    sheet = openpyxl.load_workbook(io.BytesIO(admin.get("/staff/donations.xlsx?appeal=winter").data)).active
    column = [cell.value for cell in sheet[1]].index("Amount")
    amounts = [Decimal(str(row[column])) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert sum(amounts) == Decimal(raised) / 100
    with app.app_context():
        assert not proof.differences()
        board = dashboard.board(*dashboard.appeals_with_totals()[0])
        assert sum(day.net_minor for day in board.days) == board.days[-1].so_far_minor == raised
        for shares in (board.placements, board.sources, board.rhythms):
            assert sum(share.net_minor for share in shares) == raised
        assert sum(hour.net_minor for hour in board.hours) == raised


def test_a_refund_shows_at_once_as_a_negative_amount(app: Flask, office: Enter, winter: str) -> None:
    admin = office("admin")
    with app.app_context():
        give_back(make_gift(appeals.by_slug("winter"), 1234), 1234, "re:2")
        db.session.remove()
    amounts = [row["Amount"] for row in rows_of(admin.get("/staff/donations.csv").text)]
    assert amounts == ["10.00", "25.00", "40.00", "-20.00", "12.34", "-12.34"]
    assert "£55.00" in admin.get("/staff/").text


def test_the_dashboard_takes_six_statements_whatever_the_number_of_gifts(
    app: Flask, office: Enter, winter: str
) -> None:
    viewer = office("viewer")
    counts = []
    for _ in range(2):
        statements: list[str] = []
        with app.app_context():
            make_gift(appeals.by_slug("winter"), 700)
            engine = db.engine
            db.session.remove()
        listen = lambda _c, _cu, statement, *_: statements.append(statement)  # noqa: E731, B023
        event.listen(engine, "before_cursor_execute", listen)
        assert viewer.get("/staff/").status_code == 200
        event.remove(engine, "before_cursor_execute", listen)
        counts.append(len([one for one in statements if one.lstrip().upper().startswith("SELECT")]))
    print(f"statements: dashboard {counts[0]}")
    assert counts[0] == counts[1]
    assert counts[0] <= MOST_STATEMENTS, statements


def test_the_live_figures_are_not_sent_again_while_nothing_changes(office: Enter, winter: str) -> None:
    viewer = office("viewer")
    first = viewer.get("/staff/pulse.json")
    again = viewer.get("/staff/pulse.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert len(first.data) < 700


def test_one_gift_is_one_gift_of_one_person_and_its_share_is_written_as_in_public(
    app: Flask, office: Enter
) -> None:
    with app.app_context():
        make_gift(make_appeal(goal_minor=10_000), 2550)
    page, pulse = office("viewer").get("/staff/").text, office("viewer").get("/staff/pulse.json").json
    assert '<small data-live="today-words">1 gift</small>' in page
    assert "from 1 person" in page
    assert '<strong data-live="percent">25.5%</strong>' in page
    assert (pulse["today-words"], pulse["percent"]) == ("1 gift", "25.5%")


def test_the_median_is_the_lower_middle_of_the_latest_gifts(app: Flask, winter: str) -> None:
    with app.app_context():
        appeal, totals = dashboard.appeals_with_totals()[0]
        assert dashboard.board(appeal, totals).median_minor == 2500
        make_gift(appeal, 100)
        assert dashboard.board(*dashboard.appeals_with_totals()[0]).median_minor == 1000


def test_an_appeal_without_gifts_goal_or_dates_has_a_dashboard(app: Flask, office: Enter) -> None:
    admin = office("admin")
    assert admin.get("/staff/").status_code == 200
    with app.app_context():
        appeals.create(appeals.NewAppeal("bare", "Bare", "jpy"))
    page = admin.get("/staff/?appeal=bare")
    assert page.status_code == 200
    assert "No gift has come yet" in page.text
    assert "Likely finish" not in page.text
    assert "How the money came" not in page.text
    assert admin.get("/staff/?appeal=nobody").status_code == 404
