"""Tables of plugins that refer to ours with Django's own foreign keys, while the plugin is enabled and afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks
from django.db import connection, transaction
from django.test import Client

from optimizations.models import Optimization
from projects.models import Project, Prompt
from projects.repository import ProjectRepository
from promptadmin.db.kept_rows import ROWS_AT_ONCE
from promptadmin.deletions.work import restore
from promptadmin.errors import Conflict
from promptadmin.models import Deletion, LogEntry
from promptadmin.ops.doctor.examining import examine
from tests.plugins.installed import install
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.processes import REPOSITORY, Scratch

KINDS = ("CASCADE", "PROTECT", "SET_NULL", "RESTRICT", "DO_NOTHING")

APPS = """
from promptadmin.plugins import PluginConfig


class Config(PluginConfig):
    name = "remarks"
    requires_plugins = ("projects", "optimizations")
"""
MODELS = "from django.db import models\n" + "".join(
    f"""

class {kind.title().replace("_", "")}(models.Model):
    run = models.ForeignKey("optimizations.Optimization", on_delete=models.{kind}, null=True, related_name="+")
"""
    for kind in KINDS
)
SCRIPT = """
import json, sys
from django.apps import apps
from django.db import connection
from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.deletions.work import restore
from promptadmin.errors import DomainError
from promptadmin.models import Deletion
from promptadmin.db.sessions import write_session

told = {}
enabled = apps.is_installed("remarks")
if enabled:
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("remarks").get_models():
            editor.create_model(model)
for kind in sys.argv[1:]:
    with write_session():
        runs = [OptimizationRepository().record_run({"raw_prompt": f"{kind} {n}", "project": kind}) for n in range(3)]
        project = ProjectRepository().projects.get(name=kind)
        for run in runs:
            table = "remarks_" + kind.lower().replace("_", "")
            for _ in range(4):
                with connection.cursor() as cursor:
                    cursor.execute(f"INSERT INTO {table} (run_id) VALUES (%s)", [run["id"]])
    try:
        with write_session():
            told[kind] = ProjectRepository().delete_project(project_id=project.id)
        deletion = Deletion.objects.latest("pk")
        told[kind + " note"] = deletion.note
        with write_session():
            restore(deletion.pk, "default")
    except DomainError as refused:
        told[kind] = f"{refused.status} {refused}"
    told[kind + " left"] = Optimization.objects.filter(project=kind).count()
print("told " + json.dumps(told))
"""


def test_a_plugins_foreign_keys_count_as_nothing_and_never_break_a_deletion(scratch: Scratch, new_file: bytes) -> None:
    site = scratch.directory / "site"
    install(site, "remarks", APPS, models=MODELS)
    scratch.variables |= {"PYTHONPATH": f"{site}:{REPOSITORY}"}
    (scratch.directory / "script.py").write_text(SCRIPT)
    scratch.database.write_bytes(new_file)

    def deletions(plugins: str) -> dict[str, Any]:
        code = f"import sys; sys.argv[1:] = {list(KINDS)!r}; exec(open('script.py').read(), globals())"
        ran = scratch.manage("shell", "--no-imports", "-c", code, PROMPTADMIN_PLUGINS=plugins)
        [line] = [line for line in ran.stdout.splitlines() if line.startswith("told ")] or [ran.stderr]
        told: dict[str, Any] = json.loads(line.removeprefix("told "))
        return told

    told = deletions("projects,optimizations,remarks")
    assert (told["CASCADE"], told["SET_NULL"]) == (3, 3)
    assert told["CASCADE note"] == "Rows of plugins went along and can't be restored: 12 of remarks_cascade."
    assert told["SET_NULL note"] == ""
    for kind in ("PROTECT", "RESTRICT"):
        assert told[kind].startswith(f"409 The table remarks_{kind.lower()} has rows that refer")
        assert "delete those rows first" in told[kind]
    assert told["DO_NOTHING"].startswith("409 The table remarks_donothing has rows that refer")
    assert {told[f"{kind} left"] for kind in KINDS} == {3}

    told = deletions("projects,optimizations")
    for kind in KINDS:
        table = f"remarks_{kind.lower().replace('_', '')}"
        assert told[kind].startswith(f"409 The table {table} has rows that refer")
        assert "PROMPTADMIN_PLUGINS" in told[kind]
    said = scratch.manage("doctor", PROMPTADMIN_PLUGINS="projects,optimizations").stdout
    assert "no enabled plugin has the table remarks_cascade" in said
    said = scratch.manage("doctor", PROMPTADMIN_PLUGINS="projects,optimizations,remarks").stdout
    assert "no enabled plugin has the table" not in said


@pytest.fixture
def foreign_tables(db: None) -> None:
    """As a plugin that is switched off left them."""
    with connection.cursor() as cursor:
        for table, target in (("of_runs", "optimizations"), ("of_prompts", "prompts")):
            cursor.execute(
                f'CREATE TABLE {table} (id INTEGER, "row" TEXT REFERENCES {target} (id) DEFERRABLE INITIALLY DEFERRED)'
            )


def test_every_door_says_which_table_is_in_the_way(foreign_tables: None, client: Client) -> None:
    project = make_project()
    prompt = make_prompt(project)
    run = make_run(prompt)
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO of_runs (id, "row") VALUES (1, %s)', [run.id])
    repository = ProjectRepository()
    deletes: tuple[Callable[[], Any], ...] = (
        lambda: repository.delete_prompt(prompt_id=prompt.id),
        lambda: repository.delete_project(project_id=project.id),
    )
    for delete in deletes:
        with pytest.raises(Conflict, match=r"^The table of_runs has rows .* \(column row\)"):
            delete()
    [result] = examine(connection, only=["D206"])
    assert [message.level for message in result.messages] == [checks.WARNING, checks.WARNING]
    assert "the table of_prompts, which refers to ours without ON DELETE: row to prompts" in result.messages[0].msg


def test_a_table_that_refers_to_other_rows_stands_in_nobodys_way(foreign_tables: None) -> None:
    project, other = make_project(), make_project()
    prompt = make_prompt(project)
    make_run(prompt)
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO of_prompts (id, "row") VALUES (1, %s)', [make_prompt(other).id])
    assert ProjectRepository().delete_project(project_id=project.id) == 1
    restore(Deletion.objects.get().pk, "default")
    assert (Project.objects.get(id=project.id).status, Prompt.objects.count()) == ("active", 2)
    assert Optimization.objects.count() == 1


MARKS = (
    "CREATE TABLE marks (id INTEGER PRIMARY KEY, mark TEXT UNIQUE, prompt TEXT REFERENCES prompts ON DELETE CASCADE)"
)
#: Refers both to prompts and, by a column that isn't the primary key, to rows that do; its own key has two columns.
PAIRS = """
    CREATE TABLE "Pairs" (
        prompt TEXT REFERENCES prompts ON DELETE CASCADE, mark TEXT REFERENCES marks (mark) ON DELETE CASCADE,
        PRIMARY KEY (prompt, mark)
    )
