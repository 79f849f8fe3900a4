"""The search index of a SQLite file says what the rows say, whoever writes them, and whatever happens to it."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizations.repository import OptimizationRepository, RunFilters
from optimizations.search_index import RUNS, index_runs
from projects.search_index import index_prompts, index_versions
from promptadmin.db.sessions import read_session
from promptadmin.search import building, candidate_filter, index_file, ranking
from promptadmin.search.index_file import index_path
from tests.conftest import OpenFile
from tests.optimizations.searched_files import (
    add_run,
    containing,
    index_everything,
    plainly_containing,
    plainly_with_words,
    with_words,
    write,
)
from tests.support.rounds import SEARCH_EXAMPLES

# Letters whose case is folded in other ways than one for one, and what a query or a pattern may take for more.
LETTERS = "abß ẞﬁFIKkς%_\\*\"'-é日本\x00e\u0301中文가각ᄀ\u1161กุ์カ\u3099"
texts = st.text(LETTERS, max_size=8)
ROWS = st.integers(1, 6)
NUMBERS = st.one_of(ROWS, st.sampled_from([-(2**63), -5, 0, 2**40 - 1, 2**40, 2**40 + 3, 2**63 - 2]))

# As the program `sqlite3` does it: pysqlite3 has no iterdump(), but Python's own has.
DUMP_AND_RESTORE = """
import sqlite3, sys
made = sqlite3.connect(sys.argv[2])
made.executescript("\\n".join(sqlite3.connect(sys.argv[1]).iterdump()))
made.close()
"""

_numbers = itertools.count()

Operation = tuple[Any, ...]
operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.one_of(
        st.tuples(st.just("add"), ROWS, texts),
        st.tuples(st.just("replace"), ROWS, texts),
        st.tuples(st.just("change"), ROWS, texts),
        st.tuples(st.just("rename"), ROWS, ROWS),
        st.tuples(st.just("renumber"), ROWS, NUMBERS),
        st.tuples(st.just("replace by number"), ROWS, ROWS, texts),
        st.tuples(st.just("delete"), ROWS),
        st.tuples(st.just("vacuum")),
        st.tuples(st.just("back up")),
        st.tuples(st.just("bring back")),
        st.tuples(st.just("restore")),
        st.tuples(st.just("rebuild")),
        st.tuples(st.just("index")),
        st.tuples(st.just("index")),
        st.tuples(st.just("killed")),
    ),
    max_size=14,
)


@pytest.fixture
def path(tmp_path: Path, new_file: bytes) -> Path:
    """A new database."""
    file = tmp_path / "searched.db"
    file.write_bytes(new_file)
    return file


@pytest.fixture
def database(path: Path, open_file: OpenFile) -> Iterator[BaseDatabaseWrapper]:
    """The same, open."""
    with open_file(path) as connection:
        yield connection


def is_known(connection: BaseDatabaseWrapper) -> bool:
    """Whether searches ask the index."""
    with read_session(connection.alias), index_file.known_index(connection, RUNS) as known:
        return known is not None


class Killed(BaseException):
    """Stands for the end of the process."""


@settings(max_examples=SEARCH_EXAMPLES)
@given(
    done=operations, needle=st.text(LETTERS.replace("\x00", ""), min_size=1, max_size=5), few=st.sampled_from([0, 9])
)
def test_whatever_is_done_the_search_finds_what_a_look_at_every_row_does(
    done: list[Operation],
    needle: str,
    few: int,
    path: Path,
    open_file: OpenFile,
) -> None:
    """By programs that know nothing of the index, during its making and after; few and many rows, killed pieces."""
    new = path.read_bytes()
    path = path.with_name(f"{next(_numbers)}.db")
    path.write_bytes(new)
    with open_file(path) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "CHANGES_A_PIECE", 2)
        patch.setattr(candidate_filter, "FEW", few)
        patch.setattr(ranking, "GROUPS", (1, 2))
        for operation in done:
            perform(operation, path, connection, open_file)
            connection.ensure_connection()
            assert containing(connection.alias, needle) == plainly_containing(path, needle)
        for status in ("completed", "error"):
            assert containing(connection.alias, needle, status=status) == plainly_containing(
                path, needle, status=status
            )
        for query in (needle.replace("*", " ").replace('"', " "), "a", "日本 b", "F-F", "中文", "กุ", "가"):
            assert with_words(connection.alias, query) == plainly_with_words(path, query)


def perform(operation: Operation, path: Path, connection: BaseDatabaseWrapper, open_file: OpenFile) -> None:
    """One thing that somebody does to the file."""
    name, *values = operation
    if name == "index":
        index_everything(connection.alias)
    elif name == "killed":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(building.Writer, "settle", _killed)
            try:
                index_everything(connection.alias)
            except Killed:
                connection.close()
    elif name == "vacuum":
        write_alone(path, "VACUUM")
    elif name == "back up":
        with closing(sqlite3.connect(path)) as raw, closing(sqlite3.connect(path.with_name("backup.db"))) as backup:
            raw.backup(backup)
    elif name == "bring back":
        if path.with_name("backup.db").exists():
            connection.close()
            replace(path, path.with_name("backup.db"))
    elif name == "restore":
        connection.close()
        subprocess.run([sys.executable, "-c", DUMP_AND_RESTORE, path, path.with_name("dumped.db")], check=True)
        replace(path, path.with_name("dumped.db"))
    elif name == "rebuild":  # as another program's migration does it: our triggers are gone
        with closing(sqlite3.connect(path, timeout=10)) as raw:
            raw.executescript(
                "BEGIN; CREATE TABLE rebuilt AS SELECT * FROM optimizations ORDER BY raw_prompt; "
                "DROP TRIGGER IF EXISTS promptadmin_derived_search_optimizations_changed; "
                "DROP TRIGGER IF EXISTS promptadmin_derived_search_optimizations_deleted; "
                "DELETE FROM optimizations; INSERT INTO optimizations SELECT * FROM rebuilt; DROP TABLE rebuilt; COMMIT"
            )
    else:
        sql, parameters = STATEMENTS[name](*values)
        try:
            write(path, sql, parameters)
        except sqlite3.IntegrityError:
            return


def replace(path: Path, by: Path) -> None:
    """Put another file in the place of a closed one."""
    by.replace(path)
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)


def _killed(*args: Any) -> None:
    raise Killed


def _insert(verb: str) -> Any:
    columns = "(id, raw_prompt, status, created_at, title, tags)"
    return lambda row, text: (
        f"{verb} INTO optimizations {columns} VALUES (?, ?, ?, '2026-01-01 00:00:00', ?, ?)",
        [
            f"run {row}",
            text,
            "completed" if row % 2 else "error",
            text[::-1],
            '["a\\u00df", "%"]' if row == 3 else None,
        ],
    )


STATEMENTS: dict[str, Any] = {
    "add": _insert("INSERT OR IGNORE"),
    "replace": _insert("INSERT OR REPLACE"),
    "replace by number": lambda number, row, text: (
        "INSERT OR REPLACE INTO optimizations (rowid, id, raw_prompt, status, created_at) "
        "VALUES (?, ?, ?, 'completed', '2026-01-01 00:00:00')",
        [number, f"run {row}", text],
    ),
    "change": lambda row, text: ("UPDATE optimizations SET raw_prompt = ? WHERE id = ?", [text, f"run {row}"]),
    "rename": lambda row, to: ("UPDATE OR REPLACE optimizations SET id = ? WHERE id = ?", [f"run {to}", f"run {row}"]),
    "renumber": lambda row, to: ("UPDATE OR REPLACE optimizations SET rowid = ? WHERE id = ?", [to, f"run {row}"]),
    "delete": lambda row: ("DELETE FROM optimizations WHERE id = ?", [f"run {row}"]),
}


def write_alone(path: Path, sql: str) -> None:
    """A statement that takes no transaction."""
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as raw:
        raw.execute(sql)


def test_the_index_is_asked_once_it_is_there_and_says_the_same(database: BaseDatabaseWrapper, path: Path) -> None:
    """Otherwise nothing here would prove anything: rows are found by the index alone."""
    for number in range(30):
        add_run(path, f"run {number}", f"Common words and number{number}", project="Straße", title="İzmir")
    assert not is_known(database)
    before = {text: containing(database.alias, text) for text in ("number2", "strasse", "mmo", "İZM", "no", "zz")}
    assert index_everything(database.alias) == 30
    assert is_known(database)
    assert {text: containing(database.alias, text) for text in before} == before
    assert with_words(database.alias, "number7 COMMON") == {"run 7"}
    with closing(sqlite3.connect(index_path(path))) as raw, raw:
        raw.execute("INSERT INTO optimizations_words(optimizations_words) VALUES ('delete-all')")
        raw.execute("INSERT INTO optimizations_parts(optimizations_parts) VALUES ('delete-all')")
    assert with_words(database.alias, "number7") == containing(database.alias, "number2") == set()


def test_a_row_is_found_at_once_when_another_program_writes_it(database: BaseDatabaseWrapper, path: Path) -> None:
    add_run(path, "a", "first text")
    index_everything(database.alias)
    add_run(path, "b", "second text")
    write(path, "UPDATE optimizations SET raw_prompt = 'third text' WHERE id = 'a'")
    assert with_words(database.alias, "second") == containing(database.alias, "second") == {"b"}
    assert with_words(database.alias, "third") == containing(database.alias, "third") == {"a"}
    assert with_words(database.alias, "first") == containing(database.alias, "first") == set()


def test_common_texts_are_counted_right(
    database: BaseDatabaseWrapper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index for certain, and by the rows that changed since; `containing` compares the number with the rows."""
    monkeypatch.setattr(candidate_filter, "FEW", 3)
    for number in range(30):
        status = "completed" if number % 2 else "error"
        add_run(path, f"run {number}", f"common words and number{number}", status=status)
    index_everything(database.alias)
    write(path, "UPDATE optimizations SET raw_prompt = 'other words' WHERE id IN ('run 1', 'run 2')")
    write(path, "UPDATE optimizations SET id = 'renamed', title = 'common' WHERE id = 'run 3'")
    write(path, "DELETE FROM optimizations WHERE id IN ('run 4', 'run 5')")
    add_run(path, "new", "common")
    for _ in range(2):
        assert is_known(database)
        for text in ("common", "mmo", "com", "word", "ommo"):
            for filters in ({}, {"status": "error"}):
                assert containing(database.alias, text, **filters) == plainly_containing(path, text, **filters)
            assert containing(database.alias, text, min_score=0.5) == set()
        index_everything(database.alias)


