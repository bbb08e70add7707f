"""Editing appeals: two people at once, goal and dates with their history, steps of one click, nothing typed lost."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image

from appeal import appeals
from appeal.core import clock
from appeal.core.errors import StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.office import audit, dashboard, editing
from appeal.office.audit import COMMAND_LINE, Actor
from appeal.staff.appeal_form import shown
from tests.staff.conftest import Office

Enter = Callable[..., Office]


def form_of(app: Flask, slug: str = "winter", **typed: str) -> dict[str, str]:
    """Return the edit form as a browser would send it, with what is typed over it."""
    with app.app_context():
        values = shown(appeals.by_slug(slug))
    sent = {name: str(value) for name, value in values.items() if not isinstance(value, bool)}
    sent |= {name: "y" for name, value in values.items() if value is True}
    return sent | typed


def test_a_change_is_kept_audited_and_public_at_once(app: Flask, office: Enter, winter: str) -> None:
    editor = office("editor")
    assert (
        editor.post(
            "/staff/appeals/winter", form_of(app, title="A better title", goal_minor="12,000")
        ).status_code
        == 303
    )
    public = editor.get("/api/v1/appeals/winter").json
    assert (public["title"], public["goal_minor"]) == ("A better title", 1_200_000)
    with app.app_context():
        entry = audit.entries(audit.Search(subject="appeal:winter"))[0][0]
        assert entry.actor == "editor@lantern.example"
        assert entry.before == {"title": "The winter appeal", "goal_minor": 1_000_000}
        assert entry.after == {"title": "A better title", "goal_minor": 1_200_000}


def test_an_open_appeal_whose_days_are_over_or_to_come_is_listed_as_such(
    app: Flask, office: Enter, winter: str
) -> None:
    editor = office("editor")
    assert "ended" not in editor.get("/staff/appeals").text
    with app.app_context(), writing():
        appeals.by_slug("winter").closes_at = clock.now() - timedelta(days=1)
    assert '<span class="tag">ended</span>' in editor.get("/staff/appeals").text
    with app.app_context(), writing():
        appeal = appeals.by_slug("winter")
        appeal.opens_at, appeal.closes_at = clock.now() + timedelta(days=1), None
    assert '<span class="tag tag--warn">opens later</span>' in editor.get("/staff/appeals").text


def test_an_unchanged_form_changes_nothing(app: Flask, office: Enter, winter: str) -> None:
    office("editor").post("/staff/appeals/winter", form_of(app))
    with app.app_context():
        assert appeals.by_slug("winter").revision == 1
        assert audit.entries(audit.Search(subject="appeal:winter"))[0] == []


def test_the_second_of_two_editors_sees_both_and_loses_nothing(
    app: Flask, office: Enter, winter: str
) -> None:
    mine = form_of(app, title="My title", standfirst="My words")
    office("admin").post("/staff/appeals/winter", form_of(app, title="Their title"))
    editor = office("editor")
    answer = editor.post("/staff/appeals/winter", mine)
    assert answer.status_code == 409
    assert "Somebody else changed this while you were editing" in answer.text
    assert "admin@lantern.example" in answer.text
    for words in ("Their title", "My title", "My words"):
        assert words in answer.text
    assert editor.get("/api/v1/appeals/winter").json["title"] == "Their title"
    again = editor.post("/staff/appeals/winter", mine | {"revision": "2"})
    assert again.status_code == 303
    assert editor.get("/api/v1/appeals/winter").json["title"] == "My title"


def test_a_preview_keeps_nothing(app: Flask, office: Enter, winter: str) -> None:
    editor = office("editor")
    answer = editor.post(
        "/staff/appeals/winter",
        form_of(app, title="Only seen", story_markdown="Some *words* <script>alert(1)</script>")
        | {"preview": "1"},
    )
    assert "Preview: not saved yet" in answer.text
    assert "<em>words</em>" in answer.text
    assert "<script>alert" not in answer.text
    assert editor.get("/api/v1/appeals/winter").json["title"] == "The winter appeal"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"goal_minor": "a lot"}, "Enter"),
        ({"opens_at": "2026-02-30"}, "Enter a day"),
        ({"opens_at": "2030-01-01", "closes_at": "2029-01-01"}, "closing day comes before"),
        ({"accent": "red;}"}, "Enter a colour"),
        ({"time_zone": "Europe/Atlantis"}, "Enter a time zone"),
        ({"locale": "klingon"}, "Enter a language"),
        ({"minimum_minor": "50", "maximum_minor": "20"}, "largest gift must not be smaller"),
        ({"presets_minor": "10 25 999999"}, "lie between"),
        ({"default_minor": "26"}, "one of those offered"),
        ({"return_hosts": "https://www.example.org/x"}, "one host a line"),
        ({"contact_email": "nobody"}, "e-mail address"),
        ({"title": ""}, "Enter a title"),
        ({"title": "x\x00y"}, "hidden or unusual"),
        ({"cover_percent_bps": "99"}, "percentage"),
        ({"revision": "x"}, ""),
    ],
)
def test_what_does_not_fit_is_refused_and_kept_in_the_form(
    app: Flask, office: Enter, winter: str, typed: dict[str, str], words: str
) -> None:
    answer = office("editor").post("/staff/appeals/winter", form_of(app, standfirst="Kept words", **typed))
    assert answer.status_code == 422
    assert words in answer.text
    assert "Kept words" in answer.text


def test_extending_and_stretching_take_one_step_and_are_marked_in_history(
    app: Flask, office: Enter, winter: str
) -> None:
    editor = office("editor")
    later = clock.today("Europe/London") + timedelta(days=20)
    assert editor.post("/staff/appeals/winter/extend", {"last_day": later.isoformat()}).status_code == 303
    assert editor.post("/staff/appeals/winter/stretch", {"goal": "15000"}).status_code == 303
    public = editor.get("/api/v1/appeals/winter").json
    assert (public["days_left"], public["goal_minor"]) == (21, 1_500_000)
    with app.app_context():
        changes = dashboard.changes_of(appeals.by_slug("winter"))
        assert [one.field for one in changes] == ["closes", "goal"]
        assert (changes[1].before, changes[1].after) == ("1000000", "1500000")
    assert "Changes of goal and dates" in editor.get("/staff/").text


def test_a_step_backwards_is_refused(office: Enter, winter: str) -> None:
    editor = office("editor")
    assert editor.post("/staff/appeals/winter/extend", {"last_day": "2020-01-01"}).status_code == 422
    assert editor.post("/staff/appeals/winter/stretch", {"goal": "5"}).status_code == 422
    assert editor.post("/staff/appeals/winter/stretch", {"goal": "much"}).status_code == 422


def test_opening_and_closing_are_audited_and_public(app: Flask, office: Enter, winter: str) -> None:
    editor = office("editor")
    editor.post("/staff/appeals/winter/close", {"sure": "yes"})
    assert editor.get("/api/v1/appeals/winter").json["state"] == "ended"
    editor.post("/staff/appeals/winter/open")
    assert editor.get("/api/v1/appeals/winter").json["state"] == "running"
    with app.app_context():
        assert [one.action for one in audit.entries(audit.Search(subject="appeal:winter"))[0]] == [
            "appeal.open",
            "appeal.closed",
        ]


def test_a_new_appeal_is_a_draft_that_nobody_outside_sees(office: Enter) -> None:
    editor = office("editor")
    made = editor.post(
        "/staff/appeals/new",
        {
            "slug": "spring",
            "title": "Spring",
            "currency": "EUR",
            "goal": "5000",
            "opens": "2030-03-01",
            "closes": "2030-04-01",
        },
    )
    assert made.location == "/staff/appeals/spring"
    assert editor.get("/appeals/spring").status_code == 404
    assert "€5,000" in editor.get("/staff/?appeal=spring").text
    again = editor.post("/staff/appeals/new", {"slug": "spring", "title": "Again", "currency": "eur"})
    assert again.status_code == 422
    assert "Again" in again.text


def test_a_logo_must_be_a_picture(app: Flask, office: Enter, winter: str) -> None:
    editor = office("editor")
    picture = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(picture, "PNG")
    good = editor.post(
        "/staff/appeals/winter",
        form_of(app) | {"logo": (io.BytesIO(picture.getvalue()), "logo.png")},
        content_type="multipart/form-data",
    )
    assert good.status_code == 303
    assert editor.get("/appeals/winter/logo").content_type == "image/png"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    bad = editor.post(
        "/staff/appeals/winter",
        form_of(app) | {"logo": (io.BytesIO(svg), "logo.png")},
        content_type="multipart/form-data",
    )
    assert bad.status_code == 422


def test_two_changes_from_one_revision_never_both_pass(session: object) -> None:
    from tests.staff.conftest import make_appeal

    appeal = make_appeal()
    editing.change(appeal.slug, {"title": "First"}, 1, Actor("a@b.example"))
    with pytest.raises(StaleForm):
        editing.change(appeal.slug, {"title": "Second"}, 1, COMMAND_LINE)
    db.session.expire_all()
    assert appeals.by_slug("winter").title == "First"


def test_banner_words_are_kept_refused_with_what_was_typed_and_never_overwritten_unseen(
    app: Flask, office: Enter, winter: str
) -> None:
    editor = office("editor")
    values = {"appeal": "winter", "revision": "1", "end.running.title": "Every pound counts"}
    assert (
        editor.post("/staff/embeds/words", values | {"end.running.body": "{nonsense} here"}).status_code
        == 422
    )
    assert editor.post("/staff/embeds/words", values).status_code == 303
    assert "Every pound counts" in editor.get("/staff/embeds").text
    editor.post("/staff/appeals/winter/stretch", {"goal": "20000"})
    stale = editor.post("/staff/embeds/words", values | {"end.running.title": "Mine"})
    assert stale.status_code == 409
    assert "Mine" in stale.text


def test_a_placement_is_switched_off_and_on(office: Enter, winter: str) -> None:
    editor = office("editor")
    for on, word in (("no", "Switch on"), ("yes", "Switch off")):
        editor.post("/staff/embeds/switch", {"appeal": "winter", "placement": "paywall", "on": on})
        assert f'{word}<span class="sr-only"> paywall' in editor.get("/staff/embeds").text
