"""A plugin that somebody wrote from docs/plugins.md, outside the checkout: installed, used, switched off and removed.

Its own tests say what it does at every door while it is on; here they run where pip has installed it, on both engines.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.plugins.installed import HERE, install_package, run
from tests.support.processes import REPOSITORY
from tests.support.services import needs_postgresql, postgresql_database

ON, OFF = "projects,optimizations,named_notes", "projects,optimizations"
BOTH = ["sqlite", pytest.param("postgresql", marks=needs_postgresql)]

#: Makes prompts with three runs and a note each, or deletes one through the API; prints what there is then.
FILL = """
import json
from django.contrib.auth.models import User
from named_notes.notes import add
from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.plugins import write_session

User.objects.create_superuser("somebody")
with write_session():
    project = ProjectRepository().create_project(name="ours")
    prompts = [ProjectRepository().add_prompt(project_id=project.id, content=text) for text in "abc"]
    for prompt in prompts:
        add(prompt.id, "why", "Because.")
        for number in range(3):
            OptimizationRepository().record_run({"raw_prompt": f"{prompt.content} {number}", "prompt_id": prompt.id})
print(json.dumps([f"/api/projects/{project.id}/prompts/{prompt.id}" for prompt in prompts]))
"""
DELETE = """
import json
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(username="somebody"))
answer = client.delete("ADDRESS").json()
tables = connection.introspection.table_names()
left = None
if "named_notes_note" in tables:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM named_notes_note")
        left = cursor.fetchone()[0]
print(json.dumps([answer.get("deleted_optimizations"), left]))
"""


class Outside:
    """The plugin, installed in an environment of its own, with a database."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory, self.url = directory, url
        self.folder = directory / "named-notes"
        shutil.copytree(HERE / "outsider", self.folder)
        self.python = install_package(self.folder, directory / "fresh")

    def manage(self, *arguments: str, plugins: str = ON, **variables: str) -> CompletedProcess[str]:
        manage, mine = REPOSITORY / "manage.py", {"PROMPTADMIN_PLUGINS": plugins, "DATABASE_URL": self.url}
        return run(self.python, manage, *arguments, cwd=self.directory, **mine, **variables)

    def said(self, *arguments: str, plugins: str = ON) -> str:
        done = self.manage(*arguments, plugins=plugins)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def told(self, program: str, plugins: str = ON) -> Any:
        return json.loads(self.said("shell", "--no-imports", "-c", program, plugins=plugins).splitlines()[-1])

    def deleted(self, address: str, plugins: str) -> Any:
        return self.told(DELETE.replace("ADDRESS", address), plugins)


@pytest.fixture(params=BOTH)
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outside]:
    if request.param == "sqlite":
        yield Outside(tmp_path, f"sqlite:///{tmp_path / 'notes.db'}")
        return
    with postgresql_database() as url:
        yield Outside(tmp_path, url)


def test_its_own_tests_pass(outside: Outside) -> None:
    url = {} if outside.url.startswith("sqlite") else {"DATABASE_URL": outside.url}
    done = run(outside.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=outside.folder, **url)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "14 passed" in done.stdout


def test_it_is_used_switched_off_removed_and_switched_on_again(outside: Outside) -> None:
    """At each stage a prompt with three runs and rows of the plugin can be deleted."""
    outside.said("startup")
    first, second, third = outside.told(FILL)
    refused = outside.manage("plugins", "--remove", "named_notes", "--yes")
    assert "is switched on: take it out of PROMPTADMIN_PLUGINS first" in refused.stderr
    assert outside.deleted(first, ON) == [3, 2]

    assert outside.deleted(second, OFF) == [3, 1]
    found = outside.manage("doctor", plugins=OFF)
    assert "the plugin named_notes is off, and its tables are still there: named_notes_note (1 rows)" in found.stdout
    plan = outside.said("plugins", "--remove", "named_notes", "--plan", plugins=OFF)
    assert "table named_notes_note: 1 rows" in plan
    assert "migration named_notes.0001_initial" in plan
    nobody = outside.manage("plugins", "--remove", "named_notes", plugins=OFF)
    assert "nothing was removed. Say it with --yes" in nobody.stderr
    assert outside.said("plugins", "--remove", "named_notes", "--plan", plugins=OFF) == plan

    removed = outside.said("plugins", "--remove", "named_notes", "--yes", plugins=OFF)
    assert "Removed named_notes: 1 tables, 1 migrations." in removed
    again = outside.manage("plugins", "--remove", "named_notes", "--yes", plugins=OFF)
    assert "Nothing is left of a plugin 'named_notes'" in again.stderr
    assert outside.deleted(third, OFF) == [3, None]
    assert "(0 rows)" not in outside.manage("doctor", plugins=OFF).stdout

    (restorable, *_) = json.loads(outside.said("restore_deleted", "--json", plugins=OFF))
    assert "Restored prompt “c”" in outside.said("restore_deleted", str(restorable["number"]), plugins=OFF)
    outside.said("startup")
    assert outside.deleted(third, ON) == [3, 0]