"""


@pytest.fixture
def cascading_tables(db: None) -> None:
    """Those of a plugin that is on or off."""
    with connection.cursor() as cursor:
        cursor.execute(MARKS)
        cursor.execute(PAIRS)


def rows_of(table: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@pytest.mark.parametrize("whole", [True, False])
def test_rows_that_the_database_deletes_come_back(cascading_tables: None, whole: bool) -> None:
    project = make_project()
    prompt, other = make_prompt(project), make_prompt(make_project())
    with connection.cursor() as cursor:
        for number in range(ROWS_AT_ONCE + 1):
            cursor.execute("INSERT INTO marks VALUES (%s, %s, %s)", [number, f"ä{number}", prompt.id])
        cursor.execute("INSERT INTO marks VALUES (999, 'other', %s)", [other.id])
        pairs = [(prompt.id, "ä0"), (other.id, "ä300"), (prompt.id, "other"), (other.id, "other")]
        cursor.executemany('INSERT INTO "Pairs" VALUES (%s, %s)', pairs)
    before = rows_of("marks"), rows_of('"Pairs"')
    if whole:
        ProjectRepository().delete_project(project_id=project.id)
    else:
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
    assert (rows_of("marks"), rows_of('"Pairs"')) == ([(999, "other", other.id)], [(other.id, "other")])
    restored()
    assert (rows_of("marks"), rows_of('"Pairs"')) == before
    assert not Deletion.objects.exists()


def test_a_row_whose_place_is_taken_keeps_the_whole_deletion(cascading_tables: None) -> None:
    prompt, other = make_prompt(make_project()), make_prompt(make_project())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO marks VALUES (1, 'mine', %s)", [prompt.id])
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
        cursor.execute("INSERT INTO marks VALUES (2, 'mine', %s)", [other.id])
        with pytest.raises(Conflict, match=r"database refuses rows of the table marks: .*delete or rename those first"):
            restored()
        cursor.execute("UPDATE marks SET id = 1")
        with pytest.raises(Conflict, match=r"the table marks has rows with the same id: 1\. Delete or rename"):
            restored()
    assert not Prompt.objects.filter(id=prompt.id).exists()


def test_many_rows_come_back_only_if_there_is_room_for_all(
    cascading_tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promptadmin.deletions.work.AT_ONCE", 1)
    prompt = make_prompt(make_project())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO marks VALUES (1, 'mine', %s)", [prompt.id])
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
        cursor.execute("INSERT INTO marks VALUES (1, 'mine', NULL)")
    with pytest.raises(Conflict, match="the table marks has rows with the same id"):
        restored()
    assert not Prompt.objects.filter(id=prompt.id).exists()


def test_a_table_that_is_gone_is_told(cascading_tables: None) -> None:
    prompt = make_prompt(make_project())
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO marks VALUES (1, 'mine', %s)", [prompt.id])
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
        cursor.execute('DROP TABLE "Pairs"')
        cursor.execute("DROP TABLE marks")
    restored()
    assert Prompt.objects.filter(id=prompt.id).exists()
    assert "Lost: 1 row of marks, because" in LogEntry.objects.latest("pk").note


def restored() -> None:
    with transaction.atomic():
        restore(Deletion.objects.get().pk, "default")


def test_nothing_foreign_is_fine(db: None) -> None:
    [result] = examine(connection, only=["D206"])
    assert result.severity == "ok"
