"""What is packed unpacks to the same, for every reader; static files are packed once and kept for ever."""

import gzip
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appeal.core import packing
from tests.making import SLUG, open_appeal
from tests.speed.counting import behind_the_lane

PAGE = f"/appeals/{SLUG}?src=www.example.org:top&page=/a/%C3%A9"
GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40)), max_size=5))
def test_compressed_and_stored_blocks_in_any_order_unpack_to_what_went_in(
    parts: list[tuple[bool, bytes]],
) -> None:
    blocks = [packing.block(part) if squeezed else packing.stored(part) for squeezed, part in parts]
    whole = b"".join(part for _, part in parts)
    assert gzip.decompress(packing.stream(blocks, whole)) == whole


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("br, GZIP", True),
        ("*", True),
        ("gzip;q=0.5", True),
        ("gzip; q=0", False),
        ("br", False),
        ("", False),
        ("gzip;q=0.000", False),
        ("x-gzip-not", False),
    ],
)
def test_gzip_is_given_to_those_who_take_it(header: str, takes: bool) -> None:
    assert packing.wanted(header) is takes


@pytest.fixture
def asked(app: Flask) -> FlaskClient:
    """Give a client of an application with one open appeal."""
    with app.app_context():
        open_appeal()
    return app.test_client()


def test_the_page_packed_is_the_page_plain_but_for_the_token(asked: FlaskClient) -> None:
    packed = asked.get(PAGE, headers=GZIP)
    plain = asked.get(PAGE)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    token = re.compile(rb'name="csrf_token"[^>]*>')
    assert token.sub(b"", gzip.decompress(packed.data)) == token.sub(b"", plain.data)
    assert "Content-Encoding" not in plain.headers


def test_a_static_file_has_a_version_in_its_address_and_is_kept_for_ever(app: Flask) -> None:
    client = app.test_client()
    with app.test_request_context():
        address = app.url_for("static", filename="css/house.css")
    assert re.fullmatch(r"/static/[0-9a-f]{12}/css/house\.css", address)
    for headers in ({}, GZIP, {}):
        kept = client.get(address, headers=headers)
        body = gzip.decompress(kept.data) if headers else kept.data
        assert body == behind_the_lane(app).get(address, buffered=True).data
        assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get(address, headers={"If-None-Match": kept.headers["ETag"]}).status_code == 304


def test_a_font_is_not_packed_again(app: Flask) -> None:
    with app.test_request_context():
        address = app.url_for("static", filename="fonts/newsreader-text.woff2")
    answers = [app.test_client().get(address, headers=GZIP) for _ in range(2)]
    assert {one.headers.get("Content-Encoding") for one in answers} == {None}
    assert {one.status_code for one in answers} == {200}
    assert answers[0].data == answers[1].data


def test_another_version_of_a_static_file_is_not_there(app: Flask) -> None:
    assert app.test_client().get("/static/000000000000/css/house.css").status_code == 404
