"""Backups of SQLite files: complete, compared with their source, made beside writers, and whole or not there."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.db import connections

from promptadmin.ops.backups.contents import read_sqlite
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.store import PARTIAL, Store, proven_backups
from tests.conftest import Command, OpenFile
from tests.support import file_contents
from tests.support.processes import Scratch
from tests.support.rounds import KILLS

WRITER = """
import os, sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=5, isolation_level=None)
database.execute("PRAGMA synchronous=NORMAL")
number = 0
while not os.path.exists(sys.argv[2]):
    began = time.perf_counter()
    database.execute("BEGIN IMMEDIATE")
    number += 1
    database.execute("INSERT INTO written VALUES (?, ?)", (number, "x" * 3000))
    database.execute("COMMIT")
    print(number, began, time.perf_counter(), flush=True)
    time.sleep(0.002)
"""


@pytest.fixture
def file(tmp_path: Path, new_file: bytes) -> Path:
    path = tmp_path / "source.db"
    path.write_bytes(new_file)
    return path


def execute(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for statement in statements:
            raw.execute(statement)


def add_ballast(path: Path, mebibytes: int) -> None:
    """Rows enough that a copy takes some time, in a table that promptadmin doesn't know."""
    chance = random.Random("ballast")
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE ballast (id INTEGER PRIMARY KEY, noise BLOB)")
        raw.executemany(
            "INSERT INTO ballast (noise) VALUES (?)", ((chance.randbytes(8000),) for _ in range(mebibytes * 128))
        )
        raw.commit()


def modes(directory: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in [directory, *directory.rglob("*")] if path.is_dir()}


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_backup_holds_what_its_source_does(open_file: OpenFile, file: Path, tmp_path: Path, compression: str) -> None:
    with open_file(file) as connection:
        made = make_backup(connection, tmp_path / "backups", compression=compression)
    manifest = made.backup.manifest
    assert (manifest.engine, manifest.source, manifest.compression) == ("sqlite", str(file), compression)
    assert manifest.contents.tables["django_migrations"].rows == len(manifest.migrations) > 40
    assert manifest.migrations[0] == "contenttypes.0001_initial"
    assert manifest.file.size == made.backup.file.stat().st_size
    assert made.warnings == []
    if compression == "none":
        assert file_contents.dump(made.backup.file) == file_contents.dump(file)
        assert file_contents.schema(made.backup.file) == file_contents.schema(file)
        assert manifest.file == manifest.unpacked
    else:
        assert manifest.file.size < manifest.unpacked.size
    assert sorted(path.name for path in made.backup.directory.iterdir()) == sorted(
        [made.backup.file.name, "manifest.json"]
    )
    assert modes(tmp_path / "backups") == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.backup.directory.iterdir()} == {0o600}


@pytest.mark.django_db
def test_the_last_proven_backup_is_the_newest_whole_one_of_this_database(tmp_path: Path) -> None:
    store = store_of(connections["default"], tmp_path)
    assert store.last_proven() is None
    first, second, third = (make_backup(connections["default"], tmp_path).backup for _ in range(3))
    assert store.last_proven() == third
    third.file.unlink()
    assert store.last_proven() == second
    with (second.directory / "manifest.json").open("r+") as manifest:
        manifest.write("[")
    assert store.last_proven() == first
    renamed = json.loads((first.directory / "manifest.json").read_text()) | {"source": "elsewhere"}
    (first.directory / "manifest.json").write_text(json.dumps(renamed))
    assert store.last_proven() is None


