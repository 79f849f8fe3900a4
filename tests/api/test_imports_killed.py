"""An import whose server is killed is there as a whole, or not at all, and can be sent again."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from optimizations.tools.selftest.servers import Servers
from tests.support import file_contents
from tests.support.rounds import KILLS

LINES = 2000
LONGEST = 1.5  # seconds from the request to the kill


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with Servers(tmp_path, "fast") as servers:
        servers.start(whole=True)
        yield servers


def lines(mark: str) -> bytes:
    """New runs, a fifth of them with a text of their own, in twenty projects."""
    runs = [
        {"id": f"{mark}-{number}", "raw_prompt": f"text {mark} {number // 5}", "project": f"project {number % 20}"}
        for number in range(LINES)
    ]
    return b"\n".join(json.dumps(run).encode() for run in runs)


def send(servers: Servers, body: bytes) -> dict[str, int]:
    request = urllib.request.Request(
        f"{servers.address}/api/optimizations/import",
        data=body,
        headers={"Authorization": f"Bearer {servers.token}", "Content-Type": "application/x-ndjson"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, int] = json.load(answer)
        return found


def stored(path: Path, mark: str) -> tuple[int, int]:
    """Runs, and prompts, of an import."""
    with closing(sqlite3.connect(path)) as raw:
        (runs,) = raw.execute("SELECT COUNT(*) FROM optimizations WHERE id LIKE ?", [f"{mark}-%"]).fetchone()
        (prompts,) = raw.execute("SELECT COUNT(*) FROM prompts WHERE content LIKE ?", [f"text {mark} %"]).fetchone()
        return runs, prompts


def test_an_import_killed_at_any_moment_is_whole_or_not_there(servers: Servers) -> None:
    chance = random.Random("import")
    ends = set()
    for kill in range(KILLS):
        mark = f"import{kill}"
        body = lines(mark)
        acknowledged: list[dict[str, int]] = []

        def sender(body: bytes = body, acknowledged: list[dict[str, int]] = acknowledged) -> None:
            with contextlib.suppress(OSError, http.client.HTTPException):  # it met the kill
                acknowledged.append(send(servers, body))

        thread = threading.Thread(target=sender)
        thread.start()
        thread.join(chance.uniform(0, LONGEST))
        servers.kill()
        thread.join()
        servers.start(whole=False)
        runs, prompts = stored(servers.database, mark)
        assert runs in ((LINES,) if acknowledged else (0, LINES))
        assert (prompts == 0) == (runs == 0)
        ends.add(runs)
        again = send(servers, body)
        assert (again["imported"], again["unchanged"]) == (LINES - runs, runs)
        assert stored(servers.database, mark)[0] == LINES
    servers.kill()
    assert file_contents.problems(servers.database) == []
    assert KILLS < 20 or ends == {0, LINES}, "the moments were all too early, or all too late"
