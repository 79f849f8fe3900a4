"""The migrations on every kind of file: what they change, what they leave, and that they can stop anywhere."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from optimizations.lists.paging import INDEXED_SORTS
from optimizations.models import Optimization
from promptadmin.db.derived_tables import is_derived
from promptadmin.ops.startup.sequence import run_startup
from tests.conftest import OpenDatabase, OpenFile
from tests.ops.adoption.random_files import AUDIT_TRIGGER, EXTRA_COLUMNS, EXTRA_INDEXES, EXTRA_VIEW
from tests.support import file_contents, legacy_files
from tests.support.django_databases import postgresql_config
from tests.support.legacy_files import make_file, make_project, make_prompt, make_run, make_version
from tests.support.rounds import STOPS_APART
from tests.support.sent_sql import LEGACY_TABLES, changes, rebuilds, sent_sql
from tests.support.services import needs_legacy_files, needs_postgresql, postgresql_database

Key = tuple[str, str]

ZERO = [("projects", None), ("optimizations", None)]
# The 24 schema changes in PromptForge's order, by app and number.
SCHEMA_CHANGES = [
    *(("optimizations", number) for number in range(2, 9)),
    *(("projects", number) for number in range(1, 9)),
    *(("optimizations", number) for number in range(9, 14)),
    ("projects", 9),
    *(("optimizations", number) for number in range(14, 17)),
]


def full_name(app: str, number: int) -> Key:
    nodes: set[Key] = set(MigrationLoader(None).graph.nodes)
    [key] = [key for key in nodes if key[0] == app and key[1].startswith(f"{number:04d}_")]
    return key


def migrate(connection: BaseDatabaseWrapper, *targets: tuple[str, str | None]) -> int:
    """Migrate to the targets, as `manage.py migrate` does; how many migrations that took."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(list(targets))
    executor.migrate(list(targets), plan)
    return len(plan)


def legacy_rows(**later: Any) -> dict[str, list[legacy_files.Row]]:
    """A few runs that give every step something to do."""
    return {
        "optimizations": [
            make_run(id="a", project="alpha", raw_prompt="one", framework_applied="few-shot", **later),
            make_run(id="b", project="alpha", raw_prompt="two", status="running"),
            make_run(id="c", project="alpha", raw_prompt="one", tags="not JSON"),
            make_run(id="d", project=" beta", raw_prompt="one\0", error_message="kept"),
            make_run(id="e", project=None),
        ]
    }


def make_early(path: Path) -> Path:
    return make_file(path, legacy_files.statements(0), legacy_rows())


def make_late(path: Path) -> Path:
    """All tables, partly linked, with columns, tables, a trigger, a view and indexes that promptadmin doesn't know."""
    rows = legacy_rows(prompt_id="p1", strategy="risen", reviewer="Ann", input_tokens=3)
    rows["projects"] = [make_project(id="j1", name="alpha", status="archived"), make_project(id="j2", name="gone")]
    rows["prompts"] = [make_prompt(id="p1", project_id="j1", content="one"), make_prompt(id="p2", project_id="j2")]
    rows["prompt_versions"] = [make_version(prompt_id="p1", optimization_id="a"), make_version(prompt_id="p2")]
    rows["scratch_notes"] = [{"id": 1, "body": b"\xff\0"}]
    statements = legacy_files.statements()
    statements += [
        f"ALTER TABLE optimizations ADD COLUMN {legacy_files.quote(n)} {k}" for n, k in EXTRA_COLUMNS.items()
    ]
    statements += [
        "ALTER TABLE prompts ADD COLUMN colour TEXT",
        "CREATE TABLE scratch_notes (id INTEGER PRIMARY KEY, body)",
    ]
    statements += ["CREATE TABLE audit_raw (at TEXT, what TEXT)", AUDIT_TRIGGER, EXTRA_VIEW]
    taken = "ix_optimizations_overall_score"
    statements += [sql for name, sql in EXTRA_INDEXES.items() if name != taken]
    return make_file(path, statements, rows, wal=True)


MAKERS = {"new": lambda path: path, "early": make_early, "late": make_late}


