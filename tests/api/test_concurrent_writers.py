"""Many processes write one database through the server: nothing is lost, doubled or refused."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.db import connections

from tests.api.busy_writer import work
from tests.api.requests_to import JsonClient
from tests.conftest import OpenFile
from tests.support.servers import serving

PROCESSES = 16
SECONDS = float(os.environ.get("PROMPTADMIN_CONCURRENCY_SECONDS", "2"))
TOKEN = "many"
SHARED_PROMPTS = 3


def test_sixteen_writers_lose_nothing(tmp_path: Path, new_file: bytes, open_file: OpenFile) -> None:
    """Creates, edits, tags, deletes and reads from 16 processes.

    Afterwards every acknowledged write is there, and the versions and positions of the prompts that all of them edited
    have neither gap nor double. PROMPTADMIN_CONCURRENCY_SECONDS makes it longer.
    """
    path = tmp_path / "busy.db"
    path.write_bytes(new_file)
    with serving(tmp_path, f"sqlite:///{path}", workers=2, AUTH_TOKEN=TOKEN) as site:
        with JsonClient(site.address, TOKEN) as client:
            project = client.send("POST", "/api/projects", {"name": "shared"}).json["id"]
            address = f"/api/projects/{project}/prompts"
            texts = [f"shared {number}" for number in range(SHARED_PROMPTS)]
            prompts = [client.send("POST", address, {"content": text}).json["id"] for text in texts]
        until = time.time() + SECONDS
        with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
            arguments = [(site.address, TOKEN, project, prompts, number, until) for number in range(PROCESSES)]
            done = pool.starmap(work, arguments)

    unexpected = [entry for result in done for entry in result["unexpected"]]
    assert unexpected == []
    edits = Counter[str]()
    for result in done:
        edits.update(result["edits"])
    assert sum(edits.values()) > PROCESSES
    with open_file(path) as connection, connections[connection.alias].cursor() as cursor:

        def rows(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

        for prompt in prompts:
            current = rows("SELECT version FROM prompts WHERE id = %s", prompt)[0][0]
            earlier = [v for (v,) in rows("SELECT version FROM prompt_versions WHERE prompt_id = %s", prompt)]
            assert sorted(earlier) == list(range(1, current))
            assert current == edits[prompt] + 1
        positions = [p for (p,) in rows("SELECT order_index FROM prompts WHERE project_id = %s", project)]
        assert sorted(positions) == list(range(SHARED_PROMPTS + sum(result["added"] for result in done)))
        runs = dict(rows("SELECT id, tags FROM optimizations"))
        kept = {run: tag for result in done for run, tag in result["runs"].items()}
        assert set(runs) == set(kept)
        assert all(f'"{tag}"' in runs[run] for run, tag in kept.items())
        assert rows("PRAGMA integrity_check") == [("ok",)]
        assert rows("PRAGMA foreign_key_check") == []
