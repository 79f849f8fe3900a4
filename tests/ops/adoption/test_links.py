"""Runs are linked to prompts in batches, beside programs that may write between any two of them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from optimizations import startup as steps
from promptadmin.ops.startup.sequence import run_startup
from promptadmin.plugins.steps import Item, StepContext
from tests.conftest import OpenFile
from tests.support import file_contents
from tests.support.legacy_files import insert, make_file, make_project, make_prompt, make_run, statements

PROJECT = make_project(id="project", name="project")
PROMPTS = [make_prompt(project_id="project", content=f"text {number}") for number in range(6)]


class Interrupted(StepContext):
    """Another program deletes the last prompt after its links were found, and before the first of them is made."""

    def progress(self, items: Iterable[Item], *, label: str, total: int | None = None) -> Iterable[Item]:
        """The items; the deletion comes before the first link."""
        if label == "prompt links":
            with contextlib.closing(sqlite3.connect(self.connection.settings_dict["NAME"])) as other, other:
                other.execute("DELETE FROM prompts WHERE id = ?", [PROMPTS[-1]["id"]])
        return super().progress(items, label=label, total=total)


def test_no_run_is_linked_to_a_prompt_that_is_gone(
    open_file: OpenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its run stays without a link, the others get theirs; SQLite checks links again afterwards."""
    monkeypatch.setattr(steps, "LINKS_A_BATCH", 2)
    path = make_file(tmp_path / "promptforge.db", statements())
    with open_file(path) as connection:
        run_startup(using=connection.alias)
        with contextlib.closing(sqlite3.connect(path)) as other, other:
            insert(other, "projects", [PROJECT])
            insert(other, "prompts", PROMPTS)
            insert(other, "optimizations", [make_run(raw_prompt=row["content"], project="project") for row in PROMPTS])
        result = steps.link_prompts(Interrupted(connection))
        with connection.cursor() as cursor:
            cursor.execute("SELECT prompt_id FROM optimizations ORDER BY raw_prompt")
            links = [key for (key,) in cursor.fetchall()]
            cursor.execute("PRAGMA foreign_keys")
            assert cursor.fetchone() == (1,)
    assert links == [*(row["id"] for row in PROMPTS[:-1]), None]
    assert result.changed == len(PROMPTS) - 1
    assert file_contents.problems(path) == []
