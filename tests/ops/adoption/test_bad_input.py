"""What can't be adopted is refused with one line that says why, and nothing is changed."""

from __future__ import annotations

import contextlib
import random
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from promptadmin.db.executor import RecordingExecutor
from promptadmin.ops.startup.adoption import UnusableDatabaseError
from promptadmin.ops.startup.sequence import pending_migrations, run_startup
from tests.conftest import Command, OpenDatabase, OpenFile
from tests.support import file_contents, legacy_files
from tests.support.disks import small_disk
from tests.support.django_databases import postgresql_config
from tests.support.legacy_files import make_file, make_run
from tests.support.ports import free_port
from tests.support.processes import Scratch, as_anybody
from tests.support.rounds import STOPS_APART
from tests.support.services import needs_postgresql, postgresql_database

ROWS = 200  # a file of some 25 pages
MEBIBYTE = 1024 * 1024


def make_legacy(path: Path, statements: list[str] | None = None, **wanted: Any) -> Path:
    """A file of the first release with a few rows, unless other statements make it."""
    if statements is not None:
        return make_file(path, statements)
    rows = [make_run(project="alpha", raw_prompt=f"text {number} " * 20) for number in range(ROWS)]
    return make_file(path, legacy_files.statements(0), {"optimizations": rows}, **wanted)


Refusal = Callable[..., str]


@pytest.fixture
def refusal(scratch: Scratch, command: Command) -> Refusal:
    """The one line of standard error; outside the data directory everything stays as it was.

    With variables, or something done before its program begins, the command runs in a process of its own.
    """

    def refused(*arguments: str, **options: Any) -> str:
        before = outside_data_dir(scratch)
        run = command if options.keys() <= {"database"} else scratch.manage
        finished = run(*arguments or ["startup"], **options)
        assert finished.returncode not in (0, None)
        assert finished.stdout == ""
        lines = finished.stderr.splitlines()
        assert len(lines) == 1, finished.stderr
        assert outside_data_dir(scratch) == before
        return lines[0]

    return refused


def outside_data_dir(scratch: Scratch) -> dict[str, str]:
    inside = str(scratch.data_dir.relative_to(scratch.directory))
    return {
        name: found for name, found in file_contents.listing(scratch.directory).items() if not name.startswith(inside)
    }


# ---------------------------------------------------------------- files


def test_not_a_sqlite_file(scratch: Scratch, refusal: Refusal) -> None:
    """In a process of its own, and in this one: both say the same."""
    scratch.database.write_text("id,raw_prompt\n1,hello\n")
    line = refusal(PYTHONUNBUFFERED="1")
    assert "is not a SQLite database" in line
    assert refusal() == line


