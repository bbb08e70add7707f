"""Monthly gifts: each paid invoice is one donation and one entry, whoever tells of it, however often."""

from datetime import timedelta

from sqlalchemy import select

from appeal import appeals, reports
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import checkout, giving, managing, monthly
from appeal.models import Donation, InboxEvent, Notice, OutboxItem
from appeal.office import editing
from appeal.office.audit import COMMAND_LINE
from tests.money.shop import Shop


def instalments(shop: Shop, donation: Donation) -> list[Donation]:
    return list(monthly.instalments_of(shop.gift(donation)))


def letters(kind: str) -> list[OutboxItem]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxItem).where(OutboxItem.kind == kind)))


def test_the_first_invoice_settles_the_donation_that_began_the_gift(shop: Shop) -> None:
    donation = shop.monthly(1000)
    assert (donation.status, donation.received_minor) == ("received", 1000)
    assert [(kind, minor) for kind, _fact, minor, _ in shop.entries()] == [("gift", 1000)]
    assert shop.entries()[0][1] == f"in:{donation.invoice_id}"
    assert shop.raised_minor == 1000
    shop.assert_true()


def test_each_month_is_a_donation_of_its_own_with_the_name_of_the_first(shop: Shop) -> None:
    donation = shop.monthly(1000, name="Mary Anning", src="www.example.org:article", page="/a/1")
    shop.months(3)
    shop.deliver()
    found = instalments(shop, donation)
    assert len(found) == 4
    assert {(one.name, one.src, one.page, one.frequency) for one in found} == {
        ("Mary Anning", "www.example.org:article", "/a/1", "monthly")
    }
    assert shop.raised_minor == 4000
    shop.assert_true()


def test_a_renewal_that_comes_before_the_first_invoice_ends_in_the_same_books(shop: Shop) -> None:
    donation = shop.pay(shop.begin(1000, frequency="monthly"))
    shop.months(2)
    shop.deliver(list(reversed(shop.events())))
    assert len(instalments(shop, donation)) == 3
    assert shop.raised_minor == 3000
    shop.assert_true()


def test_an_invoice_over_nothing_does_nothing(shop: Shop) -> None:
    donation = shop.monthly(1000)
    before = len(letters("receipt"))
    shop.sandbox.zero_invoice(shop.gift(donation).subscription_id)
    shop.deliver()
    assert shop.raised_minor == 1000
    assert len(letters("receipt")) == before


def test_the_thank_you_page_settles_a_monthly_gift_by_asking(shop: Shop) -> None:
    donation = shop.pay(shop.begin(1000, frequency="monthly"))
    back = checkout.come_back(donation.public_id, shop.gateway, livemode=False)
    assert back.donation.status == "received"
    shop.deliver()
    assert shop.raised_minor == 1000
    assert len(shop.entries()) == 1


def test_a_fee_cover_stands_apart_and_does_not_count(shop: Shop) -> None:
    donation = shop.monthly(1000, cover_fee=True)
    shop.months(1)
    shop.deliver()
    cover_minor = donation.cover_minor
    assert cover_minor > 0
    kinds = [(kind, minor, counted) for kind, _fact, minor, counted in shop.entries()]
    assert sorted(kinds) == sorted([("gift", 1000, True), ("cover", cover_minor, False)] * 2)
    assert shop.raised_minor == 2000
    shop.assert_true()


def test_a_failed_renewal_adds_nothing_and_tells_donor_and_staff(shop: Shop) -> None:
    donation = shop.monthly(1000, "4000000000000341")
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 1000
    assert shop.gift(donation).status == "past_due"
    (letter, *_) = letters("renewal_failed")
    assert letter.content["pay_url"].startswith("http")
    assert db.session.scalars(select(Notice).where(Notice.kind == "renewal_failed")).all()


def test_the_amount_changes_from_the_next_month_on(shop: Shop) -> None:
    donation = shop.monthly(1000)
    managing.change_amount(shop.gift(donation), 2500, shop.gateway)
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 3500
    assert shop.gift(donation).amount_minor == 2500
    shop.assert_true()


def test_an_amount_nobody_agreed_to_is_parked(shop: Shop) -> None:
    donation = shop.monthly(1000)
    shop.gateway.change_amount(shop.gift(donation).subscription_id, 99900, "gbp", key="by somebody else")
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 1000
    parked = db.session.scalars(select(InboxEvent).where(InboxEvent.state == "parked")).all()
    assert {event.type for event in parked} == {"invoice.paid", "invoice_payment.paid"}
    assert "The instalment is £999, which this monthly gift never was." in {one.problem for one in parked}
    [notice] = db.session.scalars(select(Notice).where(Notice.kind == "unknown_terms"))
    assert "charges £999, which nobody" in notice.sentence


