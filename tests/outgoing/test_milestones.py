"""Milestones: each told once, whatever refunds do, by the figure everybody else sees."""

import threading

import pytest

from appeal import appeals
from appeal.books import ledger
from appeal.core import clock
from appeal.database import writing
from appeal.extensions import db
from appeal.outgoing import milestones
from tests.making import open_appeal, received


@pytest.mark.parametrize(
    ("tenths", "step"),
    [
        (None, 0), (0, 0), (249, 0), (250, 25), (499, 25), (500, 50), (899, 75), (900, 90), (999, 90), (1000, 100),
        (1249, 100), (1250, 125), (1999, 175), (2000, 200), (98765, 9875),
    ],
)  # fmt: skip
def test_the_highest_milestone_is_known(tenths: int | None, step: int) -> None:
    assert milestones.passed(tenths) == step


def give(appeal, amount_minor: int, number: int):
    return received(appeal, amount_minor=amount_minor, email=f"m{number}@example.org")


def take_back(donation, amount_minor: int, name: str) -> None:
    with writing():
        fact = ledger.Fact("refund", name, -amount_minor, clock.now())
        ledger.record(ledger.lock(donation.id), fact)


@pytest.fixture
def chat(listen):
    """Add a chat hook."""
    listen("/chat", kind="chat", name="Newsroom", event_types=())


def test_a_chat_hears_of_each_milestone_once_though_refunds_go_back_and_forth(
    session, chat, receiver, send
) -> None:
    appeal = open_appeal(goal_minor=10_000)
    last = None
    for number in range(6):
        last = give(appeal, 2500, number)
        milestones.look()
        take_back(last, 2500, f"re:{number}")
        milestones.look()
        give(appeal, 2500, 100 + number)
        milestones.look()
    send()
    texts = [message.json["text"] for message in receiver.messages]
    assert [text.split(" passed ")[1].split("%")[0] for text in texts] == [
        "25", "50", "75", "100", "125", "150"
    ]  # fmt: skip
    assert texts[0].endswith("£25 of £100, 1 gift.")
    assert texts[1] == "“Keep the lantern lit” has passed 50% of its goal: £50 of £100, 2 gifts."
    assert texts[3].endswith("The goal is reached!")
    assert all(set(message.json) == {"text"} for message in receiver.messages)
    assert all("webhook-signature" not in message.headers for message in receiver.messages)


def test_of_several_passed_at_once_the_highest_is_told(session, chat, receiver, send) -> None:
    give(open_appeal(goal_minor=10_000), 9500, 1)
    assert milestones.look() == 1
    assert milestones.look() == 0
    send()
    [message] = receiver.messages
    assert "90%" in message.json["text"]


def test_a_goal_that_is_stretched_begins_silently_where_it_is(session, chat, receiver, send) -> None:
    appeal = open_appeal(goal_minor=10_000)
    give(appeal, 10_000, 1)
    milestones.look()
    with writing():
        appeals.by_slug("lantern").goal_minor = 19_000
    assert milestones.look() == 0
    give(appeals.by_slug("lantern"), 4_250, 2)
    assert milestones.look() == 1
    send()
    assert ["100%" in receiver.messages[0].json["text"], "75%" in receiver.messages[1].json["text"]] == [
        True,
        True,
    ]


def test_signs_that_a_chat_would_read_as_markup_are_escaped(session, chat, receiver, send) -> None:
    give(open_appeal(goal_minor=10_000, title="Salt & <!channel>"), 5_000, 1)
    milestones.look()
    send()
    assert "Salt &amp; &lt;!channel&gt;" in receiver.messages[0].json["text"]


def test_a_webhook_hears_of_milestones_with_the_figures(session, listen, receiver, send) -> None:
    _endpoint, secret = listen(event_types=("milestone.reached",))
    give(open_appeal(goal_minor=10_000), 5_000, 1)
    milestones.look()
    send()
    [message] = receiver.messages
    assert message.signed_by(secret)
    assert message.json["data"] == {
        "appeal": "lantern", "title": "Keep the lantern lit", "percent": 50, "raised_minor": 5000, "goal_minor": 10_000,
        "currency": "gbp", "locale": "en_GB", "gift_count": 1,
    }  # fmt: skip


def test_an_appeal_without_a_goal_has_no_milestones(session) -> None:
    give(open_appeal(goal_minor=None), 5_000, 1)
    assert milestones.look() == 0


def test_of_four_workers_one_tells(app, session, chat, receiver, send) -> None:
    give(open_appeal(goal_minor=10_000), 5_000, 1)
    db.session.remove()
    told = []

    def look() -> None:
        with app.app_context():
            told.append(milestones.look())
            db.session.remove()

    workers = [threading.Thread(target=look) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(told) == [0, 0, 0, 1]
    send()
    assert len(receiver.messages) == 1
