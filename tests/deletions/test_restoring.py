"""What is deleted comes back as it was: projects, prompts and runs, at once and in pieces, on both engines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
from promptadmin.deletions import upkeep, work
from promptadmin.errors import Busy, Conflict, Forbidden, Invalid, NotFound
from promptadmin.models import DeletedRows, Deletion, LogEntry
from promptadmin.plugins.steps import StepContext
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db

commits = pytest.mark.django_db(transaction=True)

TABLES = ("projects", "prompts", "prompt_versions", "optimizations")


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every value of the four tables, byte for byte, with its kind."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            if connection.vendor == "sqlite":
                names = [row[0] for row in cursor.execute(f"SELECT name FROM pragma_table_info('{table}')")]
                columns = ", ".join(f'TYPEOF("{name}"), HEX(CAST("{name}" AS BLOB))' for name in names)
            else:
                columns = f"{table}::text"
            cursor.execute(f"SELECT {columns} FROM {table}")
            found[table] = sorted(cursor.fetchall())
    return found


def do(method: str, *arguments: Any, **keywords: Any) -> Any:
    """One call of the repository of projects, in a session of its own."""
    with write_session():
        return getattr(ProjectRepository(), method)(*arguments, **keywords)


def undo(deletion_id: int) -> Deletion:
    with write_session():
        return work.restore(deletion_id, "default")


def forget(deletion_id: int) -> bool:
    with write_session():
        return work.purge(deletion_id, "default")


def newest() -> Deletion:
    return Deletion.objects.order_by("-pk")[0]


def make_library(*, runs: int = 3) -> tuple[Project, Prompt]:
    """A project with everything that refers to it, and another one whose version refers to a run of it."""
    project, other = make_project(name="goes", description="ä", context_profile='{"language": "Go"}'), make_project()
    prompt, kept = make_prompt(project, "the text"), make_prompt(other, "text")
    made = [make_run(prompt, project="old name", overall_score=0.1 + 0.2, tags='["a"]') for _ in range(runs)]
    make_run(project="goes", raw_prompt="the text")
    make_run(project="goes", raw_prompt="another text")
    make_version(prompt, 1, optimization_id=made[0].id)
    make_version(kept, 1, optimization_id=made[0].id)
    make_version(kept, 2)
    make_run(kept, project="goes")
    return project, prompt


def test_a_project_comes_back_as_it_was() -> None:
    project, _ = make_library()
    do("archive_project", project_id=project.id)
    do("unarchive_project", project_id=project.id)
    before = everything()
    assert do("delete_project", project_id=project.id) == 5
    deletion = newest()
    assert (deletion.kind, deletion.key, deletion.title) == ("project", project.id, "goes")
    assert (deletion.prompts, deletion.versions, deletion.runs) == (1, 1, 5)
    assert deletion.expires_at - deletion.deleted_at == dt.timedelta(days=30)
    assert Optimization.objects.count() == 1
    undo(deletion.pk)
    assert everything() == before
    assert not Deletion.objects.exists()
    assert not DeletedRows.objects.exists()
    entry = LogEntry.objects.latest("id")
    assert "restored, with 1 prompt, 1 earlier version and 5 runs" in entry.note
    with pytest.raises(NotFound, match="restored already"):
        undo(deletion.pk)


def test_a_prompt_comes_back_as_it_was() -> None:
    _, prompt = make_library()
    before = everything()
    assert do("delete_prompt", prompt_id=prompt.id) == 4
    assert everything() != before
    undo(newest().pk)
    assert everything() == before


def test_runs_come_back_as_they_were() -> None:
    make_library()
    before = everything()
    ids = list(Optimization.objects.values_list("id", flat=True))
    deletes: tuple[Callable[[OptimizationRepository], Any], ...] = (
        lambda runs: runs.delete_run(ids[0]),
        lambda runs: runs.delete_runs([*ids[:2], "unknown"]),
        lambda runs: runs.delete_all_runs(),
    )
    for delete in deletes:
        with write_session():
            delete(OptimizationRepository())
        assert everything() != before
        undo(newest().pk)
        assert everything() == before


@commits
@pytest.mark.parametrize("rows", [0, 7])
def test_large_deletions_go_and_come_back_in_pieces(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(work, "AT_ONCE", rows)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 2)
    project, _ = make_library(runs=9)
    before = everything()
    assert do("delete_project", project_id=project.id) == 11
    assert Optimization.objects.count() == 1
    assert not work.unfinished("default")
    assert (newest().prompts, newest().versions, newest().runs) == (1, 1, 11)
    undo(newest().pk)
    assert everything() == before
    assert not Deletion.objects.exists()


@commits
def test_odd_values_come_back_byte_for_byte() -> None:
    """Values that another program may have stored, and columns that only it knows."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's columns hold nothing odd")
    project, prompt = make_library()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute('ALTER TABLE optimizations ADD COLUMN "their\'s 100%" BLOB')
        for column, value in {
            "title": "x'00FF'",
            "verdict": "CAST(x'C328' AS TEXT)",
            "complexity": "'a' || CHAR(0) || 'b'",
            "tags": "'[1, \"\\ud800\"'",
            "created_at": "1742463000",
            "duration_ms": "'soon'",
            "overall_score": "9e999",
            "clarity_score": "1e-320",
            "input_tokens": "9223372036854775807",
            "version": '\'{"$blob": "00"}\'',
            '"their\'s 100%"': "4.0",
        }.items():
            cursor.execute(f"UPDATE optimizations SET {column} = {value}".replace("%", "%%"), [])
        cursor.execute("UPDATE prompts SET order_index = 'last', created_at = x'01', updated_at = 5.5")
        cursor.execute("UPDATE projects SET description = x'FF', updated_at = 'yesterday', context_profile = 7")
        cursor.execute("UPDATE optimizations SET id = x'AB' WHERE raw_prompt = 'another text'")
        cursor.execute(
            "INSERT INTO optimizations (id, created_at, raw_prompt, status, project) "
            "VALUES (CAST(x'FE' AS TEXT), 1, x'02', 'error', 'goes')"
        )
        cursor.execute("PRAGMA foreign_keys=ON")
    before = everything()
    try:
        assert do("delete_project", project_id=project.id) == 6
        undo(newest().pk)
        assert everything() == before
        do("delete_prompt", prompt_id=prompt.id)
        undo(newest().pk)
        assert everything() == before
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM optimizations")
            cursor.execute('ALTER TABLE optimizations DROP COLUMN "their\'s 100%"')