@pytest.mark.parametrize("key", ["a\x00b", "\x01\n", '"quoted\\', "ключ 🙂", "\ufffd", "17", "a" * 5000])
def test_rows_are_found_whatever_their_keys_are(database: BaseDatabaseWrapper, path: Path, key: str) -> None:
    """Keys go to the index and come back as texts."""
    add_run(path, "other", "otherword")
    add_run(path, key, "needle")
    for _ in range(2):
        assert containing(database.alias, "needle") == with_words(database.alias, "needle") == {key}
        index_everything(database.alias)
    assert is_known(database)


@pytest.mark.parametrize("key", ["x'4142'", "CAST(x'ff41' AS TEXT)"])
def test_a_key_that_is_no_text_keeps_no_other_row_from_being_found(
    database: BaseDatabaseWrapper, path: Path, key: str
) -> None:
    """Nobody can ask for the row itself by such a key."""
    columns = "(id, raw_prompt, status, created_at)"
    for stored in (key, "'AB'", "CAST(x'efbfbd41' AS TEXT)"):  # the texts that it may be taken for
        write(path, f"INSERT INTO optimizations {columns} VALUES ({stored}, 'word', 'error', '2026-01-01 00:00:00')")
    index_everything(database.alias)
    assert is_known(database)
    with read_session(database.alias):
        found = OptimizationRepository(database.alias).search("word", kinds=["run"])
    assert {item.id for item in found.items} == {"AB", "\ufffdA"}


