"""One start-up at a time: a second one waits, and is let in whatever becomes of the first."""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from promptadmin.db.process_locks import ADVISORY_KEYS
from tests.conftest import Command
from tests.support import file_contents, legacy_files
from tests.support.legacy_files import make_file, make_run
from tests.support.processes import Scratch
from tests.support.services import needs_postgresql, postgresql_database

WAITING = "Another start-up is running: waiting for it.\n"
LONG_ENOUGH = 1.0  # for a start-up that doesn't wait to show itself


@contextlib.contextmanager
def lock_held(directory: Path) -> Iterator[None]:
    directory.mkdir(exist_ok=True)
    with (directory / "startup.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_legacy(path: Path) -> Path:
    runs = [make_run(project=f"p{number % 3}", raw_prompt=f"text {number % 50}") for number in range(300)]
    return make_file(path, legacy_files.statements(0), {"optimizations": runs})


def test_a_second_start_waits_for_the_first(scratch: Scratch) -> None:
    """It says so, touches nothing meanwhile, and goes on once the lock is free."""
    before = file_contents.digest(make_legacy(scratch.database))
    with lock_held(scratch.data_dir):
        process = scratch.start("startup")
        assert process.stdout is not None
        assert process.stdout.readline() == WAITING
        time.sleep(LONG_ENOUGH)
        assert process.poll() is None
        assert file_contents.digest(scratch.database) == before
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "Ready after" in output


def test_two_starts_at_once_make_everything_once(scratch: Scratch) -> None:
    """Two processes on one legacy file: both succeed, there is one backup, and no project or prompt is doubled."""
    make_legacy(scratch.database)
    processes = [scratch.start("startup") for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert len(list(scratch.directory.glob("*.before-promptadmin-*"))) == 1
    with contextlib.closing(sqlite3.connect(scratch.database)) as raw:
        assert raw.execute("SELECT COUNT(*), COUNT(DISTINCT name) FROM projects").fetchone() == (3, 3)
        query = "SELECT COUNT(*), COUNT(DISTINCT project_id || content) FROM prompts"
        total, distinct = raw.execute(query).fetchone()
    assert total == distinct == 150


def test_a_killed_start_leaves_no_lock(scratch: Scratch, command: Command) -> None:
    """The operating system frees it with the process: the next start doesn't wait."""
    with lock_held(scratch.data_dir):
        waiting = scratch.start("startup")
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == WAITING
    waiting.kill()
    waiting.communicate()
    finished = command("startup")
    assert finished.returncode == 0
    assert WAITING not in finished.stdout


@needs_postgresql
def test_a_second_start_waits_on_postgresql(scratch: Scratch) -> None:
    """There an advisory lock of the database does it, so that it holds across machines; waiting holds no snapshot."""
    with postgresql_database() as url:
        with psycopg.connect(url, autocommit=True) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_KEYS["start-up"]])
            process = scratch.start("startup", DATABASE_URL=url)
            assert process.stdout is not None
            assert process.stdout.readline() == WAITING
            busy = (
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xmin IS NOT NULL"
            )
            assert holder.execute(f"{busy} AND pid <> pg_backend_pid()").fetchone() == (0,)
            tables = holder.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public'")
            assert tables.fetchone() == (0,)
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert "Ready after" in output
