"""The thanks: how a gift stands, the ways back and onward, and nothing said that is not known."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.gifts import giving
from appeal.reports import appeal_by_slug
from tests.making import SLUG, form, paid, post_form, refunded, started, told


def text(answer) -> str:
    return answer.get_data(as_text=True)


def begin(app, **values) -> str:
    with app.app_context():
        return started(appeal_by_slug(SLUG), **values).public_id


def settle(app, name: str, state: str) -> None:
    with app.app_context():
        donation = giving.by_public_id(name)
        giving.settle(paid(donation) if state == "paid" else told(donation, state), livemode=False)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "not been charged"),
        ("on_its_way", "on its way"),
        ("paid", "Thank you"),
        ("failed", "not been charged"),
        ("expired", "not been charged"),
    ],
)
def test_the_thanks_say_what_the_books_say(app, client, open_one, state, words) -> None:
    open_one()
    name = begin(app)
    if state:
        settle(app, name, state)
    answer = client.get(f"/donations/{name}/thank-you")
    assert answer.status_code == 200
    assert words in text(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "mary@example.org" not in text(answer)
    assert "Set-Cookie" not in answer.headers


def test_the_receipt_is_there_once_the_gift_is(app, client, open_one) -> None:
    open_one()
    name = begin(app)
    assert client.get(f"/donations/{name}/receipt.pdf").status_code == 404
    settle(app, name, "paid")
    answer = client.get(f"/donations/{name}/receipt.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["nobody", "a" * 26, "a" * 500, "%00", "..%2f..%2fetc", "%ff", "\uff21"])
def test_nobody_is_thanked_for_a_gift_that_is_none(client, open_one, name) -> None:
    open_one()
    assert client.get(f"/donations/{name}/thank-you").status_code == 404
    assert client.get(f"/donations/{name}/receipt.pdf").status_code == 404


HOSTILE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "http:evil.example",
    "https:evil.example", "https:///evil.example", "https://evil.example", "http://evil.example/",
    "https://www.lantern.example.evil.example/", "https://www.lantern.example@evil.example/",
    "https://evil.example\\@www.lantern.example/", "https://evil.example#www.lantern.example",
    "https://evil.example?www.lantern.example", "https://evil.example/www.lantern.example", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://www.lantern.example/",
    "blob:https://www.lantern.example/x", "about:blank", "mailto:x@example.org", "www.evil.example", "evil.example",
    ".", "..", "?x", "#x", "https://", "http://", "https:", "//", "https://www.lantern.example:pass@evil.example/",
    "https://[::1]/", "https://127.0.0.1@evil.example/", "https://evil%2eexample/", "https://www.lantern.example%2eevil/",
    "https://\u0435vil.example/", "https://www.lantern.example\u3002evil.example/", "http://0x7f000001/",
    "//www.lantern.example@evil.example", "/%09/evil.example/../..//evil.example", "http://2130706433/",
    "https://www.lantern.example.", "https://wwwxlantern.example/", "https://lantern.example.evil/", "//evil.example/%2f..",
]  # fmt: skip


OWN_HOSTS = {None, "www.lantern.example", "blog.lantern.example", "wa.me", "bsky.app", "www.facebook.com"}


def back_links(page: str) -> list[str]:
    """List where links of a page lead, apart from the ways to share."""
    return [part.split('"')[0] for part in page.split('href="')[1:]]


@pytest.mark.parametrize("page", HOSTILE)
def test_the_way_back_leads_to_no_foreign_host(app, client, open_one, page) -> None:
    open_one(publisher_url="https://www.lantern.example", return_hosts=["blog.lantern.example"])
    name = begin(app, page=page)
    settle(app, name, "paid")
    answer = text(client.get(f"/donations/{name}/thank-you"))
    for link in back_links(answer):
        parts = urlsplit(link)
        assert parts.hostname in OWN_HOSTS, link
        assert parts.scheme in {"", "http", "https", "mailto"}, link
        assert not link.startswith(("//", "\\", "/\\")), link


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("/news/1", "https://www.lantern.example/news/1"),
        ("https://www.lantern.example/news/1?a=b", "https://www.lantern.example/news/1?a=b"),
        ("https://blog.lantern.example/2", "https://blog.lantern.example/2"),
    ],
)
def test_the_way_back_leads_to_the_article(app, client, open_one, page, link) -> None:
    open_one(publisher_url="https://www.lantern.example", return_hosts=["blog.lantern.example"])
    name = begin(app, page=page)
    settle(app, name, "paid")
    page = text(client.get(f"/donations/{name}/thank-you"))
    assert f'href="{link}' in page


# -- what only Stripe knows ----------------------------------------------------------------------------------------


@pytest.fixture
def at_stripe(app, client, gateway, open_one):
    """Send the form, let Stripe say how its page stands (None: it does not answer), and name the thank-you page."""

    def begin(state: str | None) -> str:
        open_one()
        post_form(client, form(app))
        page = next(iter(gateway.sessions.values()))
        name = page.session_id.split("_")[1]
        with app.app_context():
            donation = giving.by_public_id(name)
            if state:
                news = paid if state == "paid" else lambda gift, **values: told(gift, state, **values)
                gateway.payments[page.session_id] = news(donation, session_id=page.session_id)
        return f"/donations/{name}/thank-you"

    return begin


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("open", ("Your gift is not completed", "You have not been charged")),
        ("paid", ("Thank you", "has arrived")),
        ("on_its_way", ("Your gift is on its way", "You have given")),
        ("expired", ("Your gift was not completed", "you have not been charged")),
        (None, ("One moment, please", "We do not know yet")),
    ],
)
def test_a_gift_the_books_do_not_know_yet_is_told_as_stripe_tells_it(client, at_stripe, state, said) -> None:
    answer = client.get(at_stripe(state))
    assert f'<h1 class="title">{said[0]}</h1>' in text(answer)
    assert said[1] in text(answer)
    assert ("Refresh" in answer.headers) is (state is None)
    assert ('href="https://checkout.test/1"' in text(answer)) is (state == "open")


def test_a_page_that_waits_for_stripe_looks_again_three_times_and_then_leaves_it_to_the_reader(
    client, at_stripe
) -> None:
    address, looked = at_stripe(None), 0
    while again := client.get(address).headers.get("Refresh"):
        seconds, _, address = again.partition("; url=")
        assert seconds == "5"
        looked += 1
    assert looked == 3


@pytest.mark.parametrize("look", ["-1", "99", "x", str(2**80), ""])
def test_a_number_of_looks_nobody_made_refreshes_nothing_for_ever(client, at_stripe, look) -> None:
    answer = client.get(f"{at_stripe(None)}?look={look}")
    assert answer.status_code == 200
    assert answer.headers.get("Refresh", "look=1").endswith("look=1")


def test_a_reload_right_after_the_answer_claims_nothing(client, at_stripe) -> None:
    """Somebody may have paid in another window since: what was said a moment ago is not said again unasked."""
    address = at_stripe("open")
    assert "not completed" in text(client.get(address))
    assert "We do not know yet" in text(client.get(address))


def test_nobody_is_led_to_pay_for_an_appeal_that_has_ended(app, client, at_stripe) -> None:
    address = at_stripe("open")
    with app.app_context(), writing():
        appeal_by_slug(SLUG).closes_at = clock.now() - timedelta(seconds=1)
    page = text(client.get(address))
    assert "You have not been charged" in page
    assert "checkout.test" not in page


def test_whoever_did_not_complete_a_gift_finds_the_form_filled_in(app, client, open_one) -> None:
    open_one()
    name = begin(app, amount_minor=3350, frequency="monthly", src="print-a")
    settle(app, name, "expired")
    page = text(client.get(f"/donations/{name}/thank-you"))
    assert f"/appeals/{SLUG}?amount=33.50&amp;frequency=monthly&amp;src=print-a#give" in page


def test_a_gift_that_has_gone_back_is_not_called_counted(app, client, open_one) -> None:
    open_one()
    name = begin(app, cover_fee=True)
    settle(app, name, "paid")
    with app.app_context():
        refunded(giving.by_public_id(name), 2559)
    page = text(client.get(f"/donations/{name}/thank-you"))
    assert "has gone back to you" in page
    assert "is counted" not in page
    assert "<dt>Gone back to you</dt><dd>£25.59</dd>" in page


def test_a_month_that_is_in_the_books_only_has_arrived_and_is_not_called_counted_or_gone(
    app, client, open_one
) -> None:
    open_one()
    name = begin(app)
    with app.app_context(), writing():
        donation = giving.by_public_id(name)
        donation.status, donation.received_at = "received", clock.now()
        ledger.record(donation, ledger.Fact("gift", "in:late", 2500, clock.now(), counted=False))
    page = text(client.get(f"/donations/{name}/thank-you"))
    assert "has arrived." in page
    assert "has gone back" not in page


# -- a reminder for the reader's own calendar ----------------------------------------------------------------------


def unfolded(answer) -> list[str]:
    return answer.data.decode().replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize(
    ("after", "day"), [("month", "20270228"), ("year", "20280131"), ("opening", "20270301")]
)
def test_a_reminder_is_a_day_in_the_readers_own_calendar(client, open_one, travel, after, day) -> None:
    travel("2027-01-31T12:00:00Z")
    open_one(opens_at=clock.now() + timedelta(days=29))
    answer = client.get(f"/appeals/{SLUG}/reminder.ics?after={after}")
    assert answer.mimetype == "text/calendar"
    assert f"DTSTART;VALUE=DATE:{day}" in unfolded(answer)
    assert any(line.startswith("URL:http") and line.endswith("?src=reminder") for line in unfolded(answer))


def test_no_line_of_a_reminder_is_longer_than_a_calendar_takes(app, client, open_one) -> None:
    open_one()
    with app.app_context(), writing():
        appeal_by_slug(SLUG).publisher = "Grüße; Frieden, Ümläute\\ " * 5
    answer = client.get(f"/appeals/{SLUG}/reminder.ics?after=year")
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))
    summary = next(line for line in unfolded(answer) if line.startswith("SUMMARY:"))
    assert "Grüße\\; Frieden\\, Ümläute\\\\ Grüße" in summary


@pytest.mark.parametrize("after", ["", "opening", "week", "month."])
def test_there_is_no_reminder_of_nothing(client, open_one, after) -> None:
    open_one()
    assert client.get(f"/appeals/{SLUG}/reminder.ics?after={after}").status_code == 404
