"""The settings: read once, typed, validated at start, every problem named at once.

The environment wins over the `.env` file beside `wsgi.py`. With nothing set the application runs as a demonstration
on the embedded database against the Stripe sandbox. A secret never shows in a log or a repr.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from appeal import settings_values as values
from appeal.settings_values import LOOPBACK

ROOT = Path(__file__).resolve().parent.parent
STRIPE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"
SANDBOX_API_BASE = "http://127.0.0.1:12111"
SANDBOX_KEY = "sk_test_sandbox"
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - the sandbox's own, worth nothing elsewhere


class SettingsProblem(Exception):
    """One or more settings cannot be used; `problems` has a line for each, by name."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the lines and make one readable text of them."""
        self.problems = problems
        super().__init__("The settings need attention:\n" + "\n".join(f"  - {line}" for line in problems))


class Settings(BaseSettings):
    """Everything that differs between one installation and another."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    appeal_env: Literal["development", "test", "production"] = "development"
    secret_key: SecretStr = SecretStr("")
    secret_key_fallbacks: values.CommaSecrets = ()
    database_url: values.DatabaseAddress = Field("", repr=False)  # it may hold a password
    public_url: values.PublicAddress = "http://127.0.0.1:8000"
    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secrets: values.CommaSecrets = ()
    stripe_api_base: values.StripeAddress = ""
    checkout_origins: values.Origins = ()
    mail_url: values.MailAddress = SecretStr("console:")
    mail_from: values.Sender = "Appeal <appeal@localhost.localdomain>"
    redis_url: values.RedisAddress = SecretStr("")
    trusted_hosts: values.Hosts = ()
    proxy_hops: int = Field(0, ge=0, le=10)
    embed_ancestors: values.Ancestors = "*"
    metrics_token: SecretStr = SecretStr("")
    sentry_dsn: values.SentryAddress = SecretStr("")
    instance_dir: Path = ROOT / "instance"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    form_min_age_seconds: int = Field(3, ge=0, le=60)
    checkouts_per_address_hour: int = Field(5, ge=1, le=100_000)
    worker_inside: bool = True

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[Any, ...]:
        """Let the environment win over `.env`; a name that stands in it empty is unset, whatever the file says."""
        del settings_cls, file_secret_settings

        def beside_wsgi() -> dict[str, Any]:
            taken = {name.lower() for name in os.environ}
            return {name: value for name, value in dotenv_settings().items() if name.lower() not in taken}

        return init_settings, env_settings, beside_wsgi

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = list(self._problems_together())
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems_together(self) -> list[str]:
        key = self.stripe_secret_key.get_secret_value()
        live = key.startswith(("sk_live_", "rk_live_"))
        found = []
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
        return (
            origins if not self.sandboxed else tuple(dict.fromkeys((*origins, origin_of(self.stripe_base))))
        )

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


def load(**overrides: object) -> Settings:
    """Read the settings from the environment, `.env` and the given values, which win.

    Raises:
        SettingsProblem: with every problem, by name.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]  # each value is checked by its own field
    except ValidationError as error:
        raise SettingsProblem([*_lines(error), *_lines_behind(error, overrides)]) from None
    return settings if settings.secret_key.get_secret_value() else _with_generated_key(settings)


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        lines += [f"{name}: {message}"] if name else message.split("\n")
    return lines


def _lines_behind(error: ValidationError, overrides: dict[str, object]) -> list[str]:
    """Say what else is wrong: settings are held against each other only where each is sound by itself."""
    wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
    sound = overrides | {name: Settings.model_fields[name].default for name in wrong}
    try:
        Settings(**sound)  # type: ignore[arg-type]  # each value is checked by its own field
    except ValidationError as further:
        named = {name.upper() for name in wrong}
        return [line for line in _lines(further) if wrong and line.partition(":")[0] not in named]
    return []


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
    return settings.model_copy(update={"secret_key": SecretStr(path.read_text(encoding="ascii"))})
