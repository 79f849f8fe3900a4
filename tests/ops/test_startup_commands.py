"""`manage.py startup` and the commands of its steps."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from promptadmin.db.sqlite.connections import is_file
from promptadmin.db.sqlite.pragmas import pragmas_read_back, read_pragmas
from promptadmin.ops.startup import sequence as startup
from promptadmin.ops.startup.adoption import UnusableDatabaseError
from tests.conftest import Command, OpenFile
from tests.support import file_contents, legacy_files
from tests.support.django_databases import ALIAS
from tests.support.legacy_files import make_file, make_project, make_run
from tests.support.processes import Scratch
from tests.support.sent_sql import LEGACY_TABLES

STEPS = [
    "tables",
    "schema_changes",
    "normalize_strategies",
    "seed_projects",
    "backfill_prompts",
    "link_prompts",
    "cleanup_stale",
    "harden_data_dir",
]
ROW_COMMANDS = {
    "normalize_strategies": {"normalize_strategies": 1},
    "seed_projects": {"seed_projects": 3},  # a project and its two prompts
    "backfill_prompts": {"backfill_prompts": 1, "link_prompts": 1},
    "cleanup_stale": {"cleanup_stale": 1},
}


def minutes_ago(minutes: int) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if connection.vendor == "sqlite" else moment.isoformat()


@pytest.fixture
def legacy_rows(transactional_db: None) -> None:
    """What a program that still writes to an adopted database leaves: something to do for each step."""
    rows = {
        "projects": [make_project(id="j", name="known")],
        "optimizations": [
            make_run(id="a", project="new", raw_prompt="one", framework_applied="few-shot"),
            make_run(id="b", project="new", raw_prompt="two"),
            make_run(id="c", project="known", raw_prompt="three"),
            make_run(id="old", status="running", created_at=minutes_ago(40)),
            make_run(id="young", status="running", created_at=minutes_ago(10)),
        ],
    }
    with connection.cursor() as cursor:
        for table, content in rows.items():
            for row in content:
                columns, values = ", ".join(row), ", ".join("%s" for _ in row)
                cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", list(row.values()))


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the four tables, the times as texts."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with connection.cursor() as cursor:
        for table in LEGACY_TABLES:
            names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            cursor.execute(f"SELECT {', '.join(f'CAST({name} AS TEXT)' for name in names)} FROM {table} ORDER BY id")
            found[table] = cursor.fetchall()
    return found


def output_of(command: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def changes_of(command: str, *arguments: str) -> dict[str, int]:
    """Step → number of changes, of the JSON document that the command prints."""
    reports = json.loads(output_of(command, "--json", *arguments))
    assert all(set(each) == {"step", "changed", "message", "warnings", "seconds"} for each in reports)
    return {each["step"]: each["changed"] for each in reports}


# ---------------------------------------------------------------- a step alone


@pytest.mark.parametrize(("command", "expected"), ROW_COMMANDS.items())
def test_dry_run_changes_nothing(legacy_rows: None, command: str, expected: dict[str, int]) -> None:
    """It counts what the real run then changes, and no row is another one."""
    before = everything()
    assert changes_of(command, "--dry-run") == expected
    assert everything() == before
    assert changes_of(command) == expected
    assert everything() != before


@pytest.mark.parametrize("command", ROW_COMMANDS)
def test_a_second_run_finds_nothing_to_do(legacy_rows: None, command: str) -> None:
    output_of(command)
    after = everything()
    assert set(changes_of(command).values()) == {0}
    assert everything() == after


@pytest.mark.parametrize("command", ROW_COMMANDS)
def test_a_step_prints_one_line(legacy_rows: None, command: str) -> None:
    """Its title, what it changed, how long that took; a dry run says `would have`."""
    pattern = r"[a-z ]+: {}.* \(\d+\.\d\d s\)"
    dry = output_of(command, "--dry-run").splitlines()
    assert all(re.fullmatch(pattern.format("would have: "), line) for line in dry)
    real = output_of(command).splitlines()
    assert all(re.fullmatch(pattern.format("(?!would)"), line) for line in real)
    assert len(dry) == len(real) == len(ROW_COMMANDS[command])


def test_stale_after_so_many_minutes(legacy_rows: None) -> None:
    """`--minutes` moves the limit; a negative one is refused."""
    assert changes_of("cleanup_stale", "--minutes=60") == {"cleanup_stale": 0}
    assert changes_of("cleanup_stale", "--minutes=5") == {"cleanup_stale": 2}
    with pytest.raises(CommandError, match="--minutes"):
        output_of("cleanup_stale", "--minutes=-1")


def test_a_run_of_unknown_age_is_left_with_a_warning(open_file: OpenFile, tmp_path: Path) -> None:
    """It might have begun a moment ago."""
    run = make_run(id="odd", status="running", created_at="some day")
    path = make_file(tmp_path / "x.db", legacy_files.statements(), {"optimizations": [run]})
    with open_file(path) as connection:
        startup.run_startup(using=connection.alias)
        [report] = startup.run_steps(["cleanup_stale"], using=connection.alias)
    assert report.result.changed == 0
    assert ["odd" in warning for warning in report.result.warnings] == [True]


def test_unknown_step() -> None:
    """The error lists what there is."""
    with pytest.raises(LookupError, match=rf"'nope'.*{', '.join(STEPS[:2])}"):
        startup.run_steps(["cleanup_stale", "nope"])


def test_steps_wait_for_migrations(open_file: OpenFile, tmp_path: Path) -> None:
    """On a database with pending migrations a step alone does nothing, and says what to run."""
    path = make_file(tmp_path / "x.db", legacy_files.statements(), {"optimizations": [make_run(project="alpha")]})
    with open_file(path) as connection:
        with pytest.raises(UnusableDatabaseError, match=r"promptadmin startup"):
            startup.run_steps(["seed_projects"], using=connection.alias)
        assert connection.introspection.table_names()
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM projects")
            assert cursor.fetchone() == (0,)


# ---------------------------------------------------------------- the whole sequence


def test_startup_runs_the_eight_steps_in_order(legacy_rows: None) -> None:
    """One numbered line each; the second time there is nothing to do."""
    output_of("startup")
    lines = output_of("startup").splitlines()
    assert [line[0] for line in lines[:-1]] == list("12345678")
    assert all(re.fullmatch(r"\d [a-z ]+nothing to do \(\d+\.\d\d s\)", line) for line in lines[:-1])
    assert re.fullmatch(r"Ready after \d+\.\d\d s\.", lines[-1])


def test_startup_json(legacy_rows: None) -> None:
    """One document with the steps by name and what each changed."""
    document = json.loads(output_of("startup", "--json"))
    assert [each["step"] for each in document["steps"]] == STEPS
    changed = {each["step"]: each["changed"] for each in document["steps"]}
    assert (changed["normalize_strategies"], changed["seed_projects"], changed["backfill_prompts"]) == (1, 3, 1)
    assert (changed["link_prompts"], changed["cleanup_stale"]) == (3, 1)
    assert (document["backup"], document["repaired_orphans"]) == (None, 0)
    assert document["seconds"] >= sum(each["seconds"] for each in document["steps"]) - 0.01


def test_startup_quiet(legacy_rows: None) -> None:
    assert output_of("startup", "--quiet") == ""
    assert len(everything()["projects"]) == 2


def test_startup_of_a_new_database(scratch: Scratch, command: Command) -> None:
    """In a process of its own: makes the file, says so, and exits with 0; --quiet and --json print just that."""
    first = scratch.manage("startup")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"Making a new database: {scratch.database}\n1 tables ")
    assert [line[0] for line in first.stdout.splitlines()[1:-1]] == list("123456+78")
    quiet = command("startup", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    document = json.loads(command("startup", "--json").stdout)
    assert [each["changed"] for each in document["steps"]] == [0] * len(STEPS)


def test_startup_leaves_the_connection_as_it_was(transactional_db: None) -> None:
    """What a start-up sets for itself is set back: the process that serves next uses the same connection."""
    if not is_file(connection):
        pytest.skip("only SQLite's connections have such settings")
    output_of("startup", "--quiet")
    assert read_pragmas(connection) == pragmas_read_back()
    assert "check_constraints" not in vars(connection)


# ---------------------------------------------------------------- the data directory


@pytest.fixture
def open_modes(tmp_path: Path, settings: Settings, new_file: bytes) -> Path:
    """A database in the data directory, both open to everybody."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir(mode=0o755)
    path = Path(settings.DATA_DIR) / "x.db"
    path.write_bytes(new_file)
    path.chmod(0o644)
    return path


