"""Gifts and donors: found however spelt, read before shown, corrected with a reason, merged and parted again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from appeal.appeals import by_slug
from appeal.books import adjustments, proof
from appeal.core import clock
from appeal.core.clock import travel as travel_to
from appeal.core.errors import LedgerIsAppendOnly
from appeal.database import writing
from appeal.extensions import db
from appeal.models import AuditEntry, BalanceMovement, Donation, Donor, Note, OutboxItem, Payout
from appeal.office import audit, moderation, search, spelling
from appeal.office.audit import COMMAND_LINE, Actor
from appeal.people import merging, notes
from appeal.queues import notices
from tests.staff.conftest import PASSWORD, Office, make_appeal, make_gift

Enter = Callable[..., Office]
EDITOR = Actor("editor@lantern.example")


def gift_named(app: Flask, name: str) -> str:
    with app.app_context():
        return db.session.query(Donation).filter_by(name=name).one().public_id


# -- finding ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        "Byron",
        "byron",
        "BYRON",
        "Biron",
        "Byrn",
        "Byroon",
        "Byorn",
        "byr",
        "Ada Byron",
        "byron ada",
        "Ada",
        "ada byrom",
    ],
)
def test_a_name_is_found_however_it_is_spelt(app: Flask, winter: str, typed: str) -> None:
    with app.app_context():
        assert [one.name for one in search.found_donors(typed)[0]][:1] == ["Ada Byron"]


@pytest.mark.parametrize(
    ("typed", "name"), [("emile zola", "Émile Zola"), ("ZOLA", "Émile Zola"), ("shely", "Mary Shelley")]
)
def test_accents_and_doubled_letters_make_no_difference(
    app: Flask, winter: str, typed: str, name: str
) -> None:
    with app.app_context():
        assert [one.name for one in search.found_donors(typed)[0]] == [name]


@pytest.mark.parametrize(
    "typed", ["Washington", "xyz", "%", "_", "'", '"', "\\", "Byron Zola", "@", "nobody@readers.example"]
)
def test_nobody_is_found_where_nobody_fits(app: Flask, winter: str, typed: str) -> None:
    with app.app_context():
        assert search.found_donors(typed)[0] == []


@pytest.mark.parametrize("name", ["O'Neil", "Ærøskøbing", "Straße", "Zoë", "Núñez-Prada", "李小龍"])
def test_every_name_has_words(name: str) -> None:
    assert spelling.words(name)
    assert all(word == word.casefold() for word in spelling.words(name))


def test_gifts_are_found_by_amount_reference_stripe_id_and_address(
    app: Flask, office: Enter, winter: str
) -> None:
    reference = gift_named(app, "Ada Byron")
    editor = office("editor")
    for typed in ("£10.00", "10", reference, f"pi_{reference}", "ada@readers.example", "biron"):
        page = editor.get(f"/staff/donations?q={typed}&status=").text
        assert "Ada Byron" in page, typed
        assert "Mary Shelley" not in page, typed


@pytest.mark.parametrize(
    ("currency", "minor", "typed", "elsewhere"),
    [
        ("gbp", 1250, ["12.50", "£12.50", "12.50 gbp"], ["1250", "12.50 eur", "¥1250"]),
        ("jpy", 1250, ["1250", "1,250", "¥1250", "JPY 1250"], ["12.50", "£12.50", "125000"]),
        ("kwd", 12500, ["12.500", "12.5", "12.5 KWD"], ["12500", "125.00", "£12.50"]),
    ],
)
def test_an_amount_is_looked_for_in_the_money_of_the_appeal_or_the_one_that_was_typed(
    app: Flask, currency: str, minor: int, typed: list[str], elsewhere: list[str]
) -> None:
    with app.app_context():
        appeal = make_appeal(slug="money", currency=currency)
        make_gift(appeal, minor, "Ada Byron")

        def found(text: str) -> int:
            wanted = search.Wanted(appeal.id, appeal.currency, appeal.locale, text)
            return len(search.donations(wanted)[0])

        assert [found(text) for text in typed] == [1] * len(typed)
        assert [found(text) for text in elsewhere] == [0] * len(elsewhere)


def test_a_gift_shows_its_fee_its_net_and_when_it_reached_the_bank(
    app: Flask, office: Enter, winter: str
) -> None:
    now = clock.now()
    reference = gift_named(app, "Ada Byron")
    viewer, editor = office("viewer"), office("editor")
    assert "s fee" not in viewer.get(f"/staff/donations/{reference}").text
    with app.app_context(), writing() as session:
        payout = Payout(
            payout_id="po_1", amount_minor=965, currency="gbp", status="paid", arrives_at=now, created_at=now, told_at=now
        )  # fmt: skip
        session.add(payout)
        session.flush()
        values = {"movement_id": "txn_1", "kind": "charge", "currency": "gbp", "created_at": now}
        donation_id = session.query(Donation.id).filter_by(public_id=reference).scalar()
        session.add(
            BalanceMovement(
                **values,
                donation_id=donation_id,
                payout_id=payout.id,
                amount_minor=1000,
                fee_minor=35,
                net_minor=965,
            )
        )
        link = f"/staff/reconcile/payouts/{payout.id}"
    page = editor.get(f"/staff/donations/{reference}").text
    assert "£0.35" in page
    assert "£9.65, at the bank" in page
    assert link in page
    assert link not in viewer.get(f"/staff/donations/{reference}").text


def test_what_a_bank_says_of_a_gift_stands_on_its_page_until_somebody_has_seen_it(
    app: Flask, office: Enter, winter: str
) -> None:
    reference = gift_named(app, "Ada Byron")
    with app.app_context(), writing() as session:
        gift = session.query(Donation).filter_by(public_id=reference).one()
        gift.fraud_warning_at = clock.now()
        notices.add("fraud_warning", "fw:1", "A bank warns.", donation=gift)
        notice_id = notices.unseen()[0].id
    editor, address = office("editor"), f"/staff/donations/{reference}"
    assert "A bank warns." in editor.get(address).text
    seen = editor.post(f"/staff/reconcile/notices/{notice_id}/seen", {"gift": reference})
    assert seen.location.endswith(address)
    page = editor.get(address).text
    assert "A bank warns." not in page
    assert "flagged by a bank" in page
    assert "flagged by a bank" in editor.get("/staff/donations").text


def test_a_list_goes_on_where_the_last_page_ended(app: Flask, winter: str) -> None:
    with app.app_context():
        appeal = by_slug("winter")
        for number in range(7):
            make_gift(appeal, 100 + number, "Many Gifts")
        seen: list[int] = []
        before = None
        while True:
            page, before = search.donations(search.Wanted(appeal.id, before_id=before), most=3)
            seen += [one.id for one in page]
            if before is None:
                break
        assert seen == sorted(set(seen), reverse=True)
        assert len(seen) == 10


def test_new_donors_are_found_at_once_and_erased_ones_no_more(app: Flask, winter: str) -> None:
    with app.app_context():
        search.catch_up()
        donor = make_gift(by_slug("winter"), 500, "Quentin Newcomer").donor
        assert search.found_donors("newcommer")[0]
        donor.erased_at = clock.now()
        db.session.commit()
        assert not search.found_donors("newcomer")[0]
        assert search.forget_erased() == 2


# -- reading ---------------------------------------------------------------------------------------------------


def test_a_name_is_shown_only_after_somebody_has_read_it(app: Flask, office: Enter, winter: str) -> None:
    reference, editor = gift_named(app, "Ada Byron"), office("editor")
    assert "Ada Byron" not in editor.get("/appeals/winter/credits").text
    assert "Ada Byron" in editor.get("/staff/moderation").text
    editor.post(f"/staff/moderation/{reference}", {"credit": "approved"})
    assert "Ada Byron" in editor.get("/appeals/winter/credits").text
    assert "All read" in editor.get("/staff/moderation").text
    editor.post(f"/staff/moderation/{reference}", {"credit": "hidden"})
    assert "Ada Byron" not in editor.get("/appeals/winter/credits").text


def test_anonymous_stays_anonymous_whatever_is_asked(app: Flask, office: Enter, winter: str) -> None:
    reference, editor = gift_named(app, "Émile Zola"), office("editor")
    assert editor.post(f"/staff/moderation/{reference}", {"credit": "approved"}).status_code == 422
    assert "Zola" not in editor.get("/appeals/winter/credits").text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("V.i.a.g.r.a now", True),
        ("get v i a g r a", True),
        ("VÍAGRA", True),
        ("via grace", False),
        ("a kind word", False),
    ],
)
def test_listed_words_are_pointed_out_in_any_disguise(text: str, found: bool) -> None:
    assert bool(moderation.suspicious(text, ["viagra"])) is found


def test_a_changed_credit_line_is_audited_and_held_to_the_rules(
    app: Flask, office: Enter, winter: str
) -> None:
    reference, editor = gift_named(app, "Ada Byron"), office("editor")
    address = f"/staff/donations/{reference}/credit"
    for line in ("", "x" * 61, "see www.evil.example", "a\u202eb"):
        refused = editor.post(address, {"credit": "custom", "credit_line": line})
        assert refused.status_code == 422, line
    assert editor.post(address, {"credit": "custom", "credit_line": "A reader in Leeds"}).status_code == 303
    assert "A reader in Leeds" in editor.get("/appeals/winter/credits").text
    with app.app_context():
        entry = audit.entries(audit.Search(subject=f"donation:{reference}"))[0][0]
        assert entry.after["credit_line"] == "A reader in Leeds"


def test_a_gift_that_is_not_paid_never_looks_like_an_open_door(
    app: Flask, office: Enter, winter: str
) -> None:
    reference, admin = gift_named(app, "Ada Byron"), office("admin")
    with app.app_context(), writing() as session:
        session.query(Donation).filter_by(public_id=reference).one().status = "open"
    for address in ("/staff/donations?status=open", f"/staff/donations/{reference}"):
        page = admin.get(address).text
        assert '<span class="tag">at checkout</span>' in page
        assert ">open</span>" not in page
    assert (
        '<option value="open" selected>at checkout</option>' in admin.get("/staff/donations?status=open").text
    )


# -- money -----------------------------------------------------------------------------------------------------


def test_a_correction_needs_a_reason_and_stays_to_be_seen(app: Flask, office: Enter, winter: str) -> None:
    reference, admin = gift_named(app, "Émile Zola"), office("admin")
    address = f"/staff/donations/{reference}/correct"
    without = admin.post(address, {"change": "-5.00", "reason": ""})
    assert without.status_code == 422
    assert 'value="-5.00"' in without.text
    assert 'aria-describedby="correct-reason-error" aria-invalid="true"' in without.text
    no_amount = admin.post(address, {"change": "five", "reason": "The cheque said 20"})
    assert 'aria-describedby="change-hint change-error" aria-invalid="true"' in no_amount.text
    assert 'value="The cheque said 20"' in no_amount.text
    typed = {"change": "-5.00", "reason": "The cheque said 20", "key": "0" * 26}
    asked = admin.post(address, typed)
    assert "Correct the books to £20.00?" in asked.text
    assert admin.get("/api/v1/appeals/winter").json["raised_minor"] == 5500
    for _click in range(2):
        assert admin.post(address, typed | {"sure": "yes"}).status_code == 303
    assert admin.get("/api/v1/appeals/winter").json["raised_minor"] == 5000
    assert "The cheque said 20" in admin.get(f"/staff/donations/{reference}").text
    with app.app_context():
        assert not proof.differences()


def test_before_money_moves_the_password_is_asked_again_and_the_form_is_carried_along(
    app: Flask, office: Enter, winter: str
) -> None:
    reference, admin = gift_named(app, "Émile Zola"), office("admin")
    values = {"change": "-5.00", "reason": "The cheque said 20", "sure": "yes"}
    with travel_to(clock.now() + timedelta(minutes=30)):
        asked = admin.post(f"/staff/donations/{reference}/correct", values)
        assert asked.status_code == 403
        assert 'name="change" value="-5.00"' in asked.text
        wrong = admin.post(f"/staff/donations/{reference}/correct", values | {"confirm_password": "wrong"})
        assert wrong.status_code == 403
        done = admin.post(f"/staff/donations/{reference}/correct", values | {"confirm_password": PASSWORD})
        assert done.status_code == 303
    assert admin.get("/api/v1/appeals/winter").json["raised_minor"] == 5000


def test_a_refund_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    app: Flask, office: Enter, winter: str
) -> None:
    reference, admin = gift_named(app, "Ada Byron"), office("admin")
    answer = admin.post(f"/staff/donations/{reference}/refund", {"amount": "99.00", "reason": "Typed twice"})
    assert answer.status_code == 422
    assert "Typed twice" in answer.text
    assert admin.get("/api/v1/appeals/winter").json["raised_minor"] == 5500


def test_a_receipt_can_be_sent_again(app: Flask, office: Enter, winter: str) -> None:
    reference, editor = gift_named(app, "Ada Byron"), office("editor")
    for _ in range(2):
        editor.post(f"/staff/donations/{reference}/receipt")
    with app.app_context():
        assert db.session.query(OutboxItem).filter_by(kind="receipt").count() == 2


# -- donors ----------------------------------------------------------------------------------------------------


def with_a_second(app: Flask) -> dict[str | None, str]:
    """Let a donor give from another address too; return each address with its donor's public id."""
    with app.app_context():
        make_gift(by_slug("winter"), 300, "A. Byron", email="second@readers.example")
        donors = {one.email: one.public_id for one in db.session.query(Donor)}
        db.session.remove()
    return donors