def test_a_paused_gift_charges_nothing_until_resumed(shop: Shop) -> None:
    donation = shop.monthly(1000)
    assert managing.pause(shop.gift(donation), shop.gateway).status == "paused"
    shop.months(2)
    shop.deliver()
    assert shop.raised_minor == 1000
    assert managing.resume(shop.gift(donation), shop.gateway).status == "active"
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 2000


def test_cancelling_at_once_ends_it(shop: Shop) -> None:
    donation = shop.monthly(1000)
    assert managing.cancel(shop.gift(donation), shop.gateway, at_once=True).status == "ended"
    shop.months(2)
    shop.deliver()
    assert shop.raised_minor == 1000


def test_cancelling_at_the_end_of_the_month_can_be_taken_back(shop: Shop) -> None:
    donation = shop.monthly(1000)
    assert managing.cancel(shop.gift(donation), shop.gateway, at_once=False).ends_at_period_end
    assert not managing.keep(shop.gift(donation), shop.gateway).ends_at_period_end
    managing.cancel(shop.gift(donation), shop.gateway, at_once=False)
    shop.months(2)
    shop.deliver()
    assert shop.gift(donation).status == "ended"
    assert shop.raised_minor == 1000
    shop.assert_true()


def closes_in_days(shop: Shop, days: int, policy: str) -> None:
    with writing():
        appeal = db.session.get_one(type(shop.appeal), shop.appeal.id)
        appeal.closes_at = clock.now() + timedelta(days=days)
        appeal.late_instalments = policy


def test_after_closing_instalments_stay_in_the_books_and_no_longer_count(shop: Shop) -> None:
    shop.monthly(1000)
    closes_in_days(shop, 40, "until_close")
    shop.months(3)
    shop.deliver()
    counted = [minor for _kind, _fact, minor, counts in shop.entries() if counts]
    assert sum(counted) == shop.raised_minor == 2000
    assert sum(minor for _kind, _fact, minor, _ in shop.entries()) == 4000
    shop.assert_true()


def test_an_appeal_closed_by_hand_counts_no_later_instalment_until_it_is_opened_again(shop: Shop) -> None:
    shop.monthly(1000)
    closed_at = clock.now() + timedelta(days=40)
    shop.months(1)  # paid before it is closed, and told after
    with clock.travel(closed_at):
        appeals.set_status(shop.appeal.slug, "closed")
        appeals.set_status(shop.appeal.slug, "closed")
        shop.deliver()
        assert shop.raised_minor == 2000
        shop.months(1)
        shop.deliver()
        assert shop.raised_minor == 2000
        assert sum(minor for _kind, _fact, minor, _ in shop.entries()) == 3000
        appeals.set_status(shop.appeal.slug, "open")
        shop.months(1)
        shop.deliver()
        assert shop.raised_minor == 3000
    shop.assert_true()


def test_an_appeal_may_count_later_instalments_always_or_never(shop: Shop) -> None:
    shop.monthly(1000)
    closes_in_days(shop, 10, "always")
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 2000
    closes_in_days(shop, 300, "never")
    shop.months(1)
    shop.deliver()
    assert shop.raised_minor == 2000


def test_the_projection_is_what_running_gifts_will_add_until_closing(shop: Shop) -> None:
    donation = shop.monthly(1000)
    closes_in_days(shop, 95, "until_close")
    figure = reports.figure(shop.appeal.slug)
    assert figure.projected_monthly_minor == 3000
    assert figure.raised_minor == 1000
    managing.cancel(shop.gift(donation), shop.gateway, at_once=False)
    assert reports.figure(shop.appeal.slug).projected_monthly_minor == 0
    shop.assert_true()


def test_the_projection_follows_the_appeals_choice_whether_covers_count(shop: Shop) -> None:
    donation = shop.monthly(1000, cover_fee=True)
    shop.monthly(500)
    closes_in_days(shop, 40, "until_close")
    for counts, projected_minor in ((True, 1500 + donation.cover_minor), (False, 1500)):
        appeal = db.session.get_one(type(shop.appeal), shop.appeal.id, populate_existing=True)
        editing.change(appeal.slug, {"cover_counts": counts}, appeal.revision, COMMAND_LINE)
        assert reports.figure(shop.appeal.slug).projected_monthly_minor == projected_minor
        shop.assert_true()
    managing.cancel(shop.gift(donation), shop.gateway, at_once=True)
    assert reports.figure(shop.appeal.slug).projected_monthly_minor == 500
    shop.assert_true()


def test_an_expired_page_of_a_monthly_gift_is_no_gift(shop: Shop) -> None:
    donation = shop.begin(1000, frequency="monthly")
    shop.sandbox.advance(days=1)
    shop.deliver()
    assert giving.by_public_id(donation.public_id).status == "expired"
    assert shop.entries() == []