def modes(path: Path) -> list[str]:
    """Of the directory, the database and, if there, its log and shared memory."""
    files = [path.parent, path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))]
    return [f"{file.stat().st_mode & 0o777:o}" for file in files if file.exists()]


def test_nobody_else_reads_the_data(open_file: OpenFile, open_modes: Path) -> None:
    """0700 for the directory, 0600 for the database, its log and its shared memory; a dry run only counts."""
    with open_file(open_modes) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (x)")
        for file in open_modes.parent.glob("x.db-*"):
            file.chmod(0o644)
        assert modes(open_modes) == ["755", "644", "644", "644"]
        [dry] = startup.run_steps(["harden_data_dir"], dry_run=True, using=ALIAS)
        assert modes(open_modes) == ["755", "644", "644", "644"]
        [report] = startup.run_steps(["harden_data_dir"], using=ALIAS)
        assert modes(open_modes) == ["700", "600", "600", "600"]
        assert dry.result.changed == report.result.changed == 4
        [again] = startup.run_steps(["harden_data_dir"], using=ALIAS)
        assert (again.result.changed, again.result.warnings) == (0, [])


def test_a_mode_that_cannot_be_changed_is_a_warning(
    open_file: OpenFile, open_modes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Start-up goes on: the files may belong to somebody else on purpose."""

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with open_file(open_modes) as connection:
        connection.ensure_connection()
        [report] = startup.run_steps(["harden_data_dir"], using=ALIAS)
    assert report.result.changed == 0
    assert [str(path) in " ".join(report.result.warnings) for path in (open_modes, open_modes.parent)] == [True, True]


def test_a_directory_that_merely_holds_the_database_keeps_its_mode(
    open_file: OpenFile, open_modes: Path, tmp_path: Path, settings: Settings
) -> None:
    """Others may live there; where others can write, there is a warning."""
    settings.DATA_DIR = tmp_path / "other"
    open_modes.parent.chmod(0o777)
    with open_file(open_modes):
        [report] = startup.run_steps(["harden_data_dir"], using=ALIAS)
    assert modes(open_modes)[:2] == ["777", "600"]
    assert str(open_modes.parent) in report.result.warnings[0]


def test_an_index_that_a_killed_start_had_dropped_comes_back(
    scratch: Scratch, command: Command, new_file: bytes
) -> None:
    """The links' index goes while many links are made; the next start makes it again if need be."""
    scratch.database.write_bytes(new_file)
    before = file_contents.schema(scratch.database)
    with closing(sqlite3.connect(scratch.database)) as raw:
        raw.execute("DROP INDEX ix_optimizations_prompt_id")
    assert command("startup", "--quiet").returncode == 0
    assert file_contents.schema(scratch.database).keys() == before.keys()
