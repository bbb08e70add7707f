"""A receiver, and endpoints that lead to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from appeal.models import OutgoingEndpoint
from appeal.office.audit import COMMAND_LINE
from appeal.outgoing import endpoints, events, sending
from tests.outgoing.receiver import Receiver, receiving

Listen = Callable[..., tuple[OutgoingEndpoint, str]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a publisher's system."""
    with receiving() as one:
        yield one


@pytest.fixture
def listen(session: Any, settings: Any, receiver: Receiver) -> Listen:
    """Add an endpoint that leads to the receiver; return it and its secret."""

    def add(path: str = "/hook", **values: Any) -> tuple[OutgoingEndpoint, str]:
        fields: dict[str, Any] = {"kind": "webhook", "name": "CRM", "event_types": tuple(events.EVENT_TYPES)}
        wanted = endpoints.Wanted(address=receiver.address + path, **(fields | values))
        return endpoints.add(wanted, COMMAND_LINE, settings)

    return add


@pytest.fixture
def send(session: Any, settings: Any) -> Callable[[], int]:
    """Deliver what is due."""
    return lambda: sending.send_due(settings)