@pytest.mark.parametrize("share", ["half", "first page", "header"])
def test_truncated(scratch: Scratch, refusal: Refusal, share: str) -> None:
    """Cut in half, within the first page, and within the header."""
    whole = make_legacy(scratch.directory / "whole.db").read_bytes()
    size = {"half": len(whole) // 2, "first page": 2000, "header": 60}[share]
    scratch.database.write_bytes(whole[:size])
    assert "is cut short" in refusal()


def test_truncated_after_adoption(scratch: Scratch, refusal: Refusal, new_file: bytes) -> None:
    """An adopted file that lost its second half isn't served either."""
    scratch.database.write_bytes(new_file[: len(new_file) // 2])
    assert "is cut short" in refusal()


def test_damaged_page(scratch: Scratch, refusal: Refusal) -> None:
    """Garbage inside the file is found while the backup is checked; the backup doesn't stay."""
    path = make_legacy(scratch.database)
    with path.open("r+b") as file:
        file.seek(10 * 4096)
        file.write(b"\xff" * 3 * 4096)
    assert "is damaged" in refusal()


# ---------------------------------------------------------------- foreign shapes

WITHOUT_RAW_PROMPT = {name: kind for name, kind in legacy_files.OPTIMIZATION_COLUMNS.items() if name != "raw_prompt"}
WITHOUT_KEY = "CREATE TABLE optimizations (id TEXT, created_at DATETIME, raw_prompt TEXT, status TEXT, project TEXT)"
INTEGER_KEY = WITHOUT_KEY.replace("id TEXT", "id INTEGER PRIMARY KEY")
OTHER_KEY = WITHOUT_KEY.replace("project TEXT", "project TEXT, PRIMARY KEY (id, project)")
NEEDS_OWNER = legacy_files.create_table(
    "optimizations", {**legacy_files.OPTIMIZATION_COLUMNS, "owner": "TEXT NOT NULL"}
)
INTEGER_PROJECTS = legacy_files.create_table("projects", {**legacy_files.PROJECT_COLUMNS, "id": "INTEGER"})


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        ([legacy_files.create_table("optimizations", WITHOUT_RAW_PROMPT)], "it has no column raw_prompt"),
        (["CREATE VIEW optimizations AS SELECT 1 AS id, 'x' AS raw_prompt"], "optimizations is a view"),
        ([WITHOUT_KEY], "its key is"),
        ([OTHER_KEY], "its key is"),
        ([INTEGER_KEY], "its key is"),
        ([*legacy_files.statements(0), INTEGER_PROJECTS], "its key is"),
        ([NEEDS_OWNER], "its column owner must have a value"),
        (
            [*legacy_files.statements(0), "CREATE TABLE projects (id TEXT PRIMARY KEY)"],
            "it has no column created_at, name",
        ),
    ],
)
def test_foreign_shape(scratch: Scratch, refusal: Refusal, statements: list[str], reason: str) -> None:
    """A table with one of our names that PromptForge never made."""
    make_legacy(scratch.database, statements)
    assert reason in refusal()


# ---------------------------------------------------------------- other programs

RECORD = (
    "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text NOT NULL, name text NOT NULL, applied datetime)"
)
RECORDED = "INSERT INTO django_migrations (app, name) VALUES "
FIRST_ONES = "('contenttypes', '0001_initial'), ('auth', '0001_initial')"


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (["CREATE TABLE auth_user (id integer PRIMARY KEY, username text)"], "a table auth_user"),
        (["CREATE TABLE Auth_Group (id integer)"], "a table Auth_Group"),
        (["CREATE TABLE auth_user_groups (id integer)"], "a table auth_user_groups"),
        (["CREATE VIEW django_session AS SELECT 1 AS a"], "a view django_session"),
        (["CREATE TABLE promptadmin_apitoken (id integer)"], "a table promptadmin_apitoken"),
        (["CREATE TABLE axes_accesslog (id integer)"], "a table axes_accesslog"),
        (["CREATE TABLE promptadmin_derived_statistics (id integer)"], "a table promptadmin_derived_statistics"),
        (["CREATE TABLE other (a)", "CREATE INDEX ix_prompts_text ON other (a)"], "an index ix_prompts_text on other"),
        (["CREATE TABLE ix_prompts_text (a)"], "a table ix_prompts_text"),
        ([RECORD, f"{RECORDED} ('blog', '0001_initial')"], "which names blog.0001_initial"),
        ([RECORD, f"{RECORDED} {FIRST_ONES}"], "a table django_migrations of another Django program"),
        ([RECORD, f"{RECORDED} ('projects', '0001_initial')"], "which names projects.0001_initial"),
        (["CREATE TABLE django_migrations (id integer, what text)"], "a table django_migrations of another"),
        (["CREATE VIEW django_migrations AS SELECT 1 AS app, 2 AS name"], "a view django_migrations"),
    ],
)
def test_tables_of_another_program(scratch: Scratch, refusal: Refusal, statements: list[str], named: str) -> None:
    """The line names what is in the way, and says what to do; nothing is changed, and no backup made."""
    make_file(scratch.database, [*legacy_files.statements(), *statements])
    line = refusal()
    assert named in line
    assert "a database of its own" in line
    assert "Traceback" not in line


