"""Bad input to every public address: the documented 4xx in words, never a 5xx, and nothing changed in the books."""

import itertools
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from appeal.extensions import db
from appeal.models import AppealTotals, Donation, InboxEvent, LedgerEntry
from tests.gateways import FakeGateway
from tests.making import SLUG, body_of, event, form, open_appeal, received, signature

SEED = 4711
ODD = [
    "", " ", "\x00", "a\x00b", "\x1b[0m", "\r\nSet-Cookie: a=b", "\u202e", "\ufeff", "\ud800", "é", "李", "💷", "\uffff",
    "0", "-1", "1e9", "NaN", "Infinity", "-0", "9" * 400, "2147483648", str(2**63), "1.000.000", "0x10", "null", "true",
    "[]", "{}", "../../etc/passwd", "..%2f..%2f", "%", "%zz", "%00", "';--", "' OR 1=1 --", '"', "<script>alert(1)</script>",
    "{{7*7}}", "${7*7}", "%s%n", "a" * 5000, "\\", "/", "//", ".", "..", "~", "|id", "`id`", "\t", "\u2028", "=cmd()",
]  # fmt: skip
FIELDS = [
    "csrf_token", "amount", "other_amount", "frequency", "name", "email", "credit", "credit_line", "message",
    "cover_fee", "updates", "src", "page", "website",
]  # fmt: skip
QUESTIONS = ["amount", "before", "frequency", "src", "page", "lang", "theme", "placement"]
ADDRESSES = [
    "/", "/appeals/{}", "/appeals/{}/credits", "/appeals/{}/brand.css", "/appeals/{}/logo", "/api/v1/appeals/{}",
    "/embed/{}/fragment", "/donations/{}/thank-you", "/donations/{}/receipt.pdf", "/healthz", "/{}",
]  # fmt: skip
# 303 is a gift that could be taken, 304 an answer that is known already.
FINE = {200, 302, 303, 304, 308, 400, 404, 405, 409, 413, 415, 422, 429}


@pytest.fixture
def books(app) -> Iterator[Any]:
    """Take the books down before and hold them against what they are afterwards."""
    app.extensions["appeal.gateway"] = FakeGateway()
    with app.app_context():
        received(open_appeal())
        before = _books()
    yield
    with app.app_context():
        assert _books() == before


def _books() -> list[Any]:
    db.session.rollback()
    totals = db.session.scalars(select(AppealTotals).execution_options(populate_existing=True)).one()
    counted = [
        db.session.scalar(select(func.count()).select_from(table)) for table in (LedgerEntry, InboxEvent)
    ]
    return [totals.raised_minor, totals.gift_count, totals.entry_count, *counted]


def assert_fine(answer: Any, *what: object) -> None:
    """Hold an answer against what the contract allows, and its message against what people understand."""
    assert answer.status_code in FINE, (answer.status_code, SEED, *what)
    if answer.status_code >= 400 and answer.status_code != 405:
        told = answer.get_data(as_text=True)
        assert told, what
        assert "Traceback" not in told
        assert "sqlalchemy" not in told.lower()


def escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


@pytest.mark.parametrize("address", ADDRESSES)
def test_odd_addresses_and_questions_find_nothing_and_break_nothing(client, books, address) -> None:
    chance = random.Random(f"{SEED} {address}")
    for odd in ODD:
        assert_fine(client.get(address.format(escaped(odd))), address, odd)
        page = address.format(SLUG)
        for name in chance.sample(QUESTIONS, 3):
            assert_fine(client.get(f"{page}?{name}={escaped(odd)}"), page, name, odd)
    assert_fine(client.get(address.format("%ff%fe%00")), address)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        answer = client.open(address.format(SLUG), method=method, data=b"\xff\xfe")
        assert answer.status_code in FINE, (address, method, answer.status_code)


@pytest.mark.soak
def test_odd_forms_are_answered_in_words(app, client, books, scaled) -> None:
    chance = random.Random(SEED)
    post = f"/appeals/{SLUG}/donations"
    for field in FIELDS:
        for odd in chance.sample(ODD, scaled(16, len(ODD))):
            values = {name: _wire(value) for name, value in form(app, **{field: odd}).items()}
            answer = client.post(
                post, data=_encoded(values), content_type=FORM, environ_base=_somebody(chance)
            )
            assert_fine(answer, field, odd)
    for _ in range(scaled(150, 18_000)):
        values = {
            field: _wire(_drawn(chance)) for field in chance.sample(FIELDS, chance.randint(0, len(FIELDS)))
        }
        if chance.random() < 0.7:
            values["csrf_token"] = form(app)["csrf_token"].encode()
        answer = client.post(post, data=_encoded(values), content_type=FORM, environ_base=_somebody(chance))
        assert_fine(answer, values)
    with app.app_context():
        assert set(db.session.scalars(select(Donation.status))) <= {"received", "open", "started"}


