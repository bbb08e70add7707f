"""What goes out: written with its cause, sent over real SMTP, once for each cause, again until it is taken."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from appeal import mail
from appeal.core import clock
from appeal.database import writing
from appeal.gifts import giving, letters
from appeal.models import OutboxItem
from appeal.queues import jobs, outbox
from tests.making import gift, open_appeal, paid, received, started, told
from tests.support.settings import test_settings


@pytest.fixture
def settings(database_url, tmp_path, smtp):
    return test_settings(
        database_url, tmp_path, mail_url=smtp.url, mail_from="The Lantern <appeal@lantern.example>"
    )


@pytest.fixture
def work(session, settings):
    """Do one round of the worker."""
    return lambda: jobs.round_once(settings)


def items(session) -> list[OutboxItem]:
    query = select(OutboxItem).order_by(OutboxItem.id).execution_options(populate_existing=True)
    return list(session.scalars(query))


def test_a_receipt_arrives_over_smtp_as_text_html_and_pdf(session, work, smtp) -> None:
    donation = received(open_appeal(contact_email="help@lantern.example"))
    assert work().letters == 1
    [message] = smtp.messages
    assert smtp.recipients == [["mary@example.org"]]
    assert "£25" in message["Subject"]
    assert message["From"] == "The Lantern <appeal@lantern.example>"
    assert message["Reply-To"] == "help@lantern.example"
    for kind in ("plain", "html"):
        text = message.get_body((kind,)).get_content()
        assert "£25.00" in text
        assert donation.public_id in text
    [receipt] = message.iter_attachments()
    assert receipt.get_content_type() == "application/pdf"
    assert receipt.get_content().startswith(b"%PDF-")


def test_one_letter_for_each_cause_however_often_it_is_told(session, work, smtp) -> None:
    donation = started(open_appeal())
    for _ in range(3):
        for payment in (told(donation, "on_its_way"), paid(donation)):
            giving.settle(payment, livemode=False)
            while work():
                pass
    assert [item.kind for item in items(session)] == ["on_its_way", "receipt"]
    assert len(smtp.messages) == 2


def test_a_letter_leaves_only_if_its_cause_was_committed(session, work, smtp) -> None:
    class Crash(Exception):
        pass

    donation = started(open_appeal())
    with pytest.raises(Crash):
        _settle_and_crash(donation, Crash)
    assert items(session) == []
    work()
    assert smtp.messages == []


def _settle_and_crash(donation, crash) -> None:
    with writing():
        giving.settle(paid(donation), livemode=False)
        raise crash


def test_a_letter_that_is_refused_for_now_is_sent_again_later_under_the_same_name(
    session, work, smtp, travel
) -> None:
    donation = received(open_appeal())
    smtp.refuse_next()
    work()
    [waiting] = items(session)
    assert (waiting.state, waiting.attempts) == ("waiting", 1)
    assert "451" in waiting.problem
    assert not work()
    travel((clock.now() + timedelta(minutes=2)).isoformat())
    work()
    assert [message["Message-ID"] for message in smtp.messages] == [
        f"<receipt.{donation.public_id}@lantern.example>"
    ]
    assert items(session)[0].state == "done"


def test_a_letter_nobody_takes_is_parked_in_the_end(session, work, smtp, travel) -> None:
    received(open_appeal())
    for _ in range(len(outbox.BACKOFF_MINUTES) + 1):
        smtp.refuse_next("550 5.1.1 No such person")
        work()
        travel((clock.now() + timedelta(days=2)).isoformat())
    [parked] = items(session)
    assert parked.state == "parked"
    assert "550" in parked.problem
    assert not work()


def test_one_bad_letter_does_not_hold_up_the_rest(session, work, smtp) -> None:
    appeal = open_appeal()
    received(appeal, email="first@example.org")
    received(appeal, email="second@example.org")
    smtp.refuse_next()
    work()
    assert smtp.recipients == [["second@example.org"]]


def test_a_mail_server_that_is_away_costs_nothing_but_time(app, tmp_path, travel) -> None:
    settings = test_settings("", tmp_path, mail_url="smtp://127.0.0.1:1")
    with app.app_context():
        received(open_appeal())
        jobs.round_once(settings)
        from appeal.extensions import db

        [waiting] = items(db.session)
        assert waiting.state == "waiting"


def test_a_worker_that_is_told_to_stop_finishes_the_letter_in_hand_and_no_other(
    session, settings, smtp
) -> None:
    appeal, stop = open_appeal(), threading.Event()
    for name in ("first", "second", "third"):
        received(appeal, email=f"{name}@example.org")
    post = letters.senders(settings)["receipt"]

    def send_and_be_told(item: OutboxItem) -> None:
        post(item)
        stop.set()

    assert outbox.send_due({"receipt": send_and_be_told}, stop=stop) == 1
    assert smtp.recipients == [["first@example.org"]]
    assert not jobs.round_once(settings, stop)
    assert [item.state for item in items(session)] == ["done", "waiting", "waiting"]
    assert jobs.round_once(settings).letters == 2


def test_a_letter_in_the_post_is_not_taken_up_by_a_second_worker(session, settings, smtp) -> None:
    received(open_appeal())
    taken_up_meanwhile = []

    def slow(item: OutboxItem) -> None:
        taken_up_meanwhile.append(outbox.send_due(letters.senders(settings)))

    outbox.send_due({"receipt": slow})
    assert taken_up_meanwhile == [0]
    assert smtp.messages == []


def test_a_worker_that_died_with_a_letter_in_hand_leaves_it_to_the_next(session, work, smtp, travel) -> None:
    received(open_appeal())

    class Killed(BaseException):
        pass

    def die(_item: OutboxItem) -> None:
        raise Killed

    with pytest.raises(Killed):
        outbox.send_due({"receipt": die})
    assert not work()
    travel((clock.now() + outbox.LEASE + timedelta(seconds=1)).isoformat())
    assert work().letters == 1
    assert len(smtp.messages) == 1


def test_a_donor_without_an_address_any_more_gets_no_letter(session, work, smtp) -> None:
    donation = received(open_appeal())
    donation.donor.email = donation.donor.email_key = None
    session.commit()
    work()
    assert items(session)[0].state == "ignored"
    assert smtp.messages == []


@pytest.mark.parametrize(
    "name",
    [
        "Mary\r\nBcc: all@example.org",
        "Mary\nSubject: prize",
        "Mary\rX: y",
        "Mary\x00",
        "=?utf-8?q?x?=",
        "Ma\u2028ry",
    ],
)
def test_a_name_cannot_write_headers(session, work, smtp, name) -> None:
    """The form refuses such names; a letter with one must still be one letter to one person."""
    donation = received(open_appeal(), name="Mary")
    donation.name = name.replace("\x00", "")
    session.commit()
    work()
    for message in smtp.messages:
        assert message["Bcc"] is None
        assert message["X"] is None
        assert "prize" not in message["Subject"]
    assert smtp.recipients == [["mary@example.org"]] * len(smtp.messages)


@pytest.mark.parametrize("field", ["to", "subject", "message_id", "reply_to"])
@pytest.mark.parametrize(
    "poison", ["x@example.org\r\nBcc: all@example.org", "x@example.org\nX: y", "x\r@example.org"]
)
def test_a_line_break_in_a_header_is_refused_and_nothing_is_sent(settings, smtp, field, poison) -> None:
    values = {
        "to": "x@example.org",
        "subject": "Subject",
        "text": "Text",
        "html": "<p>Text",
        "message_id": "receipt.abc",
    }
    with pytest.raises(Exception, match=r".+"):
        mail.send(mail.Letter(**(values | {field: poison})), settings)
    assert smtp.messages == []


def test_mail_can_be_written_into_a_folder_whole_or_not_at_all(app, tmp_path) -> None:
    folder = tmp_path / "letters"
    settings = test_settings("", tmp_path, mail_url=f"file:{folder}")
    with app.app_context():
        received(open_appeal())
        jobs.round_once(settings)
    [path] = folder.iterdir()
    assert path.suffix == ".eml"
    assert b"Content-Type: application/pdf" in path.read_bytes()


def test_mail_can_be_printed_on_the_console(app, tmp_path, capsys) -> None:
    with app.app_context():
        received(open_appeal())
        jobs.round_once(test_settings("", tmp_path, mail_url="console:"))
    assert "£25.00" in capsys.readouterr().out


def test_a_gift_that_failed_is_told_without_a_receipt(session, work, smtp) -> None:
    donation = started(open_appeal())
    giving.settle(told(donation, "failed"), livemode=False)
    work()
    [message] = smtp.messages
    assert list(message.iter_attachments()) == []
    assert "not been charged" in message.get_body(("plain",)).get_content()
    assert gift().name in message.get_body(("plain",)).get_content()
