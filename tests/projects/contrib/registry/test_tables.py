"""The registry's tables: rows go with their prompts and come back with them; the ledger can't be rewritten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from projects.contrib.registry.models import LabelEvent
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
from promptadmin.deletions.work import restore
from promptadmin.errors import Conflict
from promptadmin.models import Deletion
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.support.processes import Scratch

TABLES = (
    *("prompts", "prompt_names", "prompt_redirects", "version_details", "labels"),
    *("label_events", "promotion_requests", "prompt_fetches"),
)


def rows() -> dict[str, list[str]]:
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table}")
            found[table] = sorted(map(str, cursor.fetchall()))
    return found


def fill() -> str:
    prompt = make_named("support/refund", "one", "two")
    do("give_name", prompt_id=prompt.id, name="support/refunds")
    move("support/refunds", "production", 1, "first")
    move("support/refunds", "production", 2)
    move("support/refunds", "staging", {1: 90, 2: 10})
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO label_rules (label, is_protected, needs_reason, needs_second_person) "
            "VALUES ('gold', %s, %s, %s)",
            [False, False, True],
        )
        cursor.execute(
            "INSERT INTO prompt_fetches (prompt_id, label, version, token, day, count, last_at) "
            "VALUES (%s, 'production', 2, 't', '2026-11-01', 3, '2026-11-01 12:00:00.000000')",
            [prompt.id],
        )
    move("support/refunds", "gold", 2, "asked for")
    return str(prompt.id)


def delete(prompt_id: str, *, whole: bool) -> None:
    repository = ProjectRepository()
    with write_session():
        if whole:
            repository.delete_project(project_id=repository.readable_prompt(prompt_id).project_id or "")
        else:
            repository.delete_prompt(prompt_id=prompt_id)


def restored() -> None:
    with write_session():
        restore(Deletion.objects.get().pk, "default")


@pytest.mark.django_db
@pytest.mark.parametrize("whole", [False, True])
def test_rows_go_with_their_prompt_and_come_back_with_it(whole: bool) -> None:
    make_named("another", "text")
    others = rows()
    prompt_id = fill()
    before = rows()
    assert all(len(found) > len(others[table]) for table, found in before.items())
    delete(prompt_id, whole=whole)
    assert rows() == others
    restored()
    assert rows() == before
    move("support/refunds", "production", 1)
    assert [event.position for event in LabelEvent.objects.filter(label="production").order_by("id")] == [1, 2, 3]


@pytest.mark.django_db
def test_a_prompt_whose_name_is_taken_meanwhile_stays_deleted() -> None:
    delete(fill(), whole=False)
    other = make_named("Support/Refunds", "mine")
    with pytest.raises(Conflict, match=r"refuses rows of the table prompt_names.*delete or rename those first"):
        restored()
    do("give_name", prompt_id=other.id, name="support/others")
    restored()
    assert do("resolve", name="support/refunds", label="latest").text == "two"


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE label_events SET reason = 'another'", "DELETE FROM label_events"])
def test_the_ledger_is_append_only(statement: str) -> None:
    fill()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert LabelEvent.objects.count() == 3


SCRIPT = """
import json
from projects.repository import ProjectRepository
from projects.models import Prompt
from promptadmin.db.sessions import write_session
from promptadmin.deletions.work import restore
from promptadmin.models import Deletion
from django.db import connection

if MAKE:
    from projects.contrib.registry.repository import RegistryRepository
    from projects.contrib.registry.targets import Target
    with write_session():
        repository = RegistryRepository()
        repository.save(name="support/refund", text="one", labels=["production"])
        repository.save(name="support/refund", text="two", labels=["production"])
    with write_session():
        prompt = Prompt.objects.get()
else:
    prompt = Prompt.objects.get()
    with write_session():
        ProjectRepository().update_prompt(prompt_id=prompt.id, content="three")
    with write_session():
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM label_events")
        gone = cursor.fetchone()[0]
    with write_session():
        restore(Deletion.objects.get().pk, "default")
    with connection.cursor() as cursor:
        cursor.execute("SELECT position, to_target FROM label_events ORDER BY position")
        print("told " + json.dumps([gone, cursor.fetchall()]))
"""


def run(scratch: Scratch, plugins: str, *, make: bool) -> Any:
    code = f"MAKE = {make}\n{SCRIPT}"
    ran = scratch.manage("shell", "--no-imports", "-c", code, PROMPTADMIN_PLUGINS=plugins)
    assert ran.returncode == 0, ran.stderr
    told = [line for line in ran.stdout.splitlines() if line.startswith("told ")]
    return json.loads(told[0].removeprefix("told ")) if told else None


def test_deletions_work_with_the_plugin_off_and_its_rows_come_back(scratch: Scratch) -> None:
    plugins = "projects,optimizations,registry"
    assert scratch.manage("startup", PROMPTADMIN_PLUGINS=plugins).returncode == 0
    run(scratch, plugins, make=True)
    assert run(scratch, "projects,optimizations", make=False) == [0, [[1, "1"], [2, "2"]]]
    assert "no enabled plugin has the table" not in scratch.manage("doctor").stdout
