"""A server that is killed leaves no label without its event, no event without its move, no version without details."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from optimizations.tools.selftest.servers import Servers
from tests.support import file_contents
from tests.support.rounds import KILLS

WRITERS = 4
LONGEST = 1.5  # seconds of writing until the kill


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with Servers(tmp_path, "fast") as servers:
        servers.start(whole=True)
        yield servers


def send(servers: Servers, method: str, path: str, body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{servers.address}/api/prompts/{path}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"Bearer {servers.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def write_until_killed(servers: Servers, name: str, mark: str, acknowledged: list[int]) -> None:
    """Versions with a label, and an undo of every third."""
    number = 0
    # It met the kill: no answer, or one that ends within its headers, so that nothing says how long its body is.
    with contextlib.suppress(OSError, http.client.HTTPException, json.JSONDecodeError):
        while True:
            number += 1
            saved = send(servers, "PUT", name, {"text": f"{mark} {number}", "labels": ["production"]})
            acknowledged.append(saved["prompt"]["version"])
            if number % 3 == 0:
                send(servers, "POST", f"{name}/labels/production/undo", {})


def expect_whole(path: Path) -> tuple[int, int]:
    """Nothing is half-written; answers how many versions and events there are."""
    with closing(sqlite3.connect(path)) as raw:
        names = raw.execute("SELECT n.name, p.id, p.version FROM prompt_names n JOIN prompts p ON p.id = n.prompt_id")
        events = 0
        versions = 0
        for name, prompt_id, current in names.fetchall():
            details = raw.execute("SELECT version FROM version_details WHERE prompt_id = ? ORDER BY 1", [prompt_id])
            assert [version for (version,) in details] == list(range(1, current + 1)), name
            moves = raw.execute(
                "SELECT position, from_target, to_target FROM label_events WHERE prompt_id = ? ORDER BY position",
                [prompt_id],
            ).fetchall()
            assert [position for position, *_ in moves] == list(range(1, len(moves) + 1))
            assert [before for _, before, _ in moves] == [None, *(after for *_, after in moves[:-1])]
            label = raw.execute("SELECT version FROM labels WHERE prompt_id = ?", [prompt_id]).fetchone()
            assert (str(label[0]) if label else None) == (moves[-1][2] if moves else None)
            versions, events = versions + current, events + len(moves)
        return versions, events


def test_moves_killed_at_any_moment_are_whole_or_not_there(servers: Servers) -> None:
    chance = random.Random("moves")
    before = (0, 0)
    for kill in range(KILLS):
        acknowledged: list[list[int]] = [[] for _ in range(WRITERS)]
        threads = [
            threading.Thread(
                target=write_until_killed, args=(servers, f"w{n % 2}/p{n}", f"{kill} {n}", acknowledged[n])
            )
            for n in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        threads[0].join(chance.uniform(0.2, LONGEST))
        servers.kill()
        for thread in threads:
            thread.join()
        after = expect_whole(servers.database)
        assert after >= before
        before = after
        servers.start(whole=False)
        for number, versions in enumerate(acknowledged):
            if versions:
                found = json.load(
                    urllib.request.urlopen(
                        urllib.request.Request(
                            f"{servers.address}/api/prompts/w{number % 2}/p{number}?label=latest",
                            headers={"Authorization": f"Bearer {servers.token}"},
                        )
                    )
                )
                assert found["version"] >= versions[-1]
    servers.kill()
    assert before[1] > KILLS
    assert file_contents.problems(servers.database) == []
