"""An adoption that is killed at any moment, again and again, ends as one that never was."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import file_contents, legacy_files
from tests.support.processes import Scratch
from tests.support.rounds import KILLS, SAMPLES
from tests.support.services import needs_legacy_files

pytestmark = needs_legacy_files

OPTIONS = {"early": [], "full": [], "dirty": ["--repair-orphans"]}
SHORTEST_SECONDS = 0.05


@pytest.mark.parametrize("name", SAMPLES)
def test_killed_at_any_moment(scratch: Scratch, name: str) -> None:
    """Each start goes on where the last one died; a file that is done makes way for a fresh one."""
    moments = random.Random(f"killed {name}")
    legacy = legacy_files.unpack(name, scratch.directory / "legacy.db")
    copies = [fresh_copy(scratch.directory, legacy, "timed")]
    began = time.monotonic()
    assert copies[0].manage("startup", *OPTIONS[name]).returncode == 0
    duration = time.monotonic() - began
    kills = 0
    finished = True
    while kills < KILLS:
        if finished:
            copies.append(fresh_copy(scratch.directory, legacy, f"copy{len(copies)}"))
        finished = not killed_after(copies[-1], moments.uniform(SHORTEST_SECONDS, duration), OPTIONS[name])
        kills += not finished
    if not finished:
        last = copies[-1].manage("startup", *OPTIONS[name])
        assert (last.returncode, last.stderr) == (0, "")
    for copy in copies[1:]:
        is_complete(copy, name, legacy)
    original_is_kept(copies[-1], name, legacy)


def fresh_copy(directory: Path, legacy: Path, name: str) -> Scratch:
    copy = Scratch(directory / name)
    copy.directory.mkdir()
    shutil.copy(legacy, copy.database)
    return copy


def killed_after(copy: Scratch, seconds: float, options: list[str]) -> bool:
    """Whether the start-up was still running then; one that ended by itself must have succeeded."""
    process = copy.start("startup", *options)
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    assert process.returncode == 0, errors
    return False


def is_complete(copy: Scratch, name: str, legacy: Path) -> None:
    """As expected, no row lost or doubled; sound."""
    assert legacy_files.compare(name, legacy, copy.database).stdout == "adoption agrees\n"
    assert file_contents.problems(copy.database) == []


def original_is_kept(copy: Scratch, name: str, legacy: Path) -> None:
    """The first backup is the file as it was, none is half made, and every repaired link is on record."""
    backups = sorted(copy.directory.glob("*.before-promptadmin-*"))
    assert all(backup.suffix == ".db" and "partial" not in backup.name for backup in backups)
    assert file_contents.dump(backups[0]) == file_contents.dump(legacy)
    kept = "".join(file.read_text() for file in copy.directory.glob("*.repaired-orphans-*.jsonl"))
    links = {(entry["table"], entry["id"]) for entry in map(json.loads, kept.splitlines())}
    assert len(links) == (5 if name == "dirty" else 0)
