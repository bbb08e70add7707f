"""The donors' own pages: a link by mail, used once; their gifts, their monthly gifts, their data; nobody else's."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from appeal.extensions import db
from appeal.gifts import letters
from appeal.models import Complaint, DonorLink, OutboxItem
from appeal.queues import outbox
from tests.making import settings_of
from tests.money.conftest import open_shop


@pytest.fixture
def door(app: Any, sandbox: Any, tmp_path: Path) -> "Door":
    with open_shop(app, sandbox) as shop:
        donation = shop.monthly(1000, name="Mary Anning")
        shop.give(2500, email="other@example.org", name="Other Person")
        public_ids = (donation.public_id, shop.gift(donation).public_id)
        db.session.remove()
    return Door(app, app.test_client(), tmp_path / "mail", *public_ids)


class Door:
    """A browser before the donors' pages."""

    def __init__(self, app: Any, client: FlaskClient, mail: Path, donation: str, gift: str) -> None:
        self.app, self.client, self.mail, self.donation, self.gift = app, client, mail, donation, gift

    def post(self, address: str, **values: str) -> Any:
        page = self.client.get("/giving")
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found
        return self.client.post(address, data={"csrf_token": found[1]} | values)

    def letter(self) -> str:
        with self.app.app_context():
            outbox.send_due(letters.senders(settings_of(self.app)))
        files = sorted(self.mail.glob("giving_link*.eml"))
        return files[-1].read_text() if files else ""

    def link(self) -> str:
        self.post("/giving/link", email="mary@example.org")
        found = re.search(r"/giving/enter/([\w-]+)", self.letter().replace("=\n", ""))
        assert found
        return found[1]

    def enter(self) -> None:
        token = self.link()
        assert self.client.get(f"/giving/enter/{token}").status_code == 200
        assert self.post("/giving/enter", token=token).status_code == 303


def test_asking_says_the_same_for_known_and_unknown_and_writes_to_the_known_only(door: Door) -> None:
    answers = [door.post("/giving/link", email=email) for email in ("mary@example.org", "nobody@example.org")]
    assert answers[0].data == answers[1].data
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with door.app.app_context():
        items = db.session.scalars(select(OutboxItem).where(OutboxItem.kind == "giving_link")).all()
        assert [item.recipient for item in items] == ["mary@example.org"]


def test_what_is_no_address_is_asked_for_again_at_the_field(door: Door) -> None:
    answer = door.post("/giving/link", email="mary at example")
    assert answer.status_code == 422
    assert (
        'value="mary at example" aria-describedby="email-hint email-error" aria-invalid="true"' in answer.text
    )
    again = door.client.get("/giving/link")
    assert (again.status_code, again.headers["Location"]) == (303, "/giving")


def test_a_link_works_once_and_only_its_digest_is_stored(door: Door) -> None:
    token = door.link()
    with door.app.app_context():
        assert token not in {link.token_digest for link in db.session.scalars(select(DonorLink))}
    assert len(token) * 6 >= 128
    door.post("/giving/enter", token=token)
    assert "Mary Anning, thank you" in door.client.get("/giving").text
    other = door.app.test_client()
    again = Door(door.app, other, door.mail, "", "")
    again.post("/giving/enter", token=token)
    assert "has been used" in other.get("/giving").text


def test_looking_at_a_link_does_not_use_it_up(door: Door) -> None:
    token = door.link()
    for _ in range(3):
        door.client.get(f"/giving/enter/{token}")
    door.post("/giving/enter", token=token)
    assert "thank you" in door.client.get("/giving").text


def test_a_donor_sees_their_own_gifts_alone(door: Door) -> None:
    door.enter()
    page = door.client.get("/giving").text
    assert "£10.00 a month" in page
    assert "£25.00" not in page
    assert door.client.get(f"/giving/receipts/{door.donation}.pdf").data.startswith(b"%PDF")


@pytest.mark.parametrize("address", ["/giving/privacy", "/giving/receipts/x.pdf"])
def test_strangers_are_led_to_the_way_in(door: Door, address: str) -> None:
    answer = door.client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/giving")


