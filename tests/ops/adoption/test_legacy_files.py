"""PromptForge's sample files, from packed file to adopted database, as an operator would do it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Command
from tests.support import file_contents, legacy_files
from tests.support.processes import Scratch
from tests.support.services import needs_legacy_files

pytestmark = needs_legacy_files

OPTIONS = {"early": [], "full": [], "dirty": ["--repair-orphans"]}
LINKS = {"optimizations": "prompt_id", "prompt_versions": "optimization_id"}
STEPS = 8


@pytest.mark.parametrize("name", legacy_files.SAMPLE_NAMES)
def test_a_sample_ends_as_expected_and_a_second_start_changes_nothing(
    scratch: Scratch, command: Command, name: str
) -> None:
    """Expected rows, every other byte as it was, a sound file, a named backup equal to the original; then no change."""
    legacy = legacy_files.unpack(name, scratch.directory / "legacy.db")
    path = legacy_files.unpack(name, scratch.database)
    first = command("startup", *OPTIONS[name])
    assert (first.returncode, first.stderr) == (0, "")
    verdict = legacy_files.compare(name, legacy, path)
    assert verdict.stdout == "adoption agrees\n"
    assert file_contents.problems(path) == []
    backup = file_named_in(first.stdout, "Backup of the file as it was, checked: ")
    assert backup.parent == path.parent
    assert file_contents.dump(backup) == file_contents.dump(legacy)
    assert file_contents.schema(backup) == file_contents.schema(legacy)
    assert backup.stat().st_mode & 0o777 == 0o600
    if name == "dirty":
        kept = file_named_in(first.stdout, "Set 5 orphaned links to NULL; what they were is kept in ")
        assert sorted(kept_orphans(kept)) == sorted(orphans(legacy))
        assert kept.stat().st_mode & 0o777 == 0o600
    adopted, schema = file_contents.dump(path), file_contents.schema(path)
    second = command("startup", *OPTIONS[name])
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.count("nothing to do") == STEPS == len(second.stdout.splitlines()) - 1
    assert file_contents.dump(path) == adopted
    assert file_contents.schema(path) == schema


def file_named_in(output: str, words: str) -> Path:
    """The path at the end of the line that begins with these words."""
    match = re.search(rf"^{words}(.+)$", output, re.MULTILINE)
    assert match, output
    return Path(match.group(1))


def orphans(path: Path) -> list[tuple[str, str, str, str]]:
    """(table, id, column, value) of every link to a row that isn't there, as SQLite finds them."""
    found = []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
        for table, rowid, *_ in raw.execute("PRAGMA foreign_key_check").fetchall():
            column = LINKS[table]
            key, value = raw.execute(f"SELECT id, {column} FROM {table} WHERE rowid = ?", [rowid]).fetchone()
            found.append((table, key, column, value))
    return found


def kept_orphans(path: Path) -> list[tuple[str, str, str, str]]:
    """The same from the file that keeps repaired links."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return [(entry["table"], entry["id"], entry["column"], entry["value"]) for entry in entries]


def test_orphans_are_listed_and_nothing_is_changed(scratch: Scratch, command: Command) -> None:
    """Without --repair-orphans: each orphan by table, id, column and value; no backup; the same bytes."""
    path = legacy_files.unpack("dirty", scratch.database)
    expected = orphans(path)
    before = file_contents.digest(path)
    refused = command("startup")
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert len(expected) == 5
    for table, key, column, value in expected:
        assert f"  {table} {key}: {column} = {value!r}" in refused.stderr.splitlines()
    assert "--repair-orphans" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert file_contents.digest(path) == before
    assert [file.name for file in scratch.directory.iterdir() if file.is_file()] == [path.name]
