"""What every answer gets: headers for each door, one error table, and no belief in what a client says of itself."""

import pytest
from flask import abort

from appeal.web import isolated
from tests.making import SLUG, form, open_appeal, post_form
from tests.support.settings import test_settings


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """These tests ask about the door; what lies behind it is asked on both databases elsewhere."""
    return sqlite_url


@pytest.fixture
def opened(app):
    """Make an appeal."""
    with app.app_context():
        open_appeal()


PAGES = ["/", f"/appeals/{SLUG}", f"/appeals/{SLUG}/credits", "/nowhere"]
FIGURES = [f"/api/v1/appeals/{SLUG}", f"/embed/{SLUG}/fragment"]
MACHINES = ["/healthz", "/readyz", "/metrics"]


@pytest.mark.parametrize("address", [*PAGES, *FIGURES, *MACHINES])
def test_every_answer_carries_the_safe_headers(client, opened, address) -> None:
    headers = client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
    assert headers["X-Request-Id"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    if headers["Content-Type"].startswith("text/html"):
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("£410 of £2,000", ("£410", "£2,000"), "£410 of £2,000"),
        ("Łódź <b>", (), "Łódź <b>"),
        ("10 ₪", (), "10 ₪"),
        ("\u200f10 \u200f₪", (), "<bdi>\u200f10 \u200f₪</bdi>"),
        ("א1 of א10", ("א1", "א10"), "<bdi>א1</bdi> of <bdi>א10</bdi>"),
        ("א <b>", (), "<bdi>א &lt;b&gt;</bdi>"),
        ("<i> א", ("א",), "&lt;i&gt; <bdi>א</bdi>"),
    ],
)
def test_what_runs_from_right_to_left_keeps_its_place_in_a_sentence(text, parts, shown) -> None:
    assert isolated(text, *parts) == shown


@pytest.mark.parametrize("address", PAGES[1:3])
def test_the_supporters_pages_are_framed_by_nobody_and_lead_to_checkout_alone(
    client, opened, address
) -> None:
    policy = client.get(address).headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://checkout.stripe.com" in policy
    assert "script-src" not in policy


def test_in_production_browsers_are_told_to_stay_on_https(make_app, sqlite_url) -> None:
    app = make_app(
        sqlite_url,
        appeal_env="production",
        public_url="https://give.example.org",
        stripe_secret_key="sk_live_x",
        stripe_api_base="",
        form_min_age_seconds=3,
    )
    answer = app.test_client().get("/healthz", base_url="https://give.example.org")
    assert "max-age=" in answer.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "a b", "[::2]", "x" * 300]
)
@pytest.mark.parametrize("address", ["/", f"/appeals/{SLUG}", f"/api/v1/appeals/{SLUG}", "/webhooks/stripe"])
def test_a_host_that_is_not_ours_is_answered_400(client, opened, host, address) -> None:
    answer = client.get(address, headers={"Host": host})
    assert answer.status_code == 400
    assert host not in answer.get_data(as_text=True)
    assert "TRUSTED_HOSTS" in answer.get_data(as_text=True)


def test_links_come_from_the_public_address_never_from_the_host(client, opened) -> None:
    answer = client.get(f"/api/v1/appeals/{SLUG}", headers={"Host": "localhost"})
    assert answer.get_json()["donate_url"] == f"http://127.0.0.1:8000/appeals/{SLUG}"


def test_five_megabytes_are_too_much_for_the_form_and_for_an_event(client, opened) -> None:
    big = b"x" * (5 * 1024 * 1024)
    answers = [
        client.post("/webhooks/stripe", data=big),
        client.post(f"/appeals/{SLUG}/donations", data={"message": big}),
        client.post(
            f"/appeals/{SLUG}/donations",
            data=b"message=" + big,
            content_type="application/x-www-form-urlencoded",
        ),
    ]
    assert [one.status_code for one in answers] == [400, 413, 413]
    assert answers[0].get_json()["message"] == "This is larger than an event of Stripe's ever is."


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/staff/post/3/lines", "/staff/post/3"),
        ("/staff/post/promises/3/withdraw", "/staff/post/promises"),
        ("/staff/account/password", "/staff/account"),
        ("/staff/logout", "/staff"),
        ("/giving/complaint", "/giving"),
    ],
)
def test_an_address_for_forms_alone_shows_the_way_to_their_page(client, address, page) -> None:
    answer = client.get(address)
    assert answer.status_code == 405
    assert f'<a class="button" href="{page}">Go to that page</a>' in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW", "get", "POST"])
