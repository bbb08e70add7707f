"""The figure through the cache that the recipe makes: fresh within its minute, and there when the origin is gone."""

import json
import time
import urllib.error
import urllib.request

import pytest

from appeal import create_app, reports
from appeal.embed.figure import BANNER_TYPE
from tests import making
from tests.embed.edge import FRESH_SECONDS, STALE_SECONDS, Edge
from tests.support.processes import Stack
from tests.support.run import open_directory
from tests.support.settings import test_settings
from tests.support.waiting import until

pytestmark = pytest.mark.nginx
QUIET_SECONDS = FRESH_SECONDS + STALE_SECONDS + 1.2  # nginx counts in whole seconds
FIGURE = f"/api/v1/appeals/{making.SLUG}"


def get(url, **headers):
    """Return status, headers and body; an error status is an answer."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own servers
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


@pytest.fixture(scope="module")
def books(run, tmp_path_factory):
    """Give the address of a database with one open appeal, and an application to give with."""
    directory = tmp_path_factory.mktemp("edge-books")
    with run.database("sqlite") as url:
        app = create_app(test_settings(url, directory))
        with app.app_context():
            making.open_appeal()
        yield url, app


@pytest.fixture(scope="module")
def give(books):
    """Receive a gift, in another process than the one that answers."""

    def gift(pounds):
        with books[1].app_context():
            making.received(reports.appeal_by_slug(making.SLUG), amount_minor=pounds * 100)

    return gift


@pytest.fixture(scope="module")
def stack(books, tmp_path_factory):
    own = Stack(
        tmp_path_factory.mktemp("edge-stack"), books[0], worker=False, environment={"PROXY_HOPS": "1"}
    )
    own.app.start()
    own.app.wait_until_ready()
    yield own
    own.app.stop()


@pytest.fixture(scope="module")
def edge(stack):
    own = Edge(open_directory("edge"), stack.port)
    own.child.ready_url = f"{own.url}/healthz"
    own.child.start()
    own.child.wait_until_ready()
    yield own
    own.child.stop()


def raised(url):
    _status, headers, body = get(f"{url}{FIGURE}?a-copy-of-its-own")
    return json.loads(body)["raised_minor"] // 100, headers["X-Cache"]


def test_nginx_has_nothing_to_say_against_the_recipe(edge):
    assert "warn" not in edge.check()
    assert "test is successful" in edge.check()


def test_a_second_reader_is_answered_from_the_cache_and_compressed(edge):
    get(edge.url + FIGURE)
    status, headers, _body = get(edge.url + FIGURE, **{"Accept-Encoding": "gzip", "Cookie": "a=b"})
    assert (status, headers["X-Cache"]) == (200, "HIT")
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in headers


def test_the_banner_and_everybody_else_are_told_of_an_unknown_appeal_each_in_their_way(edge):
    """ADR 0041: one address, two answers, both kept for a few seconds; the cache must not mix them up."""
    address = f"{edge.url}/api/v1/appeals/nobody"
    asked = [get(address, Accept=accept) for accept in (BANNER_TYPE, "*/*") * 2]
    assert [status for status, _, _ in asked] == [204, 404, 204, 404]
    assert [headers["X-Cache"] for _, headers, _ in asked] == ["MISS", "MISS", "HIT", "HIT"]
    assert {headers["Access-Control-Allow-Origin"] for _, headers, _ in asked} == {"*"}


def test_the_banner_shares_everybodys_copy_of_a_known_appeal(edge):
    get(edge.url + FIGURE)
    status, headers, _body = get(edge.url + FIGURE, Accept=BANNER_TYPE)
    assert (status, headers["X-Cache"]) == (200, "HIT")


def test_who_has_it_already_gets_304_from_the_cache(edge):
    _status, headers, _body = get(edge.url + FIGURE)
    assert get(edge.url + FIGURE, **{"If-None-Match": headers["ETag"]})[0] == 304


def test_the_life_of_a_figure_at_the_edge(edge, stack, give):
    """One story, because each step needs the cache as the step before has left it."""
    before = raised(edge.url)[0]

    give(25)
    assert raised(stack.url)[0] == before + 25, "the origin tells it at once"
    assert raised(edge.url) == (before, "HIT")

    time.sleep(FRESH_SECONDS + 1.1)
    assert raised(edge.url) == (before, "STALE"), "nobody waits while a new one is fetched"
    until(
        lambda: raised(edge.url)[0] == before + 25, what="the new figure at the edge", seconds=STALE_SECONDS
    )

    give(10)
    time.sleep(QUIET_SECONDS)
    assert raised(edge.url)[0] == before + 35, "after a quiet time nobody gets an old figure"

    stack.app.kill()
    time.sleep(QUIET_SECONDS)
    for _ in range(3):
        assert raised(edge.url) == (before + 35, "STALE"), "while the origin is gone the last figure stays"
    assert get(f"{edge.url}/embed/{making.SLUG}/progress.png")[0] == 502, "what nobody asked for is not there"

    stack.revive(stack.app)
    give(5)
    until(lambda: raised(edge.url)[0] == before + 40, what="the figure after the origin came back", seconds=8)


def test_a_newspaper_includes_the_fragment_and_falls_back_to_its_link(edge):
    page = edge.child.cwd / "newspaper" / "index.html"
    page.write_text(
        '<!--# block name="appeal_link" --><a href="/give">Support us</a><!--# endblock -->'
        '<article><!--# include virtual="/appeal/article" stub="appeal_link" --></article>'
    )
    address = f"http://127.0.0.1:{edge.newspaper_port}/index.html"
    body = get(address)[2].decode()
    assert 'class="appeal-fragment"' in body
    assert "src=www.example.org%3Aarticle" in body

    edge.child.stop()
    config = edge.child.cwd / "nginx.conf"
    config.write_text(config.read_text().replace("/embed/lantern/fragment", "/embed/nobody/fragment"))
    edge.child.start()
    edge.child.wait_until_ready()
    assert '<article><a href="/give">Support us</a></article>' in get(address)[2].decode()
