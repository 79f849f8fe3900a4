"""The maker of legacy files: the same arguments make the same rows, and these have the shapes that it promises."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.legacy_schema import AGES, Age
from bench.make_legacy import main, make_legacy
from tests.support import file_contents

RUNS = 500
PROJECTS = 20
STATUSES = {"pending", "running", "completed", "error", "cancelled"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Age, Path]:
    places = {age: tmp_path_factory.mktemp("legacy") / f"{age}.db" for age in AGES}
    for age, path in places.items():
        make_legacy(path, runs=RUNS, projects=PROJECTS, age=age, seed=7)
    return places


@pytest.fixture(params=AGES)
def file(request: pytest.FixtureRequest, files: Mapping[Age, Path]) -> Iterator[sqlite3.Connection]:
    with opened(files[request.param]) as connection:
        yield connection


def opened(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(path))


def one(file: sqlite3.Connection, query: str) -> Any:
    return file.execute(query).fetchone()[0]


@pytest.mark.parametrize("age", AGES)
def test_same_arguments_make_the_same_rows(age: Age, files: Mapping[Age, Path], tmp_path: Path) -> None:
    for name, seed in (("same", 7), ("other", 8)):
        make_legacy(tmp_path / name, runs=RUNS, projects=PROJECTS, age=age, seed=seed)
    for read in (file_contents.schema, file_contents.dump):
        assert read(tmp_path / "same") == read(files[age])
    assert file_contents.dump(tmp_path / "other") != file_contents.dump(files[age])


def test_file_is_sound(file: sqlite3.Connection) -> None:
    assert one(file, "PRAGMA integrity_check") == "ok"
    assert file.execute("PRAGMA foreign_key_check").fetchall() == []
    assert one(file, "PRAGMA journal_mode") == "delete"


def test_runs(file: sqlite3.Connection) -> None:
    assert one(file, "SELECT COUNT(*) FROM optimizations") == RUNS
    assert {status for (status,) in file.execute("SELECT DISTINCT status FROM optimizations")} <= STATUSES
    assert 0.8 < one(file, "SELECT AVG(status = 'completed') FROM optimizations") < 0.95
    assert 0.04 < one(file, "SELECT AVG(project IS NULL) FROM optimizations") < 0.2
    assert 150 < one(file, "SELECT COUNT(DISTINCT raw_prompt) FROM optimizations") < 300
    assert 800 < one(file, "SELECT AVG(LENGTH(raw_prompt)) FROM optimizations") < 1300
    assert 800 < one(file, "SELECT AVG(LENGTH(optimized_prompt)) FROM optimizations") < 1300
    assert one(file, "SELECT COUNT(DISTINCT project) FROM optimizations") <= PROJECTS
    assert one(file, "SELECT COUNT(*) FROM optimizations WHERE LENGTH(id) <> 36") == 0


def test_stamps_are_in_promptforge_form_and_in_order(file: sqlite3.Connection) -> None:
    stamps = [stamp for (stamp,) in file.execute("SELECT created_at FROM optimizations ORDER BY rowid")]
    assert stamps == sorted(stamps)
    assert stamps[0] < "2023-01-05"
    assert stamps[-1] > "2025-12-25"
    assert one(file, "SELECT COUNT(*) FROM optimizations WHERE created_at NOT GLOB '????-??-?? ??:??:??.??????'") == 0


def test_some_strategies_have_legacy_names(file: sqlite3.Connection) -> None:
    names = {name for (name,) in file.execute("SELECT DISTINCT framework_applied FROM optimizations")}
    assert {"few-shot", "role-based", "constraint-focused", "structured-enhancement"} < names
    assert len(names - {None}) == 14


def test_early_file_has_the_earliest_table_alone(files: Mapping[Age, Path]) -> None:
    with opened(files["early"]) as file:
        assert [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == [
            "optimizations"
        ]
        assert one(file, "SELECT COUNT(*) FROM pragma_table_info('optimizations')") == 25
        assert one(file, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") == 3


def test_full_file_is_half_way(files: Mapping[Age, Path]) -> None:
    with opened(files["full"]) as file:
        assert one(file, "SELECT COUNT(*) FROM pragma_table_info('optimizations')") == 36
        assert 0 < one(file, "SELECT COUNT(*) FROM projects") < PROJECTS
        assert one(file, "SELECT COUNT(*) FROM prompts") > 50
        assert one(file, "SELECT COUNT(*) FROM prompt_versions") > 0
        assert 0.2 < one(file, "SELECT AVG(prompt_id IS NOT NULL) FROM optimizations") < 0.8
        wrong = (
            "SELECT COUNT(*) FROM optimizations o JOIN prompts p ON p.id = o.prompt_id "
            "JOIN projects j ON j.id = p.project_id WHERE p.content <> o.raw_prompt OR j.name <> o.project"
        )
        assert one(file, wrong) == 0
        outdated = "SELECT COUNT(*) FROM prompts p WHERE version <> 1 + (SELECT COUNT(*) FROM prompt_versions v "
        assert one(file, f"{outdated} WHERE v.prompt_id = p.id)") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.db", "--runs", "none"], "'none' is not a whole number"),
        (["x.db", "--runs", "0"], "'0' is not a whole number"),
        (["x.db", "--age", "old"], "invalid choice"),
        (["/nowhere/x.db"], "there is no directory"),
    ],
)
def test_wrong_arguments(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made.db"
    main([str(path), "--runs", "1_0", "--projects", "3"])
    assert "10 runs" in capsys.readouterr().out
    assert [each.name for each in tmp_path.iterdir()] == ["made.db"]