def test_a_revived_project_gets_its_old_prompts_besides() -> None:
    project, _ = make_library()
    do("delete_project", project_id=project.id)
    first = newest()
    revived = do("create_project", name="goes", description="new")
    assert revived.id == project.id
    do("add_prompt", project_id=project.id, content="new prompt")
    do("delete_project", project_id=project.id)
    second = newest()
    do("create_project", name="goes", description="newer")
    undo(first.pk)
    undo(second.pk)
    detail = ProjectRepository().get_project(project_id=project.id)
    assert (detail.description, detail.status) == ("newer", "active")
    assert {prompt.content for prompt in detail.prompts} == {"the text", "new prompt"}
    assert sum(prompt.run_count for prompt in detail.prompts) == 4


def test_what_stands_in_the_way_is_said() -> None:
    project, prompt = make_library()
    do("delete_prompt", prompt_id=prompt.id)
    of_prompt = newest()
    do("delete_project", project_id=project.id)
    of_project = newest()
    with pytest.raises(Conflict, match="The prompt's project “goes” is deleted: restore the project first"):
        undo(of_prompt.pk)
    undo(of_project.pk)
    do("archive_project", project_id=project.id)
    with pytest.raises(Forbidden, match="unarchive “goes” first"):
        undo(of_prompt.pk)
    do("unarchive_project", project_id=project.id)
    taken = make_prompt(project, id=prompt.id)
    before = everything()
    with pytest.raises(Conflict, match=f"the table prompts has rows with the same id: {prompt.id}"):
        undo(of_prompt.pk)
    assert everything() == before
    Prompt.objects.filter(id=taken.id).delete()
    undo(of_prompt.pk)
    assert Prompt.objects.get(id=prompt.id).content == "the text"


def test_a_project_whose_row_is_gone_comes_back_unless_its_name_is_taken() -> None:
    project, _ = make_library()
    before = everything()
    do("delete_project", project_id=project.id)
    Project.objects.filter(id=project.id).delete()
    other = make_project(name="goes")
    with pytest.raises(Conflict, match="Another project has the name “goes” now"):
        undo(newest().pk)
    Project.objects.filter(id=other.id).delete()
    undo(newest().pk)
    assert everything() == before


