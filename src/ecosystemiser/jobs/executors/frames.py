"""What goes over the socket between the pool and a worker: frames of a kind, a token and a body."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CLOSE", "ENDED", "JOB", "MESSAGE", "READY", "STOP", "Frame", "FrameReader", "packed"]

# To the worker.
JOB = b"J"
STOP = b"S"
CLOSE = b"C"
# From the worker.
READY = b"R"
MESSAGE = b"M"
ENDED = b"E"

_HEADER = struct.Struct("<cQQ")


class Frame(NamedTuple):
    """One frame. `token` numbers the attempt that it belongs to, so that nothing late is taken for something new."""

    kind: bytes
    token: int = 0
    body: bytes = b""


def packed(frame: Frame) -> bytes:
    """Return the bytes of a frame."""
    return _HEADER.pack(frame.kind, frame.token, len(frame.body)) + frame.body


class FrameReader:
    """Makes frames of bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole with `data`. Take all of them before the next call."""
        self._bytes += data
        begin = 0
        while len(self._bytes) - begin >= _HEADER.size:
            kind, token, length = _HEADER.unpack_from(self._bytes, begin)
            end = begin + _HEADER.size + length
            if end > len(self._bytes):
                break
            yield Frame(kind, token, bytes(self._bytes[begin + _HEADER.size : end]))
            begin = end
        del self._bytes[:begin]
