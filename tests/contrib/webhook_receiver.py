"""A program that webhooks are delivered to, in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Received"], int]


@dataclass(frozen=True)
class Received:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Receiver:
    """What came, in order; `answer` says with which status."""

    address: str = ""
    answer: Answer = lambda request: 204
    requests: list[Received] = field(default_factory=list)


@contextmanager
def receiving(answer: Answer = lambda request: 204) -> Iterator[Receiver]:
    """Listen on this machine."""
    receiver = Receiver(answer=answer)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            request = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            with lock:
                receiver.requests.append(request)
                status = receiver.answer(request)
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.address = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
