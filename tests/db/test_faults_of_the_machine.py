"""A real server whose disk, file or clock fails: the promised answer, nothing half-written, no restart afterwards."""

from __future__ import annotations

import contextlib
import errno
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promptadmin.db.infrastructure_errors import FULL, READ_ONLY, REFUSED, REPLACED, Fault
from tests.api.requests_to import Answer, JsonClient
from tests.support import file_contents
from tests.support.disks import breakable_disk, small_disk
from tests.support.servers import serving
from tests.support.services import absent

SOURCE = Path(__file__).with_name("disk_faults.c")
DISK_BYTES = 24 * 1024 * 1024
TOKEN = "faults"
DAYS = 86400
SLOW_MS = 10
FEWEST_DISK_WRITES = 5  # of one edit: its text, the version before it and the log each have pages of their own
WRITERS, EDITS_EACH = 4, 3
MOST_EDITS = 2000  # none of them can take so many on this disk


@dataclass
class Machine:
    """A server on a disk of its own, a prompt in it, and the file that says what goes wrong."""

    database: Path
    control: Path
    address: str
    client: JsonClient
    prompt: str
    version: int = 1

    def edit(self) -> Answer:
        """A write of several statements: the text, the version before it, the log; larger than what is free."""
        return self.client.send("PUT", self.prompt, {"content": f"after {self.version} {'x' * 9000}"})

    def edited(self) -> None:
        """One that must succeed, and is there."""
        answer = self.edit()
        assert answer.status == 200, answer.content
        self.version += 1
        assert answer.json["version"] == self.version
        assert self.client.send("GET", self.prompt).json["version"] == self.version

    @contextlib.contextmanager
    def said(self, what: str) -> Iterator[None]:
        """The preloaded library does it during the block."""
        self.control.write_text(what)
        try:
            yield
        finally:
            self.control.write_text("")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not shutil.which("gcc"):
        absent("no gcc, which makes the library that lets a disk fail")
    directory = tmp_path_factory.mktemp("machine")
    library, control = directory / "faults.so", directory / "control"
    control.touch()
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    with small_disk(directory / "disk", DISK_BYTES) as disk:
        database = disk / "faulty.db"
        preloaded: dict[str, Any] = {"LD_PRELOAD": str(library), "FAULT_FILE": str(control), "FAULT_PATH": "faulty.db"}
        with (
            serving(
                directory, f"sqlite:///{database}", "--no-upkeep", workers=1, AUTH_TOKEN=TOKEN, **preloaded
            ) as site,
            JsonClient(site.address, TOKEN) as client,
        ):
            run = client.send("POST", "/api/optimizations", {"raw_prompt": "first", "project": "faults"}).json
            prompt = f"/api/projects/{run['project_id']}/prompts/{run['prompt_id']}"
            yield Machine(database, control, site.address, client, prompt)
        assert file_contents.problems(database) == []


@contextlib.contextmanager
def full(machine: Machine) -> Iterator[None]:
    filler = machine.database.with_name("filler")
    try:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def replaced(machine: Machine) -> Iterator[None]:
    """Another file is moved over it, and then the file itself again."""
    kept, other = machine.database.with_name("kept"), machine.database.with_name("other")
    shutil.copy(machine.database, other)
    kept.hardlink_to(machine.database)
    other.replace(machine.database)
    before = file_contents.digest(machine.database)
    try:
        yield
        assert file_contents.digest(machine.database) == before
    finally:
        kept.replace(machine.database)


@contextlib.contextmanager
def removed(machine: Machine) -> Iterator[None]:
    away = machine.database.rename(machine.database.with_name("away"))
    try:
        yield
        assert not machine.database.exists()
    finally:
        away.rename(machine.database)


def refusing(number: int) -> Callable[[Machine], AbstractContextManager[None]]:
    return lambda machine: machine.said(f"errno {number}")


