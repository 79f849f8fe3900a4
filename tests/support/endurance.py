"""Eight writers and readers for minutes, with backups and restarts: `python -m tests.support.endurance --minutes 10`.

Nothing may fail but what meets a restart, no acknowledged write may be lost, and whoever reads after a write was
acknowledged must see it. The exit code is 0 where all of that holds, and memory was no larger at the end than at first.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.api.requests_to import JsonClient
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, environment

CLIENTS = 8  # writers, and as many readers
PAUSE = 0.02  # seconds after each request of each client
TOKEN = "endurance"
START_SECONDS, STOP_SECONDS, BACKUP_SECONDS = 90.0, 30.0, 120.0
SHOWN = 10


@dataclass
class Book:
    """What the clients did. `runs` and `versions` hold what was acknowledged before anybody is asked to read it."""

    runs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)  # project → (id, text)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)  # (project id, prompt) → version
    requests: Counter[str] = field(default_factory=Counter)
    met_restart: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)  # MiB, the most of each server's life
    restarts: int = 0
    backups: int = 0

    @property
    def memory_is_flat(self) -> bool:
        """The last lives took at most half as much again as the first whole one."""
        return len(self.memory) < 4 or max(self.memory[-2:]) <= 1.5 * max(self.memory[:2])

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return not (self.errors or self.stale or self.lost) and self.memory_is_flat and self.backups > 0


class Endurance:
    """One server that is restarted now and then, and its clients."""

    def __init__(self, directory: Path, *, backup_every: int, restart_every: float, clients: int = CLIENTS) -> None:
        self.directory, self.restart_every, self.clients = directory, restart_every, clients
        self.database = directory / "endurance.db"
        self.book = Book()
        self._port = free_port()
        self._address = f"http://127.0.0.1:{self._port}"
        self._over, self._restarting = threading.Event(), threading.Event()
        self._up_since = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = environment(
            DATABASE_URL=f"sqlite:///{self.database}",
            PROMPTADMIN_DATA_DIR=str(directory / "data"),
            PROMPTADMIN_BACKUP_EVERY=f"{backup_every}s",
            PROMPTADMIN_BACKUP_KEEP="3",
            PROMPTADMIN_LOG_LEVEL="WARNING",
            AUTH_TOKEN=TOKEN,
        )

    def run(self, seconds: float, *, backups: int = 0) -> Book:
        """Run for so long, and on until there are so many backups, but not forever; then look for what is missing."""
        clients = [threading.Thread(target=self._write, args=[number]) for number in range(self.clients)]
        clients += [threading.Thread(target=self._read, args=[number]) for number in range(self.clients)]
        try:
            self._start()
            for client in clients:
                client.start()
            began = time.monotonic()
            next_restart, peak, seen = began + self.restart_every, 0.0, set[str]()
            end, latest = began + seconds, began + seconds + BACKUP_SECONDS
            while (now := time.monotonic()) < end or (len(seen) < backups and now < latest):
                time.sleep(0.25)
                peak = max(peak, self._memory())
                seen |= {path.name for path in (self.directory / "data" / "backups").glob("promptadmin-*Z-????????")}
                if next_restart <= now < end:
                    self.book.memory.append(peak)
                    self._restart()
                    next_restart, peak = time.monotonic() + self.restart_every, 0.0
            if peak:
                self.book.memory.append(peak)
            self.book.backups = len(seen)
        finally:
            self._over.set()
            for client in clients:
                if client.ident:
                    client.join(60)
            self._stop()
        self._compare()
        return self.book

    # ------------------------------------------------------------ the server

    def _start(self) -> None:
        with (self.directory / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--port", str(self._port), "--workers", "2"],
                cwd=REPOSITORY,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                with JsonClient(self._address) as client:
                    if client.send("GET", "/api/health").status == 200:
                        return
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        raise SystemExit(f"The server doesn't start: see {self.directory / 'serve.log'}")

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            if self._process.wait(STOP_SECONDS):
                self.book.errors.append(f"the server ended with {self._process.returncode}")
        except subprocess.TimeoutExpired:
            self.book.errors.append(f"the server didn't end within {STOP_SECONDS:.0f} s")
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process = None

    def _restart(self) -> None:
        self._restarting.set()
        self._stop()
        self._start()
        self._up_since = time.monotonic()
        self._restarting.clear()
        self.book.restarts += 1

    def _memory(self) -> float:
        """MiB that the processes of the server have for themselves."""
        total = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if self._process and os.getpgid(int(status.parent.name)) == self._process.pid:
                    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
                    total += int(lines.get("RssAnon", "0 kB").split()[0])
            except (OSError, ValueError):
                continue  # it has ended
        return total / 1024

    # ------------------------------------------------------------ the clients

    def _send(self, client: JsonClient, method: str, path: str, body: Any = None, *, expected: int = 200) -> Any:
        """The answer's content, or None where there was none that counts."""
        began = time.monotonic()
        time.sleep(PAUSE)
        try:
            answer = client.send(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            client.close()
            # A connection may be met by the restart before this thread looks, or be a left-over of the last life.
            near = self._restarting.is_set() or began <= self._up_since or self._over.is_set()
            if near and is_of_a_restart(error):
                self.book.met_restart[type(error).__name__] += 1
                time.sleep(0.1)
            else:
                self.book.errors.append(f"{method} {path}: {error!r}")
            return None
        self.book.requests[f"{method} {answer.status}"] += 1
        if answer.status != expected:
            self.book.errors.append(f"{method} {path}: {answer.status} {answer.content[:200]!r}")
            return None
        return answer.json

    def _write(self, number: int) -> None:
        chance, client = random.Random(number), JsonClient(self._address, TOKEN)
        project, count = f"writer {number}", 0
        mine: list[tuple[str, str]] = []
        self.book.runs[project] = []
        while not self._over.is_set():
            count += 1
            if mine and chance.random() < 0.5:
                place = chance.choice(mine[-20:])
                path = f"/api/projects/{place[0]}/prompts/{place[1]}"
                made = self._send(client, "PUT", path, {"content": f"edit {count} of {number}"})
                if made:
                    self.book.versions[place] = made["version"]
            else:
                text = f"text {count} of {number}"
                body = {"raw_prompt": text, "project": project, "status": "completed", "overall_score": 0.5}
                made = self._send(client, "POST", "/api/optimizations", body, expected=201)
                if made:
                    mine.append((made["project_id"], made["prompt_id"]))
                    self.book.versions[mine[-1]] = 1
                    self.book.runs[project].append((made["id"], text))
        client.close()

    def _read(self, number: int) -> None:
        chance, client = random.Random(-number), JsonClient(self._address, TOKEN)
        while not self._over.is_set():
            # What is known is taken first: whatever the answer lacks of it is stale.
            project, runs = chance.choice(list(self.book.runs.items()) or [("", [])])
            count = len(runs)
            if not count:
                time.sleep(0.05)
                continue
            kind = chance.choice(("run", "prompt", "history", "statistics"))
            fresh = True
            if kind == "run":
                run, text = runs[chance.randrange(max(0, count - 5), count)]
                found = self._send(client, "GET", f"/api/optimize/{run}")
                fresh = not found or found["raw_prompt"] == text
            elif kind == "prompt":
                place, version = chance.choice(list(self.book.versions.copy().items()))
                found = self._send(client, "GET", f"/api/projects/{place[0]}/prompts/{place[1]}")
                fresh = not found or found["version"] >= version
            elif kind == "history":
                found = self._send(client, "GET", f"/api/history?per_page=5&project={project.replace(' ', '%20')}")
                fresh = not found or found["total"] >= count
            else:
                found = self._send(client, "GET", f"/api/history/stats?project={project.replace(' ', '%20')}")
                fresh = not found or found["total_optimizations"] >= count
            if not fresh:
                self.book.stale.append(f"{kind} of {project} after {count} runs: {str(found)[:200]}")
        client.close()

    # ------------------------------------------------------------ afterwards

    def _compare(self) -> None:
        """Every acknowledged write against the file."""
        with closing(sqlite3.connect(self.database)) as raw:
            self.book.lost += [str(row) for row in raw.execute("PRAGMA integrity_check") if row != ("ok",)]
            self.book.lost += [str(row) for row in raw.execute("PRAGMA foreign_key_check")]
            runs = dict(raw.execute("SELECT id, raw_prompt FROM optimizations"))
            versions = dict(raw.execute("SELECT id, version FROM prompts"))
            earlier = Counter(prompt for (prompt,) in raw.execute("SELECT prompt_id FROM prompt_versions"))
        for acknowledged in self.book.runs.values():
            self.book.lost += [f"run {run}" for run, text in acknowledged if runs.get(run) != text]
        for (_, prompt), version in self.book.versions.items():
            if versions.get(prompt, 0) < version:
                self.book.lost.append(f"version {version} of prompt {prompt}")
        self.book.lost += [f"versions of prompt {key}" for key, now in versions.items() if earlier[key] != now - 1]


def is_of_a_restart(error: Exception) -> bool:
    """Whether a client may meet it where a server stops: nobody listens, or the connection was closed unanswered.

    An answer that breaks off, or doesn't come, is none of these: what was accepted is finished.
    """
    return isinstance(error, ConnectionRefusedError | ConnectionResetError | BrokenPipeError)


def report(book: Book) -> str:
    """The verdict and what it rests on."""
    lines = [
        f"requests: {sum(book.requests.values())} ({', '.join(f'{k}: {v}' for k, v in sorted(book.requests.items()))})",
        f"restarts: {book.restarts}, and connections that met one: {dict(book.met_restart) or 'none'}",
        f"backups: {book.backups}",
        f"memory of each server's life: {', '.join(f'{most:.0f}' for most in book.memory)} MiB"
        f"{'' if book.memory_is_flat else ': it grows'}",
        f"errors: {len(book.errors)}, lost or damaged: {len(book.lost)}, stale: {len(book.stale)}",
        *(f"  {line}" for line in (*book.errors[:SHOWN], *book.lost[:SHOWN], *book.stale[:SHOWN])),
        "PASSED" if book.passed else "FAILED",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run it as a program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: %(default)s)")
    parser.add_argument("--backup-every", type=int, default=20, help="seconds (default: %(default)s)")
    parser.add_argument("--restart-every", type=float, default=60.0, help="seconds (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="promptadmin-endurance-") as directory:
        endurance = Endurance(Path(directory), backup_every=options.backup_every, restart_every=options.restart_every)
        book = endurance.run(options.minutes * 60)
    sys.stdout.write(report(book) + "\n")
    raise SystemExit(not book.passed)


if __name__ == "__main__":
    main()