def test_a_file_of_another_program_altogether(scratch: Scratch, refusal: Refusal) -> None:
    make_file(scratch.database, ["CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)"])
    line = refusal()
    assert "none of PromptForge's tables" in line
    assert "moz_places" in line


def test_a_file_whose_tables_were_all_dropped_becomes_a_new_database(scratch: Scratch, command: Command) -> None:
    make_file(scratch.database, ["CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT)", "DROP TABLE a"])
    assert file_contents.table_names(scratch.database) == []
    assert command("startup").returncode == 0


def test_a_table_with_other_capitals(scratch: Scratch, refusal: Refusal) -> None:
    make_file(scratch.database, [*legacy_files.statements(0), "CREATE TABLE Projects (id TEXT PRIMARY KEY)"])
    assert "Projects" in refusal()


def test_an_encrypted_file(scratch: Scratch, refusal: Refusal) -> None:
    scratch.database.write_bytes(random.Random("key").randbytes(8192))
    assert "is not a SQLite database" in refusal()


@pytest.mark.parametrize("kept", range(0, 24, 2 * STOPS_APART))
def test_an_adoption_that_stopped_after_any_migration_goes_on(open_file: OpenFile, tmp_path: Path, kept: int) -> None:
    """What it made by then is no other program's, also before promptadmin's own first table."""
    path = make_legacy(tmp_path / "promptforge.db")
    with open_file(path) as connection:
        executor = RecordingExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())[:kept]
        if plan:
            executor.migrate([(migration.app_label, migration.name) for migration, _ in plan], plan)
        else:
            executor.recorder.ensure_schema()
        run_startup(using=connection.alias)
        assert pending_migrations(connection) == []


