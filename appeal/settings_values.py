"""What a single setting may be: one check for each kind of value, with the sentence that says what is wrong.

A check returns the value to keep or raises ValueError. No sentence repeats the value: it may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# What may stand as one source in a Content-Security-Policy; a semicolon would begin another rule.
_SOURCE = re.compile(r"[A-Za-z0-9.:/*\[\]_'-]+")
_HOST = re.compile(r"\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]")


def parts_of(address: str) -> SplitResult | None:
    """Return an address in its parts, or None where it cannot be read, its port included."""
    try:
        parts = urlsplit(address)
        return parts if parts.port != 0 and address.isprintable() else None
    except ValueError:
        return None


def _with_host(address: str, *schemes: str) -> SplitResult | None:
    parts = parts_of(address)
    return parts if parts and parts.scheme in schemes and parts.hostname else None


def public_address(value: str) -> str:
    """Take an address that people open, without what only one request has."""
    parts = _with_host(value, "http", "https")
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an http(s) address such as https://give.example.org")
    return value.rstrip("/")


def database_address(value: str) -> str:
    """Take SQLite's and PostgreSQL's; every way of writing PostgreSQL means psycopg 3."""
    if value.startswith(("postgres://", "postgresql://")):
        value = "postgresql+psycopg://" + value.split("://", 1)[1]
    if value and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:///, postgres:// or postgresql://")
    try:
        make_url(value or "sqlite:///")
    except (ArgumentError, ValueError):
        raise ValueError(
            "cannot be read; is the port a number, and is the password percent-encoded?"
        ) from None
    return value


def mail_address(value: str) -> str:
    """Take a way for mail to leave."""
    scheme, _, rest = value.partition(":")
    if scheme not in {"console", "file", "smtp", "smtps"}:
        raise ValueError("must begin with console:, file:, smtp:// or smtps://")
    if scheme == "file" and not rest:
        raise ValueError("must name a folder after file:")
    if scheme in {"smtp", "smtps"} and _with_host(value, scheme) is None:
        raise ValueError(f"must name the mail server, as in {scheme}://user:password@host:port")
    return value


def sender(value: str) -> str:
    """Take a sender's address, with or without a name."""
    local, _, domain = parseaddr(value)[1].partition("@")
    if not (local and domain and value.isprintable()):
        raise ValueError("must be an address such as The Appeal <appeal@example.org>")
    return value


def stripe_address(value: str) -> str:
    """Take another address for Stripe's API; only on this machine may it be plain."""
    parts = _with_host(value, "http", "https")
    if value and (parts is None or (parts.scheme == "http" and parts.hostname not in LOOPBACK)):
        raise ValueError("must be https; only a loopback address may be plain http")
    return value.rstrip("/")


def redis_address(value: str) -> str:
    """Take Redis' address."""
    if value and not (value.startswith("unix://") or _with_host(value, "redis", "rediss")):
        raise ValueError("must be an address such as redis://host:6379/0")
    return value


def sentry_address(value: str) -> str:
    """Take a data source name as Sentry gives it."""
    parts = _with_host(value, "http", "https")
    if value and not (parts and parts.username and parts.path.rpartition("/")[2].isdigit()):
        raise ValueError("must be an address such as https://key@host/1")
    return value


def origins(value: tuple[str, ...]) -> tuple[str, ...]:
    """Take origins: scheme, host and port."""
    for one in value:
        parts = _with_host(one, "http", "https")
        if parts is None or f"{parts.scheme}://{parts.netloc}" != one or not _SOURCE.fullmatch(one):
            raise ValueError("must be origins such as https://checkout.stripe.com, separated by commas")
    return value


def ancestors(value: str) -> str:
    """Take sites as `frame-ancestors` writes them, separated by spaces or commas."""
    if not all(_SOURCE.fullmatch(one) for one in value.replace(",", " ").split()):
        raise ValueError("must be * or sites such as https://news.example.org")
    return value


def hosts(value: tuple[str, ...]) -> tuple[str, ...]:
    """Take names of hosts; one that begins with a point stands for all below it."""
    if not all(_HOST.fullmatch(one) for one in value):
        raise ValueError("must be host names such as give.example.org, without scheme and port")
    return tuple(one.lower() for one in value)  # as browsers send them


def _split_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _hidden(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda secret: SecretStr(check(secret.get_secret_value())))


_Commas = BeforeValidator(_split_commas)
PublicAddress = Annotated[str, AfterValidator(public_address)]
DatabaseAddress = Annotated[str, AfterValidator(database_address)]
StripeAddress = Annotated[str, AfterValidator(stripe_address)]
MailAddress = Annotated[SecretStr, _hidden(mail_address)]
RedisAddress = Annotated[SecretStr, _hidden(redis_address)]
SentryAddress = Annotated[SecretStr, _hidden(sentry_address)]
Sender = Annotated[str, AfterValidator(sender)]
Ancestors = Annotated[str, AfterValidator(ancestors)]
Origins = Annotated[tuple[str, ...], NoDecode, _Commas, AfterValidator(origins)]
Hosts = Annotated[tuple[str, ...], NoDecode, _Commas, AfterValidator(hosts)]
CommaSecrets = Annotated[tuple[SecretStr, ...], NoDecode, _Commas]
