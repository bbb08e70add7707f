"""The pictures: their sizes, their signs, and that they carry nothing but a picture."""

import io
import itertools
from xml.etree import ElementTree as ET

import pytest
from PIL import Image, ImageChops

from appeal.embed import drawing
from tests import making

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def picture(reader):
    """Ask for a picture and open it."""

    def ask(name, **query):
        answer = reader.get(f"/embed/{making.SLUG}/{name}", query_string=query)
        return Image.open(io.BytesIO(answer.get_data())).convert("RGB")

    return ask


def colours(image):
    return {colour for _, colour in image.getcolors(1 << 24)}


@pytest.mark.parametrize(
    ("name", "query", "size"),
    [
        ("progress.png", {}, (600, 220)),
        ("progress.png", {"scale": "2"}, (1200, 440)),
        ("progress.png", {"scale": "99"}, (600, 220)),
        ("share.png", {}, (1200, 630)),
    ],
)
def test_a_picture_has_its_size(picture, name, query, size):
    assert picture(name, **query).size == size


def test_a_picture_is_small_enough_for_a_letter(reader):
    assert len(reader.get(f"/embed/{making.SLUG}/progress.png").get_data()) < 12_000
    assert len(reader.get(f"/embed/{making.SLUG}/progress.png?scale=2").get_data()) < 30_000
    assert len(reader.get(f"/embed/{making.SLUG}/share.png").get_data()) < 40_000


def test_the_bar_is_as_long_as_the_share(picture, change):
    change(goal_minor=15_000)
    row = [picture("progress.png", scale="2").getpixel((x, 328)) for x in range(1200)]
    accent = (0x0B, 0x5D, 0x4B)
    filled = sum(
        all(abs(one - other) < 12 for one, other in zip(colour, accent, strict=True)) for colour in row
    )
    assert abs(filled - 544) <= 4


def test_a_picture_in_arabic_fills_from_the_right(picture, reader, change):
    change(goal_minor=15_000)
    image = picture("progress.png", lang="ar")
    ends = [image.getpixel((x, 164)) for x in (40, 560)]
    assert ends == [picture("progress.png").getpixel((x, 164)) for x in (560, 40)]
    assert ends[0] != ends[1]
    svg = ET.fromstring(reader.get(f"/embed/{making.SLUG}/progress.svg?lang=ar").get_data())  # noqa: S314 - our own
    bar = svg.find(f"{SVG}rect[@class='f']")
    assert svg.get("direction") == "rtl"
    assert float(bar.get("x")) + float(bar.get("width")) == 572


def test_twice_the_size_is_drawn_anew_not_blown_up(picture):
    small, large = picture("progress.png"), picture("progress.png", scale="2")
    blown_up = small.resize(large.size, Image.Resampling.BICUBIC)
    assert sharpness(large) > 1.5 * sharpness(blown_up)


def test_the_usual_size_spaces_its_words_as_the_sharp_one_does(picture):
    small, large = picture("progress.png"), picture("progress.png", scale="2")
    apart = ImageChops.difference(small, large.reduce(2)).convert("L")
    assert max(apart.tobytes()) < 120  # of 255: a sign that stands beside its place is all ink or all paper


def sharpness(image):
    """Return the sum of squared steps between neighbours: edges of text count most."""
    grey = image.convert("L")
    width, height = grey.size
    pixels = grey.tobytes()
    rows = (pixels[start : start + width] for start in range(0, width * height, width))
    return sum((left - right) ** 2 for row in rows for left, right in itertools.pairwise(row))


@pytest.mark.parametrize("sign", "£€$¥₹₽₺ßłŁőé")
def test_every_sign_is_drawn_and_none_as_an_empty_box(sign):
    missing = drawing._font("\ufffe", 40).getmask("\ufffe")
    drawn = drawing._font(sign, 40).getmask(sign)
    assert drawn.getbbox()
    assert bytes(drawn) != bytes(missing)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_decides_the_paper(picture, theme):
    red, green, blue = picture("progress.png", theme=theme).getpixel((2, 2))
    assert (red + green + blue > 700) == (theme == "light")


def test_a_long_title_is_made_smaller_and_then_cut_but_stays_inside(picture, change):
    change(publisher="The " + "Very " * 22 + "Long Name")
    image = picture("progress.png")
    paper = image.getpixel((2, 2))
    assert {image.getpixel((x, y)) for x in range(574, 600) for y in range(220)} == {paper}


def test_the_svg_is_sound_and_carries_no_script_and_no_address(reader):
    answer = reader.get(f"/embed/{making.SLUG}/progress.svg")
    root = ET.fromstring(answer.get_data())  # noqa: S314 - our own
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "text", "tspan"}
    assert not [
        name for node in root.iter() for name in node.attrib if name.startswith("on") or "href" in name
    ]
    assert "script" not in answer.headers["Content-Security-Policy"]


def test_the_svg_says_the_figure_in_words_and_the_day(reader, travel, change):
    change(title="<b>95 & more</b>")
    root = ET.fromstring(reader.get(f"/embed/{making.SLUG}/progress.svg").get_data())  # noqa: S314 - our own
    assert root.findtext(f"{SVG}title") == "<b>95 & more</b>"
    assert (root.findtext(f"{SVG}desc") or "").startswith("£75 of £95,000 from 2 gifts, ")


@pytest.mark.parametrize(("theme", "dark"), [("light", False), ("dark", True), ("auto", True)])
def test_the_svg_follows_the_theme(reader, theme, dark):
    svg = reader.get(f"/embed/{making.SLUG}/progress.svg?theme={theme}").get_data(as_text=True)
    assert (".p{fill:#24201c}" in svg) == dark
    assert ("prefers-color-scheme" in svg) == (theme == "auto")


def test_before_opening_the_goal_is_shown_and_no_bar(reader, change):
    change(opens_at=making.utc("2030-01-01T00:00:00Z"))
    svg = reader.get(f"/embed/{making.SLUG}/progress.svg").get_data(as_text=True)
    assert "£95,000" in svg
    assert 'class="r"' not in svg
    assert "1 January 2030" in svg


def test_a_query_that_means_nothing_does_not_draw_the_picture_again(reader):
    address = f"/embed/{making.SLUG}/progress.png?theme=dark"
    first = reader.get(address).get_data()
    drawn = drawing.png.cache_info().misses
    assert {reader.get(f"{address}&idle={n}").get_data() for n in range(20)} == {first}
    assert drawing.png.cache_info().misses == drawn