FORM = "application/x-www-form-urlencoded"


def _somebody(chance: random.Random) -> dict[str, str]:
    """Come from anywhere, or the limits would answer instead of the form."""
    return {"REMOTE_ADDR": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"}


def _drawn(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return chance.choice(ODD)
    return "".join(
        chr(chance.choice([chance.randint(0, 127), chance.randint(0, 0x10FFFF)])) for _ in range(20)
    )


def _wire(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _encoded(values: dict[str, bytes]) -> bytes:
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items()).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"\xff\xfe\x00", FORM),
        (b"&" * 5000, FORM),
        (b"a=b&" * 5000, FORM),
        (b"amount=%ff%fe", FORM),
        (b"{}", "application/json"),
        (b"x", "text/plain"),
        (b"x", "multipart/form-data"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n" * 3000, "multipart/form-data; boundary=x"),
        (b'--x\r\nContent-Disposition: form-data; name="amount"; filename="a"\r\n\r\n25\r\n--x--', "multipart/form-data; boundary=x"),
        (b"x" * 70_000, FORM),
        (b"x" * 5_000_000, FORM),
    ],
    ids=lambda value: repr(value[:30]),
)  # fmt: skip
def test_a_body_that_is_no_form_is_answered_in_words(client, books, body, kind) -> None:
    answer = client.post(f"/appeals/{SLUG}/donations", data=body, content_type=kind)
    assert answer.status_code in {400, 413, 422}
    assert_fine(answer)


@pytest.mark.parametrize("slug", ["nowhere", "%00", "LANTERN", "%ff", "draft"])
def test_a_form_to_an_appeal_that_is_none_is_404(app, client, books, slug) -> None:
    with app.app_context():
        open_appeal("draft", status="draft")
        db.session.execute(AppealTotals.__table__.delete().where(AppealTotals.appeal_id == 2))
        db.session.commit()
    assert client.post(f"/appeals/{slug}/donations", data=form(app)).status_code == 404


def test_events_that_are_forged_stale_or_none_change_nothing(client, books) -> None:
    good = body_of(event("payment_intent.succeeded", {"id": "pi_1"}))
    chance = random.Random(SEED)
    tries = [(good, ""), (good, signature(good, "whsec_other")), (good, signature(good, at=1_500_000_000))]
    tries += [(good, signature(good, at=4_000_000_000)), (b"", signature(b"")), (b"\xff", signature(b"\xff"))]
    for odd in ODD:
        body = _wire(odd)
        tries += [
            (body, signature(body)),
            (good, odd.encode("latin-1", "ignore").decode("latin-1").replace("\r", "").replace("\n", "")),
        ]
        tries.append((body_of(event("payment_intent.succeeded", {"id": odd}, id=odd, type=odd)), "t=1,v1=2"))
    for _ in range(200):
        broken = bytearray(good)
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        tries.append((bytes(broken), signature(good)))
    tries.append((b"x" * 5_000_000, ""))
    for body, header in tries:
        answer = client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": header})
        assert answer.status_code == 400, (answer.status_code, body[:60], header)
        assert answer.get_json()["message"]
    assert client.get("/webhooks/stripe").status_code == 405


def test_a_signed_event_of_any_shape_is_taken_and_parked_or_let_go(app, client) -> None:
    """Signed is believed to be Stripe's; what it holds may still be anything, and must not move the books."""
    with app.app_context():
        received(open_appeal())
        before = _books()[:3]
    shapes: list[Any] = [
        {},
        {"id": None},
        {"id": 1, "mode": 7},
        {"mode": "payment"},
        {"metadata": []},
        {"client_reference_id": "\x00"},
    ]
    shapes += [{"mode": "payment", "status": "complete", "payment_status": "paid", "currency": c, "amount_total": a, "livemode": False,
                "client_reference_id": r, "id": "cs_x"} for c in ("gbp", "xxx", None) for a in (0, -1, 2**70, "x", None) for r in ("nobody", "\x00", 5)]  # fmt: skip
    instants = itertools.cycle((0, -1, 2**40, 2**80, 1_763_000_000))
    for kind in ("checkout.session.completed", "payment_intent.succeeded", "checkout.session.expired"):
        for shape in shapes:
            body = body_of(event(kind, shape, created=next(instants)))
            answer = client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": signature(body)})
            assert answer.status_code == 200, (kind, shape, body)
    with app.app_context():
        assert _books()[:3] == before
