"""The script's two addresses: one that is always the newest, one that never changes, also after the next version."""

import base64
import hashlib

import pytest

from appeal.embed.script import Asset, build_script


@pytest.fixture
def manifest(reader):
    return reader.get("/embed/v1/manifest.json").get_json()


@pytest.mark.parametrize("name", ["appeal.js", "appeal.css", "height.js"])
def test_the_manifest_names_what_is_really_there(reader, manifest, name):
    answer = reader.get(manifest[name]["url"])
    digest = base64.b64encode(hashlib.sha384(answer.get_data()).digest()).decode()
    assert manifest[name]["integrity"] == f"sha384-{digest}"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.get_data() == reader.get(f"/embed/v1/{name}").get_data()


def test_the_evergreen_address_is_asked_again_soon(reader):
    assert "max-age=300" in reader.get("/embed/v1/appeal.js").headers["Cache-Control"]


def test_what_was_pinned_before_the_upgrade_is_there_after_it(origin, reader):
    folder = origin.extensions["appeal.settings"].instance_dir / "embed"
    folder.mkdir(parents=True, exist_ok=True)
    old = Asset("appeal.js", "text/javascript; charset=utf-8", b"/* the version before */")
    (folder / old.hashed_name).write_bytes(old.body)
    answer = reader.get(f"/embed/v1/{old.hashed_name}")
    assert answer.get_data() == old.body
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_the_present_version_is_kept_for_the_next(origin, reader):
    reader.get("/embed/v1/manifest.json")
    kept = origin.extensions["appeal.settings"].instance_dir / "embed" / build_script().hashed_name
    assert kept.read_bytes() == build_script().body


@pytest.mark.parametrize(
    "name", ["appeal-0000000000000000.js", "..%2f..%2fsecret_key", "secret_key", "appeal-x.js"]
)
def test_nothing_else_of_the_folder_is_given(origin, reader, name):
    folder = origin.extensions["appeal.settings"].instance_dir / "embed"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "appeal-0000000000000000.js").write_text("not what the name says")
    assert reader.get(f"/embed/v1/{name}").status_code == 404


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(make_app, sqlite_url, tmp_path):
    app = make_app(sqlite_url, instance_dir=tmp_path / "other")
    (tmp_path / "other").mkdir(exist_ok=True)
    (tmp_path / "other" / "embed").write_text("in the way")
    assert app.test_client().get("/embed/v1/manifest.json").status_code == 200