def test_merging_moves_gifts_and_the_number_of_people_and_can_be_taken_back(
    app: Flask, office: Enter, winter: str
) -> None:
    donors = with_a_second(app)
    editor, kept = office("editor"), donors["ada@readers.example"]
    assert editor.get("/api/v1/appeals/winter").json["donor_count"] == 4
    editor.post(f"/staff/donors/{kept}/merge", {"other": donors["second@readers.example"]})
    assert editor.get("/api/v1/appeals/winter").json["donor_count"] == 3
    assert "second@readers.example" in editor.get(f"/staff/donors/{kept}").text
    assert editor.get(f"/staff/donors/{donors['second@readers.example']}").location.endswith(kept)
    with app.app_context():
        assert not proof.differences()
        step = merging.steps_of(merging.by_public_id(kept))[0].id
        db.session.remove()
    editor.post(f"/staff/donors/{kept}/merges/{step}/undo")
    assert editor.get("/api/v1/appeals/winter").json["donor_count"] == 4
    with app.app_context():
        assert not proof.differences()
        assert merging.by_public_id(donors["second@readers.example"]).merged_into_id is None


def test_the_other_of_a_merge_is_named_by_address_and_a_wrong_one_is_answered_at_the_field(
    app: Flask, office: Enter, winter: str
) -> None:
    donors = with_a_second(app)
    editor, kept = office("editor"), donors["ada@readers.example"]
    wrong = editor.post(f"/staff/donors/{kept}/merge", {"other": "third@readers.example"})
    assert wrong.status_code == 422
    assert 'aria-describedby="other-error" aria-invalid="true" value="third@readers.example"' in wrong.text
    assert "There is no donor with this address." in wrong.text
    editor.post(f"/staff/donors/{kept}/merge", {"other": " Second@readers.example "})
    assert editor.get("/api/v1/appeals/winter").json["donor_count"] == 3
    empty = editor.post(f"/staff/donors/{kept}/note", {"text": " "})
    assert 'aria-describedby="text-error" aria-invalid="true"' in empty.text


