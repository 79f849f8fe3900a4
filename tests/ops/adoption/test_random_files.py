"""Files of any age and state, held against the rules in plain Python: PROMPTADMIN_LEGACY_FILES says how many."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from promptadmin.ops.startup.sequence import run_startup
from tests.conftest import OpenFile
from tests.ops.adoption.random_files import LegacyFile, legacy_files_of_any_age
from tests.support import file_contents, plain_rules
from tests.support.legacy_files import Row
from tests.support.rounds import LEGACY_FILES
from tests.support.sent_sql import rebuilds, sent_sql

NOW = dt.datetime.now(dt.UTC)
STARTED_WITHIN = dt.timedelta(minutes=10)
CHANGED_BY_RULES = {"framework_applied", "strategy", "prompt_id", "status", "error_message"}


def decoded(path: Path, table: str) -> list[Row]:
    """The rows of a table as Python holds them; texts that aren't UTF-8 don't stand in the columns that rules read."""
    names = file_contents.columns(path, table)
    found = []
    for row in file_contents.rows(path, table):
        values = zip(row[::2], row[1::2], strict=True)
        found.append(
            {
                name: value.decode() if kind == b"text" else value
                for name, (kind, value) in zip(names, values, strict=True)
            }
        )
    return found


def schema_stays(legacy: Path, adopted: Path) -> None:
    """Everything that the file declared is still declared, with the same SQL; tables may have more columns."""
    before, after = file_contents.schema(legacy), file_contents.schema(adopted)
    for (kind, name), sql in before.items():
        assert (kind, name) in after
        if kind != "table":
            assert after[kind, name] == sql
            continue
        had = file_contents.columns(legacy, name)
        assert file_contents.columns(adopted, name)[: len(had)] == had


def untouched_columns_stay(legacy: Path, adopted: Path) -> None:
    """In every table of the file: the columns that no rule changes hold the same types and bytes."""
    for table in file_contents.table_names(legacy):
        names = file_contents.columns(legacy, table)
        if table == "optimizations":
            names = [name for name in names if name not in CHANGED_BY_RULES]
        if table == "prompt_versions":
            names.remove("optimization_id")
        before = Counter(file_contents.rows(legacy, table, names))
        after = Counter(file_contents.rows(adopted, table, names))
        assert before <= after, f"{table}: {before - after}"
        if table not in ("projects", "prompts"):
            assert before == after, table


def runs_follow_the_rules(legacy: Path, adopted: Path, outcome: plain_rules.Outcome) -> None:
    projects = {row["id"]: row["name"] for row in decoded(adopted, "projects")}
    prompts = {row["id"]: row for row in decoded(adopted, "prompts")}
    had_links = "prompt_id" in file_contents.columns(legacy, "optimizations")
    had = {row["id"]: row.get("prompt_id") for row in decoded(legacy, "optimizations")} if had_links else {}
    adopted_runs = {row["id"]: row for row in decoded(adopted, "optimizations")}
    assert len(adopted_runs) == len(outcome.runs)
    for expected in outcome.runs:
        actual = adopted_runs[expected["id"]]
        link = expected.pop("prompt_id")
        if isinstance(link, plain_rules.Link):
            prompt = prompts[actual["prompt_id"]]
            assert (projects[prompt["project_id"]], prompt["content"]) == (link.project, link.content)
            assert not had.get(expected["id"]) or had[expected["id"]] == "gone"
        else:
            assert actual["prompt_id"] == link
        assert {name: actual[name] for name in expected} == expected
        assert all(actual[name] is None for name in set(actual) - set(expected) - {"prompt_id", "order", "stamped"})


def new_rows_follow_the_rules(legacy: Path, adopted: Path, outcome: plain_rules.Outcome) -> None:
    tables = file_contents.table_names(legacy)
    old_projects = {row["id"] for row in decoded(legacy, "projects")} if "projects" in tables else set()
    old_prompts = {row["id"]: row for row in decoded(legacy, "prompts")} if "prompts" in tables else {}
    projects = decoded(adopted, "projects")
    names = {row["id"]: row["name"] for row in projects}
    new_projects = [row for row in projects if row["id"] not in old_projects]
    made = [
        plain_rules.NewProject(
            row["name"],
            row["description"],
            row["status"],
            None if row["created_at"] == row["updated_at"] else row["created_at"],
        )
        for row in new_projects
    ]
    assert Counter(made) == Counter(outcome.new_projects)
    assert all(row["context_profile"] is None for row in new_projects)
    new_prompts = [row for row in decoded(adopted, "prompts") if row["id"] not in old_prompts]
    texts: dict[str, list[str]] = {}
    for row in new_prompts:
        texts.setdefault(names[row["project_id"]], []).append(row["content"])
        assert row["version"] == 1
    expected = {name: sorted(contents) for name, contents in outcome.new_prompts.items() if contents}
    assert {name: sorted(contents) for name, contents in texts.items()} == expected
    for row in [*new_projects, *new_prompts]:
        moment = plain_rules.moment(row["updated_at"])
        assert moment is not None
        assert abs(moment - dt.datetime.now(dt.UTC)) < STARTED_WITHIN
    for project_id in names:
        last = max((row["order_index"] for row in old_prompts.values() if row["project_id"] == project_id), default=-1)
        places = sorted(row["order_index"] for row in new_prompts if row["project_id"] == project_id)
        assert places == list(range(last + 1, last + 1 + len(places)))


def versions_follow_the_rules(legacy: Path, adopted: Path, outcome: plain_rules.Outcome) -> None:
    expected = {row["id"]: row["optimization_id"] for row in outcome.versions}
    assert {row["id"]: row["optimization_id"] for row in decoded(adopted, "prompt_versions")} == expected


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # it would hide what failed
@settings(max_examples=LEGACY_FILES)
@given(file=legacy_files_of_any_age(NOW))
def test_any_file_ends_as_the_rules_say(open_file: OpenFile, file: LegacyFile) -> None:
    """One start-up gives what the plain rules give, keeps all else, rebuilds nothing; a second one changes nothing."""
    with tempfile.TemporaryDirectory() as directory:
        path, legacy = Path(directory) / "promptforge.db", Path(directory) / "legacy.db"
        file.write(path)
        legacy.write_bytes(path.read_bytes())
        with open_file(path) as connection, sent_sql(connection) as statements:
            report = run_startup(using=connection.alias, repair_orphans=True)
        assert report.adoption is not None
        assert len(report.adoption.repaired) == file.orphans
        assert rebuilds(statements) == []
        outcome = plain_rules.start_up(
            {table: decoded(legacy, table) for table in file.tables}, dt.datetime.now(dt.UTC)
        )
        schema_stays(legacy, path)
        untouched_columns_stay(legacy, path)
        runs_follow_the_rules(legacy, path, outcome)
        new_rows_follow_the_rules(legacy, path, outcome)
        versions_follow_the_rules(legacy, path, outcome)
        assert file_contents.problems(path) == []
        adopted = file_contents.dump(path)
        with open_file(path) as connection:
            run_startup(using=connection.alias)
        assert file_contents.dump(path) == adopted