def test_an_index_of_an_earlier_release_is_made_anew_once(database: BaseDatabaseWrapper, path: Path) -> None:
    """What that release kept in the database goes as well, table by table, and no write fails meanwhile."""
    add_run(path, "a", "some text")
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(FORMER)
    with closing(sqlite3.connect(index_path(path))) as raw:
        raw.executescript("PRAGMA user_version = 3; CREATE TABLE places (name TEXT PRIMARY KEY, mark INTEGER NOT NULL)")
    assert containing(database.alias, "some text") == with_words(database.alias, "text") == {"a"}
    for job in (index_runs, index_runs, index_prompts, index_versions):
        job(database.alias)
        write(path, "UPDATE optimizations SET raw_prompt = raw_prompt || ' more'")
        write(path, "DELETE FROM prompts")
    assert index_everything(database.alias) == 1
    assert is_known(database)
    assert with_words(database.alias, "more") == {"a"}
    with closing(sqlite3.connect(path)) as raw:
        names = " ".join(name for (name,) in raw.execute("SELECT name || COALESCE(sql, '') FROM sqlite_master"))
    assert "promptadmin_derived_search_optimizations" in names
    assert "search_state" not in names
    assert "search_changes" not in names


FORMER = """
    CREATE TABLE promptadmin_derived_search_state (name TEXT PRIMARY KEY, mark INTEGER NOT NULL);
    CREATE TABLE promptadmin_derived_search_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, row INTEGER);
    CREATE TRIGGER promptadmin_derived_search_optimizations_added AFTER INSERT ON optimizations
    WHEN NEW.rowid <= (SELECT mark FROM promptadmin_derived_search_state WHERE name = 'optimizations')
    BEGIN INSERT INTO promptadmin_derived_search_changes (name, row) VALUES ('optimizations', NEW.rowid); END;
    CREATE TRIGGER promptadmin_derived_search_prompts_deleted AFTER DELETE ON prompts
    WHEN OLD.rowid <= (SELECT mark FROM promptadmin_derived_search_state WHERE name = 'prompts')
    BEGIN INSERT INTO promptadmin_derived_search_changes (name, row) VALUES ('prompts', OLD.rowid); END;
"""


