"""What donors and staff are told of money is true: of gifts that do not count, of the fee cover, of disputes, of failures."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from appeal.books import reconcile, standing
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import letters, managing, receipts
from appeal.models import Donation, Notice, OutboxItem
from appeal.payments import PaymentsUnknown
from appeal.people import privacy
from appeal.queues import outbox
from tests.making import settings_of
from tests.money.shop import Shop, shuffled

NOT_COUNTED = "not part of this appeal"


def late_instalment(shop: Shop) -> Donation:
    """Give monthly to an appeal that counts only the first instalment; return the second."""
    with writing():
        db.session.get_one(type(shop.appeal), shop.appeal.id).late_instalments = "never"
    began = shop.monthly(1000)
    shop.months(1)
    shop.deliver()
    query = select(Donation).where(Donation.id != began.id).order_by(Donation.id.desc()).limit(1)
    return db.session.scalars(query).one()


def page(app: Flask, donation: Donation) -> str:
    address = f"/donations/{donation.public_id}/thank-you"
    db.session.remove()
    words = re.sub(r"<[^>]+>|[\u2066-\u2069]", " ", app.test_client().get(address).get_data(as_text=True))
    return " ".join(words.split())


def receipt_letter(shop: Shop, app: Flask, donation: Donation) -> str:
    return letters.letter("receipt", shop.fresh(donation), settings_of(app)).text


def test_an_instalment_that_does_not_count_is_thanked_for_and_not_called_counted(
    shop: Shop, app: Flask
) -> None:
    late = late_instalment(shop)
    assert shop.raised_minor == 1000
    letter = receipt_letter(shop, app, late)
    assert NOT_COUNTED in letter
    assert "is counted" not in letter
    shown = page(app, late)
    assert "Thank you" in shown
    assert NOT_COUNTED in shown
    assert "gone back" not in shown


def test_a_refund_of_what_does_not_count_is_told_of_all_the_same(shop: Shop, app: Flask) -> None:
    late = late_instalment(shop)
    shop.refund(late)
    shop.deliver()
    assert shop.raised_minor == 1000
    lines = dict(receipts._lines(shop.fresh(late), FakeSheet(), settings_of(app)))  # type: ignore[arg-type]
    assert lines["Refunded"] == "£10.00"
    exported = {one["reference"]: one for one in privacy.export(shop.fresh(late).donor)["gifts"]}
    assert exported[late.public_id]["returned_minor"] == 1000
    shown = page(app, late)
    assert "has gone back to you" in shown
    assert "not counted any more" not in shown
    shop.assert_true()


class FakeSheet:
    """A sheet that can say everything."""

    def sayable(self, text: str, _otherwise: str) -> str:
        return text


def test_what_went_back_is_told_with_the_fee_cover(shop: Shop, app: Flask) -> None:
    donation = shop.give(1000, cover_fee=True)
    shop.refund(donation)
    shop.deliver()
    whole = shop.fresh(donation).charge_minor
    assert whole > 1000
    stands = standing.of(shop.fresh(donation))
    assert stands is not None
    assert (stands.back_minor, stands.left_minor) == (whole, 0)
    assert f"Gone back to you £{whole // 100}.{whole % 100:02}" in page(app, donation)


def test_all_of_a_donors_gifts_stand_as_each_does_alone(shop: Shop) -> None:
    gifts = [shop.give(2500), shop.give(1000, cover_fee=True), shop.begin(700)]
    shop.refund(gifts[0], 300)
    shop.deliver()
    alone = {one.id: standing.of(one) for one in gifts}
    assert standing.of_all(gifts) == {key: stands for key, stands in alone.items() if stands}
    assert len(standing.of_all(gifts)) == 2


# -- disputes


def told(kind: str) -> list[str]:
    """What staff still have to see of a kind."""
    db.session.rollback()
    query = select(Notice.sentence).where(Notice.kind == kind, Notice.seen_at.is_(None))
    return list(db.session.scalars(query))


@pytest.mark.parametrize(("outcome", "words"), [("won", "is won"), ("lost", "is lost")])
def test_staff_are_told_how_a_dispute_stands_at_each_step(shop: Shop, outcome: str, words: str) -> None:
    donation = shop.give(2500)
    dispute = shop.sandbox.dispute(shop.charge_of(donation), inquiry=True)
    shop.deliver()
    (asked,) = told("dispute")
    assert "no money has moved" in asked
    shop.sandbox.escalate_dispute(dispute["id"])
    shop.deliver()
    (disputed,) = told("dispute")
    assert "disputes this gift" in disputed
    shop.sandbox.close_dispute(dispute["id"], outcome)
    shop.deliver()
    (closed,) = told("dispute")
    assert words in closed
    assert "deadline" not in closed


def test_an_inquiry_that_is_closed_asks_nothing_more_of_staff(shop: Shop) -> None:
    donation = shop.give(2500)
    dispute = shop.sandbox.dispute(shop.charge_of(donation), inquiry=True)
    shop.sandbox.close_dispute(dispute["id"], "warning_closed")
    shop.deliver()
    (closed,) = told("dispute")
    assert "nothing left to answer" in closed
    assert shop.raised_minor == 2500


@pytest.mark.parametrize("seed", range(6))
def test_a_dispute_told_backwards_leaves_the_last_word_to_its_end(shop: Shop, seed: int) -> None:
    donation = shop.give(2500)
    dispute = shop.sandbox.dispute(shop.charge_of(donation))
    shop.sandbox.close_dispute(dispute["id"], "lost")
    news = shop.events()
    shop.deliver(list(reversed(news)) if seed == 0 else shuffled(news, seed, repeat=2))
    (closed,) = told("dispute")
    assert "is lost" in closed
    assert shop.raised_minor == 0
    shop.assert_true()


# -- renewals


def failed_renewal(shop: Shop, amount_minor: int = 1000) -> Donation:
    began = shop.monthly(amount_minor)
    shop.sandbox.fail_renewals(shop.gift(began).subscription_id, times=1)
    return began


def letter_of(kind: str) -> OutboxItem:
    db.session.rollback()
    return db.session.scalars(select(OutboxItem).where(OutboxItem.kind == kind)).one()


def test_a_failed_renewal_names_the_amount_that_was_to_be_charged(shop: Shop, app: Flask) -> None:
    began = failed_renewal(shop)
    managing.change_amount(shop.gift(began), 2000, shop.gateway)
    shop.sandbox.advance(days=31, seconds=7200)
    shop.deliver()
    item = letter_of("renewal_failed")
    letter = letters.letter("renewal_failed", shop.fresh(began), settings_of(app), item.content)
    assert "£20.00 a month" in letter.text
    assert "£20.00" in letter.html


def test_a_renewal_that_is_put_right_is_no_trouble_any_more_whoever_tells_first(
    shop: Shop, app: Flask
) -> None:
    began = failed_renewal(shop)
    shop.sandbox.advance(days=31, seconds=7200)
    shop.sandbox.advance(days=8)
    news = [one for one in shop.events() if not one["type"].startswith("customer.subscription")]
    assert {"invoice.payment_failed", "invoice.paid"} <= {one["type"] for one in news}
    shop.deliver(news)
    assert shop.raised_minor == 2000
    gift = shop.gift(began)
    assert (gift.failed_at, gift.failed_invoice_url) == (None, "")
    assert told("renewal_failed") == []
    outbox.send_due(letters.senders(settings_of(app)))
    assert letter_of("renewal_failed").state == "ignored"  # it had waited, and was true no more


def test_a_debit_that_arrived_is_not_called_on_its_way_by_a_letter_that_waited(
    shop: Shop, app: Flask
) -> None:
    shop.give(2500, "bacs_debit")
    shop.sandbox.advance(days=4)
    shop.deliver()
    outbox.send_due(letters.senders(settings_of(app)))
    assert letter_of("on_its_way").state == "ignored"
    assert letter_of("receipt").state == "done"


@pytest.mark.parametrize("backwards", [False, True])
def test_the_last_try_at_a_renewal_promises_no_other(shop: Shop, app: Flask, backwards: bool) -> None:
    began = shop.monthly(1000)
    shop.sandbox.fail_renewals(shop.gift(began).subscription_id, times=9)
    shop.sandbox.advance(days=31, seconds=7200)
    shop.sandbox.advance(days=30)
    news = shop.events()
    shop.deliver(list(reversed(news)) if backwards else news)
    query = select(OutboxItem).where(OutboxItem.kind == "renewal_failed")
    items = sorted(db.session.scalars(query), key=lambda item: item.dedupe)
    assert len(items) > 1
    for item in items:
        letter = letters.letter("renewal_failed", shop.fresh(began), settings_of(app), item.content)
        assert ("the last try" in letter.text) == ("the last try" in letter.html) == (item is items[-1])
        assert ("tried again" in letter.text) == (item is not items[-1])
    (notice,) = told("renewal_failed")
    assert "the last try" in notice
    assert shop.raised_minor == 1000


# -- changes asked for twice


def test_an_amount_asked_for_again_never_brings_back_how_the_gift_stood_then(shop: Shop) -> None:
    began = shop.monthly(1000)
    managing.change_amount(shop.gift(began), 2000, shop.gateway)
    managing.pause(shop.gift(began), shop.gateway)
    managing.change_amount(shop.gift(began), 2000, shop.gateway)
    assert shop.gift(began).status == "paused"


def test_the_old_amount_can_be_asked_for_while_the_answer_to_a_new_one_is_lost(shop: Shop) -> None:
    began = shop.monthly(1000)
    shop.sandbox.outage("lost", times=1, path="/v1/subscriptions/", method="POST")
    with pytest.raises(PaymentsUnknown):
        managing.change_amount(shop.gift(began), 2000, shop.gateway)
    managing.change_amount(shop.gift(began), 1000, shop.gateway)
    assert shop.gift(began).amount_minor == 1000
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 2000


# -- long absences


def test_an_invoice_paid_long_after_it_was_written_is_neither_missing_nor_unknown(shop: Shop) -> None:
    began = shop.monthly(1000)
    shop.sandbox.fail_renewals(shop.gift(began).subscription_id, times=9)
    shop.sandbox.advance(days=31, seconds=7200)
    shop.deliver()
    invoice = letter_of("renewal_failed").content["invoice_id"]
    shop.sandbox.advance(days=40)
    shop.sandbox.fail_renewals(shop.gift(began).subscription_id, times=0)
    shop.gateway.client.v1.invoices.pay(invoice)
    shop.events()  # of which none is delivered, nor listed any more
    paid_at = clock.from_unix(shop.sandbox.now())
    shop.sandbox.advance(days=31)
    with clock.travel(paid_at + timedelta(days=31)):
        first = reconcile.run(shop.gateway, since=paid_at - timedelta(hours=1), livemode=False)
        again = reconcile.run(shop.gateway, since=paid_at - timedelta(hours=1), livemode=False)
    assert [one.stripe_id for one in first.differences if one.kind == "missing"] == [invoice]
    assert first.open == again.differences == []
    assert shop.raised_minor == 2000