def outcome(path: Path) -> dict[str, Any]:
    """What a file holds, with the random keys and the times of start-up left out."""
    contents: dict[str, Any] = {"schema": file_contents.schema(path), "problems": file_contents.problems(path)}
    queries = {
        "projects": "SELECT name, description, status, created_at, context_profile FROM projects",
        "prompts": "SELECT j.name, p.content, p.version, p.order_index FROM prompts p "
        "JOIN projects j ON j.id = p.project_id",
        "links": "SELECT o.id, j.name, p.content FROM optimizations o LEFT JOIN prompts p ON p.id = o.prompt_id "
        "LEFT JOIN projects j ON j.id = p.project_id",
        "migrations": "SELECT app, name FROM django_migrations",
    }
    with file_contents.reading(path) as raw:
        for name, query in queries.items():
            contents[name] = sorted(raw.execute(query).fetchall(), key=repr)
    columns = [name for name in file_contents.columns(path, "optimizations") if name != "prompt_id"]
    contents["runs"] = file_contents.rows(path, "optimizations", sorted(columns))
    contents["versions"] = file_contents.rows(path, "prompt_versions")
    return contents


# ---------------------------------------------------------------- no rebuild


@pytest.mark.parametrize("kind", MAKERS)
def test_no_migration_rebuilds_a_table(open_file: OpenFile, tmp_path: Path, kind: str) -> None:
    """No table of PromptForge is made anew, dropped or renamed, and none of its columns is dropped."""
    path = MAKERS[kind](tmp_path / "promptforge.db")
    with open_file(path) as connection, sent_sql(connection) as statements:
        run_startup(using=connection.alias)
    assert rebuilds(statements) == []
    added = [sql for sql in statements if "ADD COLUMN" in sql and "promptadmin_" not in sql]
    assert len(added) == {"new": 14, "early": 14, "late": 2}[kind]


@needs_legacy_files
@pytest.mark.parametrize("name", legacy_files.SAMPLE_NAMES)
def test_no_migration_rebuilds_a_table_of_a_sample(open_file: OpenFile, tmp_path: Path, name: str) -> None:
    """The same for the schema changes on each sample file; its rows play no part, so they stay out."""
    sample = legacy_files.unpack(name, tmp_path / "sample.db")
    tables = [sql for (kind, _), sql in file_contents.schema(sample).items() if kind == "table"]
    others = [sql for (kind, _), sql in file_contents.schema(sample).items() if kind != "table"]
    path = make_file(tmp_path / "promptforge.db", tables + others)
    with open_file(path) as connection, sent_sql(connection) as statements:
        run_startup(using=connection.alias)
    assert rebuilds(statements) == []
    for key, sql in file_contents.schema(sample).items():
        assert key in file_contents.schema(path)
        assert key[0] == "table" or file_contents.schema(path)[key] == sql


def test_a_rebuild_would_be_seen(open_file: OpenFile, tmp_path: Path, new_file: bytes) -> None:
    """The tests above can fail: a column that Django can only add by a rebuild."""
    path = tmp_path / "new.db"
    path.write_bytes(new_file)
    field = models.IntegerField(default=1)
    field.set_attributes_from_name("weight")
    with open_file(path) as connection, sent_sql(connection) as statements, connection.schema_editor() as editor:
        editor.add_field(Optimization, field)
    assert len(rebuilds(statements)) == 3


# ---------------------------------------------------------------- what survives


def test_what_promptadmin_does_not_know_survives(open_file: OpenFile, tmp_path: Path) -> None:
    """Foreign columns, tables, rows, the trigger, the view and the indexes, with their SQL; the trigger still works."""
    path = make_late(tmp_path / "promptforge.db")
    legacy = tmp_path / "legacy.db"
    legacy.write_bytes(path.read_bytes())
    with open_file(path) as connection:
        run_startup(using=connection.alias)
    before, after = file_contents.schema(legacy), file_contents.schema(path)
    grown = {("table", "optimizations"), ("table", "projects")}  # by columns, which the SQL of a table lists
    assert {key: after[key] for key in before if key not in grown} == {
        key: sql for key, sql in before.items() if key not in grown
    }
    for table in ("scratch_notes", "audit_raw"):
        assert file_contents.rows(path, table) == file_contents.rows(legacy, table)
    foreign = ["id", *EXTRA_COLUMNS]
    assert file_contents.rows(path, "optimizations", foreign) == file_contents.rows(legacy, "optimizations", foreign)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("DELETE FROM optimizations WHERE id = 'e'")
        assert raw.execute("SELECT what FROM audit_raw").fetchall() == [("e",)]
        assert raw.execute("SELECT COUNT(*) FROM recent").fetchone() == (4,)


