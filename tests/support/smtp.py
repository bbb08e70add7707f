"""A real SMTP server on a loopback port that keeps what it is given, and can refuse or break off on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tools.children import LOOPBACK, free_port


class MailServer:
    """Messages as they arrived, and how the next recipients are answered."""

    def __init__(self) -> None:
        """Begin empty and willing."""
        self.port = free_port()
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refusals: list[str] = []

    @property
    def url(self) -> str:
        """Return the value for MAIL_URL."""
        return f"smtp://{LOOPBACK}:{self.port}"

    def refuse_next(self, answer: str = "451 4.3.0 Try again later") -> None:
        """Answer the next message with this reply instead of taking it."""
        self.refusals.append(answer)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message, or refuse it when told to."""
        if self.refusals:
            return self.refusals.pop(0)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 2.0.0 Taken"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server for as long as the block lasts."""
    server = MailServer()
    controller = Controller(server, hostname=LOOPBACK, port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
