"""What holds for every address of the door: no cookie, any origin, cacheable, conditional, and never a 5xx."""

import re

import pytest

from tests import making

SLUG = making.SLUG
OF_FIGURE = [
    f"/api/v1/appeals/{SLUG}",
    f"/api/v1/appeals/{SLUG}?lang=de",
    f"/embed/{SLUG}",
    f"/embed/{SLUG}/banner",
    f"/embed/{SLUG}/banner?placement=end&theme=dark&lang=ar",
    f"/embed/{SLUG}/colours.css",
    f"/embed/{SLUG}/fragment",
    f"/embed/{SLUG}/progress.svg",
    f"/embed/{SLUG}/progress.png",
    f"/embed/{SLUG}/progress.png?scale=2&theme=dark",
    f"/embed/{SLUG}/share.png",
    f"/embed/{SLUG}/qr.svg?src=print-back-page",
    f"/embed/{SLUG}/qr.png",
    f"/embed/{SLUG}/feed.xml",
    f"/oembed?url=https://give.example.org/appeals/{SLUG}",
]
OF_BUILD = [
    f"/embed/v1/{name}"
    for name in ("appeal.js", "appeal.css", "frame.css", "frame.js", "height.js", "manifest.json")
]
EVERY = OF_FIGURE + OF_BUILD
MISSING = [
    "/api/v1/appeals/nobody",
    "/embed/nobody",
    "/embed/nobody/banner",
    "/embed/nobody/fragment",
    "/embed/nobody/progress.svg",
    "/embed/nobody/qr.png",
    "/embed/nobody/feed.xml",
    "/embed/v1/appeal-0000000000000000.js",
    "/oembed?url=https://elsewhere.example/appeals/lantern",
]
HOSTILE = [
    "%00",
    "%0d%0aSet-Cookie:%20a=b",
    "<script>alert(1)</script>",
    "%22%3E%3Csvg/onload=alert(1)%3E",
    "javascript:alert(1)",
    "\u202eevil",
    "%ff%fe",
    "%ed%a0%80",
    "x" * 4000,
    "{{7*7}}",
    "../../etc/passwd",
]


def test_no_address_of_the_door_is_missing_from_this_file(origin):
    paths = [address.partition("?")[0] for address in EVERY]
    rules = [
        rule
        for rule in origin.url_map.iter_rules()
        if rule.endpoint.startswith("embed.") and "GET" in rule.methods
    ]
    elsewhere = {"embed.thanks"}  # its answer is the pass's own: test_thanks_pass.py
    for rule in rules:
        pattern = re.compile(
            re.sub(r"<[^>]+>", "[^/]+", re.escape(rule.rule).replace(r"\<", "<").replace(r"\>", ">"))
        )
        assert rule.endpoint in elsewhere or any(pattern.fullmatch(path) for path in paths), rule.rule


@pytest.mark.parametrize("address", EVERY + MISSING)
def test_no_cookie_is_set_or_looked_at(reader, address):
    plain = reader.get(address)
    with_cookie = reader.get(address, headers={"Cookie": "appeal_session=abc; other=1"})
    assert plain.get_data() == with_cookie.get_data()
    for answer in (plain, with_cookie):
        assert "Set-Cookie" not in answer.headers
        # Only the banner is told of an unknown appeal in another way (docs/adr/0041).
        assert answer.headers.get("Vary") == ("Accept" if address == "/api/v1/appeals/nobody" else None)


@pytest.mark.parametrize("address", EVERY + MISSING)
def test_every_origin_may_read_and_none_with_credentials(reader, address):
    answer = reader.get(address, headers={"Origin": "https://news.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("address", [*EVERY, "/api/v1/nothing", "/embed/v1/nothing.js", "/embed/a/b/c"])
def test_every_origin_may_read_what_no_route_of_the_door_answered(reader, address):
    for method in ("POST", "DELETE"):
        answer = reader.open(address, method=method, headers={"Origin": "https://news.example"})
        assert answer.status_code in {404, 405}
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize("address", OF_FIGURE)
def test_a_figure_may_be_kept_for_half_a_minute_and_shown_while_we_are_away(reader, address):
    said = reader.get(address).headers["Cache-Control"]
    seconds = {name: int(value) for name, value in re.findall(r"([a-z-]+)=(\d+)", said)}
    assert said.startswith("public")
    assert seconds["s-maxage"] + seconds["stale-while-revalidate"] <= 60
    assert seconds["max-age"] <= 30
    assert seconds["stale-if-error"] >= 86_400


@pytest.mark.parametrize("address", EVERY)
def test_who_has_it_already_gets_304_without_a_body(reader, address):
    first = reader.get(address)
    again = reader.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert first.status_code == 200
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "address", [one for one in OF_FIGURE if "qr" not in one and "colours" not in one and "oembed" not in one]
)
def test_a_gift_changes_the_answer_at_once(reader, origin, address):
    before = reader.get(address)
    with origin.app_context():
        from appeal import reports

        making.received(reports.appeal_by_slug(SLUG), amount_minor=1_000_000)
    after = reader.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


@pytest.mark.parametrize("address", MISSING)
def test_what_is_not_there_is_forgotten_soon(reader, address):
    answer = reader.get(address)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "public, max-age=5"


@pytest.mark.parametrize("address", EVERY)
def test_a_head_request_has_the_same_headers(reader, address):
    body, head = reader.get(address), reader.head(address)
    assert head.get_data() == b""
    for name in ("ETag", "Cache-Control", "Content-Type", "Access-Control-Allow-Origin"):
        assert head.headers[name] == body.headers[name]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "name", ["src", "page", "placement", "theme", "lang", "scale", "views_left", "site", "code"]
)
def test_a_hostile_value_is_neither_an_error_nor_repeated_as_markup(reader, name, value):
    for address in (
        f"/embed/{SLUG}/banner",
        f"/embed/{SLUG}/fragment",
        f"/embed/{SLUG}",
        f"/embed/{SLUG}/progress.svg",
        f"/api/v1/appeals/{SLUG}",
    ):
        answer = reader.get(f"{address}?{name}={value}")
        text = answer.get_data(as_text=True)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert "<script>alert" not in text
        assert "<svg/onload" not in text
        assert 'href="javascript:' not in text


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_slug_is_nobody(reader, value):
    for address in (
        "/api/v1/appeals/{}",
        "/embed/{}/banner",
        "/embed/{}/fragment",
        "/embed/{}/progress.png",
        "/embed/{}/qr.svg",
    ):
        assert reader.get(address.format(value)).status_code in {308, 404}


def test_a_draft_is_not_there(reader, change):
    change(status="draft")
    assert {reader.get(address).status_code for address in OF_FIGURE} == {404}
