"""Programs that write through the API, and keep what was acknowledged in a file outside the database."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimizations.tools.selftest.servers import SelfTestError

WRITERS = 4
LINES = 10  # of one import
SECONDS = 30.0
JSON, JSON_LINES = "application/json", "application/x-ndjson"
#: What a writer does, and how often.
KINDS = {"record": 4, "tag": 3, "edit": 3, "import": 1, "delete": 1}


@dataclass(frozen=True)
class Write:
    """One write: what kind, its mark, which nothing else has, and the id of what it changes."""

    kind: str
    mark: str
    subject: str = ""


class Ledger:
    """What was sent and what was acknowledged, in memory and, before anything else is done, in a file."""

    def __init__(self, path: Path, *, synced: bool) -> None:
        self.acknowledged: set[Write] = set()
        self.sent: set[Write] = set()
        self.unexpected: list[str] = []
        #: Runs of which somebody asked that they be deleted, by id and by mark.
        self.doomed: set[str] = set()
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._synced = synced
        self._marks = itertools.count(1)
        self._lock = threading.Condition()

    def close(self) -> None:
        os.close(self._handle)

    def mark(self) -> str:
        """A text that stands in one write only."""
        with self._lock:
            return f"mark-{next(self._marks):08d}"

    def note(self, write: Write, *, acknowledged: bool) -> None:
        """Keep that a write was sent, or acknowledged."""
        line = json.dumps({"acknowledged": acknowledged, **asdict(write)})
        with self._lock:
            os.write(self._handle, f"{line}\n".encode())
            if self._synced:
                os.fdatasync(self._handle)
            (self.acknowledged if acknowledged else self.sent).add(write)
            self._lock.notify_all()

    def wait(self, count: int, seconds: float) -> None:
        """Wait until so many more writes are acknowledged, or for so many seconds."""
        with self._lock:
            wanted = len(self.acknowledged) + count
            self._lock.wait_for(lambda: len(self.acknowledged) >= wanted, seconds)


class Writers:
    """Threads that write for as long as they are let; one whose connection breaks makes another."""

    def __init__(self, port: int, token: str, ledger: Ledger, seed: int) -> None:
        self.ledger = ledger
        self._gate, self._over = threading.Event(), threading.Event()
        self._idle = [threading.Event() for _ in range(WRITERS)]
        self._threads = [
            threading.Thread(target=self._write, args=[number, port, token, f"{seed} {number}"], daemon=True)
            for number in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def let(self) -> None:
        self._gate.set()

    def hold(self) -> None:
        """Let each finish what it sent, and wait for that. Raises SelfTestError where one hangs."""
        self._gate.clear()
        if not all(idle.wait(SECONDS * 2) for idle in self._idle):
            raise SelfTestError("A writer hangs: the server neither answers nor closes the connection.")

    def stop(self) -> None:
        self._over.set()
        self._gate.set()
        for thread in self._threads:
            thread.join(SECONDS)

    def _write(self, number: int, port: int, token: str, seed: str) -> None:
        writer = _Writer(port, token, self.ledger, random.Random(seed))  # noqa: S311  # no secret
        while not self._over.is_set():
            if not self._gate.is_set():
                self._idle[number].set()
                self._gate.wait()
                self._idle[number].clear()
                continue
            if not writer.write():
                self._over.wait(0.005)
        writer.close()
        self._idle[number].set()


class _Writer:
    def __init__(self, port: int, token: str, ledger: Ledger, chance: random.Random) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._ledger, self._chance = ledger, chance
        self._runs: list[tuple[str, str]] = []  # id and mark
        self._prompts: list[tuple[str, str]] = []

    def close(self) -> None:
        self._connection.close()

    def write(self) -> bool:
        """One write; answers whether the server did."""
        kinds = list(KINDS) if self._runs else ["record"]
        [kind] = self._chance.choices(kinds, [KINDS[name] for name in kinds])
        make: Callable[[str], tuple[Write, list[Any]]] = getattr(self, f"_{kind}")
        write, request = make(self._ledger.mark())
        self._ledger.note(write, acknowledged=False)
        try:
            status, answer = self._send(*request)
        except (OSError, http.client.HTTPException, ValueError):  # the last where an answer was cut short
            self._connection.close()
            return False
        if status not in (200, 201):
            self._ledger.unexpected.append(f"{request[0]} {request[1]}: {status} {answer}")
            return True
        self._ledger.note(write, acknowledged=True)
        if kind == "record":
            self._runs.append((answer["id"], write.mark))
            self._prompts.append((answer["project_id"], answer["prompt_id"]))
        return True

    def _record(self, mark: str) -> tuple[Write, list[Any]]:
        run = {"raw_prompt": f"text {mark}", "project": f"project {mark}", "status": "completed", "tags": ["new"]}
        return Write("record", mark), ["POST", "/api/optimizations", json.dumps(run), JSON]

    def _tag(self, mark: str) -> tuple[Write, list[Any]]:
        run, _ = self._chance.choice(self._runs)
        return Write("tag", mark, run), ["PUT", f"/api/optimizations/{run}/tags", json.dumps({"add": [mark]}), JSON]

    def _edit(self, mark: str) -> tuple[Write, list[Any]]:
        project, prompt = self._chance.choice(self._prompts[-10:])
        path = f"/api/projects/{project}/prompts/{prompt}"
        return Write("edit", mark, prompt), ["PUT", path, json.dumps({"content": f"text {mark}"}), JSON]

    def _import(self, mark: str) -> tuple[Write, list[Any]]:
        lines = "".join(self._lines(mark))
        return Write("import", mark), ["POST", "/api/optimizations/import", lines, JSON_LINES]

    def _lines(self, mark: str) -> Iterator[str]:
        for number in range(LINES):
            run = {"id": f"{mark}-{number}", "raw_prompt": f"line {number}", "project": mark, "status": "completed"}
            yield json.dumps(run) + "\n"

    def _delete(self, mark: str) -> tuple[Write, list[Any]]:
        run, its_mark = self._runs.pop(self._chance.randrange(len(self._runs)))
        self._ledger.doomed |= {run, its_mark}
        return Write("delete", mark, run), ["DELETE", f"/api/history/{run}", None, JSON]

    def _send(self, method: str, path: str, body: str | None, content_type: str) -> tuple[int, Any]:
        headers = {**self._headers, "Content-Type": content_type}
        self._connection.request(method, path, body=body.encode() if body is not None else None, headers=headers)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())
