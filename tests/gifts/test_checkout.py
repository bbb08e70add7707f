"""The way to Stripe's page and back: one session a gift, whatever goes wrong on the way."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from appeal import reports
from appeal.core import clock
from appeal.core.errors import NoSuchDonation
from appeal.extensions import db
from appeal.gifts import checkout, giving
from appeal.models import CheckoutSlot, Donation
from appeal.payments import (
    PaymentsBusy,
    PaymentsError,
    PaymentsFailed,
    PaymentsRefused,
    PaymentsUnknown,
    StripeGateway,
)
from stripe_sandbox.sandbox import Sandbox, running
from tests.gateways import FakeGateway
from tests.making import SLUG, gift, open_appeal, paid, started, told, visitor
from tests.support.settings import test_settings

ADDRESSES = checkout.Addresses("http://127.0.0.1:8000/donations/{id}/thank-you", "http://127.0.0.1:8000/a")


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


def lead(donation, gateway) -> str:
    return checkout.lead(donation, gateway, ADDRESSES)


def come_back(donation, gateway) -> checkout.Back:
    return checkout.come_back(donation.public_id, gateway, livemode=False)


def again(donation) -> Donation:
    db.session.expire_all()
    return giving.by_public_id(donation.public_id)


# -- the stored attempt ------------------------------------------------------------------------------------------


def test_the_key_and_the_end_of_an_attempt_are_stored_before_stripe_is_asked(session, gateway) -> None:
    donation = started(open_appeal())
    gateway.trouble = ["busy"]
    with pytest.raises(PaymentsBusy):
        lead(donation, gateway)
    kept = again(donation)
    assert (kept.status, kept.attempt) == ("started", 1)
    assert kept.attempt_expires_at == gateway.requests[0].expires_at
    assert gateway.keys == [f"donation:{donation.public_id}:1"]


def test_no_transaction_is_open_while_stripe_is_asked(session, gateway) -> None:
    seen = []

    class Watching(FakeGateway):
        def open_checkout(self, request):
            seen.append(bool(session.info.get("writing")))
            return super().open_checkout(request)

    lead(started(open_appeal()), Watching())
    assert seen == [False]


def test_a_reload_leads_to_the_same_page_without_asking_stripe_again(session, gateway) -> None:
    donation = started(open_appeal(), "form-1")
    first = lead(donation, gateway)
    assert lead(started(reports.appeal_by_slug(SLUG), "form-1"), gateway) == first
    assert len(gateway.requests) == 1


def test_once_it_was_paid_the_same_form_leads_to_the_thanks(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    giving.settle(paid(donation, session_id=again(donation).checkout_session_id), livemode=False)
    assert lead(again(donation), gateway) == ADDRESSES.success.format(id=donation.public_id)
    assert len(gateway.requests) == 1


def test_an_attempt_whose_page_has_closed_is_followed_by_the_next(session, gateway, travel) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    travel((clock.now() + giving.SESSION_LIFE + timedelta(minutes=1)).isoformat())
    lead(again(donation), gateway)
    assert gateway.keys == [f"donation:{donation.public_id}:{number}" for number in (1, 2)]
    assert gateway.requests[1].expires_at > clock.now()


def test_an_attempt_that_stripe_told_expired_is_followed_by_the_next(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    giving.settle(told(donation, "expired", session_id=again(donation).checkout_session_id), livemode=False)
    lead(again(donation), gateway)
    assert (again(donation).status, again(donation).attempt) == ("open", 2)


# -- trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        (["refused"], PaymentsRefused),
        (["busy"], PaymentsBusy),
        (["unknown", "unknown"], PaymentsUnknown),
        (["failed", "failed"], PaymentsFailed),
    ],
)
def test_trouble_keeps_the_gift_and_pressing_again_is_safe(session, gateway, trouble, raised) -> None:
    donation = started(open_appeal())
    gateway.trouble = list(trouble)
    with pytest.raises(raised):
        lead(donation, gateway)
    assert again(donation).status == "started"
    assert lead(again(donation), gateway).startswith("https://checkout.test/")
    assert again(donation).status == "open"
    assert len(gateway.sessions) == 1


@pytest.mark.parametrize("trouble", ["unknown_after", "failed_after"])
def test_an_answer_lost_after_the_work_was_done_makes_no_second_session(session, gateway, trouble) -> None:
    donation = started(open_appeal())
    gateway.trouble = [trouble]
    assert lead(donation, gateway) == "https://checkout.test/1"
    assert len(gateway.sessions) == 1


def test_an_answer_that_is_unknown_is_asked_for_again_with_the_same_key(session, gateway) -> None:
    donation = started(open_appeal())
    gateway.trouble = ["unknown"]
    lead(donation, gateway)
    assert gateway.keys == [f"donation:{donation.public_id}:1"] * 2


def test_a_definite_failure_is_followed_by_a_new_key_after_a_search(session, gateway) -> None:
    donation = started(open_appeal())
    gateway.trouble = ["failed"]
    lead(donation, gateway)
    assert gateway.keys == [f"donation:{donation.public_id}:{number}" for number in (1, 2)]
    assert again(donation).attempt == 2


def test_a_refusal_gives_the_slots_back_because_no_session_was_made(session, gateway) -> None:
    donation = started(open_appeal())
    gateway.trouble = ["refused"]
    with pytest.raises(PaymentsRefused):
        lead(donation, gateway)
    assert not session.scalar(select(func.count()).where(CheckoutSlot.released_at.is_(None)))


def press_together(app, gateway, times: int) -> list[object]:
    """Send one form from several threads at the same instant; return addresses and what was raised."""
    with app.app_context():
        open_appeal()
    together = threading.Barrier(times)

    def press(_number: int) -> object:
        with app.app_context():
            appeal = reports.appeal_by_slug(SLUG)
            together.wait()
            try:
                return lead(giving.start(appeal, gift(), form_id="form", visitor=visitor()), gateway)
            except PaymentsError as error:
                return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(press, range(times)))


@pytest.mark.parametrize(
    "trouble", [[], ["unknown"], ["failed"] * 4, ["failed_after"] * 4, ["unknown_after"] * 4]
)
def test_a_form_pressed_four_times_at_once_leads_to_one_session(app, trouble) -> None:
    gateway = FakeGateway(list(trouble))
    answers = press_together(app, gateway, 4)
    assert len(gateway.sessions) <= 1
    assert len({answer for answer in answers if isinstance(answer, str)}) <= 1
    if not trouble:
        assert answers == ["https://checkout.test/1"] * 4


# -- coming back -------------------------------------------------------------------------------------------------


def test_whoever_comes_back_before_the_event_is_settled_by_asking_once(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    session_id = again(donation).checkout_session_id
    gateway.payments[session_id] = paid(donation, session_id=session_id)
    assert come_back(donation, gateway).donation.status == "received"
    assert come_back(donation, gateway).donation.status == "received"
    assert gateway.reads == 1


def test_a_thank_you_page_that_is_reloaded_asks_stripe_every_few_seconds_only(
    session, gateway, travel
) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    for _ in range(5):
        come_back(donation, gateway)
    assert gateway.reads == 1
    travel((clock.now() + checkout.ASK_AGAIN_AFTER).isoformat())
    come_back(donation, gateway)
    assert gateway.reads == 2


def test_trouble_with_stripe_is_no_trouble_of_someone_who_comes_back(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    assert come_back(donation, gateway).donation.status == "open"


def test_whoever_has_not_paid_is_told_so_with_the_page_that_is_still_open(session, gateway) -> None:
    donation = started(open_appeal())
    url = lead(donation, gateway)
    session_id = again(donation).checkout_session_id
    gateway.payments[session_id] = told(donation, "open", session_id=session_id)
    back = come_back(donation, gateway)
    assert (back.donation.status, back.told, back.page_url) == ("open", "open", url)


def test_what_stripe_said_a_moment_ago_is_not_said_again(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    session_id = again(donation).checkout_session_id
    gateway.payments[session_id] = told(donation, "open", session_id=session_id)
    come_back(donation, gateway)
    gateway.payments[session_id] = paid(donation, session_id=session_id)
    at_once = come_back(donation, gateway)
    assert (at_once.told, at_once.page_url) == (None, "")


def test_an_event_that_comes_while_stripe_is_asked_has_the_last_word(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)

    class Overtaken(FakeGateway):
        def read_checkout(self, session_id):
            answer = told(donation, "open", session_id=session_id)
            giving.settle(paid(donation, session_id=session_id), livemode=False)
            return answer

    back = come_back(donation, Overtaken())
    assert (back.donation.status, back.page_url) == ("received", "")


def test_a_next_attempt_begun_while_stripe_is_asked_is_not_taken_for_the_last_one(
    session, gateway, travel
) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)

    class Overtaken(FakeGateway):
        def read_checkout(self, session_id):
            answer = told(donation, "open", session_id=session_id)
            travel((clock.now() + giving.SESSION_LIFE + timedelta(minutes=1)).isoformat())
            lead(again(donation), gateway)
            return answer

    assert come_back(donation, Overtaken()).page_url == ""


def test_a_payment_that_does_not_fit_is_no_trouble_of_someone_who_comes_back(session, gateway) -> None:
    donation = started(open_appeal())
    lead(donation, gateway)
    session_id = again(donation).checkout_session_id
    gateway.payments[session_id] = paid(donation, session_id=session_id, charged_minor=1)
    back = come_back(donation, gateway)
    assert (back.donation.status, back.told) == ("open", None)


def test_nobody_comes_back_to_a_gift_that_is_none(session, gateway) -> None:
    with pytest.raises(NoSuchDonation):
        checkout.come_back("nobody", gateway, livemode=False)


# -- against the sandbox, whose answers can be lost ---------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def stripe(sandbox, tmp_path) -> Iterator[StripeGateway]:
    sandbox.reset()
    yield StripeGateway(test_settings("", tmp_path, stripe_api_base=sandbox.url))
    assert sandbox.rejected == []


def sessions_of(sandbox, donation) -> list[str]:
    sessions = sandbox.world["checkout.session"].newest_first(client_reference_id=donation.public_id)
    return [one["id"] for one in sessions]


def test_a_session_is_opened_as_stripes_own_types_want_it(session, stripe, sandbox) -> None:
    donation = started(open_appeal(), cover_fee=True)
    address = lead(donation, stripe)
    assert address.startswith(sandbox.url)
    [session_id] = sessions_of(sandbox, donation)
    told = stripe.read_checkout(session_id)
    assert (told.state, told.charged_minor, told.donation_public_id) == ("open", 2559, donation.public_id)


@pytest.mark.parametrize(
    "kind", ["429", "500", "502", "503", "409", "reset", "half", "lost", "500_after", "402"]
)
def test_one_trouble_of_stripes_ends_with_one_session(session, stripe, sandbox, kind) -> None:
    donation = started(open_appeal())
    sandbox.outage(kind, path="/v1/checkout/sessions", method="POST")
    try:
        lead(donation, stripe)
    except PaymentsError:
        assert again(donation).status == "started"
        lead(again(donation), stripe)
    assert again(donation).status == "open"
    assert len(sessions_of(sandbox, donation)) == 1


@pytest.mark.parametrize("kind", ["500", "500_after", "lost", "half", "reset"])
def test_trouble_that_lasts_is_told_and_still_ends_with_one_session(session, stripe, sandbox, kind) -> None:
    donation = started(open_appeal())
    sandbox.outage(kind, times=None, path="/v1/checkout/sessions")
    for _ in range(3):
        with pytest.raises(PaymentsError):
            lead(again(donation), stripe)
    sandbox.clear_outages()
    lead(again(donation), stripe)
    assert len(sessions_of(sandbox, donation)) == 1


def test_a_double_click_while_stripe_is_slow_leads_to_one_session(app, stripe, sandbox) -> None:
    sandbox.outage("hang", seconds=1, path="/v1/checkout/sessions", method="POST")
    answers = press_together(app, stripe, 2)
    assert len(sandbox.world["checkout.session"].items) == 1
    assert len(set(answers)) == 1, answers
    assert isinstance(answers[0], str)


def test_a_stripe_that_hangs_is_given_up_within_ten_seconds(session, stripe, sandbox) -> None:
    donation = started(open_appeal())
    sandbox.outage("hang", seconds=60, path="/v1/checkout/sessions")
    began = time.monotonic()
    with pytest.raises(PaymentsUnknown):
        lead(donation, stripe)
    assert time.monotonic() - began < 10


def test_a_machine_without_a_way_to_stripe_says_so_at_once(session, tmp_path) -> None:
    nowhere = StripeGateway(test_settings("", tmp_path, stripe_api_base="http://127.0.0.1:1"))
    with pytest.raises(PaymentsUnknown):
        lead(started(open_appeal()), nowhere)


def test_the_clocks_are_compared(stripe) -> None:
    assert abs(stripe.clock_drift_seconds()) <= 2
