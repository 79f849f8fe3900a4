"""HTTP requests that are broken in ways that no client library would send."""

from __future__ import annotations

import random
import re
import socket

SECONDS = 20
WHOLE = (
    b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
    b'Content-Length: 15\r\nIdempotency-Key: k%d\r\n\r\n{"name": "one"}',
    b"GET /api/history?search=%%25&page=1&cursor= HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
    b"X-Request-ID: r%d\r\n\r\n",
    b'PUT /api/projects/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nIf-Match: "%d"\r\n'
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /admin/login/ HTTP/1.1\r\nHost: localhost\r\nX-Token: %s\r\nCookie: sessionid=%d; csrftoken=a\r\n\r\n",
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nX-Token: %s\r\nContent-Length: %d\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
    b"DELETE /api/history/%%00%%ff HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nAccept: */%d\r\n\r\n",
)
PIECES = (
    *(b"\r\n", b"\n", b"\0", b"\xff\xfe", b":", b" ", b"%", b"%00", b"..", b"HTTP/9.9", b"\t" * 300),
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Host: \r\n",
    b"Expect: 100-continue\r\n",
    b"Range: bytes=0-\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"X-HTTP-Method-Override: DELETE\r\n",
)


def broken_request(chance: random.Random, token: bytes) -> bytes:
    """A whole request with a few places cut, doubled, replaced or filled."""
    data = bytearray(chance.choice(WHOLE) % (token, chance.randrange(1000)))
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        length = chance.randrange(1, 12)
        match chance.randrange(5):
            case 0:
                del data[at : at + length]
            case 1:
                data[at:at] = data[at : at + length] * chance.randrange(1, 50)
            case 2:
                data[at : at + length] = chance.randbytes(length)
            case 3:
                data[at:at] = chance.choice(PIECES)
            case _:
                del data[at:]
        if not data:
            data += b"G"
    return bytes(data)


def statuses_of_answers(port: int, request: bytes) -> list[int]:
    """The statuses of what comes back until the server closes. Raises TimeoutError where it doesn't."""
    answers = b""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while received := connection.recv(65536):
                answers += received
        except (ConnectionResetError, BrokenPipeError):
            pass  # it has closed before it read all: what it said, if anything, is lost
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]
