"""`move_to`: a SQLite file becomes a PostgreSQL database that holds the same, however often it is interrupted."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptadmin.ops.postgresql_move.errors import MoveError
from promptadmin.ops.postgresql_move.values import (
    CONVERTERS,
    Column,
    Digest,
    NoValueError,
    Undecodable,
    original,
    read_text,
)
from tests.conftest import Command
from tests.support import file_contents
from tests.support.legacy_files import SAMPLE_NAMES
from tests.support.moves import SMALL_BATCHES, kill_within_a_table
from tests.support.processes import Scratch
from tests.support.rounds import KILLS, SAMPLES
from tests.support.services import needs_legacy_files, needs_postgresql, postgresql_database

TABLES = ("projects", "prompts", "prompt_versions", "optimizations")
WILD = """
    UPDATE projects SET description = CAST(x'00ff' AS TEXT), context_profile = x'7b7d';
    UPDATE prompts SET content = 'a' || char(0) || 'b', created_at = 'long ago';
    UPDATE optimizations SET overall_score = 'n/a', input_tokens = 99999999999, duration_ms = 1.5;
    UPDATE optimizations SET title = hex(randomblob(6000)), task_type = 'ü' || hex(randomblob(6000))
    WHERE rowid = (SELECT MIN(rowid) FROM optimizations);
"""


@pytest.fixture
def target() -> Iterator[str]:
    with postgresql_database() as url:
        yield url


def ask(url: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-c timezone=UTC") as server:
        return server.execute(query, parameters).fetchall()


def assert_same(path: Path, url: str) -> int:
    """Hold each value of the four tables against PostgreSQL's, and what was kept beside; returns how many were."""
    has_kept = ask(url, "SELECT to_regclass('promptadmin_kept_values') IS NOT NULL")[0][0]
    for table in TABLES:
        names = file_contents.columns(path, table)
        listed = ", ".join(f'"{name}"' for name in names)
        stored = {row[0]: row for row in sqlite_rows(path, f"SELECT {listed} FROM {table}")}
        kept = {}
        if has_kept:
            query = "SELECT row_key, column_name, storage, value FROM promptadmin_kept_values WHERE table_name = %s"
            kept = {(key, name): (storage, value) for key, name, storage, value in ask(url, query, table)}
        found = ask(url, f"SELECT {listed} FROM {table}")
        assert len(found) == len(stored)
        for row in found:
            for name, moved, old in zip(names, row, stored[row[0]], strict=True):
                if (row[0], name) in kept:
                    storage, value = kept[row[0], name]
                    assert original(old) == original(read_text(value) if storage == "text" else old)
                    assert storage == original(old).storage
                elif isinstance(moved, dt.datetime):
                    parsed = dt.datetime.fromisoformat(old.strip())
                    assert moved == (parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC))
                else:
                    assert moved == old, (table, name, row[0])
    return ask(url, "SELECT COUNT(*) FROM promptadmin_kept_values")[0][0] if has_kept else 0


def sqlite_rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        raw.text_factory = read_text
        return raw.execute(query).fetchall()


@needs_postgresql
@needs_legacy_files
@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_an_adopted_sample_is_the_same_in_postgresql(
    scratch: Scratch, command: Command, adopted_sample: Callable[[str], bytes], target: str, name: str
) -> None:
    """Every value, also those that PostgreSQL's columns can't hold; the file stays as it was, byte for byte."""
    path = scratch.database
    path.write_bytes(adopted_sample(name))
    if name == "dirty":
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(WILD)
            raw.execute("CREATE TABLE odd (a, b TEXT, PRIMARY KEY (a)) WITHOUT ROWID")
            raw.execute("INSERT INTO odd VALUES (1, 'x'), ('two', CAST(x'ff' AS TEXT))")
            raw.execute("CREATE VIEW seen AS SELECT 1")
            raw.execute("CREATE TABLE promptadmin_derived_sums (a)")
            raw.execute("INSERT INTO promptadmin_derived_sums VALUES (1)")
            raw.execute(
                "CREATE TRIGGER promptadmin_derived_sums_odd AFTER INSERT ON odd "
                "BEGIN DELETE FROM promptadmin_derived_sums; END"
            )
            raw.commit()
    before = file_contents.dump(path)
    moved = command("move_to", target)
    assert moved.returncode == 0, moved.stderr
    assert file_contents.dump(path) == before
    kept = assert_same(path, target)
    assert (kept > 0) == (name == "dirty")
    if name == "dirty":
        assert "not moved, because PostgreSQL has no such thing: view seen" in moved.stdout
        assert "derived" not in moved.stdout
        assert ask(target, "SELECT to_regclass('promptadmin_derived_sums')") == [(None,)]
        assert sorted(ask(target, "SELECT a, b FROM odd")) == [
            ("integer:31", "text:78"),
            ("text:74776F", "text:FF"),
        ]
    assert ask(target, "SELECT to_regclass('promptadmin_move')") == [(None,)]
    again = command("move_to", target)
    assert again.returncode == 1
    assert "isn't empty" in again.stderr


