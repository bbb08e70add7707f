"""The form's token: from our own page, for one appeal, fresh, and for one gift."""

import threading
import time

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from appeal.supporters import form_token
from appeal.supporters.form_token import FormUnusable, TooQuick
from tests.support.settings import test_settings


@pytest.fixture
def settings(tmp_path):
    return test_settings("", tmp_path)


def test_a_token_of_our_own_page_is_read_back(settings) -> None:
    token = form_token.read(settings, "lantern", form_token.issue(settings, "lantern"))
    assert token.age_seconds in {0, 1}
    assert len(token.id) == 24


def test_no_two_pages_have_the_same_token(settings) -> None:
    ids = {form_token.read(settings, "a", form_token.issue(settings, "a")).id for _ in range(200)}
    assert len(ids) == 200


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", "\x00", "é", "\ud800", "a" * 100_000, "lantern.abc.aaaa.bbbb", "...."]
)
def test_what_is_no_token_is_refused(settings, text) -> None:
    with pytest.raises(FormUnusable):
        form_token.read(settings, "lantern", text)


def test_every_sign_of_a_token_counts(settings) -> None:
    token = form_token.issue(settings, "lantern")
    for place in range(len(token) - 1):  # the last sign holds bits that base64 throws away
        other = "a" if token[place] != "a" else "b"
        with pytest.raises(FormUnusable):
            form_token.read(settings, "lantern", token[:place] + other + token[place + 1 :])


def test_a_token_of_another_appeal_is_refused(settings) -> None:
    with pytest.raises(FormUnusable):
        form_token.read(settings, "other", form_token.issue(settings, "lantern"))


def test_a_token_of_another_installation_is_refused(settings, tmp_path) -> None:
    other = test_settings("", tmp_path, secret_key="another key for tests, long enough as well")
    with pytest.raises(FormUnusable):
        form_token.read(settings, "lantern", form_token.issue(other, "lantern"))


def test_a_token_signed_with_the_key_before_still_holds(tmp_path) -> None:
    old, new = "the key until yesterday and long enough", "the key of today and long enough as well"
    before = test_settings("", tmp_path, secret_key=old)
    rolled = test_settings("", tmp_path, secret_key=new, secret_key_fallbacks=old)
    assert form_token.read(rolled, "lantern", form_token.issue(before, "lantern"))
    with pytest.raises(FormUnusable):
        form_token.read(before, "lantern", form_token.issue(rolled, "lantern"))


def test_a_token_holds_for_two_hours(settings) -> None:
    signer = form_token._signer(settings)

    class Earlier(type(signer)):
        seconds_ago = 0

        def get_timestamp(self) -> int:
            return int(time.time()) - self.seconds_ago

    signer.__class__ = Earlier
    for seconds_ago, holds in ((7100, True), (7300, False)):
        Earlier.seconds_ago = seconds_ago
        text = signer.sign("lantern.abc").decode()
        if holds:
            assert form_token.read(settings, "lantern", text).age_seconds >= seconds_ago
        else:
            with pytest.raises(FormUnusable):
                form_token.read(settings, "lantern", text)


def test_a_form_that_comes_at_once_is_held_back_until_a_person_could_have_typed_it(tmp_path) -> None:
    settings = test_settings("", tmp_path, form_min_age_seconds=1)
    began = time.monotonic()
    form_token.let_ripen(form_token.FormToken("a", 0), settings)
    assert 1 <= time.monotonic() - began < 2
    form_token.let_ripen(form_token.FormToken("a", 1), settings)
    assert time.monotonic() - began < 2


def test_a_crowd_of_machines_is_not_given_all_our_threads(tmp_path) -> None:
    settings = test_settings("", tmp_path, form_min_age_seconds=1)
    refused = []

    def send() -> None:
        try:
            form_token.let_ripen(form_token.FormToken("a", 0), settings)
        except TooQuick:
            refused.append(1)

    crowd = [threading.Thread(target=send) for _ in range(40)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert len(refused) == 40 - 16


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "http://127.0.0.1:8000"}, False),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://127.0.0.1:8000.evil.example"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, True),
    ],
)
def test_a_form_sent_from_another_site_is_refused(settings, headers, foreign) -> None:
    request = Request(
        EnvironBuilder(method="POST", base_url="http://127.0.0.1:8000", headers=headers).get_environ()
    )
    if foreign:
        with pytest.raises(FormUnusable):
            form_token.refuse_foreign(request, settings)
    else:
        form_token.refuse_foreign(request, settings)