@needs_postgresql
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE auth_user (id integer)",
        "CREATE VIEW django_session AS SELECT 1 AS a",
        "CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz); "
        "INSERT INTO django_migrations (app, name) VALUES ('blog', '0001_initial')",
        "CREATE TABLE django_migrations (what text)",
        "CREATE TABLE projects (id integer)",
    ],
)
def test_tables_of_another_program_on_postgresql(open_database: OpenDatabase, statement: str) -> None:
    """Refused, with the table's name and nothing made; tables under other names are none of our business."""
    with postgresql_database() as url, open_database(postgresql_config(url)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE somebody_elses (id integer)")
            cursor.execute(statement)
            before = set(connection.introspection.table_names(cursor))
        with pytest.raises(UnusableDatabaseError, match=re.search(r"(?:TABLE|VIEW) (\w+)", statement)[1]):  # type: ignore[index]
            run_startup(using=connection.alias)
        with connection.cursor() as cursor:
            assert set(connection.introspection.table_names(cursor)) == before


# ---------------------------------------------------------------- places


def test_read_only_file(scratch: Scratch, refusal: Refusal) -> None:
    make_legacy(scratch.database).chmod(0o444)
    assert "read-only" in refusal(preexec_fn=as_anybody())


def test_read_only_directory(scratch: Scratch, refusal: Refusal) -> None:
    """SQLite couldn't write its log, and there is no place for the backup."""
    folder = scratch.directory / "folder"
    folder.mkdir()
    path = make_legacy(folder / "promptforge.db")
    folder.chmod(0o555)
    try:
        assert "read-only" in refusal(DATABASE_URL=f"sqlite:///{path}", preexec_fn=as_anybody())
    finally:
        folder.chmod(0o755)


def test_read_only_data_directory(scratch: Scratch, refusal: Refusal) -> None:
    """The lock file can't be made there."""
    scratch.data_dir.mkdir(mode=0o555)
    make_legacy(scratch.database)
    line = refusal(PROMPTADMIN_SECRET_KEY="k" * 60, preexec_fn=as_anybody())
    assert "PROMPTADMIN_DATA_DIR" in line


def test_no_such_directory(scratch: Scratch, refusal: Refusal) -> None:
    path = scratch.directory / "nowhere" / "promptforge.db"
    assert "There is no directory" in refusal(database=path)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(path: Path, mode: str) -> Iterator[None]:
    """Another process has the file locked during the block."""
    arguments = [sys.executable, "-c", HOLD, str(path), mode]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate()


@pytest.mark.parametrize(
    ("mode", "wal"),
    [
        ("EXCLUSIVE", False),
        ("IMMEDIATE", True),
    ],
)
def test_locked_by_another_process(scratch: Scratch, command: Command, mode: str, wal: bool) -> None:
    """Whatever the lock and the journal are: the line says that another process has the file."""
    path = make_legacy(scratch.database, wal=wal)
    with held(path, mode):
        before = outside_data_dir(scratch)
        finished = command("startup")
        assert outside_data_dir(scratch) == before
    assert finished.returncode == 1
    assert "locked by another process" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


# ---------------------------------------------------------------- full disks


def test_no_room_for_the_backup(scratch: Scratch, refusal: Refusal) -> None:
    """The line says how much is free and how much is needed."""
    with small_disk(scratch.directory / "small", 8 * MEBIBYTE) as disk:
        path = make_legacy(disk / "promptforge.db")
        assert "MiB free" in refusal(DATABASE_URL=f"sqlite:///{path}")


def test_room_that_is_asked_for_suffices(scratch: Scratch) -> None:
    """On a disk with exactly the room that the check demands, the adoption succeeds."""
    legacy = make_legacy(scratch.directory / "legacy.db")
    size = legacy.stat().st_size
    with small_disk(scratch.directory / "small", size + 2 * size + 8 * MEBIBYTE + 16 * 4096) as disk:
        path = Path(shutil.copy(legacy, disk / "promptforge.db"))
        finished = scratch.manage("startup", DATABASE_URL=f"sqlite:///{path}")
        assert (finished.returncode, finished.stderr) == (0, "")


def test_full_disk_for_a_new_database(scratch: Scratch) -> None:
    with small_disk(scratch.directory / "small", 64 * 1024) as disk:
        finished = scratch.manage("startup", DATABASE_URL=f"sqlite:///{disk / 'promptforge.db'}")
    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert "full" in finished.stderr


def file_size_limit(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("growth", [40 * 1024, 200 * 1024])
def test_disk_full_in_the_middle(scratch: Scratch, command: Command, growth: int) -> None:
    """A file that can't grow any more: one line, the backup stays; with room, the next start goes on and completes."""
    legacy = make_legacy(scratch.directory / "legacy.db")
    path = Path(shutil.copy(legacy, scratch.database))
    stopped = scratch.manage("startup", preexec_fn=file_size_limit(legacy.stat().st_size + growth))
    assert stopped.returncode == 1
    assert len(stopped.stderr.splitlines()) == 1, stopped.stderr
    [backup] = scratch.directory.glob("*.before-promptadmin-*.db")
    assert file_contents.dump(backup) == file_contents.dump(legacy)
    finished = command("startup")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert file_contents.problems(path) == []
    assert len(file_contents.rows(path, "prompts")) == ROWS


#: Not looked for before the start; the second of Django's migrations fails.
IN_THE_WAY = "CREATE INDEX auth_permission_content_type_id_2f476e4b ON optimizations (title)"


def test_starts_that_fail_again_and_again_make_one_backup(scratch: Scratch, command: Command) -> None:
    """A supervisor may start it for hours: the disk must not fill with copies of a half adopted file."""
    make_legacy(scratch.database, [*legacy_files.statements(0), IN_THE_WAY])
    for _ in range(3):
        failed = command("startup")
        assert failed.returncode == 1
        assert "auth_permission" in failed.stderr
    assert len(list(scratch.directory.glob("*.before-promptadmin-*"))) == 1


@pytest.mark.parametrize("change", ["a row", "a value", "an index", "a table"])
def test_a_file_that_changed_after_a_failed_start_gets_another_backup(
    scratch: Scratch, command: Command, change: str
) -> None:
    """What PromptForge or an operator wrote meanwhile is in no backup yet."""
    make_legacy(scratch.database, [*legacy_files.statements(0), IN_THE_WAY])
    with contextlib.closing(sqlite3.connect(scratch.database, isolation_level=None)) as raw:
        legacy_files.insert(raw, "optimizations", [make_run(id="first", raw_prompt="text")])
        assert command("startup").returncode == 1
        if change == "a row":
            legacy_files.insert(raw, "optimizations", [make_run(id="late", raw_prompt="late")])
        elif change == "a value":
            raw.execute("UPDATE optimizations SET raw_prompt = 'other'")
        elif change == "an index":
            raw.execute("DROP INDEX ix_optimizations_project")
        else:
            raw.execute("CREATE TABLE notes (text TEXT)")
    assert command("startup").returncode == 1
    assert len(list(scratch.directory.glob("*.before-promptadmin-*"))) == 2


# ---------------------------------------------------------------- settings


def test_unreachable_postgresql(scratch: Scratch, refusal: Refusal) -> None:
    """The line names the variable, and what the driver said."""
    port = free_port()
    line = refusal(DATABASE_URL=f"postgresql://somebody:secret@127.0.0.1:{port}/nothing")
    assert "DATABASE_URL" in line
    assert str(port) in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "mysql://root@127.0.0.1/x"), ("PROMPTADMIN_PLUGINS", "projects,optimisations")]
)
def test_wrong_setting(scratch: Scratch, refusal: Refusal, name: str, value: str) -> None:
    """The line names the variable; tests/conf/test_settings.py has more of them."""
    assert name in refusal(**{name: value})


