"""gzip for pages of which only a few words differ from reader to reader: the rest is compressed once.

A gzip stream may mix compressed and stored blocks, and after a full flush a block refers to nothing before it. So the
constant parts are compressed ahead, and a reader's own words are put between them as they are.
Source: RFC 1951, "3.2.4. Non-compressed blocks"; RFC 1952.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_LAST = b"\x03\x00"
STORED_LONGEST_BYTES = 0xFFFF


def block(part: bytes) -> bytes:
    """Compress one constant part, to be followed by any other."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeeze.compress(part) + squeeze.flush(zlib.Z_FULL_FLUSH)


def stored(part: bytes) -> bytes:
    """Wrap a few words as they are, to be followed by any other block; at most 65,535 bytes."""
    return struct.pack("<BHH", 0, len(part), len(part) ^ STORED_LONGEST_BYTES) + part


def stream(blocks: Sequence[bytes], whole: bytes) -> bytes:
    """Return the gzip stream of blocks that together unpack to `whole`."""
    tail = struct.pack("<II", zlib.crc32(whole), len(whole) & 0xFFFFFFFF)
    return b"".join((_HEAD, *blocks, _LAST, tail))


def wanted(accept_encoding: str) -> bool:
    """Say whether an `Accept-Encoding` header takes gzip. A weight of nought refuses it."""
    for part in accept_encoding.split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in {"gzip", "*"}:
            return weight.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
