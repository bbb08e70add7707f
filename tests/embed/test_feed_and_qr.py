"""The feed of one item, and the codes for paper."""

import io
from xml.etree import ElementTree as ET

import pytest
import segno
from PIL import Image

from tests import making

FEED = f"/embed/{making.SLUG}/feed.xml"
CODE = f"/embed/{making.SLUG}/qr"


def item(reader):
    return ET.fromstring(reader.get(FEED).get_data()).find("channel/item")  # noqa: S314 - our own


def test_the_feed_tells_the_figure_and_leads_to_the_form(reader):
    only = item(reader)
    assert only.findtext("title") == "Readers keep this journalism free"
    assert "£75 of £95,000 from 2 gifts" in only.findtext("description")
    assert only.findtext("link") == "https://give.example.org/appeals/lantern?src=feed"


def test_the_item_gets_a_new_name_when_the_state_changes_and_not_before(reader, origin, change):
    first = item(reader).findtext("guid")
    with origin.app_context():
        from appeal import reports

        making.received(reports.appeal_by_slug(making.SLUG))
    second = item(reader).findtext("guid")
    change(goal_minor=100)
    third = item(reader).findtext("guid")
    assert first == second != third


def modules(image):
    """Read the code's modules from its pixels: dark is true."""
    size = image.width // 16 - 8
    return [
        [image.getpixel(((x + 4) * 16 + 8, (y + 4) * 16 + 8)) < 128 for x in range(size)] for y in range(size)
    ]


def matrix(address):
    code = segno.make_qr(address, error="q")
    return [[bool(module) for module in row] for row in code.matrix]


@pytest.mark.parametrize("src", ["qr", "print-back-page", "print-2026.11:p3"])
def test_the_code_says_the_address_with_its_source(reader, src):
    image = Image.open(io.BytesIO(reader.get(f"{CODE}.png?src={src}").get_data())).convert("L")
    written = src.replace(":", "%3A")
    assert modules(image) == matrix(f"https://give.example.org/appeals/lantern?src={written}")


def test_another_source_is_another_code(reader):
    assert (
        reader.get(f"{CODE}.png?src=print-a").get_data() != reader.get(f"{CODE}.png?src=print-b").get_data()
    )


def test_the_code_has_its_quiet_zone(reader):
    image = Image.open(io.BytesIO(reader.get(f"{CODE}.png").get_data())).convert("L")
    assert {image.getpixel((x, y)) for x in range(64) for y in range(0, image.height, 8)} == {255}


def test_the_svg_is_a_picture_and_nothing_else(reader):
    root = ET.fromstring(reader.get(f"{CODE}.svg?src=print-x").get_data())  # noqa: S314 - our own
    assert {node.tag.rpartition("}")[2] for node in root.iter()} == {"svg", "title", "path"}
    assert (
        root.findtext("{http://www.w3.org/2000/svg}title")
        == "https://give.example.org/appeals/lantern?src=print-x"
    )


@pytest.mark.parametrize("src", ["", " ", "a b", "é", "x" * 41, "a&b", "<b>", "-a", "%00"])
def test_a_source_that_paper_could_not_carry_is_refused(reader, src):
    answer = reader.get(f"{CODE}.svg", query_string={"src": src})
    assert answer.status_code == 400
    assert "at most 40 letters and digits" in answer.text
    assert answer.headers["Cache-Control"] == "public, max-age=5"
