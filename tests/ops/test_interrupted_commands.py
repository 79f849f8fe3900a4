"""Ctrl-C, as terminals send it, in the middle of each kind of long command: one line, 130, nothing half-written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Command
from tests.ops.test_stopping import descendants, gone
from tests.support.processes import REPOSITORY, Scratch
from tests.support.services import needs_postgresql, postgresql_database

SECONDS = 10.0
#: Runs a command in which a function says that it was reached, and then takes a minute.
HELD = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
import django
django.setup()
from importlib import import_module
from promptadmin.management.command_line import run
def hold(*arguments, **options):
    print("reached", flush=True)
    time.sleep(60)
module, _, name = sys.argv[2].rpartition(".")
setattr(import_module(module), name, hold)
run(["manage.py", *sys.argv[3:]])
"""


def interrupt(scratch: Scratch, function: str, *arguments: str) -> None:
    """Press Ctrl-C when a command has reached a function."""
    process = subprocess.Popen(
        [sys.executable, "-c", HELD, str(REPOSITORY), function, *arguments],
        cwd=scratch.directory,
        env=scratch.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    assert any(line == "reached\n" for line in lines), process.communicate()
    children = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert "Traceback" not in output + errors
    assert errors.splitlines()[-1].startswith("Interrupted. What was done so far is kept")
    assert gone(children)


@pytest.fixture
def again(command: Command) -> Callable[..., None]:
    """Runs the same command, which nothing holds up and which must work."""

    def run(*arguments: str) -> None:
        done = command(*arguments)
        assert done.returncode == 0, done.stderr

    return run


def rows(file: Path, sql: str) -> Sequence[tuple[object, ...]]:
    """What a database answers."""
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.fixture
def adopted(scratch: Scratch, new_file: bytes) -> Scratch:
    """A directory with a database that is up to date."""
    scratch.database.write_bytes(new_file)
    return scratch


def test_a_backup(adopted: Scratch, again: Callable[..., None]) -> None:
    backups = adopted.directory / "backups"
    interrupt(adopted, "promptadmin.ops.backups.sqlite_source.damage", "backupdb", str(backups))
    assert not list(backups.iterdir())
    again("backupdb", str(backups))
    [backup] = backups.iterdir()
    assert (backup / "manifest.json").exists()


def test_a_restored_backup(adopted: Scratch, again: Callable[..., None]) -> None:
    backups = str(adopted.directory / "backups")
    again("backupdb", backups)
    connection = sqlite3.connect(adopted.database)
    connection.execute("CREATE TABLE later (x)")
    connection.close()
    later = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'later'"
    before = sorted(path.name for path in adopted.directory.iterdir())
    interrupt(adopted, "promptadmin.ops.backups.sqlite_target.damage", "restoredb", backups)
    assert rows(adopted.database, later) == [(1,)]
    assert sorted(path.name for path in adopted.directory.iterdir()) == before
    again("restoredb", backups)
    assert rows(adopted.database, later) == [(0,)]


@needs_postgresql
def test_a_move(adopted: Scratch) -> None:
    with postgresql_database() as url:
        interrupt(adopted, "promptadmin.ops.postgresql_move.moving._compare", "move_to", url)
        with psycopg.connect(url) as server:
            assert server.execute("SELECT to_regclass('promptadmin_move_tables')").fetchone() != (None,)
        done = adopted.manage("move_to", url)  # with the same plugins as the command that was interrupted
        assert done.returncode == 0, done.stderr


def test_upkeep(adopted: Scratch, again: Callable[..., None]) -> None:
    interrupt(adopted, "promptadmin.api.idempotency.forget_expired", "upkeep", "--once")
    again("upkeep", "--once")


@pytest.mark.parametrize(
    ("function", "name"),
    [("optimizations.startup.link_prompts", "startup"), ("optimizations.seeding.backfill_prompts", "backfill_prompts")],
)
def test_what_is_taken_in_from_runs(scratch: Scratch, again: Callable[..., None], function: str, name: str) -> None:
    again("make_demo_file", str(scratch.database))
    if name != "startup":
        again("startup")
    interrupt(scratch, function, name)
    again(name)
    again("startup")
    unlinked = "SELECT COUNT(*) FROM optimizations WHERE prompt_id IS NULL AND project <> '' AND raw_prompt <> ''"
    assert rows(scratch.database, f"{unlinked} AND project IN (SELECT name FROM projects WHERE status = 'active')") == [
        (0,)
    ]
