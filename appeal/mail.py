"""How letters leave: the only sender of mail, over real SMTP, into a folder, or onto the console.

A letter is rendered from `templates/email/<name>.txt` and `.html` (its rules moved onto the elements, because mail
programs ignore style sheets). Nothing here knows the database or Flask.
"""

from __future__ import annotations

import smtplib
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from appeal.core import clock
from appeal.core.errors import DomainError
from appeal.settings import ROOT, Settings

SMTP_TIMEOUT_SECONDS = 20


class MailRefused(DomainError):
    """The mail server would not take this letter."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    content: bytes
    maintype: str = "application"
    subtype: str = "pdf"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, rendered. `message_id` is stable for its cause, so that one sent twice is recognised as one."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str = ""
    attachments: tuple[Attachment, ...] = field(default=())


def render(name: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> tuple[str, str, str]:
    """Render a letter's subject, text and HTML from its templates; the subject is the text's first line."""
    from css_inline import inline

    environment = _environment()
    environment.filters.update(filters)
    text = environment.get_template(f"email/{name}.txt").render(**values)
    subject, _, body = text.partition("\n")
    html = environment.get_template(f"email/{name}.html").render(subject=subject.strip(), **values)
    return subject.strip(), body.strip() + "\n", inline(html)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def send(letter: Letter, settings: Settings) -> None:
    """Send one letter by the configured transport.

    Raises:
        OSError, smtplib.SMTPException: the server could not be reached, or refused; the caller tries again.
    """
    message = compose(letter, settings)
    url = settings.mail_url.get_secret_value()
    if settings.mail_scheme == "console":
        _print(message)
    elif settings.mail_scheme == "file":
        _write(message, Path(url.removeprefix("file:")))
    else:
        with submission(urlsplit(url)) as server:
            server.send_message(message)


def compose(letter: Letter, settings: Settings) -> EmailMessage:
    """Build the message. Line breaks in a header raise ValueError: they are refused at the form already."""
    message = EmailMessage()
    name, sender = parseaddr(settings.mail_from)
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.message_id}@{sender.partition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.reply_to:
        message["Reply-To"] = Address(addr_spec=letter.reply_to)
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    for file in letter.attachments:
        message.add_attachment(file.content, maintype=file.maintype, subtype=file.subtype, filename=file.name)
    return message


def _print(message: EmailMessage) -> None:
    body = message.get_body(("plain",))
    text = body.get_content() if body else ""
    sys.stdout.write(f"--- mail to {message['To']}: {message['Subject']} ---\n{text}---\n")
    sys.stdout.flush()


def _write(message: EmailMessage, folder: Path) -> None:
    """Write one .eml file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    name = str(message["Message-ID"]).strip("<>").replace("/", "_")
    unfinished = folder / f".{name}.part"
    unfinished.write_bytes(message.as_bytes())
    unfinished.rename(folder / f"{name}.eml")


@contextmanager
def submission(url: SplitResult, timeout_seconds: int = SMTP_TIMEOUT_SECONDS) -> Iterator[smtplib.SMTP]:
    """Speak to a mail server: encrypted where it can be, signed in where the address holds a name.

    Raises:
        OSError, smtplib.SMTPException: it could not be reached, or refused.
    """
    host = url.hostname or "localhost"
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, url.port or 465, timeout=timeout_seconds, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, url.port or 25, timeout=timeout_seconds)
    with server:
        server.ehlo()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server
