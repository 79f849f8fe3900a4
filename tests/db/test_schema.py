"""The adopting operations, forwards twice and backwards twice, on both engines."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.optimizer import MigrationOptimizer
from django.db.migrations.state import ProjectState

from promptadmin.db.fields import NamedIndex, Text
from promptadmin.db.schema import AdoptField, AdoptIndex, AdoptModel, DropIndex, ForeignShapeError, FormerIndex
from tests.conftest import OpenDatabase
from tests.support.django_databases import postgresql_config, sqlite_config
from tests.support.sent_sql import changes, sent_sql
from tests.support.services import needs_postgresql, postgresql_database, why_no_postgresql

APP = "projects"  # any application with models; the operations' own tables are made here
MODEL = AdoptModel(
    name="Thing",
    fields=[("id", Text(primary_key=True)), ("name", Text()), ("note", Text(null=True))],
    options={"db_table": "things"},
)
FIELD = AdoptField(model_name="thing", name="colour", field=Text(null=True))
DROP = DropIndex(model_name="thing", index=NamedIndex(fields=["name", "note"], name="ix_things_name_note"))
INDEX = AdoptIndex(model_name="thing", index=NamedIndex(fields=["name", "note"], name="ix_things_name_note"))
FOREIGN_KEY = AdoptField(
    model_name="thing", name="parent", field=models.ForeignKey("projects.thing", models.DO_NOTHING, null=True)
)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """One PostgreSQL database for the tests of this module."""
    if why_no_postgresql():
        yield ""  # the tests that use it are skipped
        return
    with postgresql_database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def connection(
    request: pytest.FixtureRequest, open_database: OpenDatabase, tmp_path: Path, postgresql: str
) -> Iterator[BaseDatabaseWrapper]:
    """An empty database of either engine."""
    config = sqlite_config(tmp_path / "things.db") if request.param == "sqlite" else postgresql_config(postgresql)
    with open_database(config) as connection:
        execute(connection, "DROP TABLE IF EXISTS things")
        yield connection
        execute(connection, "DROP TABLE IF EXISTS things")


def execute(connection: BaseDatabaseWrapper, sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def states(operation: Operation, *earlier: Operation) -> tuple[ProjectState, ProjectState]:
    """The states before and after an operation that follows earlier ones."""
    before = ProjectState()
    for each in earlier:
        each.state_forwards(APP, before)
    after = before.clone()
    operation.state_forwards(APP, after)
    return before, after


def forwards(connection: BaseDatabaseWrapper, operation: Operation, *earlier: Operation) -> list[str]:
    """Run an operation; the statements that change something."""
    before, after = states(operation, *earlier)
    with sent_sql(connection) as statements, connection.schema_editor() as editor:
        operation.database_forwards(APP, editor, before, after)
    return changes(statements)


def backwards(connection: BaseDatabaseWrapper, operation: Operation, *earlier: Operation) -> list[str]:
    """Undo an operation; the statements that change something."""
    before, after = states(operation, *earlier)
    with sent_sql(connection) as statements, connection.schema_editor() as editor:
        operation.database_backwards(APP, editor, after, before)
    return changes(statements)


def columns(connection: BaseDatabaseWrapper) -> list[str]:
    with connection.cursor() as cursor:
        return [column.name for column in connection.introspection.get_table_description(cursor, "things")]


def tables(connection: BaseDatabaseWrapper) -> list[str]:
    return connection.introspection.table_names()


def indexes(connection: BaseDatabaseWrapper) -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "things")
    return {name: each["columns"] for name, each in found.items() if each["index"] and not each["unique"]}


# ---------------------------------------------------------------- tables


def test_adopt_model_makes_a_table_once(connection: BaseDatabaseWrapper) -> None:
    assert len(forwards(connection, MODEL)) == 1
    assert forwards(connection, MODEL) == []
    assert columns(connection) == ["id", "name", "note"]


def test_adopt_model_drops_an_empty_table_once(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    assert len(backwards(connection, MODEL)) == 1
    assert backwards(connection, MODEL) == []
    assert "things" not in tables(connection)


def test_adopt_model_leaves_a_table_with_rows(
    connection: BaseDatabaseWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    """Backwards with a warning, forwards again without a word."""
    forwards(connection, MODEL)
    execute(connection, "INSERT INTO things VALUES ('a', 'b', NULL)")
    with caplog.at_level(logging.WARNING):
        assert backwards(connection, MODEL) == []
    assert "things" in caplog.text
    assert forwards(connection, MODEL) == []
    assert execute(connection, "SELECT * FROM things") == [("a", "b", None)]


def test_adopt_model_adds_the_nullable_columns_that_a_table_lacks(connection: BaseDatabaseWrapper) -> None:
    """What the table has beside is kept."""
    execute(connection, "CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, odd TEXT)")
    execute(connection, "INSERT INTO things VALUES ('a', 'b', 'c')")
    [sql] = forwards(connection, MODEL)
    assert "ADD COLUMN" in sql
    assert forwards(connection, MODEL) == []
    assert execute(connection, "SELECT id, name, odd, note FROM things") == [("a", "b", "c", None)]


def test_adopt_model_refuses_a_table_without_a_required_column(connection: BaseDatabaseWrapper) -> None:
    execute(connection, "CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, note TEXT)")
    with pytest.raises(ForeignShapeError, match="things lacks name"):
        forwards(connection, MODEL)
    assert columns(connection) == ["id", "note"]


# ---------------------------------------------------------------- columns


def test_adopt_field_adds_a_column_once(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    assert len(forwards(connection, FIELD, MODEL)) == 1
    assert forwards(connection, FIELD, MODEL) == []
    assert columns(connection)[-1] == "colour"


def test_adopt_field_drops_an_empty_column_once(connection: BaseDatabaseWrapper) -> None:
    """Without a rebuild, and with the rows."""
    forwards(connection, MODEL)
    execute(connection, "INSERT INTO things VALUES ('a', 'b', 'c')")
    forwards(connection, FIELD, MODEL)
    [sql] = backwards(connection, FIELD, MODEL)
    assert "DROP COLUMN" in sql
    assert backwards(connection, FIELD, MODEL) == []
    assert execute(connection, "SELECT * FROM things") == [("a", "b", "c")]


def test_adopt_field_leaves_a_column_with_values(
    connection: BaseDatabaseWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    """Backwards with a warning, forwards again without a word."""
    forwards(connection, MODEL)
    forwards(connection, FIELD, MODEL)
    execute(connection, "INSERT INTO things (id, name, colour) VALUES ('a', 'b', 'red')")
    with caplog.at_level(logging.WARNING):
        assert backwards(connection, FIELD, MODEL) == []
    assert "things.colour" in caplog.text
    assert forwards(connection, FIELD, MODEL) == []
    assert execute(connection, "SELECT colour FROM things") == [("red",)]


def test_adopt_field_leaves_an_empty_foreign_key_on_sqlite(connection: BaseDatabaseWrapper) -> None:
    """SQLite can't drop it without a rebuild; PostgreSQL can."""
    forwards(connection, MODEL)
    forwards(connection, FOREIGN_KEY, MODEL)
    backwards(connection, FOREIGN_KEY, MODEL)
    backwards(connection, FOREIGN_KEY, MODEL)
    assert ("parent_id" in columns(connection)) == (connection.vendor == "sqlite")
    forwards(connection, FOREIGN_KEY, MODEL)
    forwards(connection, FOREIGN_KEY, MODEL)
    assert columns(connection).count("parent_id") == 1


