"""No test reaches beyond this machine: an audit hook refuses every other address.

The hook sees what Python connects to, resolves or sends; Chromium gets a rule of its own (browser.py), and libpq is
only ever given loopback addresses.
"""

import ipaddress
import socket
import sys
from typing import Any

_LOCAL_NAMES = frozenset({"", "localhost", "0.0.0.0", "::", "127.0.0.1", "::1"})  # noqa: S104 - names to compare
_OWN_NAME = socket.gethostname()  # smtplib asks for its address to say hello
_WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"})


class NetworkRefused(OSError):
    """A test tried to reach beyond loopback."""


def is_loopback(host: object) -> bool:
    """Say whether a host is this machine."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
    if text in _LOCAL_NAMES or text == _OWN_NAME or text.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _host_of(event: str, arguments: tuple[Any, ...]) -> object:
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        return arguments[0]
    address = arguments[1]
    return address[0] if isinstance(address, tuple) else "localhost"  # a path is a socket on this machine


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _WATCHED and not is_loopback(_host_of(event, arguments)):
        raise NetworkRefused(f"tests stay on this machine: {event} {_host_of(event, arguments)!r}")


def guard() -> None:
    """Refuse, for the rest of this process, everything that is not loopback."""
    sys.addaudithook(_refuse)