def test_nobody_is_merged_with_himself_or_twice(session: object) -> None:
    appeal = make_appeal()
    one, two = make_gift(appeal, 100, "One").donor, make_gift(appeal, 100, "Two").donor
    with pytest.raises(merging.MergeRefused):
        merging.merge(one, one, EDITOR)
    merging.merge(one, two, EDITOR)
    with pytest.raises(merging.MergeRefused):
        merging.merge(one, two, EDITOR)


def test_a_note_is_kept_for_the_donor_and_an_empty_one_is_not(app: Flask, office: Enter, winter: str) -> None:
    reference, editor = gift_named(app, "Ada Byron"), office("editor")
    assert editor.post(f"/staff/donations/{reference}/note", {"text": "  "}).status_code == 422
    assert editor.post(f"/staff/donations/{reference}/note", {"text": "Rang <b>us</b> up"}).status_code == 303
    assert "Rang &lt;b&gt;us&lt;/b&gt; up" in editor.get(f"/staff/donations/{reference}").text


def test_an_admin_gives_a_person_their_data_and_erases_them_but_not_their_amounts(
    app: Flask, office: Enter, winter: str
) -> None:
    with app.app_context():
        donor = db.session.query(Donor).filter_by(name="Ada Byron").one().public_id
    admin = office("admin")
    assert admin.get(f"/staff/donors/{donor}/data.json").json["donor"]["email"] == "ada@readers.example"
    admin.post(f"/staff/donors/{donor}/note", {"text": "Rang us up"})
    assert admin.post(f"/staff/donors/{donor}/erase").status_code == 422
    assert admin.post(f"/staff/donors/{donor}/erase", {"sure": "yes"}).status_code == 303
    page = admin.get(f"/staff/donors/{donor}").text
    for personal in ("Byron", "ada@readers.example", "Rang us up"):
        assert personal not in page
    assert admin.get("/api/v1/appeals/winter").json["raised_minor"] == 5500
    with app.app_context():
        assert not search.found_donors("byron")[0]
        assert not proof.differences()


