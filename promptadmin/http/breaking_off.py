"""Answers that fail while they are sent: the client must see that, and not an end as if they were whole.

The server ends a body of unknown length in good order, also when what makes it raises. So we cut the connection before
the server does that. It tells nobody by which connection a request came: the one that is sought is the one that was
sent just as much as the answer's parts make since that began, and that has asked for nothing since.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse

from promptadmin.db.infrastructure_errors import fault_of
from promptadmin.http.streaming import served_connections

logger = logging.getLogger(__name__)

#: How long the server may take before it hands the first of what it was given to the system.
SECONDS_TO_BEGIN = 1.0
SECONDS_BETWEEN_LOOKS = 0.02
#: What the server adds to the head of an answer: the date, and that it comes in chunks.
MOST_ADDED_TO_HEAD = 256
FRAME_OF_A_CHUNK = 4  # two line ends; before them comes its length

Peer = tuple[Any, ...]


@dataclass(frozen=True)
class Traffic:
    """What a connection has been given to send, what of that its client hasn't acknowledged, and what it received."""

    given: int
    waiting: int
    received: int


class Whole:
    """An answer of unknown length that arrives as a whole or visibly broken. `head` is the length of its head.

    On Linux; elsewhere one that fails ends as the server lets it end.
    """

    def __init__(self, answer: StreamingHttpResponse, head: int, asked: str) -> None:
        self._answer = answer
        self._asked = asked
        self._parts = iter(answer)
        self._least = self._most = head
        self._before = dict(_traffic())

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            part: bytes = next(self._parts)
        except StopIteration:
            raise
        except Exception as error:
            if not self._cut():
                raise  # the server logs it
            trace = None if fault_of(error) else error
            logger.error("%s failed while it was sent, which was cut off: %s", self._asked, error, exc_info=trace)
            raise StopIteration from None
        self._least += len(part)
        self._most += len(part) + (len(f"{len(part):x}") + FRAME_OF_A_CHUNK if part else 0)
        return part

    def close(self) -> None:
        """As the server calls it after the last part, and when the client has left."""
        self._answer.close()

    def _cut(self) -> bool:
        """Cut the connection as soon as all parts are with the system. Answers whether there was one."""
        until = time.monotonic() + SECONDS_TO_BEGIN
        while True:
            is_under_way = False
            with served_connections() as connections:
                found = []
                for each in connections:
                    grown = self._growth(each)
                    if grown is not None and self._least <= grown.given <= self._most + MOST_ADDED_TO_HEAD:
                        found.append(each)
                    # A client that takes nothing for too long is ended by the system.
                    is_under_way |= grown is not None and grown.given < self._least and grown.waiting > 0
                for each in found:
                    _reset(each)
            if found or not (is_under_way or time.monotonic() < until):
                return bool(found)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _growth(self, connection: socket.socket) -> Traffic | None:
        """What has gone through a connection since the answer began; None where it can't be the answer's."""
        with contextlib.suppress(OSError):  # closed meanwhile
            before, now = self._before.get(connection.getpeername()), _look(connection)
            if before and now and now.received == before.received:
                return Traffic(now.given - before.given, now.waiting, 0)
        return None


def visibly_broken(answer: StreamingHttpResponse, asked: str) -> Any:
    """An answer that streams, for the server, such that it can't be cut short unseen. `asked` is for the log."""
    if answer.has_header("Content-Length"):  # the server itself sees that something is missing
        return answer
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", ""]
    lines += [f"{name}: {value}" for name, value in answer.items()]
    lines += [cookie.output() for cookie in answer.cookies.values()]
    return Whole(answer, sum(len(line) + len("\r\n") for line in lines), asked)


def _traffic() -> Iterator[tuple[Peer, Traffic]]:
    with served_connections() as connections:
        for each in connections:
            with contextlib.suppress(OSError):
                seen = _look(each)
                if seen:
                    yield each.getpeername(), seen


def _look(connection: socket.socket) -> Traffic | None:
    """What has gone through a connection so far; None on systems that don't say."""
    if sys.platform != "linux":
        return None
    import fcntl
    import termios

    def acknowledged_and_received() -> tuple[int, int]:
        # `struct tcp_info` of Linux since 4.1: tcpi_bytes_acked and tcpi_bytes_received.
        return struct.unpack_from("=QQ", connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256), 120)

    while True:
        before = acknowledged_and_received()
        (waiting,) = struct.unpack("=i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
        if acknowledged_and_received() == before:
            return Traffic(before[0] + waiting, waiting, before[1])


def _reset(connection: socket.socket) -> None:
    """Disconnect a socket that belongs to the server, which goes on to close it.

    Its client learns it by a reset, which no client takes for an end, while HTTP/1.0 ends a body by a plain end of the
    connection. Python's own `connect` knows no address of no family, which asks for this.
    """
    ctypes.CDLL(None, use_errno=True).connect(connection.fileno(), bytes(16), 16)
