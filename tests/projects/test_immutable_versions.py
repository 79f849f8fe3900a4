"""Whoever tries to update what a prompt version says is refused: models, querysets and raw SQL, on both engines."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from optimizations.models import Optimization
from projects.models import ImmutableError, Project, Prompt, PromptVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> PromptVersion:
    project = Project.objects.create(name="p")
    prompt = Prompt.objects.create(project=project, content="new", version=2)
    run = Optimization.objects.create(id="run", raw_prompt="x")
    return PromptVersion.objects.create(id="v", prompt=prompt, version=1, content="old", optimization=run)


def execute(sql: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.rowcount)


def stored() -> tuple[int, str, str | None]:
    return PromptVersion.objects.values_list("version", "content", "optimization_id").get(id="v")


def test_save_is_refused(version: PromptVersion) -> None:
    version.content = "changed"
    with pytest.raises(ImmutableError):
        version.save()
    with pytest.raises(ImmutableError):
        version.save(update_fields=["content"])
    with pytest.raises(ImmutableError):
        PromptVersion.objects.get(id="v").save()
    assert stored() == (1, "old", "run")


@pytest.mark.parametrize(
    "change", [{"content": "x"}, {"version": 9}, {"prompt_id": "y"}, {"optimization": None, "version": 9}]
)
def test_queryset_update_is_refused(version: PromptVersion, change: dict[str, object]) -> None:
    """Also where one of several columns may change."""
    with pytest.raises(ImmutableError):
        PromptVersion.objects.filter(id="v").update(**change)
    assert stored() == (1, "old", "run")


def test_bulk_update_is_refused(version: PromptVersion) -> None:
    version.content = "changed"
    with pytest.raises(ImmutableError), transaction.atomic():
        PromptVersion.objects.bulk_update([version], ["content"])
    assert stored() == (1, "old", "run")


def test_update_or_create_is_refused(version: PromptVersion) -> None:
    with pytest.raises(ImmutableError):
        PromptVersion.objects.update_or_create(id="v", defaults={"content": "changed"})
    assert stored() == (1, "old", "run")


def test_upsert_is_refused_by_the_engine(version: PromptVersion) -> None:
    """bulk_create that updates on a conflict goes round models and querysets, not round the trigger."""
    other = PromptVersion(id="v", prompt=version.prompt, version=1, content="changed")
    with pytest.raises(IntegrityError), transaction.atomic():
        PromptVersion.objects.bulk_create(
            [other], update_conflicts=True, unique_fields=["id"], update_fields=["content"]
        )
    assert stored() == (1, "old", "run")


@pytest.mark.parametrize("assignment", ["content = 'x'", "version = 9", "prompt_id = prompt_id || 'x'"])
def test_raw_sql_is_refused(version: PromptVersion, assignment: str) -> None:
    """By the engine, with its reason."""
    with pytest.raises(IntegrityError, match="immutable"):
        execute(f"UPDATE prompt_versions SET {assignment} WHERE id = 'v'")
    assert stored() == (1, "old", "run")


def test_raw_sql_that_changes_nothing_passes(version: PromptVersion) -> None:
    """The engine compares old and new, not the names of columns."""
    assert execute("UPDATE prompt_versions SET content = content || '', version = 1") == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other engines have no INSERT OR REPLACE")
def test_replacing_a_row_is_a_deletion_and_an_insertion(version: PromptVersion) -> None:
    """Neither is refused in SQL: versions go with their prompt, and nothing tells this deletion from that one.

    No repository, admin page or command does either to a single version; `save()` and `update()` refuse.
    """
    execute(
        "INSERT OR REPLACE INTO prompt_versions (id, prompt_id, version, content, created_at) "
        "SELECT id, prompt_id, version, 'changed', created_at FROM prompt_versions WHERE id = 'v'"
    )
    assert stored() == (1, "changed", None)


def test_the_link_to_a_run_can_be_cleared(version: PromptVersion) -> None:
    """By a queryset and by raw SQL."""
    assert PromptVersion.objects.filter(id="v").update(optimization=None) == 1
    assert stored() == (1, "old", None)
    assert execute("UPDATE prompt_versions SET optimization_id = 'run' WHERE id = 'v'") == 1
    assert execute("UPDATE prompt_versions SET optimization_id = NULL WHERE id = 'v'") == 1
    assert stored() == (1, "old", None)


def test_deleting_the_run_clears_the_link(version: PromptVersion) -> None:
    """The database's own ON DELETE SET NULL passes the trigger."""
    assert execute("DELETE FROM optimizations WHERE id = 'run'") == 1
    assert stored() == (1, "old", None)


def test_versions_go_with_their_prompt(version: PromptVersion) -> None:
    """Immutable isn't eternal: deleting the project deletes prompts and versions."""
    assert execute("DELETE FROM projects") == 1
    assert not PromptVersion.objects.exists()
