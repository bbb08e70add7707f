"""The supporters' door: every state of the page, every answer of the form."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.models import Donation
from appeal.reports import appeal_by_slug
from tests.gateways import FakeGateway
from tests.making import SLUG, form, post_form, received

PAGE = f"/appeals/{SLUG}"


def gifts(app) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Donation))


def text(answer) -> str:
    return answer.get_data(as_text=True)


# -- the page ----------------------------------------------------------------------------------------------------

STATES = {
    "nothing yet": ({}, 0, "Be the first", True),
    "running": ({}, 2500, "£25", True),
    "last days": ({"closes_at": timedelta(hours=30)}, 2500, "Last days", True),
    "reached": ({"goal_minor": 2500}, 2500, "Goal reached", True),
    "beyond": ({"goal_minor": 1000}, 2500, "Goal passed", True),
    "no goal": ({"goal_minor": None}, 2500, "£25", True),
    "upcoming": ({"opens_at": timedelta(days=2)}, 0, "Not open yet", False),
    "ended": ({"status": "closed"}, 2500, "Appeal ended", False),
    "ended with nothing": ({"closes_at": timedelta(days=-1)}, 0, "has ended", False),
}


@pytest.mark.parametrize("name", STATES)
def test_the_page_stands_in_every_state(app, client, open_one, name) -> None:
    values, given, words, has_form = STATES[name]
    open_one()
    with app.app_context(), writing():
        appeal = appeal_by_slug(SLUG)
        if given:
            received(appeal, amount_minor=given)
        for key, value in values.items():
            setattr(appeal, key, clock.now() + value if isinstance(value, timedelta) else value)
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert words in text(answer)
    assert ("<form" in text(answer)) is has_form
    assert ("Raised, by the way it came" in text(answer)) is bool(given)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"late_instalments": "until_close"}, "until the appeal closes"),
        ({"late_instalments": "always"}, "also after the appeal closes"),
        ({"late_instalments": "never"}, "of a monthly gift the first month"),
        ({"cover_counts": True}, "added for the card fee counts too"),
    ],
)
def test_the_page_says_what_this_appeal_counts(client, open_one, values, words) -> None:
    open_one(**values)
    page = text(client.get(PAGE))
    assert words in page
    assert ("counts too" in page) == ("cover_counts" in values)


def test_the_first_address_leads_to_the_one_live_appeal_with_its_query(client, open_one) -> None:
    open_one()
    answer = client.get("/?src=print-a&amount=25")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{PAGE}?src=print-a&amount=25")


def test_the_first_address_lists_where_there_is_none_or_more_than_one(app, client, open_one) -> None:
    assert client.get("/").status_code == 200
    open_one()
    open_one(slug="other")
    assert PAGE in text(client.get("/"))
    assert "/appeals/other" in text(client.get("/"))


def test_the_list_has_those_that_have_ended_last(client, open_one) -> None:
    open_one(slug="running")
    open_one(slug="over", status="closed")
    open_one(slug="running-too")
    page = text(client.get("/"))
    places = [page.index(f'href="/appeals/{slug}"') for slug in ("running-too", "running", "over")]
    assert places == sorted(places)


def test_the_page_sets_no_cookie_and_runs_no_script(client, open_one) -> None:
    open_one()
    answer = client.get(PAGE)
    assert "Set-Cookie" not in answer.headers
    assert "<script" not in text(answer)
    assert "style=" not in text(answer)


# -- the form ----------------------------------------------------------------------------------------------------


def test_a_gift_is_led_to_stripe_with_303(app, client, gateway, open_one) -> None:
    open_one()
    answer = post_form(client, form(app))
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://checkout.test/1")
    assert "Set-Cookie" not in answer.headers
    assert gifts(app) == 1


def test_a_form_sent_again_leads_to_the_same_page(app, client, gateway, open_one) -> None:
    open_one()
    filled = form(app)
    places = {post_form(client, filled).headers["Location"] for _ in range(3)}
    assert places == {"https://checkout.test/1"}
    assert gifts(app) == 1


def test_a_form_sent_again_with_another_amount_is_asked_back(app, client, gateway, open_one) -> None:
    open_one()
    filled = form(app)
    post_form(client, filled)
    answer = post_form(client, filled | {"amount": "50.00"})
    assert answer.status_code == 422
    assert "sent before" in text(answer)
    assert gifts(app) == 1
    token = text(answer).split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    assert token != filled["csrf_token"]
    assert post_form(client, filled | {"amount": "50.00", "csrf_token": token}).status_code == 303


def test_a_rejected_form_shows_what_was_typed(app, client, gateway, open_one) -> None:
    open_one()
    answer = post_form(
        client,
        form(app, amount="other", other_amount="1e9", name="Mary <b>", message='My "words"', cover_fee="y"),
    )
    assert answer.status_code == 422
    assert text(answer).count("<title>Error: ") == 1
    for shown in ('value="1e9"', "Mary &lt;b&gt;", "My &#34;words&#34;"):
        assert shown in text(answer)
    assert gifts(app) == 0


def test_the_address_a_rejected_form_leaves_in_the_browser_leads_back_to_the_page(client, open_one) -> None:
    open_one()
    answer = client.get(f"{PAGE}/donations")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)


@pytest.mark.parametrize("token", ["", "forged", "lantern.abc.def.ghi", "\x00", "é" * 50])
def test_a_form_without_our_token_is_asked_back_and_can_then_be_sent(
    app, client, gateway, open_one, token
) -> None:
    open_one()
    answer = post_form(client, form(app, csrf_token=token))
    assert answer.status_code == 422
    assert gifts(app) == 0
    assert "Mary Anning" in text(answer)


def test_a_form_from_another_site_is_asked_back(app, client, gateway, open_one) -> None:
    open_one()
    answer = post_form(client, form(app), headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 422
    assert gifts(app) == 0


def test_a_closed_appeal_answers_409(app, client, gateway, open_one) -> None:
    open_one(status="closed")
    answer = post_form(client, form(app))
    assert answer.status_code == 409
    assert gifts(app) == 0


def test_too_many_unpaid_gifts_are_answered_429_in_the_same_words(app, client, gateway, open_one) -> None:
    open_one()
    answers = [post_form(client, form(app, email=f"d{number}@example.org")) for number in range(8)]
    assert [one.status_code for one in answers] == [303] * 5 + [429] * 3
    assert "try again in an hour" in text(answers[-1])
    assert answers[-1].headers["Retry-After"] == "3600"
    assert "You have not been charged" in text(answers[-1])
    assert gifts(app) == 5


@pytest.mark.parametrize("trouble", [["busy"], ["refused"], ["unknown"] * 2, ["failed"] * 2])
def test_trouble_with_stripe_is_answered_503_and_the_next_press_goes_through(
    app, client, gateway, open_one, trouble
) -> None:
    open_one()
    gateway.trouble = list(trouble)
    filled = form(app)
    answer = post_form(client, filled)
    assert answer.status_code == 503
    assert "You have not been charged" in text(answer)
    assert f'value="{filled["csrf_token"]}"' in text(answer)
    assert '<button class="button" type="submit" form="gift">' in text(answer)
    assert gifts(app) == 1
    assert post_form(client, filled).status_code == 303
    assert gifts(app) == 1
    assert len(gateway.sessions) == 1


def test_a_database_that_does_not_answer_is_told_on_the_form_with_all_that_was_typed(
    app, client, gateway, open_one
) -> None:
    open_one()

    class Losing(FakeGateway):
        def open_checkout(self, request):
            raise OperationalError("UPDATE donations", {}, Exception("database is locked"))

    app.extensions["appeal.gateway"] = Losing()
    filled = form(app, name="Mary Anning", message="Keep going")
    answer = post_form(client, filled)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "You have not been charged" in text(answer)
    assert 'value="Mary Anning"' in text(answer)
    assert "Keep going" in text(answer)
    app.extensions["appeal.gateway"] = gateway
    assert post_form(client, filled).status_code == 303
    assert gifts(app) == 1


def test_where_the_gift_came_from_is_kept(app, client, gateway, open_one) -> None:
    open_one()
    post_form(client, form(app, src="www.example.org:article", page="/news/1"))
    with app.app_context():
        donation = db.session.scalars(select(Donation)).one()
        assert (donation.src, donation.page, donation.placement) == (
            "www.example.org:article",
            "/news/1",
            "article",
        )


# -- credit lines ------------------------------------------------------------------------------------------------


def test_only_what_a_person_approved_is_shown_and_never_an_amount_or_an_address(
    app, client, open_one
) -> None:
    open_one()
    with app.app_context(), writing():
        appeal = appeal_by_slug(SLUG)
        for line, review in (
            ("A reader in Leeds", "approved"),
            ("Rude words", "waiting"),
            ("Worse", "hidden"),
        ):
            donation = received(appeal, credit="custom", credit_line=line, amount_minor=7777)
            donation.credit_review = review
        received(appeal, credit="anonymous", name="Nobody Named")
    for address in (PAGE, f"{PAGE}/credits"):
        page = text(client.get(address))
        assert "A reader in Leeds" in page
        for hidden in ("Rude words", "Worse", "Nobody Named", "mary@example.org", "77.77"):
            assert hidden not in page, (address, hidden)


@pytest.mark.parametrize(
    "before", ["", "x", "-1", "0", "1", str(2**63), str(2**63 - 1), "1e3", "%00", "9" * 400]
)
def test_any_page_of_credit_lines_can_be_asked_for(client, open_one, before) -> None:
    open_one()
    assert client.get(f"{PAGE}/credits?before={before}").status_code in {200, 404}
