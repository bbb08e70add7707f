"""Which addresses may be written to: encrypted, by a plain name, leading to the public internet and nowhere else.

Source: RFC 6890 and IANA's special-purpose registries; OWASP, "Server-Side Request Forgery Prevention".
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from appeal.core import texts
from appeal.core.errors import DomainError

LONGEST = 500
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
# What Python's own tables leave open, or did before 3.11.10: relays into IPv4, documentation, the hosts of clouds.
_CLOSED_4 = tuple(
    ipaddress.IPv4Network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "198.18.0.0/15", "100.64.0.0/10")
)
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    ipaddress.IPv6Network(one) for one in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class NotAllowed(DomainError):
    """That address is not one to write to."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart; `host` is a name in ASCII or an IP address without brackets."""

    encrypted: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """Return what stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.encrypted else 80) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Return the address without its path."""
        return f"{'https' if self.encrypted else 'http'}://{self.host_header}"


def target_of(address: str, *, loopback: bool = False) -> Target:
    """Take an address apart. `loopback` allows plain HTTP, which `net` then keeps to this machine.

    Raises:
        NotAllowed: it is not encrypted, not an address, or carries a name and password.
    """
    if len(address) > LONGEST or texts.has_control(address) or re.search(r"[\s\\]", address):
        raise NotAllowed("That is not an address.")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise NotAllowed("That is not an address.") from error
    encrypted = parts.scheme == "https"
    if not encrypted and not (loopback and parts.scheme == "http"):
        raise NotAllowed("The address must begin with https://.")
    if "@" in parts.netloc:
        raise NotAllowed("Leave name and password out of the address; messages are signed instead.")
    if port == 0:
        raise NotAllowed("That is not an address.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    plain = _plain_host(host)
    if _is_number(plain) and not is_public(plain, loopback=loopback):
        raise NotAllowed("That address leads into a private network.")
    return Target(encrypted, plain, port or (443 if encrypted else 80), path)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain_host(host: str) -> str:
    """Return a host as it is looked up.

    Numbers that only some resolvers read as addresses (decimal, octal, hexadecimal, shortened) are refused.
    """
    if _is_number(host):
        return str(ipaddress.ip_address(host))
    try:
        name = host.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise NotAllowed("That is not the name of a host.") from error
    if not _HOST.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise NotAllowed("That is not the name of a host.")
    return name


def is_public(address: str, *, loopback: bool = False) -> bool:
    """Say whether an IP address belongs to the public internet; with `loopback`, this machine's own counts too."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if loopback and found.is_loopback:
        return True
    if isinstance(found, ipaddress.IPv4Address):
        return _public_4(found)
    inner = found.ipv4_mapped
    if inner is not None:
        return is_public(str(inner), loopback=loopback)
    return found in _OPEN_6 and found.is_global and not any(found in one for one in _CLOSED_6)


def _public_4(address: ipaddress.IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved or any(address in one for one in _CLOSED_4)
    return address.is_global and not special
