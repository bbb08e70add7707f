"""The people of the staff: added, invited, given a role, shut out, and let back in by a letter.

A letter's token is made from a nonce in the database and the signing key, which is not: neither the database nor
the outbox alone lets anybody in.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from appeal.core import clock, texts
from appeal.core.errors import DomainError, NoSuchThing, StaleForm
from appeal.database import writing
from appeal.extensions import db
from appeal.models import HouseSettings, Person, StaffToken
from appeal.models.people import ROLES
from appeal.office import audit, passwords, sign_in
from appeal.office.audit import Actor
from appeal.people import donors
from appeal.queues import outbox

LIFE = {"invitation": timedelta(days=7), "reset": timedelta(hours=2)}
LETTERS_AN_HOUR = 3


class PersonRefused(DomainError):
    """This person cannot be added or changed like that."""


class TokenUnusable(DomainError):
    """This link was used already, or is too old. Ask for a new one."""


def by_email(email: str) -> Person | None:
    """Find a person by e-mail address."""
    return db.session.scalars(select(Person).where(Person.email_key == donors.email_key(email))).one_or_none()


def by_id(person_id: int) -> Person:
    """Find a person.

    Raises:
        NoSuchThing: there is none.
    """
    person = db.session.get(Person, person_id)
    if person is None:
        raise NoSuchThing("There is no such person.")
    return person


def everybody() -> list[Person]:
    """List everybody, the active ones first, by address."""
    return list(db.session.scalars(select(Person).order_by(Person.active.desc(), Person.email_key)))


def add(email: str, role: str, actor: Actor, *, name: str = "", password: str = "") -> Person:
    """Add somebody; without a password they need an invitation before they can sign in.

    Raises:
        PersonRefused: the address or role is none, or there is somebody with that address.
        WeakPassword: the password is too easy.
    """
    email = _address(email)
    if role not in ROLES:
        raise PersonRefused(f"A role is one of {', '.join(ROLES)}.")
    if password:
        passwords.refuse_weak(password, email)
    person = Person(
        email=email,
        email_key=donors.email_key(email),
        name=name,
        role=role,
        password_hash=passwords.digest_of(password) if password else "",
        created_at=clock.now(),
    )
    try:
        with writing() as session:
            session.add(person)
            session.flush()
            audit.write(actor, "person.added", f"person:{email}", after={"role": role, "name": name})
    except IntegrityError:
        raise PersonRefused(f"{email} is among the staff already.") from None
    return person


def _address(email: str) -> str:
    try:
        return texts.email_address(email.strip(), reserved=True)
    except ValueError:
        raise PersonRefused("Enter an e-mail address such as name@example.org.") from None


def invite(email: str, role: str, name: str, actor: Actor, key: bytes) -> Person:
    """Add somebody and send them a letter to choose a password by.

    Raises:
        PersonRefused: as for `add`.
    """
    with writing():
        person = add(email, role, actor, name=name)
        send_letter(person, "invitation", key)
        return person


def send_letter(person: Person, purpose: str, key: bytes) -> bool:
    """Send a letter with a link that works once; False, and nothing sent, when there were several lately."""
    with writing() as session:
        now = clock.now()
        lately = select(func.count()).select_from(StaffToken)
        lately = lately.where(
            StaffToken.person_id == person.id, StaffToken.created_at > now - timedelta(hours=1)
        )
        if (session.scalar(lately) or 0) >= LETTERS_AN_HOUR:
            return False
        nonce = secrets.token_hex(16)
        token = StaffToken(
            person_id=person.id,
            purpose=purpose,
            nonce=nonce,
            digest=passwords.token_digest(token_text(nonce, key)),
            created_at=now,
            expires_at=now + LIFE[purpose],
        )
        session.add(token)
        session.flush()
        outbox.add(
            f"staff_{purpose}", f"staff:{token.id}", recipient=person.email, content={"token_id": token.id}
        )
        return True


def token_text(nonce: str, key: bytes) -> str:
    """Return the token that goes into a letter's link."""
    return passwords.keyed_digest(key, "staff-letter", nonce)


def owner_of(token: str) -> Person:
    """Return the person whose letter this token came from, without using it up.

    Raises:
        TokenUnusable: it is unknown, used, too old, or its owner was shut out.
    """
    return _usable(token)[1]


