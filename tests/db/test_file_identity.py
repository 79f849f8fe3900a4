"""A SQLite file that is moved away: nobody opens an empty one in its place, which would cost the log beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from promptadmin.db.sqlite import file_identity
from promptadmin.db.sqlite.file_identity import FileReplacedError, check_in_place, expect_the_same_file
from promptadmin.ops.upkeep import do_piece
from promptadmin.plugins.platform import PLATFORM_JOBS
from tests.conftest import Command, OpenFile
from tests.support.processes import Scratch

LOG = b"what was written last"


@pytest.fixture
def in_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_identity, "_in_server", threading.Event())
    monkeypatch.setattr(file_identity, "_first_opened", {})
    expect_the_same_file()


@pytest.fixture
def path(tmp_path: Path, new_file: bytes) -> Path:
    path = tmp_path / "moved.db"
    path.write_bytes(new_file)
    return path


def test_a_log_without_its_file_is_kept(open_file: OpenFile, tmp_path: Path) -> None:
    log = tmp_path / "lost.db-wal"
    log.write_bytes(LOG)
    with open_file(tmp_path / "lost.db") as connection, pytest.raises(FileReplacedError, match="put the file back"):
        connection.ensure_connection()
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {log.name: LOG}


def test_commands_say_what_to_do_with_a_log_without_its_file(scratch: Scratch, command: Command) -> None:
    log = scratch.database.with_name(f"{scratch.database.name}-wal")
    log.write_bytes(LOG)
    ways = [command, scratch.manage, command, scratch.manage]
    for run, *arguments in zip(ways, ["startup", "doctor", "backupdb", "upkeep"], strict=True):
        refused = run(*arguments, *(["--once"] if arguments == ["upkeep"] else []))
        assert refused.returncode != 0, arguments
        assert "move the log away" in refused.stdout + refused.stderr, (arguments, refused.stdout, refused.stderr)
        assert "Traceback" not in refused.stderr, (arguments, refused.stderr)
    assert not scratch.database.exists()
    assert log.read_bytes() == LOG


@pytest.mark.usefixtures("in_server")
def test_a_server_opens_nothing_but_its_file(open_file: OpenFile, path: Path, new_file: bytes) -> None:
    away = path.with_name("away")
    with open_file(path) as connection:
        connection.ensure_connection()
        connection.close()
        path.rename(away)
        for other in (None, new_file):
            if other is not None:
                path.write_bytes(other)
            with pytest.raises(FileReplacedError, match="isn't the file"):
                connection.ensure_connection()
        assert path.read_bytes() == new_file
        away.replace(path)
        connection.ensure_connection()
        check_in_place(connection)


@pytest.mark.usefixtures("in_server")
def test_upkeep_does_nothing_to_a_file_that_was_moved(open_file: OpenFile, path: Path) -> None:
    with open_file(path) as connection:
        for job in PLATFORM_JOBS:
            do_piece(job, connection.alias)
        away = path.rename(path.with_name("away"))
        for job in PLATFORM_JOBS:
            with pytest.raises(FileReplacedError):
                do_piece(job, connection.alias)
        assert not path.exists()
        away.rename(path)
        for job in PLATFORM_JOBS:
            do_piece(job, connection.alias)
