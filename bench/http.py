"""One client on one persistent connection, which times each answer."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import orjson

from bench.process import ProcessError
from bench.servers import Server

MISSING = 404


class Client:
    """Asks one server, one thing at a time."""

    def __init__(self, server: Server, *, headers: Mapping[str, str] | None = None) -> None:
        """With the server's token, unless other headers say who asks."""
        self._headers = dict(server.headers if headers is None else headers)
        self._last_headers: dict[str, str] = {}
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def get(self, path: str) -> Any:
        """The JSON of an answer. Raises ProcessError unless it is a 200."""
        return orjson.loads(self._ask("GET", path)[1])

    def header(self, path: str, name: str) -> str:
        """A header of an answer. Raises ProcessError unless it is a 200 that has it."""
        self._ask("GET", path)
        if name.lower() not in self._last_headers:
            raise ProcessError(f"GET {path} answered without {name}")
        return self._last_headers[name.lower()]

    def has(self, path: str) -> bool:
        """Whether there is such a path."""
        return self._ask("GET", path, missing_too=True)[0] != MISSING

    def timed(self, path: str) -> float:
        """Milliseconds until the whole answer is here. Raises ProcessError unless it is a 200."""
        began = time.perf_counter()
        self._ask("GET", path)
        return (time.perf_counter() - began) * 1000

    def post(self, path: str, body: bytes, content_type: str = "application/json") -> Any:
        """The JSON of the answer to a POST. Raises ProcessError unless it is a 2xx."""
        return orjson.loads(self._ask("POST", path, body, content_type)[1])

    def _ask(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "", *, missing_too: bool = False
    ) -> tuple[int, bytes]:
        headers = self._headers | ({"Content-Type": content_type} if content_type else {})
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        self._last_headers = {name.lower(): value for name, value in answer.getheaders()}
        if answer.status >= 300 and not (missing_too and answer.status == MISSING):
            raise ProcessError(f"{method} {path} answered {answer.status}: {text[:300].decode(errors='replace')}")
        return answer.status, text
