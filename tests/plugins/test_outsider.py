"""A plugin that somebody wrote from docs/plugins.md, outside the checkout: installed, used, switched off and removed.

Its own tests say what it does at every door while it is on; here they run where pip has installed it, on both engines.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.installed import HERE, install_package, run
from tests.support.processes import REPOSITORY
from tests.support.services import needs_postgresql, postgresql_database

ON, OFF = "projects,optimizations,named_notes", "projects,optimizations"
BOTH = ["sqlite", pytest.param("postgresql", marks=needs_postgresql)]

#: What the programs of each stage have: commands as somebody types them, and deletions through the API.
TOOLS = """
import io, json
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

def said(*arguments):
    output = io.StringIO()
    try:
        call_command(*arguments, stdout=output)
    except CommandError as refused:
        return str(refused)
    except SystemExit:
        pass
    return " ".join(output.getvalue().split())

def deleted(address):
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="somebody"))
    answer, left = client.delete(address).json(), None
    if "named_notes_note" in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM named_notes_note")
            [left] = cursor.fetchone()
    return [answer.get("deleted_optimizations"), left]
"""
USED = """
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
first, *others = [f"/api/projects/{project.id}/prompts/{prompt.id}" for prompt in prompts]
print(json.dumps([said("plugins", "--remove", "named_notes", "--yes"), deleted(first), others]))
"""
OFF_AND_REMOVED = """
remove = ("plugins", "--remove", "named_notes")
told = [deleted("SECOND"), said("doctor"), said(*remove, "--plan"), said(*remove), said(*remove, "--plan")]
told += [said(*remove, "--yes"), said(*remove, "--yes"), deleted("THIRD"), said("doctor")]
newest = json.loads(said("restore_deleted", "--json"))[0]["number"]
told.append(said("restore_deleted", str(newest)))
print()  # behind the question that the command has asked
print(json.dumps(told))
"""


class Outside:
    """The plugin, where pip has installed it."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.folder = directory, directory / "named-notes"
        shutil.copytree(HERE / "outsider", self.folder)
        self.python = install_package(self.folder, directory / "fresh")

    def manage(self, *arguments: str, plugins: str, url: str) -> str:
        variables = {"PROMPTADMIN_PLUGINS": plugins, "DATABASE_URL": url}
        done = run(self.python, REPOSITORY / "manage.py", *arguments, cwd=self.directory, **variables)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def told(self, program: str, *, plugins: str, url: str) -> Any:
        printed = self.manage("shell", "--no-imports", "-c", TOOLS + program, plugins=plugins, url=url)
        return json.loads(printed.splitlines()[-1])


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Outside:
    return Outside(tmp_path_factory.mktemp("outside"))


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'notes.db'}"
    else:
        with postgresql_database() as address:
            yield address


def test_its_own_tests_pass(outside: Outside, url: str) -> None:
    pytest_of_its_own = (outside.python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = run(*pytest_of_its_own, cwd=outside.folder, DATABASE_URL=url)
    assert done.returncode == 0, done.stdout[-5000:]
    assert "14 passed" in done.stdout


def test_it_is_used_switched_off_removed_and_switched_on_again(outside: Outside, url: str) -> None:
    """At each stage a prompt with three runs and rows of the plugin can be deleted."""
    outside.manage("startup", plugins=ON, url=url)
    refused, first, (second, third) = outside.told(USED, plugins=ON, url=url)
    assert "is switched on: take it out of PROMPTADMIN_PLUGINS first" in refused
    assert first == [3, 2]

    program = OFF_AND_REMOVED.replace("SECOND", second).replace("THIRD", third)
    told = outside.told(program, plugins=OFF, url=url)
    of_second, doctor, plan, nobody, plan_again, removed, again, of_third, doctor_again, restored = told
    assert of_second == [3, 1]
    assert "the plugin named_notes is off, and its tables are still there: named_notes_note (1 row)" in doctor
    assert "table named_notes_note: 1 row migration named_notes.0001_initial" in plan
    assert "nothing was removed. Say it with --yes" in nobody
    assert plan_again == plan
    assert "Removed named_notes: 1 table, 1 migration." in removed
    assert "Nothing is left of a plugin 'named_notes'" in again
    assert of_third == [3, None]
    assert "named_notes is off" not in doctor_again
    assert "Restored prompt “c”" in restored

    outside.manage("startup", plugins=ON, url=url)
    assert outside.told(f"print(json.dumps(deleted('{third}')))", plugins=ON, url=url) == [3, 0]