@pytest.mark.parametrize(("kind", "rounds"), [("early", 1), ("late", 2)])
def test_back_and_forth_loses_nothing(open_file: OpenFile, tmp_path: Path, kind: str, rounds: int) -> None:
    """All migrations of both applications undone and done again: every row is as it was, and nothing is rebuilt."""
    path = MAKERS[kind](tmp_path / "promptforge.db")
    with open_file(path) as connection:
        run_startup(using=connection.alias)
    adopted, schema = values_by_column(path), file_contents.schema(path)
    for _ in range(rounds):
        with open_file(path) as connection, sent_sql(connection) as statements:
            assert migrate(connection, *ZERO) > len(SCHEMA_CHANGES)
        assert [sql for sql in rebuilds(statements) if "new__" in sql or "RENAME" in sql] == []
        undone = values_by_column(path)
        for table, columns in adopted.items():
            held = {name: values for name, values in columns.items() if has_values(values)}
            assert {name: undone[table][name] for name in held} == held
        with open_file(path) as connection:
            run_startup(using=connection.alias)
        assert values_by_column(path) == adopted
        assert set(file_contents.schema(path)) == set(schema)
    assert file_contents.problems(path) == []


def values_by_column(path: Path) -> dict[str, dict[str, list[Any]]]:
    """Table → column → values in the order of the rows, of PromptForge's and foreign tables."""
    found: dict[str, dict[str, list[Any]]] = {}
    with file_contents.reading(path) as raw:
        for table in file_contents.table_names(path):
            if not table.startswith(("auth_", "django_", "promptadmin_")):
                rows = raw.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
                names = file_contents.columns(path, table)
                found[table] = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    return found


def has_values(values: list[Any]) -> bool:
    return any(value is not None for value in values)


def test_an_empty_database_goes_back_to_nothing(open_file: OpenFile, tmp_path: Path, new_file: bytes) -> None:
    """Undone on a new file, the migrations leave none of the tables; done again, they make the same."""
    path = tmp_path / "new.db"
    path.write_bytes(new_file)
    schema = file_contents.schema(path)
    with open_file(path) as connection:
        migrate(connection, *ZERO)
    assert not set(LEGACY_TABLES) & set(file_contents.table_names(path))
    assert [key for key in file_contents.schema(path) if key[0] == "trigger"] == []
    with open_file(path) as connection:
        run_startup(using=connection.alias)
    assert file_contents.schema(path) == schema


# ---------------------------------------------------------------- stopped half-way


def test_stopped_after_any_migration(open_file: OpenFile, tmp_path: Path) -> None:
    """`migrate` to migrations of both applications in turn, then start: the file ends as after one start."""
    path = make_early(tmp_path / "promptforge.db")
    whole = tmp_path / "whole.db"
    whole.write_bytes(path.read_bytes())
    with open_file(whole) as connection:
        run_startup(using=connection.alias)
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    expected = outcome(whole)
    keys = [(migration.app_label, migration.name) for migration, _ in plan]
    stops = [key for key in keys if key[0] in ("projects", "optimizations")]
    for key in stops[::STOPS_APART]:
        with open_file(path) as connection:
            migrate(connection, *latest_of_each(keys[: keys.index(key) + 1]))
        copy = tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        with open_file(copy) as connection:
            run_startup(using=connection.alias)
        assert outcome(copy) == expected, key


def latest_of_each(keys: list[Key]) -> list[Key]:
    """The last migration of each application."""
    return list(dict(keys).items())


# ---------------------------------------------------------------- what they add up to


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_the_24_schema_changes(open_file: OpenFile, tmp_path: Path) -> None:
    """On a file of the first release, in PromptForge's order: exactly 12 columns, 3 tables and 13 indexes."""
    path = make_early(tmp_path / "promptforge.db")
    theirs = make_file(tmp_path / "theirs.db", legacy_files.statements())
    assert len(SCHEMA_CHANGES) == len(legacy_files.CHANGES) == 24
    with open_file(path) as connection:
        migrate(connection, full_name("optimizations", 1))
        for change, promptforge in zip(SCHEMA_CHANGES, legacy_files.CHANGES, strict=True):
            with sent_sql(connection) as statements:
                assert migrate(connection, full_name(*change)) == 1, f"{change} is not the next one"
            ours = [what_it_makes(sql) for sql in changes(statements) if "django_migrations" not in sql]
            assert sorted(ours) == sorted(what_it_makes(sql) for sql in promptforge), change
    made = [what_it_makes(sql)[0] for change in legacy_files.CHANGES for sql in change]
    assert [made.count(kind) for kind in ("column", "table", "index")] == [12, 3, 13]
    for table in LEGACY_TABLES:
        assert file_contents.index_columns(path, table) == file_contents.index_columns(theirs, table)
        assert file_contents.columns(path, table) == file_contents.columns(theirs, table)


