"""The letters about money: each renders, says what happened, and is written once."""

import pytest
from sqlalchemy import select

from appeal.extensions import db
from appeal.gifts import letters, managing
from appeal.models import OutboxItem
from appeal.queues import outbox
from tests.making import settings_of
from tests.money.shop import Shop


def written(shop: Shop, kind: str, app: object) -> str:
    db.session.rollback()
    item = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == kind)).one()
    from appeal.models import Donation

    donation = db.session.get_one(Donation, item.donation_id)
    letter = letters.letter(kind, donation, settings_of(app), item.content, name=item.dedupe)  # type: ignore[arg-type]
    assert letter.subject
    assert letter.subject not in letter.text
    assert letter.html.startswith("<!DOCTYPE html>") or "<html" in letter.html
    return f"{letter.subject}\n{letter.text}"


def test_a_refund_is_told_with_its_amount(shop: Shop, app: object) -> None:
    donation = shop.give(2500)
    shop.refund(donation, 1000)
    shop.deliver()
    assert "£10.00" in written(shop, "refunded", app)


def test_a_failed_renewal_is_told_with_the_way_to_put_it_right(shop: Shop, app: object) -> None:
    shop.monthly(1000, "4000000000000341")
    shop.sandbox.advance(days=31, seconds=7200)
    shop.deliver()
    text = written(shop, "renewal_failed", app)
    assert f"{shop.sandbox.url}/i/in_" in text
    assert "Nothing was taken" in text


@pytest.mark.parametrize("what", ["amount", "paused", "ending", "ended"])
def test_every_change_of_a_monthly_gift_is_confirmed(shop: Shop, app: object, what: str) -> None:
    donation = shop.monthly(1000)
    gift = shop.gift(donation)
    {
        "amount": lambda: managing.change_amount(gift, 2500, shop.gateway),
        "paused": lambda: managing.pause(gift, shop.gateway),
        "ending": lambda: managing.cancel(gift, shop.gateway, at_once=False),
        "ended": lambda: managing.cancel(gift, shop.gateway, at_once=True),
    }[what]()
    said = {"amount": "£25.00 a month", "paused": "paused", "ending": "ends when", "ended": "has ended"}[what]
    assert said in written(shop, "monthly_changed", app)


def test_all_letters_of_a_month_go_out(shop: Shop, app: object) -> None:
    shop.monthly(1000)
    sent = outbox.send_due(letters.senders(settings_of(app)))  # type: ignore[arg-type]
    assert sent == 1
    assert {item.state for item in db.session.scalars(select(OutboxItem))} == {"done"}
