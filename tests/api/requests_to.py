"""A small JSON client for servers in another process."""

from __future__ import annotations

import http.client
import json
import select
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


#: The server closes a connection that nobody used for ten.
IDLE_SECONDS = 5.0


class JsonClient:
    """Keeps one connection to a server, while it is used, and sends a token with each request."""

    def __init__(self, address: str, token: str = "", timeout: float = 60) -> None:
        parts = urlsplit(address)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._used = time.monotonic()

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        sent = {**self.headers, **headers} | ({"Content-Type": "application/json"} if data is not None else {})
        if time.monotonic() - self._used > IDLE_SECONDS or self._dropped():
            self.connection.close()
        try:
            response = self._asked(method, path, data, sent)
        except (BrokenPipeError, ConnectionResetError):  # of which http.client.RemoteDisconnected is one
            self.connection.close()
            if method != "GET":
                raise
            response = self._asked(method, path, data, sent)
        headers_back = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, headers_back, response.read())
        self._used = time.monotonic()
        return answer

    def _asked(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        self.connection.request(method, path, body=data, headers=headers)
        return self.connection.getresponse()

    def _dropped(self) -> bool:
        """The server closes a connection, too, after an answer that it gave before it had read the whole request."""
        sock: socket.socket | None = self.connection.sock
        return sock is not None and bool(select.select([sock], [], [], 0)[0])

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> JsonClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
