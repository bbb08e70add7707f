"""The JSON and the fragment: the contract, the words that go with them, and how few bytes they are."""

import gzip

import pytest

from appeal.embed.figure import BANNER_TYPE
from appeal.embed.script import LANGUAGES, build_script
from tests import making

ADDRESS = f"/api/v1/appeals/{making.SLUG}"
FRAGMENT = f"/embed/{making.SLUG}/fragment"
KEYS = [
    "slug",
    "title",
    "currency",
    "goal_minor",
    "raised_minor",
    "percent",
    "gift_count",
    "donor_count",
    "promised_minor",
    "projected_monthly_minor",
    "state",
    "opens_at",
    "closes_at",
    "days_left",
    "sources",
    "formatted",
    "donate_url",
    "as_of",
]
STATES = {
    "upcoming": {"opens_at": making.utc("2030-01-01T00:00:00Z")},
    "running": {},
    "reached": {"goal_minor": 7500},
    "beyond": {"goal_minor": 5000},
    "ended": {"status": "closed"},
}
LARGE = {
    "title": "The ninety-five years appeal of The Daily Lantern",
    "goal_minor": 9_500_000_00,
    "opens_at": making.utc("2026-01-01T00:00:00Z"),
}
WORDS = {
    placement: {
        "running": {
            "title": "Ninety-five years, because of you",
            "body": "{title}: {remaining} to go.",
            "button": "Give",
        }
    }
    for placement in ("top", "article", "end", "paywall")
}


def compressed(answer):
    return len(gzip.compress(answer.get_data(), 9, mtime=0))


def test_an_unknown_appeal_is_404_for_everybody_and_no_content_for_the_banner(reader):
    for accept in ("application/json", "*/*", f"{BANNER_TYPE}, */*"):
        answer = reader.get("/api/v1/appeals/nobody", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Vary"]) == (404, "Accept")
    quiet = reader.get("/api/v1/appeals/nobody", headers={"Accept": BANNER_TYPE})
    assert (quiet.status_code, quiet.get_data(), quiet.headers["Vary"]) == (204, b"", "Accept")
    assert quiet.headers["Cache-Control"] == "public, max-age=5"
    assert quiet.headers["Access-Control-Allow-Origin"] == "*"


def test_a_known_appeal_answers_the_banner_and_everybody_alike(reader):
    everybody, banner = (reader.get(ADDRESS, headers={"Accept": one}) for one in ("*/*", BANNER_TYPE))
    assert everybody.get_data() == banner.get_data()
    assert "Accept" not in everybody.headers.get("Vary", "").split(", ")


def test_the_script_accepts_what_the_door_knows_as_the_banner():
    assert f'"{BANNER_TYPE}"'.encode() in build_script().body


def test_the_figure_has_every_key_of_the_contract(reader):
    figure = reader.get(ADDRESS).get_json()
    assert [key for key in figure if key != "banner"] == KEYS
    assert figure["raised_minor"] == 7500
    assert figure["formatted"] == {"raised": "£75", "goal": "£95,000", "remaining": "£94,925"}
    assert figure["donate_url"] == "https://give.example.org/appeals/lantern"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_figure_is_at_most_700_bytes_with_words_colour_and_switches(reader, change, lang):
    change(**LARGE, banner_words=WORDS, banner_off=["top"])
    answer = reader.get(f"{ADDRESS}?lang={lang}")
    assert answer.get_json()["banner"]["words"]
    assert compressed(answer) <= 700


def test_the_banner_part_carries_colour_switches_and_own_words(reader, change):
    change(
        banner_off=["top", "paywall"],
        banner_words={"end": {"running": {"title": "Ours"}, "ended": {"title": "Not now"}}},
    )
    assert reader.get(ADDRESS).get_json()["banner"] == {
        "words": {"end": {"title": "Ours"}},
        "off": ["top", "paywall"],
        "accent": "#0b5d4b",
    }


def test_another_language_comes_with_its_words(reader):
    banner = reader.get(f"{ADDRESS}?lang=de").get_json()["banner"]
    assert banner["lang"] == "de"
    assert banner["words"]["article"]["button"] == "Jetzt spenden"
    assert "lang" not in reader.get(f"{ADDRESS}?lang=tlh").get_json()["banner"]


def test_without_a_goal_no_words_name_what_is_still_to_find(reader, change):
    change(goal_minor=None)
    words = reader.get(ADDRESS).get_json()["banner"]["words"]
    assert words["article"]["body"] == "{title}. A gift of any size helps."
    assert "None" not in reader.get(FRAGMENT).get_data(as_text=True)


def test_a_colour_that_is_none_never_leaves_the_house(reader, change):
    change(accent="red;}a{")
    assert reader.get(ADDRESS).get_json()["banner"]["accent"] == "#8a1c1c"
    assert reader.get(f"/embed/{making.SLUG}/colours.css").get_data(as_text=True) == ":root{--brand:#8a1c1c}"


def test_an_unknown_query_changes_nothing(reader):
    assert reader.get(f"{ADDRESS}?utm=1").get_data() == reader.get(ADDRESS).get_data()


@pytest.mark.parametrize("placement", ["top", "article", "end", "paywall"])
def test_the_fragment_is_at_most_one_and_a_half_kilobytes(reader, change, placement):
    change(**LARGE)
    answer = reader.get(
        f"{FRAGMENT}?placement={placement}&src=www.dailylantern.example:{placement}&page=/2026/11/a-long-story"
    )
    assert compressed(answer) <= 1536
    assert "style=" not in answer.get_data(as_text=True)


def test_the_fragment_tells_the_figure_and_leads_to_the_form(reader):
    html = reader.get(f"{FRAGMENT}?placement=end&src=news.example:end&page=/a/1").get_data(as_text=True)
    assert "<b>£75</b> raised of £95,000" in html
    assert 'href="https://give.example.org/appeals/lantern?src=news.example%3Aend&amp;page=%2Fa%2F1"' in html


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("upcoming", "Our next appeal opens on 1 January"),
        ("running", "Readers keep this journalism free"),
        ("reached", "You did it: thank you"),
        ("beyond", "Past the goal: thank you"),
        ("ended", "Thank you, all of you"),
    ],
)
def test_the_fragment_says_the_words_of_the_state(reader, change, state, words):
    change(**STATES[state])
    assert words in reader.get(FRAGMENT).get_data(as_text=True)


@pytest.mark.parametrize(
    ("lang", "day"), [("en", "1 January"), ("de", "1. Januar"), ("fr", "1 janvier"), ("ar", "1 يناير")]
)
def test_the_banner_says_in_every_language_when_the_appeal_opens(reader, change, lang, day):
    change(**STATES["upcoming"])
    said = reader.get(f"{ADDRESS}?lang={lang}").get_json()["banner"]["words"]
    assert said["top"]["title"].endswith(day)
    assert said["end"]["title"] == said["top"]["title"]
    assert day in reader.get(f"{FRAGMENT}?lang={lang}").get_data(as_text=True)


def test_the_fragment_of_an_unknown_appeal_has_nothing_that_a_server_could_include(reader):
    answer = reader.get("/embed/nobody/fragment")
    assert (answer.status_code, answer.get_data(as_text=True)) == (404, "<!-- There is no such appeal. -->")


def test_a_placement_that_is_switched_off_is_empty_in_the_fragment(reader, change):
    change(banner_off=["article"])
    assert reader.get(FRAGMENT).get_data(as_text=True).strip() == ""
    assert reader.get(f"{FRAGMENT}?placement=end").get_data(as_text=True).strip() != ""