def test_keep_removes_the_oldest_of_this_database_only(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    directory = tmp_path / "backups"
    other = tmp_path / "other.db"
    shutil.copy(file, other)
    with open_file(other) as connection:
        theirs = make_backup(connection, directory).backup.directory
    (directory / "promptadmin-notes.txt").write_text("mine")
    with open_file(file) as connection:
        ours = [make_backup(connection, directory).backup.directory for _ in range(3)]
        last = make_backup(connection, directory, keep=2)
        assert sorted(last.removed) == ours[:2]
        assert sorted(directory.iterdir()) == sorted(
            [directory / "promptadmin-notes.txt", theirs, ours[2], last.backup.directory]
        )
        with pytest.raises(BackupError, match="at least 1"):
            make_backup(connection, directory, keep=0)


def test_a_backup_that_fails_removes_nothing(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    with open_file(file) as connection:
        kept = make_backup(connection, tmp_path / "backups").backup.directory
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    file.write_bytes(content)
    with open_file(file) as connection, pytest.raises(BackupError, match="damaged"):
        make_backup(connection, tmp_path / "backups", keep=1)
    assert list((tmp_path / "backups").iterdir()) == [kept]


def test_what_killed_processes_left_is_removed_if_it_is_ours(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "backups", str(file))
    with store.opened():
        ours = store.new_partial()
    (ours / "database.db").write_text("half")
    theirs = Store(tmp_path / "backups", "another").new_partial()
    foreign = tmp_path / "backups" / f"something{PARTIAL}"
    foreign.mkdir()
    with open_file(file) as connection:
        made = make_backup(connection, store.directory)
    assert sorted(store.directory.iterdir()) == sorted([theirs, foreign, made.backup.directory])


def test_two_backups_at_once_are_refused(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "backups", "another")
    with open_file(file) as connection, store.opened(), pytest.raises(BackupError, match="Another process"):
        make_backup(connection, store.directory)


def test_a_disk_without_room_is_said_before_anything_is_written(
    open_file: OpenFile, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with open_file(file) as connection, pytest.raises(BackupError, match="0 MiB free"):
        make_backup(connection, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_disk_that_fills_up_leaves_nothing(scratch: Scratch, new_file: bytes) -> None:
    scratch.database.write_bytes(new_file)
    limit = len(new_file) // 2
    done = scratch.manage("backupdb", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: The backup failed, and nothing was kept")
    assert list((scratch.data_dir / "backups").iterdir()) == []


def test_no_database_no_backup(scratch: Scratch, command: Command) -> None:
    done = command("backupdb")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`promptadmin startup`" in done.stderr
    assert not scratch.database.exists()


def test_links_to_missing_rows_are_backed_up_and_told(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    moment = "'2025-01-01 00:00:00.000000'"
    execute(file, f"INSERT INTO prompts VALUES ('p', 'text', 1, 'nowhere', 0, {moment}, {moment})")
    with open_file(file) as connection:
        made = make_backup(connection, tmp_path / "backups")
    assert made.backup.manifest.broken_links == {"prompts": 1}
    assert "1 in prompts" in made.warnings[0]


def test_a_file_of_another_program_keeps_its_mode(open_file: OpenFile, tmp_path: Path) -> None:
    path = tmp_path / "legacy.db"
    execute(path, "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
    before = path.read_bytes()
    said: list[str] = []
    with open_file(path) as connection:
        made = make_backup(connection, tmp_path / "backups", say=said.append)
    assert path.read_bytes() == before
    assert "not WAL" in said[0]
    assert made.backup.manifest.contents.tables["t"].rows == 1


def digests(path: Path, *statements: str) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for statement in statements:
            raw.execute(statement)
        return {name: table.digest for name, table in read_sqlite(raw, "").tables.items()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1", "'1'"),
        ("1", "1.0"),
        ("'1'", "X'31'"),
        ("NULL", "''"),
        ("''", "X''"),
        ("'a'", "'A'"),
        ("CAST(X'FF' AS TEXT)", "CAST(X'FE' AS TEXT)"),
        ("9223372036854775807", "9223372036854775806"),
        ("0.1", "0.1000000000000001"),
    ],
)
def test_values_that_differ_have_other_digests(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "values.db"
    first = digests(path, "CREATE TABLE t (a, b)", f"INSERT INTO t VALUES ({before}, 'x')")
    assert digests(path) == first
    assert digests(path, f"UPDATE t SET a = {after}") != first
    assert digests(path, f"UPDATE t SET a = {before}") == first


def test_values_in_other_columns_or_rows_have_other_digests(tmp_path: Path) -> None:
    found = [
        digests(tmp_path / f"{number}.db", "CREATE TABLE t (a, b)", f"INSERT INTO t VALUES {rows}")["t"]
        for number, rows in enumerate(["('ab', 'c')", "('a', 'bc')", "('ab', NULL), (NULL, 'c')", "('c', 'ab')"])
    ]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    "table",
    [
        "t (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID",
        "t (rowid TEXT, a TEXT)",
        "t (rowid TEXT, oid TEXT, _rowid_ TEXT)",
        '"a ""quoted"" name" (x TEXT)',
    ],
)
def test_unusual_tables_are_read(tmp_path: Path, table: str) -> None:
    name = table.split(" (", maxsplit=1)[0]
    width = 3 if "_rowid_" in table else 1 if "quoted" in table else 2
    row = ", ".join(["'1'"] * width)
    path = tmp_path / "unusual.db"
    first = digests(path, f"CREATE TABLE {table}", f"INSERT INTO {name} VALUES ({row})")
    assert digests(path, f"INSERT INTO {name} VALUES ({row.replace('1', '2')})") != first


def test_writers_go_on_during_backups(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    """A process writes all the time while backups are made; nothing of which it was told that it's written is lost.

    In each tenth of a backup some writes are committed: none waits for the copy, or for what is done with it. How long
    they wait, `python -m bench --only backup` measures.
    """
    add_ballast(file, 16)
    execute(file, "PRAGMA journal_mode=WAL", "CREATE TABLE written (id INTEGER PRIMARY KEY, text TEXT)")
    stop = tmp_path / "stop"
    log = tmp_path / "written.log"
    with log.open("w") as output:
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(stop)], stdout=output, stderr=output)
    backups, times = [], []
    with open_file(file) as connection:
        while log.stat().st_size == 0:
            time.sleep(0.01)
        for _ in range(2):
            began = time.perf_counter()
            backups.append(make_backup(connection, tmp_path / "backups").backup)
            times.append((began, time.perf_counter()))
    stop.touch()
    assert writer.wait(timeout=20) == 0, log.read_text()
    ends = [float(line.split()[2]) for line in log.read_text().splitlines()]
    told = len(ends)
    for began, ended in times:
        tenths = Counter(int((end - began) / (ended - began) * 10) for end in ends if began <= end < ended)
        assert set(tenths) == set(range(10)), tenths
    with file_contents.reading(file) as raw:
        assert raw.execute("SELECT COUNT(*), MAX(id) FROM written").fetchone() == (told, told)
    seen = []
    for backup in backups:  # each is one moment: a beginning of what was written, without a gap
        with file_contents.reading(backup.file) as raw:
            count, highest = raw.execute("SELECT COUNT(*), MAX(id) FROM written").fetchone()
        assert count == highest == backup.manifest.contents.tables["written"].rows
        seen.append(count)
    assert 0 < seen[0] < seen[1] < told


def partials(directory: Path) -> set[tuple[str, int]]:
    """What is unfinished in a directory, each with the time of its last change."""
    found = set()
    for path in directory.glob(f"*{PARTIAL}"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path.name, path.stat().st_mtime_ns))
    return found


def killed(scratch: Scratch, arguments: list[str], directory: Path, longest: float, chance: random.Random) -> bool:
    """Kill a command at some moment after it began its work in a directory; returns whether it was still running."""
    before = partials(directory)
    process = scratch.start(*arguments)
    while partials(directory) <= before and process.poll() is None:
        time.sleep(0.002)
    try:
        process.communicate(timeout=chance.uniform(0, longest))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


def test_a_backup_killed_at_any_moment_is_whole_or_not_there(
    scratch: Scratch, command: Command, new_file: bytes
) -> None:
    chance = random.Random("backupdb")
    scratch.database.write_bytes(new_file)
    add_ballast(scratch.database, 24)
    before = file_contents.digest(scratch.database)
    directory = scratch.data_dir / "backups"

    kills = 0
    while kills < KILLS:
        arguments = ["backupdb", "--keep", "1", "--compress", chance.choice(["none", "zstd"])]
        kills += killed(scratch, arguments, directory, 0.8, chance)
        left = {path for path in directory.iterdir() if not path.name.endswith(PARTIAL)}
        assert left == {backup.directory for backup in proven_backups(directory)}
    done = command("backupdb", "--keep", "1", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [str(path) for path in directory.iterdir()] == [answer["backup"]]
    with file_contents.reading(scratch.database) as raw:
        assert raw.execute("SELECT COUNT(*) FROM ballast").fetchone()[0] == 24 * 128
    assert file_contents.digest(scratch.database) == before
