"""The settings: every problem named at once, no secret shown, production strict, the default in need of nothing."""

import os
import subprocess
import sys

import pytest

from appeal.settings import Settings, SettingsProblem, load
from tests.support.run import ROOT
from tests.support.settings import environment_for

SECRETS = {
    "secret_key": "hush-secret-key-of-at-least-32-characters",
    "secret_key_fallbacks": "hush-older-key",
    "stripe_secret_key": "sk_live_hush",
    "stripe_webhook_secrets": "whsec_hush,whsec_hush_older",
    "mail_url": "smtp://me:hush@mail.example.org:25",
    "redis_url": "redis://:hush@127.0.0.1/0",
    "metrics_token": "hush-token",
    "sentry_dsn": "https://hush@sentry.example.org/1",
}
PRODUCTION = {
    "appeal_env": "production",
    "public_url": "https://give.example.org",
    "secret_key": "x" * 32,
    "stripe_secret_key": "sk_live_x",
    "stripe_webhook_secrets": "whsec_x",
    "mail_url": "smtp://127.0.0.1",
}


@pytest.fixture
def loaded(tmp_path):
    """Load settings that no `.env` and no folder of the developer's touches."""
    return lambda **values: load(_env_file=None, instance_dir=tmp_path / "instance", **values)


def problems(loaded, **values) -> list[str]:
    with pytest.raises(SettingsProblem) as found:
        loaded(**values)
    return found.value.problems


def test_the_embedded_default_needs_nothing(loaded) -> None:
    settings = loaded()
    assert settings.sandboxed
    assert settings.sqlalchemy_url.startswith("sqlite:///")
    assert len(settings.secret_key.get_secret_value()) == 64


def test_a_generated_key_is_kept_and_closed_to_others(loaded, tmp_path) -> None:
    key = loaded().secret_key.get_secret_value()
    assert loaded().secret_key.get_secret_value() == key
    assert (tmp_path / "instance" / "secret_key").stat().st_mode & 0o077 == 0


def test_every_problem_is_named_at_once(loaded) -> None:
    found = problems(
        loaded,
        appeal_env="staging",
        public_url="give.example.org",
        database_url="mysql://x",
        mail_url="pigeon:x",
        stripe_api_base="http://stripe.example.org",
        proxy_hops="many",
        log_level="loud",
    )
    named = {line.partition(":")[0] for line in found}
    assert named == {
        "APPEAL_ENV",
        "PUBLIC_URL",
        "DATABASE_URL",
        "MAIL_URL",
        "STRIPE_API_BASE",
        "PROXY_HOPS",
        "LOG_LEVEL",
    }