def what_it_makes(sql: str) -> tuple[str, ...]:
    """("column", table, name), ("table", name) or ("index", name)."""
    words = sql.replace('"', " ").replace("(", " ").split()
    if words[:2] == ["ALTER", "TABLE"]:
        return "column", words[2], words[5]
    return words[1].lower(), words[2]


@needs_legacy_files
def test_indexes_of_the_last_release(tmp_path: Path, new_file: bytes) -> None:
    """A new file has every index of PromptForge's last release, by name, over the same columns in the same order."""
    last = legacy_files.unpack_gzip(legacy_files.LAST_RELEASE_SAMPLE, tmp_path / "last.db")
    path = tmp_path / "new.db"
    path.write_bytes(new_file)
    for table in LEGACY_TABLES:
        theirs, ours = file_contents.index_columns(last, table), file_contents.index_columns(path, table)
        assert {name: ours.get(name) for name in theirs} == theirs
        folders = {"parent_id", "depth"} if table == "projects" else set()  # of a release that came later
        assert set(file_contents.columns(path, table)) - folders == set(file_contents.columns(last, table))


@needs_postgresql
def test_postgresql_has_the_same(open_database: OpenDatabase, tmp_path: Path, new_file: bytes) -> None:
    """The same migrations give the same tables, columns, required columns, indexes and foreign keys on PostgreSQL."""
    path = tmp_path / "new.db"
    path.write_bytes(new_file)
    with postgresql_database() as url, open_database(postgresql_config(url)) as connection:
        run_startup(using=connection.alias)
        with connection.cursor() as cursor:
            names = connection.introspection.table_names(cursor)
            assert sorted(names) == [name for name in file_contents.table_names(path) if not is_derived(name)]
            for table in LEGACY_TABLES:
                cursor.execute(COLUMNS, [table])
                required = required_columns(path, table)
                if table == "prompts":  # may be in no project, in files of PromptForge's last release and here
                    required["project_id"] = False
                assert dict(cursor.fetchall()) == required
                cursor.execute(INDEXES, [table])
                wanted = file_contents.index_columns(path, table)
                if table == "optimizations":  # SQLite's indexes all end with the row's number
                    others = [column for column in INDEXED_SORTS if column != "created_at"]
                    wanted |= {f"ix_{table}_{column}": [column, "id"] for column in others}
                assert dict(cursor.fetchall()) == wanted
                cursor.execute(FOREIGN_KEYS, [table])
                assert set(cursor.fetchall()) == foreign_keys(path, table)


COLUMNS = "SELECT column_name, is_nullable = 'NO' FROM information_schema.columns WHERE table_name = %s"
INDEXES = """
    SELECT i.relname, array_agg(a.attname ORDER BY k.place)
    FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
    WHERE x.indrelid = %s::regclass AND NOT x.indisunique
    GROUP BY i.relname
"""
FOREIGN_KEYS = """
    SELECT a.attname, c.confrelid::regclass::text, c.confdeltype::text
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.conrelid = %s::regclass AND c.contype = 'f'
"""
ON_DELETE = {b"CASCADE": "c", b"SET NULL": "n"}


def required_columns(path: Path, table: str) -> dict[str, bool]:
    with file_contents.reading(path) as raw:
        rows = raw.execute(f"PRAGMA table_info({table})").fetchall()
    return {name.decode(): bool(required or key) for _, name, _, required, _, key in rows}


def foreign_keys(path: Path, table: str) -> set[tuple[str, str, str]]:
    with file_contents.reading(path) as raw:
        rows = raw.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    return {(row[3].decode(), row[2].decode(), ON_DELETE[row[6]]) for row in rows}
