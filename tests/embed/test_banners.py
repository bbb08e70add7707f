"""An appeal's own words for its banners, and the switch for each placement."""

import pytest

from appeal import banners
from appeal.core.errors import NoSuchAppeal
from appeal.office import audit
from appeal.office.audit import Actor
from tests import making

EDITOR = Actor("editor@example.org")


def words(text, part="title", placement="end", state="running"):
    return {placement: {state: {part: text}}}


def test_words_are_kept_and_written_down(session):
    making.open_appeal()
    banners.set_words(making.SLUG, words("  Stay   with us "), EDITOR)
    entry = audit.entries(audit.Search(subject=making.SLUG))[0][0]
    assert (entry.action, entry.actor) == ("appeal.banner_words", "editor@example.org")
    assert entry.after == words("Stay with us")


def test_empty_words_fall_back_to_those_of_the_script():
    assert banners.checked({"end": {"running": {"title": " ", "body": ""}}, "top": {}}) == {}


@pytest.mark.parametrize("text", ["{raised} of {goal}", "{title}: {remaining}", "{left} left"])
def test_words_may_name_a_figure(text):
    assert banners.checked(words(text)) == words(text)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (words("x" * 61), "use at most 60 characters; these are 61"),
        (words("x" * 141, "body"), "use at most 140"),
        (words("x" * 29, "button"), "use at most 28"),
        (words("x", "footer"), "a title, a body and a button"),
        (words(7), "a title, a body and a button"),
        (words("x", placement="sky"), "no placement called sky"),
        (words("x", state="later"), "no state called later"),
        ({"end": "x"}, "no placement"),
        ({"end": {"running": "x"}}, "no state"),
        (words("{donor}"), "no figure called {donor}"),
        (words("{raised"), "written like {raised}"),
        (words("{raised.__class__}"), "no figure called"),
        (words("\u202eevil"), "hidden or unusual characters"),
        (words("a\x00"), "hidden or unusual characters"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(given, problem):
    with pytest.raises(banners.InvalidWords, match=problem.replace("{", r"\{").replace("}", r"\}")):
        banners.checked(given)


def test_words_that_would_make_every_answer_too_large_are_refused():
    noise = [
        "".join(chr(0x4E00 + (place * 997 + n * 7919) % 20_000) for n in range(60)) for place in range(4)
    ]
    given = {
        place: {"running": {"title": text, "body": text[::-1]}}
        for place, text in zip(banners.placements.BANNER, noise, strict=True)
    }
    with pytest.raises(banners.InvalidWords, match="too long together"):
        banners.checked(given)


def test_a_placement_is_switched_off_and_on_again(session):
    making.open_appeal()
    assert banners.switch(making.SLUG, "paywall", EDITOR, on=False) == ["paywall"]
    assert banners.switch(making.SLUG, "top", EDITOR, on=False) == ["top", "paywall"]
    assert banners.switch(making.SLUG, "top", EDITOR, on=False) == ["top", "paywall"]
    assert banners.switch(making.SLUG, "paywall", EDITOR, on=True) == ["top"]


def test_only_what_exists_can_be_switched(session):
    making.open_appeal()
    with pytest.raises(banners.InvalidWords):
        banners.switch(making.SLUG, "sky", EDITOR, on=False)
    with pytest.raises(NoSuchAppeal):
        banners.switch("nobody", "top", EDITOR, on=False)


def test_a_switch_shows_in_the_figure_at_once(origin, reader):
    address = f"/api/v1/appeals/{making.SLUG}"
    assert "off" not in reader.get(address).get_json()["banner"]
    with origin.app_context():
        banners.switch(making.SLUG, "top", EDITOR, on=False)
    assert reader.get(address).get_json()["banner"]["off"] == ["top"]


def test_the_largest_words_allowed_keep_the_figure_within_700_bytes(origin, reader, change):
    import gzip

    given = {}
    for placement in banners.placements.BANNER:
        given[placement] = {
            "running": {
                "title": f"Ninety-five years of the {placement} page, by you",
                "button": "Give what you can",
            }
        }
    given["end"]["running"]["body"] = (
        "Every sluice, every ledger, every long night in the valley needs {remaining} more."
    )
    with origin.app_context():
        banners.set_words(making.SLUG, given, EDITOR)
    change(
        title="The ninety-five years appeal of The Daily Lantern",
        closes_at=making.utc("2031-01-01T00:00:00Z"),
    )
    assert len(gzip.compress(reader.get(f"/api/v1/appeals/{making.SLUG}").get_data(), 9)) <= 700
