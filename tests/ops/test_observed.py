"""The settings of docs/operations.md for OpenTelemetry and Sentry, with a server that sends both to this process."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.processes import REPOSITORY
from tests.support.servers import serving

PAGE = (REPOSITORY / "docs" / "operations.md").read_text()
TOKEN = "a-token-that-is-sent-nowhere-else"
PROMPT = "a prompt that stays here"
SECONDS = 60


@contextmanager
def collecting() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """A collector at an address, with what came to each of its paths."""
    found: dict[str, list[bytes]] = {}

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            found.setdefault(self.path, []).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", found
    finally:
        server.shutdown()
        server.server_close()


def ask(address: str, body: Any = None) -> int:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(address, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as failed:
        with failed:
            return failed.code


def test_the_documented_settings_send_traces_and_errors(tmp_path: Path, new_file: bytes) -> None:
    [settings] = re.findall(r"^```python\n(\"\"\"promptadmin's settings, with.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "observed.py").write_text(settings)
    database = tmp_path / "x.db"
    database.write_bytes(new_file)
    with collecting() as (collector, found):
        variables: dict[str, Any] = {
            "DJANGO_SETTINGS_MODULE": "observed",
            "PYTHONPATH": f"{tmp_path}:{REPOSITORY}",
            "OTEL_SERVICE_NAME": "promptadmin",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "SENTRY_DSN": f"http://key@{collector}/1",
            "AUTH_TOKEN": TOKEN,
        }
        with serving(tmp_path, f"sqlite:///{database}", "--no-upkeep", **variables) as site:
            assert ask(f"{site.address}/api/optimizations", {"raw_prompt": PROMPT}) == 201
            assert ask(f"{site.address}/api/projects/none") == 404
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("ALTER TABLE projects RENAME TO gone")
            assert ask(f"{site.address}/api/projects") == 500
            until = time.monotonic() + SECONDS
            while not {"/v1/traces", "/api/1/envelope/"} <= set(found) and time.monotonic() < until:
                time.sleep(0.1)
        # A stop sends what is left.
        traces, errors = (b"".join(found.get(path, ())) for path in ("/v1/traces", "/api/1/envelope/"))
    assert b"api/projects/<project_id>" in traces
    assert b"POST api/optimizations" in traces
    assert b"no such table" in errors
    for text in (TOKEN, PROMPT):
        assert text.encode() not in traces + errors