def test_links_to_what_was_deleted_meanwhile_stay_empty() -> None:
    project, other = make_project(), make_project()
    prompt, run = make_prompt(project), make_run(make_prompt(other))
    make_version(prompt, 1, optimization_id=run.id)
    do("delete_prompt", prompt_id=prompt.id)
    deletion = newest()
    with write_session():
        OptimizationRepository().delete_run(run.id)
    of_run = newest()
    restored = undo(deletion.pk)
    assert "1 row of prompt_versions came back without a link" in restored.note
    assert PromptVersion.objects.get().optimization_id is None
    undo(of_run.pk)


@commits
def test_an_interrupted_deletion_is_finished_by_the_next_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then the project is deleted, nobody can revive it or record into it, and nothing is adopted."""
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL a deletion is one transaction")
    monkeypatch.setattr(work, "AT_ONCE", 1)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 2)
    project, prompt = make_library()
    before = everything()
    with monkeypatch.context() as killed:
        killed.setattr(work, "go_on", lambda *arguments: None)
        assert do("delete_project", project_id=project.id) == 5
    assert work.do_piece(newest().pk, "default") == 1
    for write in (
        lambda: ProjectRepository().create_project(name="goes"),
        lambda: OptimizationRepository().record_run({"raw_prompt": "x", "project": "goes"}),
        lambda: work.restore(newest().pk, "default"),
        lambda: work.purge(newest().pk, "default"),
    ):
        with pytest.raises(Busy), write_session():
            write()
    with pytest.raises(Invalid, match="prompt_id"), write_session():
        OptimizationRepository().record_run({"raw_prompt": "x", "prompt_id": prompt.id})
    assert upkeep.finish_all(StepContext(connection)).changed == 1
    assert upkeep.finish_one("default") == (0, 0)
    assert Optimization.objects.count() == 1
    with monkeypatch.context() as killed:
        killed.setattr(work, "go_on", lambda *arguments: None)
        undo(newest().pk)
    while upkeep.finish_one("default").left:
        pass
    assert everything() == before


@commits
def test_a_deletion_that_cannot_be_finished_keeps_no_other_one_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And no server from its start."""
    if connection.vendor != "sqlite":
        pytest.skip("on PostgreSQL a deletion is one transaction")
    monkeypatch.setattr(work, "AT_ONCE", 1)
    monkeypatch.setattr(work, "ROWS_AT_ONCE", 2)
    stuck = Deletion.objects.create(kind="runs", title="x", parts="[", state="going", expires_at=timezone.now())
    for finish in (
        lambda: upkeep.finish_all(StepContext(connection)),
        lambda: [*iter(lambda: upkeep.finish_one("default").left, 0)],
    ):
        project, _ = make_library()
        with monkeypatch.context() as killed:
            killed.setattr(work, "go_on", lambda *arguments: None)
            do("delete_project", project_id=project.id)
        finish()
        assert work.unfinished("default") == [stuck.pk]
        assert Optimization.objects.count() == 1
        Optimization.objects.all().delete()
        Project.objects.all().delete()
    assert f"finishing the deletion {stuck.pk} failed" in caplog.text
    result = upkeep.finish_all(StepContext(connection))
    assert (result.changed, result.warnings) == (
        0,
        ["runs “x” couldn't be finished, see the log: upkeep tries again."],
    )
    assert upkeep.finish_one("default") == (0, 0)


def test_what_nobody_restores_goes_after_its_time(settings: Settings) -> None:
    project, prompt = make_library()
    do("delete_prompt", prompt_id=prompt.id)
    do("delete_project", project_id=project.id)
    assert upkeep.forget_expired("default") == (0, 0)
    Deletion.objects.filter(kind="prompt").update(expires_at=timezone.now())
    while upkeep.forget_expired("default").left:
        pass
    assert [deletion.kind for deletion in Deletion.objects.all()] == ["project"]
    assert forget(newest().pk)
    assert not DeletedRows.objects.exists()
    assert LogEntry.objects.latest("id").object_repr == "project “goes”"
    settings.KEEP_DELETED_DAYS = 0
    project = make_project()
    make_prompt(project)
    do("delete_project", project_id=project.id)
    assert not Deletion.objects.exists()


def test_a_deletion_of_an_application_that_is_off_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the start nor the upkeep fails on its kind, and nobody restores it."""
    project, _ = make_library()
    do("delete_project", project_id=project.id)
    Deletion.objects.update(state="going")
    monkeypatch.setattr(work, "KINDS", {})
    assert work.unfinished("default") == []
    assert upkeep.finish_one("default").left == 0
    with pytest.raises(NotFound):
        undo(newest().pk)
    assert newest().state == "going"