@needs_postgresql
@needs_legacy_files
@pytest.mark.parametrize("name", SAMPLES)
def test_a_move_killed_at_any_moment_goes_on_where_it_was(
    scratch: Scratch, adopted_sample: Callable[[str], bytes], target: str, name: str
) -> None:
    """First within a table. One that is done, which the next one refuses, makes way for one into another database.

    With other plugins, whose tables would be others, it doesn't go on.
    """
    chance = random.Random("move_to")
    path = scratch.database
    path.write_bytes(adopted_sample(name))
    if name == "dirty":
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(WILD)
    kills, wanted = 1, KILLS if name == "full" else min(KILLS, 2)
    with contextlib.ExitStack() as databases:
        kill_within_a_table(scratch, target, "optimizations")
        (copied,) = ask(target, "SELECT COUNT(*) FROM optimizations")[0]
        assert 0 < copied < sqlite_rows(path, "SELECT COUNT(*) FROM optimizations")[0][0]
        fewer = scratch.manage("move_to", target, PROMPTADMIN_PLUGINS="projects,optimizations")
        assert fewer.returncode == 1
        assert "The move began with the plugins comments,optimizations,projects,registry" in fewer.stderr
        is_moved(scratch, path, target, *SMALL_BATCHES)
        target = databases.enter_context(postgresql_database())
        while kills < wanted:
            process = scratch.start("move_to", target, *SMALL_BATCHES)
            try:
                _, errors = process.communicate(timeout=chance.uniform(0.3, 1.8))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
            else:
                assert process.returncode == 0 or "isn't empty" in errors, errors
                assert_same(path, target)
                target = databases.enter_context(postgresql_database())
        is_moved(scratch, path, target)


def is_moved(scratch: Scratch, path: Path, target: str, *options: str) -> None:
    """After one more move, whether or not there was something left to do."""
    done = scratch.manage("move_to", target, *options)
    assert done.returncode == 0 or "isn't empty" in done.stderr, done.stderr
    assert_same(path, target)
    # Keys go on after those that were moved.
    (last,) = ask(target, "SELECT MAX(id) FROM auth_permission")[0]
    assert ask(target, "SELECT nextval(pg_get_serial_sequence('auth_permission', 'id'))") == [(last + 1,)]


@needs_postgresql
def test_what_must_not_be_moved_changes_nothing(
    scratch: Scratch, command: Command, target: str, new_file: bytes
) -> None:
    """A used target, a locked or legacy file, an engine that is none, a server that is away: one line, exit code 1."""
    scratch.database.write_bytes(new_file)
    before = file_contents.digest(scratch.database)

    def refused(*arguments: str, **variables: str) -> str:
        answer = scratch.manage("move_to", *arguments, **variables) if variables else command("move_to", *arguments)
        assert answer.returncode == 1, answer.stdout
        assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
        return answer.stderr

    assert "DATABASE_URL" in refused("nonsense")
    assert "Only PostgreSQL" in refused("sqlite:////tmp/other.db")
    assert "at least one row" in refused(target, "--rows-a-batch", "0")
    assert "PostgreSQL refused" in refused("postgresql://postgres@127.0.0.1:9/nope")
    assert "Only a SQLite file" in refused(target, DATABASE_URL=target)
    with closing(sqlite3.connect(scratch.database, isolation_level=None)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        assert "stop the server" in refused(target)
    assert ask(target, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public'") == [(0,)]
    with psycopg.connect(target, autocommit=True) as server:
        server.execute("CREATE TABLE somebody (id integer)")
    assert "isn't empty" in refused(target)
    assert file_contents.digest(scratch.database) == before


VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(), st.binary(max_size=20),
    st.binary(max_size=20).map(read_text),
    st.sampled_from(["2024-01-01", "2024-01-01T10:00:00+02:00", "0", "true", '{"a": 1}', "127.0.0.1", "\0"]),
)  # fmt: skip


@given(value=VALUES, kind=st.sampled_from(sorted(CONVERTERS)), nullable=st.booleans(), listed=st.booleans())
def test_a_column_takes_a_value_or_says_that_it_does_not(value: Any, kind: str, nullable: bool, listed: bool) -> None:
    """Whatever SQLite holds: it is converted, or there is something that the column can show in its place."""
    column = Column("c", kind, nullable, listed)
    try:
        column.convert(value)
    except NoValueError:
        shown = column.nearest(value)
        assert nullable or shown is not None or kind == "jsonb"
        assert "\0" not in str(shown)
        assert original(value).storage in ("text", "blob", "integer", "real")


def test_digests_see_every_difference_but_order() -> None:
    rows = [["a", 1, None], ["b", 2, "x"]]

    def digest(of: list[list[Any]]) -> Digest:
        made = Digest()
        for row in of:
            made.add(row)
        return made

    assert digest(rows) == digest(rows[::-1])
    others: list[list[list[Any]]] = [
        [["a", 1, None]],
        [["a", 1, None]] * 2,
        [["a", 1, ""], ["b", 2, "x"]],
        [["a", "1", None], rows[1]],
    ]
    for other in others:
        assert digest(other) != digest(rows)
    assert original(Undecodable(b"\xff")) != original(b"\xff")


def test_a_column_of_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(MoveError, match=r"position.*point"):
        Column("position", "point", True)
