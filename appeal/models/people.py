"""Staff: the people who may sign in, their sessions, the single-use letters that let them in, and failed attempts.

No secret is stored as it is: passwords as argon2id, tokens as digests, the second factor encrypted with the signing
key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appeal.models.base import Base, Key, words

ROLES = ("viewer", "editor", "admin")
PURPOSES = ("invitation", "reset")


class Person(Base):
    """Someone of the staff. Without a password nobody can sign in as them: they have been invited, no more."""

    __tablename__ = "people"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    role: Mapped[str] = mapped_column(words(*ROLES, name="role"))
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    second_factor: Mapped[str] = mapped_column(Text, default="")
    last_code_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    recovery_digests: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)


class SignIn(Base):
    """One signed-in browser. It ends by signing out, by being revoked, by idling, or by growing old."""

    __tablename__ = "sign_ins"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    fresh_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str] = mapped_column(String(120), default="")
    address: Mapped[str] = mapped_column(String(64), default="")

    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class StaffToken(Base):
    """One letter that lets somebody choose a password, once. The token itself is never stored."""

    __tablename__ = "staff_tokens"

    id: Mapped[Key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    purpose: Mapped[str] = mapped_column(words(*PURPOSES, name="purpose"))
    nonce: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One failed attempt, by keyed digests of the address written and the address it came from."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        Index("ix_sign_in_attempts_email", "email_digest", "at"),
        Index("ix_sign_in_attempts_address", "address_digest", "at"),
        Index("ix_sign_in_attempts_at", "at"),
    )

    id: Mapped[Key]
    email_digest: Mapped[str] = mapped_column(String(64))
    address_digest: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