FAULTS: dict[str, tuple[Callable[[Machine], AbstractContextManager[None]], Fault, int]] = {
    "full disk": (full, FULL, 200),
    "no space": (refusing(errno.ENOSPC), FULL, 200),
    "read-only": (refusing(errno.EROFS), REFUSED, 200),
    "broken": (refusing(errno.EIO), REFUSED, 200),
    "replaced": (replaced, REPLACED, 503),
    "removed": (removed, REPLACED, 503),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_write_is_refused_and_goes_on_afterwards(machine: Machine, name: str) -> None:
    """With the detail that says what is wrong; a reader reads on where there is something right to read."""
    happens, fault, reading = FAULTS[name]
    machine.edited()
    with happens(machine):
        while (answer := machine.edit()).status == 200:
            machine.version += 1  # it found room in the log's file
            assert machine.version < MOST_EDITS
        assert (answer.status, answer.json) == (fault.status, {"detail": fault.detail})
        found = machine.client.send("GET", machine.prompt)
        assert found.status == reading
        if reading == 200:
            assert found.json["version"] == machine.version
        assert machine.client.send("GET", "/api/health").status == reading
    machine.edited()


def test_a_slow_disk_makes_slow_writes_and_no_errors(machine: Machine) -> None:
    """Several writers at once, none of which gets another answer; and each waits for what its commit writes."""
    machine.edited()
    together = threading.Barrier(WRITERS)

    def edit(number: int) -> list[int]:
        with JsonClient(machine.address, TOKEN) as client:
            together.wait()
            answers = [
                client.send("PUT", machine.prompt, {"content": f"writer {number}, {count} {'x' * 9000}"})
                for count in range(EDITS_EACH)
            ]
        return [answer.json["version"] if answer.status == 200 else -answer.status for answer in answers]

    with machine.said(f"slow {SLOW_MS}"), ThreadPoolExecutor(WRITERS) as pool:
        began = time.monotonic()
        versions = sorted(version for made in pool.map(edit, range(WRITERS)) for version in made)
        elapsed = time.monotonic() - began
    edits = WRITERS * EDITS_EACH
    assert versions == list(range(machine.version + 1, machine.version + edits + 1))
    machine.version += edits
    assert elapsed >= edits * FEWEST_DISK_WRITES * SLOW_MS / 1000, "the disk was not slow"
    machine.edited()


def test_a_disk_that_the_kernel_made_read_only_is_read_on(tmp_path: Path) -> None:
    """A real one, which stays so until it is mounted anew, and then has all that was acknowledged.

    That the server goes on by itself once a disk does is shown above.
    """
    with breakable_disk(tmp_path / "ext4", DISK_BYTES) as disk:
        database = disk.directory / "broken.db"
        with (
            serving(tmp_path, f"sqlite:///{database}", "--no-upkeep", AUTH_TOKEN=TOKEN) as site,
            JsonClient(site.address, TOKEN) as client,
        ):
            made = client.send("POST", "/api/optimizations", {"raw_prompt": "kept", "project": "faults"})
            assert made.status == 201
            disk.breaks()
            for _ in range(2):
                answer = client.send("POST", "/api/optimizations", {"raw_prompt": "lost", "project": "faults"})
                # SQLite meets the broken disk while it writes, or before, when it finds that it may not.
                assert (answer.status, answer.json["detail"]) in {
                    (fault.status, fault.detail) for fault in (REFUSED, READ_ONLY)
                }
                found = client.send("GET", "/api/history?project=faults")
                assert (found.status, [item["raw_prompt"] for item in found.json["items"]]) == (200, ["kept"])
                assert client.send("GET", "/api/health").status == 200
        kept = tmp_path / "kept.db"
        for suffix in ("", "-wal"):
            if (part := database.with_name(f"{database.name}{suffix}")).exists():
                shutil.copy(part, f"{kept}{suffix}")
    assert file_contents.problems(kept) == []
    with file_contents.reading(kept) as raw:
        assert raw.execute("SELECT raw_prompt FROM optimizations").fetchall() == [(b"kept",)]


@pytest.mark.parametrize("days", [400, -400])
def test_a_clock_that_jumps_loses_nothing(machine: Machine, days: int) -> None:
    """Forwards and backwards: what is written is there, in the order of its versions, and so are new runs."""
    with machine.said(f"clock {days * DAYS}"):
        machine.edited()
        made = machine.client.send("POST", "/api/optimizations", {"raw_prompt": f"{days}", "project": "faults"})
        assert made.status == 201
    machine.edited()
    versions = machine.client.send("GET", f"{machine.prompt}/versions?limit=100").json
    listed = [item["version"] for item in versions["items"]]
    assert sorted(listed) == list(range(1, machine.version))
    found = machine.client.send("GET", "/api/history?project=faults&per_page=100").json
    assert made.json["id"] in {item["id"] for item in found["items"]}


def made_year(answer: Answer) -> int:
    return int(answer.json["created_at"][:4])


def test_the_server_is_the_one_that_was_started(machine: Machine) -> None:
    """The clock of the preloaded library reaches it, so that the other tests prove something."""
    with machine.said(f"clock {400 * DAYS}"):
        ahead = machine.client.send("POST", "/api/optimizations", {"raw_prompt": "ahead"})
    now = machine.client.send("POST", "/api/optimizations", {"raw_prompt": "now"})
    assert made_year(ahead) > made_year(now)
