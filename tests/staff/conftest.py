"""Signed-in clients by role, and a small appeal with gifts, for the tests of the staff's pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient

from appeal import appeals
from appeal.books import ledger
from appeal.core import clock, ids
from appeal.database import writing
from appeal.extensions import db
from appeal.gifts import giving
from appeal.models import Appeal, Donation, Donor
from appeal.office import sign_in, staff_people
from appeal.office.audit import COMMAND_LINE

PASSWORD = "lantern oil and printing ink"
ROLES = ("viewer", "editor", "admin")


@lru_cache
def digest() -> str:
    """Return the digest of everybody's password.

    A digest says itself how dear it is to check. This one is cheap; how dear the application's own are is tested by
    itself.
    """
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


class Office:
    """The staff's pages, seen through one browser."""

    def __init__(self, client: FlaskClient) -> None:
        """Take a client without a past."""
        self.client = client

    def token(self, address: str = "/staff/login") -> str:
        """Read the form token from a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(address).text)
        assert found, f"no form on {address}"
        return found[1]

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> Any:
        """Send the form of the way in."""
        values = {"email": email, "password": password, "csrf_token": self.token(), **fields}
        return self.client.post("/staff/login", data=values)

    def get(self, address: str, **options: Any) -> Any:
        """Open a page."""
        return self.client.get(address, **options)

    def post(self, address: str, values: dict[str, Any] | None = None, **options: Any) -> Any:
        """Send a form, with a token from a page that every role may open."""
        token = self.token("/staff/account/")
        return self.client.post(address, data={**(values or {}), "csrf_token": token}, **options)


@pytest.fixture
def people(app: Flask) -> dict[str, str]:
    """Add one person a role; give their addresses."""
    with app.app_context():
        for role in ROLES:
            person = staff_people.add(f"{role}@lantern.example", role, COMMAND_LINE, name=role.title())
            with writing():
                person.password_hash = digest()
    return {role: f"{role}@lantern.example" for role in ROLES}


@pytest.fixture
def office(app: Flask, people: dict[str, str]) -> Callable[[str], Office]:
    """Open the office in a role: `office("editor")`; without one, as a stranger."""

    def enter(role: str = "") -> Office:
        one = Office(app.test_client())
        if role:
            with app.app_context():
                token = sign_in.begin(
                    staff_people.by_email(people[role]), sign_in.Origin("127.0.0.1", "A browser", b"key")
                )
            with one.client.session_transaction("/staff/") as session:
                session["token"] = token
        return one

    return enter


def make_appeal(slug: str = "winter", **values: Any) -> Appeal:
    """Add an open appeal of ten days, in an application context."""
    today = clock.today("Europe/London")
    new = appeals.NewAppeal(
        slug=slug, title="The winter appeal", currency="gbp", goal_minor=1_000_000,
        opens_on=today - timedelta(days=4), closes_on=today + timedelta(days=5), publisher="The Daily Lantern",
    )  # fmt: skip
    with writing():
        appeal = appeals.create(new)
        appeal.status = "open"
        for name, value in values.items():
            setattr(appeal, name, value)
    return appeal


def make_gift(
    appeal: Appeal, amount_minor: int, name: str = "Ada Byron", email: str = "", **values: Any
) -> Donation:
    """Enter one received gift, in an application context."""
    at = values.pop("received_at", clock.now())
    email = email or f"{name.split(maxsplit=1)[0].lower()}@readers.example"
    with writing() as session:
        donor = session.query(Donor).filter_by(email_key=email).one_or_none()
        if donor is None:
            donor = Donor(public_id=ids.public_id(), email=email, email_key=email, name=name, created_at=at)
            session.add(donor)
            session.flush()
        public_id = ids.public_id()
        donation = Donation(
            public_id=public_id, appeal_id=appeal.id, donor_id=donor.id, status="received", currency=appeal.currency,
            amount_minor=amount_minor, name=name, created_at=at, received_at=at,
            payment_intent_id=f"pi_{public_id}", **values,
        )  # fmt: skip
        session.add(donation)
        session.flush()
        giving.enter_gift(ledger.lock(donation.id), f"pi:pi_{public_id}", at)
    return donation


def give_back(donation: Donation, amount_minor: int, fact: str) -> None:
    """Enter one refund in the books, in an application context."""
    with writing():
        ledger.record(ledger.lock(donation.id), ledger.Fact("refund", fact, -amount_minor, clock.now()))


@pytest.fixture
def winter(app: Flask) -> str:
    """Make an appeal with three gifts, one of them half refunded: 10.00 + 25.00 + 40.00 - 20.00."""
    with app.app_context():
        appeal = make_appeal()
        make_gift(
            appeal,
            1000,
            "Ada Byron",
            credit="name",
            credit_review="waiting",
            src="www.lantern.example:article",
            page="/mine",
            placement="article",
        )
        make_gift(appeal, 2500, "Émile Zola", source="post")
        give_back(
            make_gift(
                appeal,
                4000,
                "Mary Shelley",
                credit="custom",
                credit_line="=HYPERLINK(1)",
                credit_review="approved",
            ),
            2000,
            "re:1",
        )
        db.session.remove()
    return "winter"
