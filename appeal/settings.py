"""The settings: read once, typed, checked at start, every problem named at once.

The environment wins over the `.env` file beside `wsgi.py`; what is empty counts as unset. With nothing set the application
runs as a demonstration on the embedded database against the Stripe sandbox. A secret never shows in a log or a repr.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from appeal.core import written
from appeal.core.written import Secret

ROOT = Path(__file__).resolve().parent.parent
STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"
SANDBOX_API_BASE = "http://127.0.0.1:12111"
SANDBOX_KEY = "sk_test_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - the sandbox's own, worth nothing elsewhere
NO_SECRET, TO_THE_CONSOLE = Secret(), Secret("console:")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsProblem(Exception):
    """One or more settings cannot be used; `problems` has a line for each, by name."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the lines and make one readable text of them."""
        self.problems = problems
        super().__init__("The settings need attention:\n" + "\n".join(f"  - {line}" for line in problems))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs between one installation and another; `READERS` says how each is written."""

    appeal_env: Literal["development", "test", "production"] = "development"
    secret_key: Secret = NO_SECRET
    secret_key_fallbacks: tuple[Secret, ...] = ()
    database_url: str = field(default="", repr=False)  # it may hold a password
    public_url: str = "http://127.0.0.1:8000"
    stripe_secret_key: Secret = NO_SECRET
    stripe_webhook_secrets: tuple[Secret, ...] = ()
    stripe_api_base: str = ""
    checkout_origins: tuple[str, ...] = ()
    mail_url: Secret = TO_THE_CONSOLE
    mail_from: str = "Appeal <appeal@localhost.localdomain>"
    redis_url: Secret = NO_SECRET
    trusted_hosts: tuple[str, ...] = ()
    proxy_hops: int = 0
    embed_ancestors: str = "*"
    metrics_token: Secret = NO_SECRET
    sentry_dsn: Secret = NO_SECRET
    instance_dir: Path = ROOT / "instance"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    form_min_age_seconds: int = 3
    checkouts_per_address_hour: int = 5
    worker_inside: bool = True

    def problems_together(self) -> list[str]:
        """List what is wrong with settings that are fine each by itself."""
        key = self.stripe_secret_key.get_secret_value()
        live = key.startswith(("sk_live_", "rk_live_"))
        found: list[str] = []
        if live and self.stripe_api_base:
            found.append("STRIPE_API_BASE: an overridden Stripe address is refused together with a live key")
        if key and not key.startswith(("sk_live_", "rk_live_", "sk_test_", "rk_test_")):
            found.append("STRIPE_SECRET_KEY: must begin with sk_live_, sk_test_, rk_live_ or rk_test_")
        if key and not self.stripe_webhook_secrets:
            found.append("STRIPE_WEBHOOK_SECRETS: must be set together with STRIPE_SECRET_KEY")
        if self.appeal_env == "production":
            found += self._problems_in_production(live=live)
        return found

    def _problems_in_production(self, *, live: bool) -> list[str]:
        found = []
        if len(self.secret_key.get_secret_value()) < 32:
            found.append("SECRET_KEY: must be set, with at least 32 characters, in production")
        if not live:
            found.append("STRIPE_SECRET_KEY: a live key is needed in production; a test key is refused")
        if not self.stripe_webhook_secrets:
            found.append("STRIPE_WEBHOOK_SECRETS: must be set in production")
        if self.stripe_api_base:
            found.append("STRIPE_API_BASE: an overridden Stripe address is refused in production")
        if not self.public_url.startswith("https://"):
            found.append("PUBLIC_URL: must be https in production")
        if self.mail_scheme == "console":
            found.append("MAIL_URL: must be set in production, or no receipt ever leaves")
        return found

    @property
    def production(self) -> bool:
        """Say whether real money moves here."""
        return self.appeal_env == "production"

    @property
    def sandboxed(self) -> bool:
        """Say whether Stripe is played by the local sandbox (no key is set, or its address is loopback)."""
        return (
            not self.stripe_secret_key.get_secret_value()
            or urlsplit(self.stripe_api_base).hostname in LOOPBACK
        )

    @property
    def livemode(self) -> bool:
        """Say whether Stripe's events must be live ones."""
        return self.stripe_secret_key.get_secret_value().startswith(("sk_live_", "rk_live_"))

    @property
    def stripe_key(self) -> str:
        """Return the key to call Stripe with, or the sandbox's."""
        return self.stripe_secret_key.get_secret_value() or SANDBOX_KEY

    @property
    def stripe_base(self) -> str:
        """Return the address of Stripe's API if it is not Stripe's own, else an empty text."""
        if self.stripe_secret_key.get_secret_value():
            return self.stripe_api_base
        return self.stripe_api_base or SANDBOX_API_BASE

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Return the secrets an event may be signed with, current first."""
        known = tuple(secret.get_secret_value() for secret in self.stripe_webhook_secrets)
        return known or (SANDBOX_WEBHOOK_SECRET,)

    @property
    def form_action_origins(self) -> tuple[str, ...]:
        """Return the origins a donation form may lead to: Checkout's, and the sandbox's while it plays Stripe."""
        origins = self.checkout_origins or (STRIPE_CHECKOUT_ORIGIN,)
        return origins if not self.sandboxed else (*origins, origin_of(self.stripe_base))

    @property
    def signing_keys(self) -> tuple[str, ...]:
        """Return the keys that a signature may come from, oldest first; the last one signs."""
        known = (*reversed(self.secret_key_fallbacks), self.secret_key)
        return tuple(key.get_secret_value() for key in known)

    @property
    def sqlalchemy_url(self) -> str:
        """Return the database's address as SQLAlchemy reads it."""
        return self.database_url or f"sqlite:///{self.instance_dir / 'appeal.sqlite3'}"

    @property
    def public_parts(self) -> SplitResult:
        """Return the public address in its parts."""
        return urlsplit(self.public_url)

    @property
    def public_origin(self) -> str:
        """Return scheme, host and port of the public address, as browsers write an Origin."""
        return origin_of(self.public_url)

    @property
    def hosts(self) -> list[str]:
        """Return the Host headers that are answered; others get 400."""
        own = [self.public_parts.hostname or "127.0.0.1", *self.trusted_hosts]
        return own if self.production else [*own, "127.0.0.1", "localhost", "[::1]"]

    @property
    def mail_scheme(self) -> str:
        """Return how mail leaves: console, file, smtp or smtps."""
        return self.mail_url.get_secret_value().partition(":")[0]


