"""Signing in: throttled by person and by address, sessions that are rows and can be revoked.

The browser holds a random token; its digest is the session. A session ends by itself after 2 hours of idling or
12 hours in all. Someone unknown costs as much time as someone known, and hears the same.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from appeal.core import clock
from appeal.core.errors import DomainError, TooManyAttempts
from appeal.database import writing
from appeal.extensions import db
from appeal.models import HouseSettings, Person, SignIn, SignInAttempt
from appeal.office import passwords
from appeal.office.second_factor import SecondFactor
from appeal.people import donors

IDLE = timedelta(hours=2)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
FAILURES_A_PERSON = 5
FAILURES_AN_ADDRESS = 20


class SignInRefused(DomainError):
    """That e-mail address and password do not belong together."""


class CodeRefused(DomainError):
    """That code is not right, or was used already. Codes change every 30 seconds."""


class TooManySignIns(TooManyAttempts):
    """There were too many attempts to sign in. Please wait a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request to sign in comes from, and the key that its digests are made with."""

    address: str
    browser: str
    digest_key: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """Someone signed in, and whether the publisher asks everybody for a second factor."""

    sign_in: SignIn
    second_factor_required: bool

    @property
    def person(self) -> Person:
        """Return who it is."""
        return self.sign_in.person

    @property
    def fresh(self) -> bool:
        """Say whether the password was given so lately that money may move."""
        return clock.now() - self.sign_in.fresh_at < FRESH


def check_password(email: str, password: str, origin: Origin) -> Person:
    """Return the person whose address and password these are.

    Raises:
        TooManySignIns: too many failures for this person or from this address; nothing was looked at.
        SignInRefused: they are not, the person is not active, or has no password yet.
    """
    refuse_too_many(email, origin)
    key = donors.email_key(email)
    person = db.session.scalars(select(Person).where(Person.email_key == key)).one_or_none()
    right = passwords.fits(person.password_hash if person else "", password)
    if person is None or not right or not person.active:
        failed(email, origin)
        raise SignInRefused
    return person


def check_code(person: Person, code: str, factor: SecondFactor, origin: Origin) -> None:
    """Hold a person to their second factor.

    Raises:
        TooManySignIns: too many failures.
        CodeRefused: the code is wrong or used.
    """
    refuse_too_many(person.email, origin)
    with writing() as session:
        right = factor.fits(session.get_one(Person, person.id, with_for_update=True), code)
    if not right:
        failed(person.email, origin)
        raise CodeRefused


def refuse_too_many(email: str, origin: Origin) -> None:
    """Refuse another attempt when there were too many failures lately.

    Raises:
        TooManySignIns: with the seconds after which trying again makes sense.
    """
    by_email, by_address = _digests(email, origin)
    since = clock.now() - WINDOW
    attempts = select(func.count()).select_from(SignInAttempt).where(SignInAttempt.at > since)
    counts = select(
        attempts.where(SignInAttempt.email_digest == by_email).scalar_subquery(),
        attempts.where(SignInAttempt.address_digest == by_address).scalar_subquery(),
    )
    person, address = db.session.execute(counts).one()
    if person >= FAILURES_A_PERSON or address >= FAILURES_AN_ADDRESS:
        raise TooManySignIns(retry_after_seconds=int(WINDOW.total_seconds()))


def failed(email: str, origin: Origin) -> None:
    """Count one failed attempt."""
    by_email, by_address = _digests(email, origin)
    with writing() as session:
        session.add(SignInAttempt(email_digest=by_email, address_digest=by_address, at=clock.now()))


def _digests(email: str, origin: Origin) -> tuple[str, str]:
    key = donors.email_key(email)
    return (
        passwords.keyed_digest(origin.digest_key, "person", key),
        passwords.keyed_digest(origin.digest_key, "address", origin.address),
    )


def begin(person: Person, origin: Origin) -> str:
    """Open a session and return its token, which is not stored."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    with writing() as session:
        session.add(
            SignIn(
                person_id=person.id,
                digest=passwords.token_digest(token),
                began_at=now,
                seen_at=now,
                fresh_at=now,
                browser=origin.browser[:120],
                address=origin.address[:64],
            )
        )
        session.get_one(Person, person.id).signed_in_at = now
        by_email, _ = _digests(person.email, origin)
        session.execute(delete(SignInAttempt).where(SignInAttempt.email_digest == by_email))
    return token


def of_token(token: str, *, seen: bool = True) -> Signed | None:
    """Return the session that a token opens, if it still runs; note that it was seen, once a minute at most.

    What a page asks by itself is not `seen`: a screen that was left alone idles out.
    """
    now = clock.now()
    required = select(HouseSettings.second_factor_required).where(HouseSettings.id == 1).scalar_subquery()
    query = select(SignIn, required).where(
        SignIn.digest == passwords.token_digest(token),
        SignIn.ended_at.is_(None),
        SignIn.seen_at > now - IDLE,
        SignIn.began_at > now - ABSOLUTE,
    )
    row = db.session.execute(query).one_or_none()
    if row is None or not row[0].person.active:
        return None
    if seen and now - row[0].seen_at > SEEN_EVERY:
        with writing() as session:
            session.execute(update(SignIn).where(SignIn.id == row[0].id).values(seen_at=now))
    return Signed(row[0], bool(row[1]))


def renew(sign_in: SignIn) -> None:
    """Note that the password was given again."""
    with writing() as session:
        session.execute(update(SignIn).where(SignIn.id == sign_in.id).values(fresh_at=clock.now()))


def running(person_id: int) -> list[SignIn]:
    """List a person's sessions that still run, newest first."""
    now = clock.now()
    query = select(SignIn).where(
        SignIn.person_id == person_id,
        SignIn.ended_at.is_(None),
        SignIn.seen_at > now - IDLE,
        SignIn.began_at > now - ABSOLUTE,
    )
    return list(db.session.scalars(query.order_by(SignIn.id.desc())))


def end(person_id: int, sign_in_id: int) -> None:
    """End one session of a person."""
    _end(SignIn.person_id == person_id, SignIn.id == sign_in_id)


def end_all(person_id: int, *, but: int | None = None) -> None:
    """End every session of a person, but for one where that is wanted."""
    _end(SignIn.person_id == person_id, SignIn.id != (but or 0))


def _end(*which: object) -> None:
    with writing() as session:
        change = update(SignIn).where(*which, SignIn.ended_at.is_(None)).values(ended_at=clock.now())  # type: ignore[arg-type]
        session.execute(change.execution_options(synchronize_session=False))


def forget_old(before: datetime | None = None) -> int:
    """Delete failed attempts that no longer count; return how many."""
    with writing() as session:
        old = delete(SignInAttempt).where(SignInAttempt.at < (before or clock.now() - 4 * WINDOW))
        return int(session.execute(old.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
