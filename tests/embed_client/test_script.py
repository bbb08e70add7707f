"""The script as a file: its size, its hashes, and a minifier that changes nothing but the size."""

import base64
import gzip
import hashlib
import json

import pytest

from appeal.embed.minify import minify_script, minify_style
from appeal.embed.script import (
    LANGUAGES,
    MAX_SCRIPT_GZIP_BYTES,
    banner_words,
    build_host_style,
    build_script,
    manifest,
    words,
)
from tests.embed_client.origin import APPEAL


def test_the_script_is_at_most_four_kilobytes():
    assert build_script().gzip_bytes <= MAX_SCRIPT_GZIP_BYTES


def test_two_builds_are_the_same_bytes():
    assert build_script() == build_script()


def test_the_integrity_is_the_hash_of_the_bytes():
    script = build_script()
    digest = base64.b64encode(hashlib.sha384(script.body).digest()).decode()
    assert script.integrity == f"sha384-{digest}"


def test_the_manifest_names_an_address_that_changes_with_the_bytes():
    script = build_script()
    entry = manifest([script, build_host_style()])["appeal.js"]
    assert entry == {"url": f"/embed/v1/appeal-{script.digest}.js", "integrity": script.integrity}


def test_no_mark_of_the_build_is_left_in_the_script():
    assert not any(mark in build_script().body for mark in (b"@css", b"@words", b"@version"))


def test_the_host_style_reserves_every_placement_before_the_script():
    style = build_host_style().body.decode()
    assert all(
        f'appeal-banner[placement="{one}"]:not(:defined){{' in style for one in ("top", "end", "paywall")
    )


@pytest.mark.parametrize("state", ["upcoming", "running", "last_days", "reached", "ended"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_figure_with_the_words_of_a_language_is_at_most_700_bytes(language, state):
    answer = {**APPEAL, "state": state, "banner": banner_words(language, state)}
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(gzip.compress(body, 9)) <= 700


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language):
    english, other = words("en"), words(language)
    assert other["ui"].keys() >= english["ui"].keys()
    assert {state: set(texts) for state, texts in other["states"].items()} == {
        state: set(texts) for state, texts in english["states"].items()
    }
    assert len(other["left"]) == 3


def test_an_unknown_language_says_it_in_english():
    assert words("tlh") == words("en")
    assert banner_words("tlh", "running") == {}


@pytest.mark.parametrize(
    ("source", "small"),
    [
        (
            "const total = 1; // note\nuse(total);",
            "let a=1;use(a)".replace("let a=1;use(a)", "let a=1;use(a);"),
        ),
        ('f("a  // b", /[/]  x/);', 'f("a  // b",/[/]  x/);'),
        ("const one = 1; const two = one / 2;", "let a=1,b=a/2;"),
        ("const name = 1; x.name = {name: name};", "let a=1;x.name={name:a};"),
        ("this._long = 1; a + +b; return typeof x;", "this.a=1;a+ +b;return typeof x;"),
        ("f({on: true}); x.true;", "f({on:!0});x.true;"),
        ("list.map((one) => one.x); list.map((two) => two.x);", "list.map(a=>a.x);list.map(a=>a.x);"),
    ],
)
def test_the_minifier_keeps_the_meaning(source, small):
    assert minify_script(source) == small


def test_the_minifier_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="cannot minify"):
        minify_script("const text = `template`;")


def test_a_style_sheet_keeps_its_descendants_and_sums():
    source = "/* why */\na b:hover ,\nc { margin: 0.5em 10.05em; inline-size: calc(1em - 0.2em); }\n"
    assert minify_style(source) == "a b:hover,c{margin:.5em 10.05em;inline-size:calc(1em - .2em)}"