def origin_of(url: str) -> str:
    """Return the origin of an address as browsers write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# -- how each is written


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http(s) address such as https://give.example.org")
    return text.rstrip("/")


def _database_url(text: str) -> str:
    if text.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + text.split("://", 1)[1]
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:///, postgres:// or postgresql://")
    return text


def _mail_url(text: str) -> Secret:
    if text.partition(":")[0] not in {"console", "file", "smtp", "smtps"}:
        raise ValueError("must begin with console:, file:, smtp:// or smtps://")
    return Secret(text)


def _stripe_api_base(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must be https; only a loopback address may be plain http")
    return text.rstrip("/")


READERS: Mapping[str, Callable[[str], object]] = {
    "appeal_env": written.one_of("development", "test", "production"),
    "secret_key": Secret,
    "secret_key_fallbacks": written.secret_list,
    "database_url": _database_url,
    "public_url": _public_url,
    "stripe_secret_key": Secret,
    "stripe_webhook_secrets": written.secret_list,
    "stripe_api_base": _stripe_api_base,
    "checkout_origins": written.comma_list,
    "mail_url": _mail_url,
    "mail_from": str,
    "redis_url": Secret,
    "trusted_hosts": written.comma_list,
    "proxy_hops": written.whole(0, 10),
    "embed_ancestors": str,
    "metrics_token": Secret,
    "sentry_dsn": Secret,
    "instance_dir": Path,
    "log_level": written.one_of("debug", "info", "warning", "error"),
    "form_min_age_seconds": written.whole(0, 60),
    "checkouts_per_address_hour": written.whole(1, 100_000),
    "worker_inside": written.yes_or_no,
}


def names() -> list[str]:
    """List the settings by the names that people write: `PUBLIC_URL` and so on."""
    return [one.name.upper() for one in fields(Settings)]


def load(_env_file: Path | None = ROOT / ".env", **given: object) -> Settings:
    """Read the settings from the environment, the `.env` file and the given values, which win and are written alike.

    Raises:
        SettingsProblem: with every problem, by name.
    """
    texts = {name.lower(): text for name, text in (_in_file(_env_file) | os.environ).items() if text}
    texts |= {name: str(value) for name, value in given.items()}
    values, problems = _read(texts)
    settings = Settings(**values)
    problems = problems or settings.problems_together()
    if problems:
        raise SettingsProblem(problems)
    return settings if settings.secret_key.get_secret_value() else _with_generated_key(settings)


def _in_file(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: text for name, text in dotenv_values(path).items() if text}


def _read(texts: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Read each setting that is written; return their values, and a line for each that cannot be read."""
    values: dict[str, Any] = {}
    problems = []
    for name, read in READERS.items():
        if text := texts.get(name):
            try:
                values[name] = read(text)
            except ValueError as problem:
                problems.append(f"{name.upper()}: {problem}")
    return values, problems


def _with_generated_key(settings: Settings) -> Settings:
    """Keep a generated key in the instance folder, so that development needs no setting and restarts keep sessions."""
    settings.instance_dir.mkdir(parents=True, exist_ok=True)
    path = settings.instance_dir / "secret_key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return replace(settings, secret_key=Secret(path.read_text(encoding="ascii")))
