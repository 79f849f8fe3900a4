"""Restoring backups of SQLite files: verified before the swap, swapped at once, and the old file kept with its log."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from promptadmin.ops.backups import sqlite_swap
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.manifest import StoredFile
from promptadmin.ops.backups.restoring import Restored, restore
from promptadmin.ops.backups.store import PARTIAL, Backup
from tests.conftest import OpenFile
from tests.ops.test_backup import add_ballast, execute, killed
from tests.support import file_contents
from tests.support.processes import Scratch
from tests.support.rounds import FLIPS, KILLS

# Holds the file open as a server does, after a write that stays in the log, until it is killed.
HOLDER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("INSERT INTO notes VALUES ('in the log')")
print("ready", flush=True)
sys.stdin.read()
"""
# Opens the file while it is locked, and goes on once it isn't.
LATECOMER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
print("ready", flush=True)
try:
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("INSERT INTO notes VALUES ('too late')")
    print("written", flush=True)
except sqlite3.OperationalError as error:
    print("refused:", error, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path, new_file: bytes) -> Path:
    """A database that differs from its backup by one row."""
    path = tmp_path / "target.db"
    path.write_bytes(new_file)
    execute(path, "PRAGMA journal_mode=WAL", "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('before')")
    return path


@pytest.fixture
def backup(open_file: OpenFile, file: Path, tmp_path: Path) -> Backup:
    with open_file(file) as connection:
        made = make_backup(connection, tmp_path / "backups").backup
    execute(file, "INSERT INTO notes VALUES ('after')")
    return made


def notes(path: Path) -> list[str]:
    with file_contents.reading(path) as raw:
        return [text.decode() for (text,) in raw.execute("SELECT text FROM notes ORDER BY rowid")]


def restored(open_file: OpenFile, file: Path, path: Path, *, drill: bool = False) -> Restored:
    with open_file(file) as connection:
        return restore(connection, path, drill=drill)


