"""One request: signed as Standard Webhooks has it, to an address that was checked, without following redirects."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass

from standardwebhooks import Webhook

from promptadmin import __version__
from promptadmin.contrib.webhooks.addresses import Address, AddressRefused, read_address, resolve

#: For each step of a request, and for all of it: a receiver may send its answer a byte at a time.
TIMEOUT_SECONDS = 10
LONGEST_SECONDS = 30


@dataclass(frozen=True)
class Parcel:
    """What is sent, and to where. Another program may have written any of it."""

    delivery_id: int
    subject: str
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: str


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `answer` is the HTTP status, None where there was none.

    `is_unreachable` says that what else waits for the endpoint would fare alike. `bug` is an error that isn't expected
    of a receiver, for the log.
    """

    delivery_id: int
    answer: int | None
    error: str = ""
    is_unreachable: bool = False
    bug: Exception | None = None

    @property
    def is_delivered(self) -> bool:
        return self.answer is not None and 200 <= self.answer < 300


def deliver(parcel: Parcel) -> Outcome:
    """Send a message once; whatever goes wrong is in the outcome."""
    try:
        status, reason = _post(parcel)
    except (OSError, http.client.HTTPException, AddressRefused) as error:
        return Outcome(parcel.delivery_id, None, _named(error), is_unreachable=True)
    except Exception as error:  # of a row that another program wrote, or a bug: this message's alone
        return Outcome(parcel.delivery_id, None, _named(error), bug=error)
    wrong = "" if 200 <= status < 300 else f"The receiver answered {status} {reason}"
    return Outcome(parcel.delivery_id, status, _storable(wrong))


def _named(error: Exception) -> str:
    return _storable(f"{type(error).__name__}: {error}")


def _storable(text: str) -> str:
    """A text that both engines keep: a receiver's words may hold a NUL."""
    return text[:1000].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def headers(parcel: Parcel, now: dt.datetime) -> dict[str, str]:
    """The headers by which the receiver knows the sender, the message and the time; a signature for each secret."""
    signatures = [Webhook(secret).sign(parcel.message_id, now, parcel.body) for secret in parcel.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"promptadmin/{__version__}",
        "webhook-id": parcel.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _post(parcel: Parcel) -> tuple[int, str]:
    address, body = read_address(parcel.url), parcel.body.encode()
    sent = headers(parcel, dt.datetime.now(dt.UTC)) | {"Host": address.authority}
    try:
        # The connection goes to the IP address that was checked: a name could mean another one a moment later.
        ip = resolve(address.host, address.port)[0]
    except UnicodeError as error:  # a name that DNS can't hold
        raise AddressRefused(str(error)) from error
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_SECONDS)
    raw = socket.create_connection((ip, address.port), TIMEOUT_SECONDS)
    copy = raw.dup()
    watch = threading.Timer(LONGEST_SECONDS, _cut, [copy])
    watch.daemon = True
    watch.start()
    try:
        connection.sock = _secured(raw, address) if address.scheme == "https" else raw
        connection.request("POST", address.target, body, sent)
        response = connection.getresponse()
        return response.status, response.reason
    finally:
        watch.cancel()
        watch.join()
        for opened in (connection, raw, copy):
            opened.close()


def _secured(raw: socket.socket, address: Address) -> socket.socket:
    return ssl.create_default_context().wrap_socket(raw, server_hostname=address.host)


def _cut(connection: socket.socket) -> None:
    """End whatever waits for the other side; the descriptor is a copy, so that no later connection is cut."""
    with connection, contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
