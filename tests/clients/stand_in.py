"""A server that answers as `GET /api/prompts/{name}` does, and can be moved, broken, stopped and counted."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "secret-token"


def prompt(name: str, text: str, version: int = 1, **more: Any) -> dict[str, Any]:
    """A prompt as the API answers it."""
    return {
        "id": "4e81901a", "name": name, "kind": "text", "template_format": "mustache", "description": None, "tags": [],
        "project_id": None, "version": version, "label": "production", "labels": ["production"], "text": text,
        "messages": None, "config": {"model": "m"}, "variables": [], "author": None, "reason": None, "sha256": "0",
        "created_at": None, **more,
    }  # fmt: skip


class StandIn(ThreadingHTTPServer):
    """`prompts` are answered by name and label or version; `failure` is what everybody gets instead."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.prompts: dict[tuple[str, str], dict[str, Any]] = {}
        self.failure: tuple[int, bytes, dict[str, str]] | None = None
        self.requests: list[tuple[str, int]] = []
        self.let_answer = threading.Event()
        self.let_answer.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, name: str, text: str, version: int = 1, label: str = "production", **more: Any) -> None:
        found = prompt(name, text, version, label=label, **more)
        self.prompts[name, label] = found
        self.prompts[name, str(version)] = {**found, "label": None}


class Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.let_answer.wait(30)
        if self.server.failure is not None:
            return self.answer(*self.server.failure)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer(401, b'{"detail": "Not authenticated"}', {})
        name = unquote(parts.path).removeprefix("/api/prompts/")
        found = self.server.prompts.get((name, asked.get("version") or asked.get("label") or "production"))
        if found is None:
            return self.answer(404, json.dumps({"detail": f"Prompt not found: {name}"}).encode(), {})
        body = json.dumps(found).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers["If-None-Match"] == tag:
            return self.answer(304, b"", {"ETag": tag})
        return self.answer(200, body, {"ETag": tag})

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.server.requests.append((self.path, status))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def standing_in(port: int = 0) -> Iterator[StandIn]:
    with StandIn(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.let_answer.set()
            server.shutdown()
            thread.join()