@pytest.mark.parametrize("plugin", ["optimizations", "registry", "comments"])
def test_a_plugin_without_the_one_that_it_needs(scratch: Scratch, refusal: Refusal, plugin: str) -> None:
    """The line names both and says what to do."""
    line = refusal(PROMPTADMIN_PLUGINS=plugin)
    for said in ("plugins.E003", repr(plugin), "'projects'", "PROMPTADMIN_PLUGINS"):
        assert said in line


def test_traceback_on_request(scratch: Scratch) -> None:
    """Who asks for the traceback gets it."""
    finished = scratch.manage("startup", "--traceback", DATABASE_URL="nonsense")
    assert finished.returncode != 0
    assert "Traceback" in finished.stderr


@pytest.mark.parametrize("step", ["cleanup_stale", "seed_projects"])
def test_step_command_on_a_file_never_adopted(scratch: Scratch, refusal: Refusal, step: str) -> None:
    """A step alone doesn't adopt: it says what to run first, and leaves the file as it is."""
    make_legacy(scratch.database)
    assert "startup" in refusal(step)


def test_step_command_without_a_file(scratch: Scratch, refusal: Refusal) -> None:
    """A step alone makes no database."""
    assert "startup" in refusal("cleanup_stale")


def test_empty_file_becomes_a_new_database(scratch: Scratch, command: Command) -> None:
    """Nothing is lost, so nothing is refused."""
    scratch.database.touch()
    finished = command("startup")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert file_contents.rows(scratch.database, "optimizations") == []


def test_a_file_with_a_log_that_was_not_written_back(scratch: Scratch, command: Command) -> None:
    """PromptForge was killed: what stands only in its write-ahead log is adopted, and in the backup."""
    path = make_legacy(scratch.directory / "running.db", wal=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        legacy_files.insert(raw, "optimizations", [make_run(id="in-the-log", project="beta", raw_prompt="late")])
        shutil.copy(path, scratch.database)
        shutil.copy(f"{path}-wal", f"{scratch.database}-wal")
    finished = command("startup")
    assert (finished.returncode, finished.stderr) == (0, "")
    [backup] = scratch.directory.glob("promptforge.db.before-promptadmin-*.db")
    for file in (scratch.database, backup):
        assert (b"text", b"in-the-log") in file_contents.rows(file, "optimizations", ["id"])
    assert (b"text", b"beta") in file_contents.rows(scratch.database, "projects", ["name"])