# -- the audit -------------------------------------------------------------------------------------------------


def test_the_audit_cannot_be_changed_on_any_road(session: object) -> None:
    audit.write(COMMAND_LINE, "test.done", "test:1", after={"x": 1})
    entry = db.session.query(AuditEntry).one()
    entry.actor = "somebody else"
    with pytest.raises(LedgerIsAppendOnly):
        db.session.commit()
    db.session.rollback()
    for statement in ("UPDATE audit_entries SET actor = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="never changed or removed"):
            db.session.execute(db.text(statement))
        db.session.rollback()
    assert db.session.query(AuditEntry).one().actor == "command line"


def test_the_audit_is_searched_by_person_kind_and_subject(app: Flask, office: Enter, winter: str) -> None:
    with app.app_context():
        moderation.review(gift_named(app, "Ada Byron"), {"credit": "approved"}, EDITOR)
        audit.write(COMMAND_LINE, "test.done", "test:1")
        db.session.remove()
    admin = office("admin")
    page = admin.get("/staff/audit?actor=editor@lantern.example").text
    assert "credit_review: approved" in page
    assert "test:1" not in page
    assert "test:1" in admin.get("/staff/audit?action=test.done").text


def test_adjustments_name_who_did_them(app: Flask, winter: str) -> None:
    with app.app_context():
        gift = db.session.query(Donation).filter_by(name="Émile Zola").one()
        entry = gift.public_id
        found = adjustments.ledger.entries_of(gift)[0]
        made = adjustments.correct(
            found.id, -100, reason="Typed wrong", actor="admin@lantern.example", key=entry
        )
        assert (made.actor, made.corrects_id) == ("admin@lantern.example", found.id)


def test_pages_about_no_appeal_keep_the_clock_of_the_office(app: Flask, office: Enter) -> None:
    with app.app_context():
        gift = make_gift(make_appeal(time_zone="Asia/Tokyo"), 700)
        with writing():
            notes.add(gift.donor, "Rang", COMMAND_LINE)
            db.session.query(Note).update({"written_at": datetime(2026, 11, 20, 20, tzinfo=UTC)})
        address = f"/staff/donors/{gift.donor.public_id}"
    assert "21\xa0Nov\xa02026,\xa005:00" in office("editor").get(address).text