def test_the_pages_are_kept_by_no_cache_and_found_by_no_search(door: Door) -> None:
    door.enter()
    for address in ("/giving", "/giving/privacy", "/giving/sent"):
        headers = door.client.get(address).headers
        assert headers["Cache-Control"] == "no-store"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_a_form_without_its_token_changes_nothing(door: Door) -> None:
    door.enter()
    door.client.post(f"/giving/monthly/{door.gift}/end", data={})
    assert "It runs" in door.client.get("/giving").text


def test_a_new_amount_that_cannot_be_read_is_asked_for_again_at_its_field(door: Door) -> None:
    door.enter()
    address = f"/giving/monthly/{door.gift}/amount"
    answer = door.post(address, amount="a lot")
    assert answer.status_code == 422
    assert '<details class="more" open>' in answer.text
    assert re.search(r'name="amount"[^>]* value="a lot" aria-invalid="true"', answer.text)
    assert "£10.00 a month" in answer.text
    again = door.client.get(address)
    assert (again.status_code, again.headers["Location"]) == (303, "/giving")


def test_a_donor_changes_pauses_and_ends_a_monthly_gift(door: Door) -> None:
    door.enter()
    door.post(f"/giving/monthly/{door.gift}/amount", amount="£12.50")
    assert "£12.50 a month" in door.client.get("/giving").text
    door.post(f"/giving/monthly/{door.gift}/pause")
    assert "It is paused" in door.client.get("/giving").text
    door.post(f"/giving/monthly/{door.gift}/resume")
    door.post(f"/giving/monthly/{door.gift}/leave")
    assert "ends when the paid month ends" in door.client.get("/giving").text
    door.post(f"/giving/monthly/{door.gift}/end")
    assert "It has ended" in door.client.get("/giving").text


def test_the_card_is_changed_on_stripes_own_page(door: Door) -> None:
    door.enter()
    answer = door.post(f"/giving/monthly/{door.gift}/card")
    assert answer.status_code == 303
    assert "/p/session/" in answer.headers["Location"]


def test_nobody_changes_somebody_elses_monthly_gift(door: Door) -> None:
    with door.app.app_context():
        from appeal.models import Donor, RecurringGift

        other = db.session.scalars(select(Donor).where(Donor.email_key == "other@example.org")).one()
        db.session.scalars(select(RecurringGift)).one().donor_id = other.id
        db.session.commit()
    door.enter()
    assert door.post(f"/giving/monthly/{door.gift}/end").status_code == 404


def test_a_donor_takes_their_data_and_is_erased_once_nothing_runs(door: Door) -> None:
    door.enter()
    data = door.post("/giving/privacy/export").get_json()
    assert data["donor"]["email"] == "mary@example.org"
    assert [gift["amount_minor"] for gift in data["gifts"]] == [1000]
    door.post("/giving/privacy/erase", sure="yes")
    assert "still runs" in door.client.get("/giving/privacy").text
    door.post(f"/giving/monthly/{door.gift}/end")
    door.post("/giving/privacy/erase", sure="yes")
    assert "See your gifts" in door.client.get("/giving").text
    done = door.app.test_cli_runner().invoke(args=["privacy", "export", "mary@example.org"])
    assert done.exit_code == 1
    assert door.app.test_cli_runner().invoke(args=["ledger", "verify"]).exit_code == 0


def test_erasing_leaves_no_trace_of_the_address_in_any_table(door: Door) -> None:
    door.enter()
    door.post(f"/giving/monthly/{door.gift}/end")
    done = door.app.test_cli_runner().invoke(args=["privacy", "erase", "mary@example.org"])
    assert done.exit_code == 0, done.output
    with door.app.app_context():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(select(table)):
                assert "mary@example.org" not in str(tuple(row)), table.name
                assert "Mary Anning" not in str(tuple(row)), table.name


def test_a_complaint_is_kept_and_acknowledged(door: Door) -> None:
    door.enter()
    door.post("/giving/complaint", text="You kept my address.")
    with door.app.app_context():
        reference = db.session.scalars(select(Complaint.public_id)).one()
        outbox.send_due(letters.senders(settings_of(door.app)))
    (letter,) = door.mail.glob("complaint_received*.eml")
    assert reference in letter.read_text()