def test_adopt_field_without_its_table(connection: BaseDatabaseWrapper) -> None:
    """Backwards where the table is gone already."""
    assert backwards(connection, FIELD, MODEL) == []


def test_adopt_field_takes_nullable_columns_only() -> None:
    with pytest.raises(ValueError, match=r"thing\.weight must be nullable"):
        AdoptField(model_name="thing", name="weight", field=models.IntegerField(default=1))


# ---------------------------------------------------------------- indexes


def test_adopt_index_makes_an_index_once(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    assert len(forwards(connection, INDEX, MODEL)) == 1
    assert forwards(connection, INDEX, MODEL) == []
    assert indexes(connection) == {"ix_things_name_note": ["name", "note"]}


def test_adopt_index_drops_an_index_once(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    forwards(connection, INDEX, MODEL)
    assert len(backwards(connection, INDEX, MODEL)) == 1
    assert backwards(connection, INDEX, MODEL) == []
    assert indexes(connection) == {}


def test_adopt_index_leaves_one_of_its_name_over_other_columns(
    connection: BaseDatabaseWrapper, caplog: pytest.LogCaptureFixture
) -> None:
    forwards(connection, MODEL)
    execute(connection, "CREATE INDEX ix_things_name_note ON things (note)")
    with caplog.at_level(logging.WARNING):
        assert forwards(connection, INDEX, MODEL) == []
    assert "ix_things_name_note" in caplog.text
    assert indexes(connection) == {"ix_things_name_note": ["note"]}


def test_adopt_index_without_its_table(connection: BaseDatabaseWrapper) -> None:
    """Backwards where the table is gone already."""
    assert backwards(connection, INDEX, MODEL) == []


def test_drop_index_drops_an_index_once_and_makes_it_again(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    forwards(connection, INDEX, MODEL)
    assert len(forwards(connection, DROP, MODEL, INDEX)) == 1
    assert forwards(connection, DROP, MODEL, INDEX) == []
    assert indexes(connection) == {}
    assert len(backwards(connection, DROP, MODEL, INDEX)) == 1
    assert backwards(connection, DROP, MODEL, INDEX) == []
    assert indexes(connection) == {"ix_things_name_note": ["name", "note"]}


def test_drop_index_drops_one_that_ends_with_the_key(connection: BaseDatabaseWrapper) -> None:
    """As those of PostgreSQL may."""
    forwards(connection, MODEL)
    execute(connection, "CREATE INDEX ix_things_name_note ON things (name, note, id)")
    assert len(forwards(connection, DROP, MODEL, INDEX)) == 1
    assert indexes(connection) == {}


def test_drop_index_leaves_one_of_its_name_over_other_columns(connection: BaseDatabaseWrapper) -> None:
    forwards(connection, MODEL)
    execute(connection, "CREATE INDEX ix_things_name_note ON things (note)")
    assert forwards(connection, DROP, MODEL, INDEX) == []
    assert indexes(connection) == {"ix_things_name_note": ["note"]}


def test_a_former_index_is_not_made_but_dropped(connection: BaseDatabaseWrapper) -> None:
    former = FormerIndex(model_name="thing", index=INDEX.index)
    forwards(connection, MODEL)
    assert forwards(connection, former, MODEL) == []
    forwards(connection, INDEX, MODEL)
    assert len(backwards(connection, former, MODEL)) == 1
    assert indexes(connection) == {}


# ---------------------------------------------------------------- squashing


def test_the_optimiser_keeps_every_adopting_operation() -> None:
    """Merged into a plain CreateModel, they would no longer look first."""
    plain = migrations.AddField(model_name="thing", name="weight", field=models.IntegerField(null=True))
    operations: list[Operation] = [MODEL, FIELD, INDEX, plain]
    optimised = MigrationOptimizer().optimize(operations, APP)
    assert [type(each) for each in optimised[:3]] == [AdoptModel, AdoptField, AdoptIndex]
    assert len(optimised) == 4
