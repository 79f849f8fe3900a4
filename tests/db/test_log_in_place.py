"""The log of a SQLite file stays the one that its connections write to, or nothing more is acknowledged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from promptadmin.db.sqlite.file_identity import FileReplacedError, check_in_place, identity
from promptadmin.ops.doctor.examining import problem_of_opening
from promptadmin.ops.startup.adoption.files import _check_header
from tests.api.requests_to import JsonClient
from tests.conftest import OpenFile
from tests.support.servers import serving

TOKEN = "the-log"
COME_AND_GO = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
connection.close()
"""


@pytest.fixture
def path(tmp_path: Path, new_file: bytes) -> Path:
    path = tmp_path / "used.db"
    path.write_bytes(new_file)
    return path


def log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def test_looking_at_an_open_file_leaves_its_locks(open_file: OpenFile, path: Path) -> None:
    """Otherwise the next program that comes and goes removes the log beneath the open connection."""
    with open_file(path) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE written (n)")
        log = identity(str(log_of(path)))
        assert log is not None
        assert problem_of_opening(connection) == ""
        _check_header(path)
        subprocess.run([sys.executable, "-c", COME_AND_GO, str(path)], check=True)
        assert identity(str(log_of(path))) == log
        check_in_place(connection)


def test_a_log_that_is_removed_is_noticed(open_file: OpenFile, path: Path) -> None:
    with open_file(path) as connection:
        connection.ensure_connection()
        check_in_place(connection)
        log_of(path).unlink()
        with pytest.raises(FileReplacedError, match="removed or replaced"):
            check_in_place(connection)
        log_of(path).write_bytes(b"")
        with pytest.raises(FileReplacedError, match="removed or replaced"):
            check_in_place(connection)


def test_no_write_to_a_removed_log_is_acknowledged(tmp_path: Path) -> None:
    """The server refuses from then on, reads as well."""
    database = tmp_path / "served.db"
    served = serving(tmp_path, f"sqlite:///{database}", "--no-upkeep", AUTH_TOKEN=TOKEN)
    with served as site, JsonClient(site.address, TOKEN) as client:
        assert client.send("POST", "/api/projects", {"name": "before"}).status == 201
        log_of(database).unlink()
        refused = client.send("POST", "/api/projects", {"name": "after"})
        assert refused.status == 503
        assert client.send("GET", "/api/projects").status == 503