def _usable(token: str) -> tuple[StaffToken, Person]:
    query = select(StaffToken, Person).join(Person, Person.id == StaffToken.person_id)
    query = query.where(
        StaffToken.digest == passwords.token_digest(token),
        StaffToken.used_at.is_(None),
        StaffToken.expires_at > clock.now(),
        Person.active.is_(True),
    )
    row = db.session.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise TokenUnusable
    return row[0], row[1]


def choose_password(token: str, password: str) -> Person:
    """Set a password by a letter's token, use the token up, and end every session.

    Raises:
        TokenUnusable: as for `owner_of`.
        WeakPassword: the password is too easy; the token stays good.
    """
    with writing():
        found, person = _usable(token)
        passwords.refuse_weak(password, person.email)
        found.used_at = clock.now()
        person.password_hash = passwords.digest_of(password)
        sign_in.end_all(person.id)
        audit.write(
            Actor(person.email, person.id),
            "person.password_chosen",
            f"person:{person.email}",
            after={"by": found.purpose},
        )
        return person


def change_password(person: Person, password: str, *, keep_session: int | None = None) -> None:
    """Set a new password and end every other session.

    Raises:
        WeakPassword: the password is too easy.
    """
    passwords.refuse_weak(password, person.email)
    with writing() as session:
        session.get_one(Person, person.id).password_hash = passwords.digest_of(password)
        sign_in.end_all(person.id, but=keep_session)
        audit.write(Actor(person.email, person.id), "person.password_changed", f"person:{person.email}")


def change(person_id: int, values: dict[str, Any], revision: int, actor: Actor) -> Person:
    """Change name, role or whether somebody may sign in; a lesser role or a shut door ends their sessions.

    Raises:
        StaleForm: somebody else changed this person meanwhile.
        PersonRefused: nobody would be left to administer.
    """
    with writing() as session:
        person = session.get(Person, person_id, with_for_update=True)
        if person is None:
            raise PersonRefused("There is no such person.")
        if person.revision != revision:
            raise StaleForm
        before, after = audit.differing({name: getattr(person, name) for name in values}, values)
        if not after:
            return person
        for name, value in after.items():
            setattr(person, name, value)
        person.revision += 1
        session.flush()
        _refuse_without_admin()
        sign_in.end_all(person.id, but=None) if {"role", "active"} & set(after) else None
        audit.write(actor, "person.changed", f"person:{person.email}", before=before, after=after)
        return person


def _refuse_without_admin() -> None:
    admins = select(func.count()).select_from(Person)
    admins = admins.where(Person.role == "admin", Person.active.is_(True), Person.password_hash != "")
    if not db.session.scalar(admins):
        raise PersonRefused("Somebody must remain who can administer the staff.")


def sign_out(person_id: int, actor: Actor) -> None:
    """End every session of somebody."""
    with writing() as session:
        sign_in.end_all(person_id)
        audit.write(actor, "person.signed_out", f"person:{session.get_one(Person, person_id).email}")


def forget_second_factor(person_id: int, actor: Actor) -> None:
    """Take a lost second factor off somebody; their sessions end."""
    with writing() as session:
        person = session.get_one(Person, person_id)
        person.second_factor, person.recovery_digests, person.last_code_counter = "", [], 0
        sign_in.end_all(person.id)
        audit.write(actor, "person.second_factor_removed", f"person:{person.email}")


def house() -> HouseSettings:
    """Return the publisher's own settings, as they are when nothing was decided yet."""
    found = db.session.get(HouseSettings, 1)
    return found or HouseSettings(
        id=1,
        second_factor_required=False,
        refused_words=[],
        revision=1,
    )


def change_house(values: dict[str, Any], revision: int, actor: Actor) -> HouseSettings:
    """Change the publisher's own settings.

    Raises:
        StaleForm: somebody else changed them meanwhile.
    """
    with writing() as session:
        found = session.get(HouseSettings, 1, with_for_update=True) or house()
        if found.revision != revision:
            raise StaleForm
        session.add(found)
        before, after = audit.differing({name: getattr(found, name) for name in values}, values)
        for name, value in after.items():
            setattr(found, name, value)
        found.revision += 1
        if after:
            audit.write(actor, "settings.changed", "settings", before=before, after=after)
        return found