@pytest.mark.parametrize("address", [f"/appeals/{SLUG}", f"/api/v1/appeals/{SLUG}", "/healthz"])
def test_a_method_nobody_offers_is_answered_405_with_what_is(client, opened, address, method) -> None:
    answer = client.open(address, method=method)
    if method == "get":  # werkzeug's client writes methods as they are meant
        assert answer.status_code == 200
        return
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_an_error_page_is_a_page_for_people_and_json_for_machines(client) -> None:
    page = client.get("/appeals/nowhere")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is nothing here" in page.get_data(as_text=True)
    machine = client.get("/api/v1/appeals/nowhere")
    assert (machine.status_code, machine.mimetype) == (404, "application/json")
    assert set(machine.get_json()) >= {"error", "message"}


def test_without_a_proxy_nobody_says_who_they_are(app, client, opened) -> None:
    """Eight attempts under eight spoofed addresses are eight attempts of one."""
    from tests.gateways import FakeGateway

    app.extensions["appeal.gateway"] = FakeGateway()
    answers = [
        post_form(
            client,
            form(app, email=f"d{number}@example.org"),
            headers={"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"},
        ).status_code
        for number in range(8)
    ]
    assert answers == [303] * 5 + [429] * 3


def test_behind_one_proxy_the_address_it_vouches_for_is_believed_and_no_other(make_app, sqlite_url) -> None:
    from tests.gateways import FakeGateway

    app = make_app(sqlite_url, proxy_hops=1)
    app.extensions["appeal.gateway"] = FakeGateway()
    with app.app_context():
        open_appeal()
    client = app.test_client()

    def attempt(number: int, forwarded: str) -> int:
        return post_form(
            client, form(app, email=f"d{number}@example.org"), headers={"X-Forwarded-For": forwarded}
        ).status_code

    assert [attempt(number, f"203.0.{number}.1") for number in range(8)] == [303] * 8
    spoofed = [attempt(10 + number, f"198.51.{number}.1, 203.0.113.99") for number in range(8)]
    assert spoofed == [303] * 5 + [429] * 3


def test_a_database_that_is_gone_is_told_as_503_with_a_time_to_come_back(make_app) -> None:
    client = make_app("sqlite:////nowhere/at/all.sqlite3").test_client()
    for address in (f"/appeals/{SLUG}", f"/api/v1/appeals/{SLUG}", "/"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_the_gauges_are_for_loopback_or_for_whoever_has_the_token(app, make_app, sqlite_url) -> None:
    assert app.test_client().get("/metrics").status_code == 200
    assert app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.1"}).status_code == 403
    client = make_app(sqlite_url, metrics_token="a token").test_client()
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer a token"}).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "bearer a token"}).status_code == 200
    for other in ("Bearer ä", "a token", "Basic a token", "Bearer"):
        answer = client.get("/metrics", headers={"Authorization": other})
        assert answer.status_code == 403
        assert answer.get_json()["message"]


@pytest.mark.parametrize("status", [400, 401, 403, 406, 411, 414, 415, 416, 431, 451])
def test_no_refusal_is_without_words(app, status) -> None:
    @app.get("/refused")
    def refused() -> None:
        abort(status)

    page = app.test_client().get("/refused")
    assert page.status_code == status
    assert '<p class="standfirst">' in page.text


def test_the_settings_of_the_tests_are_those_of_a_test(tmp_path) -> None:
    assert test_settings("", tmp_path).appeal_env == "test"
