"""What each process of the test of concurrent writers does; apart from it, so that it starts without Django."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

from tests.api.requests_to import JsonClient


def work(address: str, token: str, project: str, prompts: list[str], number: int, until: float) -> dict[str, Any]:
    """One writer's minute: what it did, as the server acknowledged it, and every answer that it didn't expect."""
    client = JsonClient(address, token)
    chance = random.Random(number)
    edits: Counter[str] = Counter()
    runs: dict[str, str] = {}
    unexpected: list[str] = []
    added = 0

    def send(method: str, path: str, body: Any, expected: int) -> Any:
        answer = client.send(method, path, body)
        if answer.status != expected:
            unexpected.append(f"{method} {path}: {answer.status} {answer.content[:200]!r}")
            return None
        return answer.json

    count = 0
    while time.time() < until:
        count += 1
        choice = chance.random()
        if choice < 0.35:
            prompt = chance.choice(prompts)
            path = f"/api/projects/{project}/prompts/{prompt}"
            if send("PUT", path, {"content": f"by {number}, edit {count}"}, 200):
                edits[prompt] += 1
        elif choice < 0.45:
            if send("POST", f"/api/projects/{project}/prompts", {"content": f"by {number}: {count}"}, 201):
                added += 1
        elif choice < 0.65:
            body = {"raw_prompt": f"run {count} of {number}", "status": "completed", "tags": []}
            made = send("POST", "/api/optimizations", body, 201)
            tag = f"tag-{number}-{count}"
            if made and send("PUT", f"/api/optimizations/{made['id']}/tags", {"add": [tag]}, 200):
                runs[made["id"]] = tag
        elif choice < 0.75 and runs:
            run = chance.choice(list(runs))
            if send("DELETE", f"/api/history/{run}", None, 200):
                del runs[run]
        else:
            send("GET", chance.choice((f"/api/projects/{project}", "/api/history?per_page=5")), None, 200)
    client.close()
    return {"edits": dict(edits), "added": added, "runs": runs, "unexpected": unexpected}