@contextlib.contextmanager
def running(program: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def beside(file: Path) -> set[str]:
    """The names of what lies beside a database and belongs to it."""
    return {path.name.removeprefix(file.name) for path in file.parent.glob(f"{file.name}?*")}


@pytest.mark.parametrize("how", ["the directory", "a file in it", "the manifest", "the directory of backups"])
def test_a_backup_takes_the_place_of_the_file_which_is_kept(
    open_file: OpenFile, file: Path, backup: Backup, how: str
) -> None:
    before = file_contents.dump(file)
    named = {
        "the directory": backup.directory,
        "a file in it": backup.file,
        "the manifest": backup.directory / "manifest.json",
        "the directory of backups": backup.directory.parent,
    }[how]
    result = restored(open_file, file, named)
    assert notes(file) == ["before"]
    assert file_contents.dump(file) == file_contents.dump(backup.file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert result.kept is not None
    assert file_contents.dump(Path(result.kept)) == before
    assert beside(file) == {Path(result.kept).name.removeprefix(file.name)}
    assert file.stat().st_nlink == Path(result.kept).stat().st_nlink == 1


def test_a_compressed_backup_is_restored(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    with open_file(file) as connection:
        packed = make_backup(connection, tmp_path / "packed", compression="zstd").backup
    execute(file, "DELETE FROM notes")
    restored(open_file, file, packed.directory)
    assert notes(file) == ["before"]


def test_a_log_that_a_killed_server_left_goes_into_the_old_file(
    open_file: OpenFile, file: Path, backup: Backup
) -> None:
    with running(HOLDER, file):
        pass
    assert file.with_name(f"{file.name}-wal").stat().st_size > 0
    result = restored(open_file, file, backup.directory)
    assert result.kept is not None
    assert notes(Path(result.kept)) == ["before", "after", "in the log"]
    assert notes(file) == ["before"]
    assert not {"-wal", "-shm", "-journal"} & beside(file)


def test_a_database_that_is_open_elsewhere_is_refused(open_file: OpenFile, file: Path, backup: Backup) -> None:
    with running(HOLDER, file):
        inode = file.stat().st_ino
        with pytest.raises(BackupError, match="open in another process"):
            restored(open_file, file, backup.directory)
        with pytest.raises(BackupError, match="open in another process"):
            sqlite_swap.swap(backup.file, file)
        assert file.stat().st_ino == inode
        assert notes(file) == ["before", "after", "in the log"]
    restored(open_file, file, backup.directory)
    assert notes(file) == ["before"]


def test_who_comes_during_the_swap_writes_to_neither_file(
    file: Path, backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latecomer opens the old file while it is locked; then SQLite sees that the file has moved."""
    new = file.with_name("new.db")
    shutil.copy(backup.file, new)
    link = Path.hardlink_to
    with contextlib.ExitStack() as stack:
        processes: list[subprocess.Popen[str]] = []

        def link_while_somebody_comes(self: Path, target: Path) -> None:
            link(self, target)
            processes.append(stack.enter_context(running(LATECOMER, file)))

        monkeypatch.setattr(Path, "hardlink_to", link_while_somebody_comes)
        kept = sqlite_swap.swap(new, file)
        answer = processes[0].communicate(timeout=30)[0]
    assert answer == "refused: attempt to write a readonly database\n"
    assert kept is not None
    assert notes(kept) == ["before", "after"]
    assert notes(file) == ["before"]
    assert not {"-wal", "-journal"} & beside(file)


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "half", "pages"])
def test_a_damaged_or_missing_file_is_replaced_and_kept(
    open_file: OpenFile, file: Path, backup: Backup, damage: str
) -> None:
    content = bytearray(file.read_bytes())
    file.with_name(f"{file.name}-wal").unlink(missing_ok=True)
    if damage == "missing":
        file.unlink()
    else:
        content[8192:16384] = b"\xff" * 8192
        wrong: dict[str, bytes | bytearray] = {
            "empty": b"",
            "text": b"not a database",
            "half": content[: len(content) // 2],
            "pages": content,
        }
        file.write_bytes(wrong[damage])
    result = restored(open_file, file, backup.directory)
    assert notes(file) == ["before"]
    if damage == "missing":
        assert result.kept is None
    else:
        assert result.kept is not None
        assert len(Path(result.kept).read_bytes()) == len(wrong[damage])


def test_the_log_of_a_file_that_sqlite_cannot_read_is_set_aside(
    open_file: OpenFile, file: Path, backup: Backup
) -> None:
    with running(HOLDER, file):
        pass
    log = file.with_name(f"{file.name}-wal").read_bytes()
    file.write_bytes(b"not a database")
    result = restored(open_file, file, backup.directory)
    assert result.kept is not None
    assert Path(f"{result.kept}-wal").read_bytes() == log
    assert notes(file) == ["before"]
    assert not {"-wal", "-shm", "-journal"} & beside(file)


def test_an_interrupted_swap_is_finished_by_the_next_restore(open_file: OpenFile, file: Path, backup: Backup) -> None:
    old = file.with_name(f"{file.name}{sqlite_swap.INFIX}20250101T000000000000Z.db{PARTIAL}")
    second_name = file.with_name(f"{file.name}{sqlite_swap.INFIX}20250102T000000000000Z.db{PARTIAL}")
    shutil.copy(file, old)
    second_name.hardlink_to(file)
    restored(open_file, file, backup.directory)
    assert notes(old.with_name(old.name.removesuffix(PARTIAL))) == ["before", "after"]
    assert not old.exists()
    assert not second_name.exists()


def test_a_drill_boots_the_application_and_changes_nothing(
    scratch: Scratch, open_file: OpenFile, file: Path, tmp_path: Path
) -> None:
    with open_file(file) as connection:
        make_backup(connection, tmp_path / "backups", compression="zstd")
    scratch.variables["DATABASE_URL"] = f"sqlite:///{file}"
    scratch.data_dir.mkdir(mode=0o700)
    (scratch.data_dir / "secret_key").write_text("s" * 64)
    before = file_contents.listing(tmp_path)
    done = scratch.manage("restoredb", str(tmp_path / "backups"), "--drill", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [(step["command"], step["succeeded"]) for step in answer["boot"]] == [
        ("startup", True),
        ("check --database default", True),
        ("requests to the application", True),
    ]
    assert answer["boot"][2]["output"].splitlines()[-2:] == ["200 GET /api/health", "200 GET /api/history?per_page=20"]
    assert "Ready after" in answer["boot"][0]["output"]
    assert (answer["drill"], answer["kept"]) == (True, None)
    assert file_contents.listing(tmp_path) == before


def test_a_drill_on_what_cannot_boot_fails(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    execute(foreign, "CREATE TABLE projects (id INTEGER PRIMARY KEY, other TEXT)")
    with open_file(foreign) as connection:
        backup = make_backup(connection, tmp_path / "foreign").backup
    result = restored(open_file, file, backup.directory, drill=True)
    assert not result.succeeded
    assert [(step.command, step.succeeded) for step in result.boot] == [("startup", False)]
    assert "projects is not one of PromptForge's" in result.boot[0].output


def test_a_drill_on_what_starts_but_has_no_history_fails(open_file: OpenFile, file: Path, tmp_path: Path) -> None:
    """Neither `startup` nor the checks look at such a column: the history does."""
    execute(
        file,
        "INSERT INTO optimizations (id, raw_prompt, status, created_at) "
        "VALUES ('run', 'text', 'completed', '2025-01-01 00:00:00.000000')",
        "ALTER TABLE optimizations DROP COLUMN model_used",
    )
    with open_file(file) as connection:
        backup = make_backup(connection, tmp_path / "unreadable").backup
    result = restored(open_file, file, backup.directory, drill=True)
    assert [step.succeeded for step in result.boot] == [True, True, False]
    assert not result.succeeded
    assert "200 GET /api/health\n" in result.boot[2].output
    assert "500 GET /api/history?per_page=20: " in result.boot[2].output


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_flipped_bit_is_found_before_the_swap(
    open_file: OpenFile, file: Path, tmp_path: Path, compression: str
) -> None:
    """Anywhere in a backup: in the database's copy, compressed or not, and in the manifest."""
    chance = random.Random(f"flips {compression}")
    with open_file(file) as connection:
        backup = make_backup(connection, tmp_path / "backups", compression=compression).backup
    before = file.read_bytes()
    places = [backup.file, backup.file, backup.directory / "manifest.json"]
    for flip in range(FLIPS):
        place = places[flip % 3]
        content = bytearray(place.read_bytes())
        number = chance.randrange(len(content) * 8)
        content[number // 8] ^= 1 << number % 8
        sound = place.read_bytes()
        place.write_bytes(content)
        with pytest.raises(BackupError):
            restored(open_file, file, backup.directory)
        place.write_bytes(sound)
        assert file.read_bytes() == before
    assert restored(open_file, file, backup.directory).kept


def test_damage_that_has_the_right_checksum_is_found_where_it_matters(
    open_file: OpenFile, file: Path, tmp_path: Path
) -> None:
    """The manifest's hashes are made anew after each flip, as if the damage had been done before they were taken."""
    add_ballast(file, 2)  # with less, most of the file is the unused space of tables without rows
    with open_file(file) as connection:
        backup = make_backup(connection, tmp_path / "backups").backup
    chance = random.Random("flips before the hash")
    sound = backup.file.read_bytes()
    expected = file_contents.dump(backup.file)
    found = 0
    for _ in range(FLIPS // 2):
        content = bytearray(sound)
        number = chance.randrange(len(content) * 8)
        content[number // 8] ^= 1 << number % 8
        backup.file.write_bytes(content)
        stored = StoredFile(len(content), hashlib.sha256(content).hexdigest())
        replace(backup.manifest, file=stored, unpacked=stored).write(backup.directory)
        try:
            result = restored(open_file, file, backup.directory)
        except BackupError:
            found += 1
        else:
            assert file_contents.dump(file) == expected  # the bit was one of unused space
            assert result.kept is not None
            Path(result.kept).unlink()
    assert found > FLIPS // 5


def test_a_manifest_cannot_name_a_file_elsewhere(open_file: OpenFile, file: Path, backup: Backup) -> None:
    replace(backup.manifest, file_name="../../target.db").write(backup.directory)
    with pytest.raises(BackupError, match="elsewhere"):
        restored(open_file, file, backup.directory)


def test_what_is_no_backup_is_refused_in_words(open_file: OpenFile, file: Path) -> None:
    before = file.read_bytes()
    for path in (file, file.parent, file.with_name("nothing")):
        with pytest.raises(BackupError, match="`backupdb` made"):
            restored(open_file, file, path)
    assert file.read_bytes() == before


def test_a_backup_of_another_engine_is_refused(open_file: OpenFile, file: Path, backup: Backup) -> None:
    replace(backup.manifest, engine="postgresql").write(backup.directory)
    with pytest.raises(BackupError, match="backup of postgresql"):
        restored(open_file, file, backup.directory)


def test_a_restore_killed_at_any_moment_leaves_the_old_or_the_new_database(scratch: Scratch, new_file: bytes) -> None:
    chance = random.Random("restoredb")
    scratch.database.write_bytes(new_file)
    add_ballast(scratch.database, 24)
    execute(scratch.database, "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES ('before')")
    assert scratch.manage("backupdb").returncode == 0
    backups = str(scratch.data_dir / "backups")
    execute(scratch.database, "PRAGMA journal_mode=WAL", "INSERT INTO notes VALUES ('after')")
    kills = 0
    while kills < KILLS:
        with running(HOLDER, scratch.database):
            pass  # leaves a log
        expected = notes(scratch.database)
        kills += killed(scratch, ["restoredb", backups], scratch.directory, 0.5, chance)
        execute(scratch.database, "SELECT 1 FROM notes")  # SQLite's own recovery, as at the next start
        assert notes(scratch.database) in (expected, ["before"])
        assert file_contents.problems(scratch.database) == []
    done = scratch.manage("restoredb", backups, "--json")
    assert done.returncode == 0, done.stderr
    assert notes(scratch.database) == ["before"]
    assert notes(Path(json.loads(done.stdout)["kept"]))[0] == "before"
    assert not [name for name in beside(scratch.database) if name.endswith(PARTIAL)]