def test_production_names_everything_it_lacks_at_once(loaded) -> None:
    named = {line.partition(":")[0] for line in problems(loaded, appeal_env="production")}
    assert named >= {"SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "PUBLIC_URL", "MAIL_URL"}


def test_what_one_setting_holds_hides_no_problem_of_another(loaded) -> None:
    found = problems(loaded, appeal_env="production", proxy_hops="many", mail_url="pigeon:hush")
    named = [line.partition(":")[0] for line in found]
    assert set(named) == {
        "PROXY_HOPS", "MAIL_URL", "SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "PUBLIC_URL",
    }  # fmt: skip
    assert len(named) == len(set(named))


def test_a_complete_production_is_accepted(loaded) -> None:
    settings = loaded(**PRODUCTION)
    assert settings.production
    assert settings.livemode
    assert settings.hosts == ["give.example.org"]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"stripe_secret_key": "sk_test_x"}, "STRIPE_SECRET_KEY"),
        ({"stripe_secret_key": "rk_test_x"}, "STRIPE_SECRET_KEY"),
        ({"stripe_secret_key": ""}, "STRIPE_SECRET_KEY"),
        ({"stripe_api_base": "https://stripe.example.org"}, "STRIPE_API_BASE"),
        ({"stripe_api_base": "http://127.0.0.1:12111"}, "STRIPE_API_BASE"),
        ({"public_url": "http://give.example.org"}, "PUBLIC_URL"),
        ({"secret_key": "short"}, "SECRET_KEY"),
        ({"mail_url": "console:"}, "MAIL_URL"),
        ({"stripe_webhook_secrets": ""}, "STRIPE_WEBHOOK_SECRETS"),
    ],
)
def test_production_refuses(loaded, values, named) -> None:
    assert named in {line.partition(":")[0] for line in problems(loaded, **(PRODUCTION | values))}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"stripe_secret_key": "sk_live_x", "stripe_webhook_secrets": "w", "stripe_api_base": "https://x.example"}, "STRIPE_API_BASE"),
        ({"stripe_secret_key": "pk_test_x", "stripe_webhook_secrets": "w"}, "STRIPE_SECRET_KEY"),
        ({"stripe_secret_key": "sk_test_x"}, "STRIPE_WEBHOOK_SECRETS"),
        ({"public_url": "https://give.example.org/?a=b"}, "PUBLIC_URL"),
        ({"public_url": "javascript:alert(1)"}, "PUBLIC_URL"),
        ({"proxy_hops": -1}, "PROXY_HOPS"),
        ({"public_url": "http://give.example.org:99999"}, "PUBLIC_URL"),
        ({"public_url": "http://me:hush@give.example.org"}, "PUBLIC_URL"),
        ({"database_url": "postgresql://me:hush@db.example.org:port/appeal"}, "DATABASE_URL"),
        ({"redis_url": "hush://me:hush@cache.example.org"}, "REDIS_URL"),
        ({"redis_url": "redis://:hush@cache.example.org:port"}, "REDIS_URL"),
        ({"sentry_dsn": "hush"}, "SENTRY_DSN"),
        ({"mail_url": "smtp://me:hush@mail.example.org:port"}, "MAIL_URL"),
        ({"mail_url": "smtp:"}, "MAIL_URL"),
        ({"mail_url": "file:"}, "MAIL_URL"),
        ({"mail_from": "nobody"}, "MAIL_FROM"),
        ({"mail_from": "Appeal <a@example.org>\r\nBcc: b@example.org"}, "MAIL_FROM"),
        ({"checkout_origins": "https://pay.example.org; script-src *"}, "CHECKOUT_ORIGINS"),
        ({"checkout_origins": "pay.example.org"}, "CHECKOUT_ORIGINS"),
        ({"embed_ancestors": "https://news.example.org; script-src *"}, "EMBED_ANCESTORS"),
        ({"trusted_hosts": "https://give.example.org/"}, "TRUSTED_HOSTS"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_anywhere(loaded, values, named) -> None:
    found = problems(loaded, **values)
    assert named in {line.partition(":")[0] for line in found}
    assert "hush" not in "\n".join(found)


@pytest.mark.parametrize(
    "values",
    [
        {"redis_url": "rediss://:hush@cache.example.org:6380/1"},
        {"redis_url": "unix:///run/redis.sock"},
        {"sentry_dsn": "https://key@errors.example.org/sub/17"},
        {"mail_url": "smtps://me:p%40ss@mail.example.org:465"},
        {"mail_url": "file:/var/mail/appeal"},
        {"mail_from": "appeal@example.org"},
        {"checkout_origins": "https://pay.example.org, https://pay.example.org:8443"},
        {"embed_ancestors": "https://*.example.org, 'self' https://news.example.net:8443"},
        {"trusted_hosts": "give.example.org,.example.net,[::1],localhost"},
        {"public_url": "https://example.org/give"},
        {"database_url": "postgresql://me:pa#ss@/appeal?host=/run/postgresql"},
    ],
    ids=str,
)
def test_what_people_write_is_taken(loaded, values) -> None:
    loaded(**values)


@pytest.mark.parametrize("written", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_of_writing_postgresql_means_psycopg_3(loaded, written) -> None:
    settings = loaded(database_url=f"{written}://me:pass@db.example.org:5432/appeal?sslmode=require")
    expected = "postgresql+psycopg://me:pass@db.example.org:5432/appeal?sslmode=require"
    assert settings.sqlalchemy_url == expected


def test_no_secret_shows_in_a_repr_a_text_or_a_problem(loaded) -> None:
    settings = loaded(**SECRETS)
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)
    assert "hush" not in str(settings.model_dump())
    wrong = {**SECRETS, "appeal_env": "production", "mail_url": "hush:hush", "stripe_secret_key": "hush"}
    assert "hush" not in "\n".join(problems(loaded, **wrong))


def test_a_password_in_the_databases_address_shows_in_no_repr(loaded) -> None:
    settings = loaded(database_url="postgres://me:hush@db.example.org/appeal")
    assert "hush" not in repr(settings)


def test_settings_cannot_be_changed_while_running(loaded) -> None:
    settings = loaded()
    with pytest.raises(Exception, match="frozen"):
        settings.public_url = "https://elsewhere.example.org"


def test_secrets_can_be_rolled_current_first(loaded) -> None:
    settings = loaded(stripe_secret_key="sk_test_x", stripe_webhook_secrets=" whsec_new , whsec_old ,")
    assert settings.webhook_secrets == ("whsec_new", "whsec_old")


def test_an_empty_setting_is_unset(loaded, monkeypatch) -> None:
    monkeypatch.setenv("PROXY_HOPS", "")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    assert loaded().sandboxed


def test_hosts_are_held_as_browsers_send_them(loaded) -> None:
    assert "give.example.net" in loaded(trusted_hosts="Give.Example.NET").hosts


def test_the_environment_wins_over_the_file_and_empty_means_unset(tmp_path, monkeypatch) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "PROXY_HOPS=3\nSTRIPE_SECRET_KEY=sk_test_file\nSTRIPE_WEBHOOK_SECRETS=whsec_file\nLOG_LEVEL=error\n"
    )
    monkeypatch.setenv("PROXY_HOPS", "2")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    settings = load(_env_file=file, instance_dir=tmp_path / "instance")
    assert settings.proxy_hops == 2
    assert settings.sandboxed
    assert settings.log_level == "error"


def test_a_process_with_wrong_settings_says_so_by_name_and_does_not_start(tmp_path) -> None:
    values = {"APPEAL_ENV": "production", "INSTANCE_DIR": str(tmp_path), "MAIL_URL": "pigeon:hush"}
    done = subprocess.run(
        [sys.executable, "-c", "from appeal import create_app; create_app()"],
        cwd=ROOT,
        env=environment_for(values),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "MAIL_URL" in done.stderr
    assert "hush" not in done.stderr


def test_every_setting_is_emptied_for_the_tests() -> None:
    assert not {name.upper() for name in Settings.model_fields} & set(os.environ)