def test_rows_that_a_dump_numbered_anew_are_found_though_the_schema_has_the_same_version(
    path: Path, open_file: OpenFile
) -> None:
    """A file made from a dump has the version that its statements make: twice the same."""
    for number in range(1, 13):
        add_run(path, f"run {number}", f"text word{number}")
    with open_file(path) as connection:
        index_everything(connection.alias)
        perform(("restore",), path, connection, open_file)
        connection.ensure_connection()
        index_everything(connection.alias)
        version = version_of(path)
        write(path, "DELETE FROM optimizations WHERE id = 'run 3'")
        index_everything(connection.alias)
        assert is_known(connection)
        perform(("restore",), path, connection, open_file)
        connection.ensure_connection()
        assert version_of(path) == version
        for _ in range(2):
            for number in (7, 8, 12):
                assert containing(connection.alias, f"word{number}") == {f"run {number}"}
                assert with_words(connection.alias, f"word{number}") == {f"run {number}"}
            index_everything(connection.alias)
        assert is_known(connection)


def version_of(path: Path) -> int:
    """The version of a file's schema."""
    with closing(sqlite3.connect(path)) as raw:
        return int(raw.execute("PRAGMA schema_version").fetchone()[0])


def test_the_index_goes_on_when_its_last_rows_are_changed_or_deleted(
    database: BaseDatabaseWrapper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It isn't made anew, which takes minutes for a million rows."""
    for number in range(40):
        add_run(path, f"run {number}", f"text word{number}")
    index_everything(database.alias)
    monkeypatch.setattr(building, "begin_log", _killed)
    for number in (39, 38, 37, 20, 0):
        write(path, "DELETE FROM optimizations WHERE id = ?", [f"run {number}"])
        assert is_known(database)
        assert with_words(database.alias, f"word{number}") == set()
        assert with_words(database.alias, "word36") == containing(database.alias, "word36") == {"run 36"}
        index_everything(database.alias)
    write(path, "UPDATE optimizations SET raw_prompt = 'other ' || raw_prompt WHERE rowid > 10")
    assert is_known(database)
    assert index_everything(database.alias) == 26
    assert len(with_words(database.alias, "other")) == 26


@pytest.mark.parametrize("number", [-(2**63), -5, 0, 2**40, 2**40 + 3, 2**63 - 1])
def test_rows_are_found_whatever_their_numbers_are(
    database: BaseDatabaseWrapper, path: Path, open_file: OpenFile, number: int
) -> None:
    """SQLite itself counts from 1 on; another program may choose any."""
    for name in ("first", "odd", "last"):
        add_run(path, name, f"{name}word")
    write(path, "UPDATE optimizations SET rowid = ? WHERE id = 'odd'", [number])
    index_everything(database.alias)
    for name in ("first", "odd", "last"):
        assert containing(database.alias, f"{name}word") == with_words(database.alias, f"{name}word") == {name}
    perform(("restore",), path, database, open_file)  # numbers them from 1 on
    database.ensure_connection()
    for _ in range(2):
        for name in ("first", "odd", "last"):
            assert containing(database.alias, f"{name}word") == with_words(database.alias, f"{name}word") == {name}
        index_everything(database.alias)
    assert is_known(database)


def test_a_search_reads_no_more_than_it_needs_of_a_change_of_all_rows(
    database: BaseDatabaseWrapper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As another program's UPDATE without a condition makes it: upkeep may need minutes for what it notes."""
    for number in range(300):
        add_run(path, f"run {number}", f"text word{number}")
    index_everything(database.alias)
    write(path, "UPDATE optimizations SET title = 'other'")
    monkeypatch.setattr(index_file, "MOST_CHANGES", 10)
    read: list[int] = []
    keys_after = index_file.keys_after

    def watched(*args: Any) -> list[tuple[int, str]]:
        read.append(len(found := keys_after(*args)))
        return found

    monkeypatch.setattr(index_file, "keys_after", watched)
    assert not is_known(database)
    assert with_words(database.alias, "other word7") == {"run 7"}
    assert containing(database.alias, "word299") == {"run 299"}
    assert read
    assert max(read) <= 11


def test_prompts_are_found_in_the_project_where_they_are_now(database: BaseDatabaseWrapper, path: Path) -> None:
    """The index knows the project of each prompt."""
    for key, name, parent in (("a", "One", None), ("b", "Two", "a")):
        columns = "id, name, status, parent_id, created_at, updated_at"
        write(path, f"INSERT INTO projects ({columns}) VALUES (?, ?, 'active', ?, 0, 0)", [key, name, parent])
        columns = "id, content, version, project_id, order_index, created_at, updated_at"
        write(path, f"INSERT INTO prompts ({columns}) VALUES (?, 'some word', 1, ?, 0, 0, 0)", [f"of {key}", key])
    index_everything(database.alias)

    def found(project: str) -> set[str]:
        with read_session(database.alias):
            repository = OptimizationRepository(database.alias)
            page = repository.search("word", kinds=["prompt"], filters=RunFilters(project=project))
        return {item.id for item in page.items}

    assert (found("One"), found("Two"), found("Three")) == ({"of a"}, {"of b"}, set())
    write(path, "UPDATE prompts SET project_id = 'a' WHERE id = 'of b'")
    for _ in range(2):
        assert (found("One"), found("Two")) == ({"of a", "of b"}, set())
        index_everything(database.alias)


def test_texts_that_are_no_utf8_are_found(database: BaseDatabaseWrapper, path: Path) -> None:
    add_run(path, "a", "x")
    write(path, "UPDATE optimizations SET raw_prompt = CAST(x'ff' || 'needle' AS TEXT), tags = '[\"\\ud800ab\"]'")
    write(path, "UPDATE optimizations SET title = 17, project = x'4142ff'")
    index_everything(database.alias)
    assert is_known(database)
    assert containing(database.alias, "needle") == with_words(database.alias, "needle") == {"a"}


def test_a_restored_database_is_not_taken_for_the_one_that_was_indexed(
    path: Path, open_file: OpenFile, tmp_path: Path
) -> None:
    """The index is newer than the rows: it knows of changes that they haven't seen."""
    add_run(path, "a", "text as it was")
    with open_file(path) as connection:
        index_everything(connection.alias)
    with closing(sqlite3.connect(path)) as raw, closing(sqlite3.connect(tmp_path / "backup.db")) as backup:
        raw.backup(backup)
    with open_file(path) as connection:
        for text in ("text in between", "text as it is"):
            write(path, "UPDATE optimizations SET raw_prompt = ?", [text])
            index_everything(connection.alias)
    (tmp_path / "backup.db").replace(path)
    with open_file(path) as connection:
        assert not is_known(connection)
        assert containing(connection.alias, "as it was") == {"a"}
        assert index_everything(connection.alias) == 1
        assert is_known(connection)
        assert with_words(connection.alias, "was") == {"a"}


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\x00" + bytes(4000)])
def test_a_damaged_index_is_made_anew(database: BaseDatabaseWrapper, path: Path, damage: bytes) -> None:
    add_run(path, "a", "some text")
    index_everything(database.alias)
    replaced = path.with_name("damaged")
    replaced.write_bytes(damage)
    for suffix in ("-wal", "-shm"):
        index_path(path).with_name(index_path(path).name + suffix).unlink(missing_ok=True)
    replaced.replace(index_path(path))
    assert containing(database.alias, "some text") == with_words(database.alias, "text") == {"a"}
    index_everything(database.alias)
    assert is_known(database)
    assert with_words(database.alias, "text") == {"a"}


def test_an_index_that_is_mostly_garbage_is_made_anew(
    database: BaseDatabaseWrapper, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "GARBAGE_IGNORED", 3)
    add_run(path, "a", "text 0")
    for number in range(1, 9):
        index_everything(database.alias)
        write(path, "UPDATE optimizations SET raw_prompt = ?", [f"text {number}"])
    index_everything(database.alias)
    with closing(sqlite3.connect(index_path(path))) as raw:
        assert raw.execute("SELECT documents FROM places WHERE name = 'optimizations'").fetchone()[0] < 8
    assert containing(database.alias, "text 8") == {"a"}
    assert containing(database.alias, "text 7") == set()


def test_a_program_without_fts5_can_write(database: BaseDatabaseWrapper, path: Path) -> None:
    """What is in the database itself is plain SQL: no virtual table, no function of ours."""
    add_run(path, "a", "some text")
    index_everything(database.alias)
    with closing(sqlite3.connect(path)) as raw:
        kinds = raw.execute("SELECT type FROM pragma_table_list WHERE schema = 'main'").fetchall()
        assert ("virtual",) not in kinds
        statements = " ".join(sql for (sql,) in raw.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))
    assert "fts" not in statements.lower()
    assert not any(name in statements for name in ("folded", "gen_random_uuid"))
    assert index_file.log_of(RUNS).startswith("promptadmin_derived_")
    assert (index_path(path).stat().st_mode & 0o777) == 0o600
