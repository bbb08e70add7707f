"""One request to an address that staff typed in, kept out of every private network.

The host is resolved once, every address it has must be a public one, and the connection goes to exactly the address
that was looked at: a name that answers otherwise the second time gains nothing. No redirect is followed, no proxy
used; the whole exchange has a deadline, and little of the answer is read. docs/adr/0025 says why.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from appeal.outgoing.addresses import NotAllowed, Target, is_public, target_of

CONNECT_SECONDS = 4
EXCHANGE_SECONDS = 10
ANSWER_BYTES = 2_000
SAFE = "/%:@!$&'()*+,;=~-._?"
Resolve = Callable[[str, int], list[str]]


class Undelivered(Exception):
    """The other side could not be reached, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, the first of the text, and how long it took in milliseconds."""

    status: int
    text: str
    took_ms: int

    @property
    def taken(self) -> bool:
        """Say whether the message was taken."""
        return 200 <= self.status < 300


def resolve(host: str, port: int) -> list[str]:
    """Return every address of a host.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def post(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    loopback: bool = False,
    resolve: Resolve = resolve,
    context: ssl.SSLContext | None = None,
    exchange_seconds: float = EXCHANGE_SECONDS,
) -> Answer:
    """Send one POST. `loopback` lets it reach this machine, over plain HTTP too: never in production.

    Raises:
        NotAllowed: the address, or what it leads to, is not one to write to.
        Undelivered: nobody answered in time.
    """
    target = target_of(address, loopback=loopback)
    began = time.monotonic()
    try:
        connected = _connect(_addresses(target, resolve, loopback=loopback), target.port)
        with _line(connected, target, context, exchange_seconds) as line:
            status, text = _exchange(line, target, body, headers)
    except (OSError, HTTPException, ValueError) as error:
        raise Undelivered(_sentence(error)) from error
    return Answer(status, text, round((time.monotonic() - began) * 1000))


def _addresses(target: Target, resolve: Resolve, *, loopback: bool) -> list[str]:
    """Return where a host leads, all of it looked at."""
    found = resolve(target.host, target.port)
    if not found or not all(is_public(one, loopback=loopback) for one in found):
        raise NotAllowed("That address leads into a private network.")
    if not target.encrypted and any(is_public(one) for one in found):
        raise NotAllowed("Only this machine may be written to without encryption.")
    return found


def _connect(addresses: list[str], port: int) -> socket.socket:
    """Connect to the first of these very addresses that answers; no name is looked up any more."""
    problem: OSError = OSError("no address")
    for address in addresses[:3]:
        try:
            return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        except OSError as error:
            problem = error
    raise problem


class _Line:
    """A connection that somebody else can cut."""

    def __init__(self, connected: socket.socket) -> None:
        """Take a connected socket."""
        self.socket = connected
        self.cut_off = False

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Shake hands with whoever has a certificate for this host."""
        secured = context.wrap_socket(self.socket, server_hostname=host, do_handshake_on_connect=False)
        self.socket = secured
        if not self.cut_off:
            secured.do_handshake()

    def cut(self) -> None:
        """End the connection under whoever is waiting for it."""
        self.cut_off = True
        try:
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself


@contextmanager
def _line(
    connected: socket.socket, target: Target, context: ssl.SSLContext | None, seconds: float
) -> Iterator[_Line]:
    """Hold a connection until the block or its time ends: a timeout of the socket alone would renew at each byte."""
    line = _Line(connected)
    connected.settimeout(seconds)
    watch = threading.Timer(seconds, line.cut)
    watch.daemon = True
    watch.start()
    try:
        if target.encrypted:
            line.encrypt(context or ssl.create_default_context(), target.host)
        yield line
    except (OSError, HTTPException, ValueError) as error:
        if line.cut_off:
            raise TimeoutError from error
        raise
    finally:
        watch.cancel()
        line.socket.close()


def _exchange(line: _Line, target: Target, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = HTTPConnection(target.host, target.port)
    connection.sock = line.socket
    connection.auto_open = 0
    connection.putrequest("POST", quote(target.path, safe=SAFE), skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", target.host_header)
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Connection", "close")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read(ANSWER_BYTES).decode("utf-8", "replace")
    if line.cut_off:
        raise TimeoutError
    return answer.status, text


def _sentence(error: Exception) -> str:
    """Say in few words what went wrong, for the log of deliveries."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not good: {error.verify_message}."
    if isinstance(error, TimeoutError):
        return "It did not answer in time."
    if isinstance(error, socket.gaierror):
        return "Its name leads nowhere."
    if isinstance(error, ConnectionRefusedError):
        return "It refused the connection."
    return f"The connection broke off: {type(error).__name__}."
