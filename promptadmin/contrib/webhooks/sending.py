"""One request: signed as Standard Webhooks has it, to an address that was checked, without following redirects."""

from __future__ import annotations

import datetime as dt
import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from promptadmin import __version__
from promptadmin.contrib.webhooks.addresses import AddressRefused, resolve

TIMEOUT_SECONDS = 10
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Parcel:
    """What is sent, and to where."""

    delivery_id: int
    subject: str
    url: str
    secret: str
    message_id: str
    body: str


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `answer` is the HTTP status, None where there was none."""

    delivery_id: int
    answer: int | None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.answer is not None and 200 <= self.answer < 300


def deliver(parcel: Parcel) -> Outcome:
    """Send a message once; whatever goes wrong is in the outcome."""
    try:
        status, reason = _post(parcel)
    except (OSError, http.client.HTTPException, AddressRefused, UnicodeError) as error:
        return Outcome(parcel.delivery_id, None, f"{type(error).__name__}: {error}"[:1000])
    wrong = "" if 200 <= status < 300 else f"The receiver answered {status} {reason}"
    return Outcome(parcel.delivery_id, status, wrong[:1000])


def headers(parcel: Parcel, now: dt.datetime) -> dict[str, str]:
    """The headers by which the receiver knows the sender, the message and the time."""
    signature = Webhook(parcel.secret).sign(parcel.message_id, now, parcel.body)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"promptadmin/{__version__}",
        "webhook-id": parcel.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def _post(parcel: Parcel) -> tuple[int, str]:
    parts = urlsplit(parcel.url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    # The connection goes to the address that was checked: a name could mean another one a moment later.
    address = resolve(host, port)[0]
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = socket.create_connection((address, port), TIMEOUT_SECONDS)
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = headers(parcel, dt.datetime.now(dt.UTC)) | {"Host": parts.netloc}
        connection.request("POST", target, parcel.body.encode(), sent)
        response = connection.getresponse()
        return response.status, response.reason
    finally:
        connection.close()
