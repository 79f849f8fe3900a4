from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from projects.repository import LEAVE, ProjectRepository
from promptadmin.errors import Conflict, Forbidden, Invalid, NotFound
from tests.projects.making import make_project, make_prompt, make_run, make_version, store, stored

pytestmark = pytest.mark.django_db

LONG_AGO = dt.datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
repository = ProjectRepository()

only_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="other engines keep no such values")


def names(**filters: Any) -> list[str]:
    return [item.name for item in repository.list_projects(**filters).items]


def test_a_list_has_all_but_the_deleted_unless_a_status_is_asked_for() -> None:
    for status in ("active", "archived", "deleted"):
        make_project(name=status, status=status)
    assert sorted(names()) == ["active", "archived"]
    assert sorted(names(status="")) == ["active", "archived"]
    assert names(status="deleted") == ["deleted"]
    assert names(status="nope") == []


@pytest.mark.parametrize("sort", ["created_at", "updated_at", "name", "nonsense"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_equal_keys_are_in_the_order_of_their_ids(sort: str, order: str) -> None:
    for key in "bdac":
        make_project(id=key, name=f"name {key}", created_at=LONG_AGO, updated_at=LONG_AGO)
    make_project(id="0", name="name e", created_at=LONG_AGO + dt.timedelta(1), updated_at=LONG_AGO + dt.timedelta(1))
    ids = [item.id for item in repository.list_projects(sort=sort, order=order).items]
    expected = ["a", "b", "c", "d", "0"]
    assert ids == (expected if order == "asc" else expected[::-1])
    pages = [repository.list_projects(sort=sort, order=order, limit=2, offset=at) for at in (0, 2, 4, 6)]
    assert [item.id for page in pages for item in page.items] == ids
    assert {page.total for page in pages} == {5}


@pytest.mark.parametrize("needle", ["%", "_", "\\", "ÜNÏ", "ünï", "100%", "notes"])
def test_search_means_what_it_says(needle: str) -> None:
    make_project(name="100% ünï", description=None)
    make_project(name="other", description="under_score \\ Field NOTES")
    make_project(name="neither", description="")
    expected = "other" if needle in ("_", "\\", "notes") else "100% ünï"
    assert names(search=needle) == [expected]
    assert repository.list_projects(search=needle).total == 1


def test_a_summary_counts_prompts_and_tells_of_a_context() -> None:
    full = make_project(name="full", context_profile='{"language": "Go"}')
    make_project(name="bare", context_profile="not json")
    for _ in range(3):
        make_prompt(full)
    found = {item.name: item for item in repository.list_projects().items}
    assert (found["full"].prompt_count, found["full"].has_context) == (3, True)
    assert (found["bare"].prompt_count, found["bare"].has_context) == (0, False)


def test_a_list_takes_three_queries_however_long() -> None:
    for _ in range(12):
        make_prompt(make_project())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(repository.list_projects(limit=100).items) == 12
    assert len(queries) == 3


def test_a_new_project_is_stored_as_the_legacy_program_reads_it() -> None:
    made = repository.create_project(
        name="  padded ", description="d", context_profile={"language": "ünï", "patterns": []}
    )
    row = Project.objects.get(id=made.id)
    assert (row.name, row.description, row.status) == ("padded", "d", "active")
    assert row.context_profile == '{"language": "ünï"}'
    assert row.created_at == row.updated_at == made.created_at
    assert made.context_profile == {"language": "ünï"}
    assert made.prompts == []
    assert repository.create_project(name="bare").context_profile is None


@pytest.mark.parametrize("status", ["active", "archived"])
def test_a_name_is_taken_by_any_project_that_is_not_deleted(status: str) -> None:
    make_project(name="taken", status=status)
    with pytest.raises(Conflict, match=r"^A project with this name already exists$"):
        repository.create_project(name=" taken ")
    assert repository.create_project(name="Taken").name == "Taken"


def test_a_deleted_project_comes_back_with_the_new_description_and_context() -> None:
    old = make_project(
        name="back", status="deleted", description="old", context_profile='{"language": "Go"}', created_at=LONG_AGO
    )
    again = repository.create_project(name="back")
    assert (again.id, again.created_at, again.status) == (old.id, LONG_AGO, "active")
    assert (again.description, again.context_profile) == (None, None)
    repository.delete_project(project_id=old.id)
    repository.create_project(name="back", description="new", context_profile={"language": "Rust"})
    repository.delete_project(project_id=old.id)
    kept = repository.create_project(name="back", description=LEAVE, context_profile=LEAVE)
    assert (kept.description, kept.context_profile) == ("new", {"language": "Rust"})


@pytest.mark.parametrize("name", ["", "  \n", "a\x00b"])
def test_no_door_can_store_a_blank_name_or_nul(name: str) -> None:
    project = make_project()
    with pytest.raises(Invalid):
        repository.create_project(name=name)
    with pytest.raises(Invalid):
        repository.update_project(project_id=project.id, name=name)
    with pytest.raises(Invalid, match="NUL"):
        repository.create_project(name="fine", description="a\x00b")


def test_an_update_changes_what_is_given_and_always_the_time() -> None:
    project = make_project(name="n", description="d", context_profile='{"language": "Go"}', updated_at=LONG_AGO)
    same = repository.update_project(project_id=project.id)
    assert (same.name, same.description, same.context_profile) == ("n", "d", {"language": "Go"})
    assert same.updated_at is not None
    assert same.updated_at > LONG_AGO
    assert repository.update_project(project_id=project.id, name="n").name == "n"
    assert repository.update_project(project_id=project.id, description="").description == ""
    assert repository.update_project(project_id=project.id, context_profile={"language": "Rust"}).context_profile == {
        "language": "Rust"
    }
    assert repository.update_project(project_id=project.id, context_profile=None).context_profile is None
    assert Project.objects.get(id=project.id).context_profile is None


@pytest.mark.parametrize("status", ["active", "archived", "deleted"])
def test_a_rename_to_a_taken_name_is_refused(status: str) -> None:
    make_project(name="taken", status=status)
    project = make_project(name="mine")
    with pytest.raises(Conflict, match=r"^A project with this name already exists$"):
        repository.update_project(project_id=project.id, name="taken", description="not stored")
    assert Project.objects.get(id=project.id).description is None


def test_a_rename_leaves_the_names_of_runs() -> None:
    project = make_project(name="before")
    run = make_run(project="before")
    repository.update_project(project_id=project.id, name="after")
    assert Optimization.objects.get(id=run.id).project == "before"


@pytest.mark.parametrize(("seconds", "refused"), [(-1, True), (0, False), (1, False)])
def test_an_update_can_expect_that_nothing_has_changed_since(seconds: int, refused: bool) -> None:
    project = make_project(updated_at=LONG_AGO)
    since = LONG_AGO.replace(microsecond=0) + dt.timedelta(seconds=seconds)
    if refused:
        with pytest.raises(Conflict, match=r"^Project has been modified since your last read$"):
            repository.update_project(project_id=project.id, unmodified_since=since)
    else:
        repository.update_project(project_id=project.id, unmodified_since=since)


def test_archived_projects_can_be_read_unarchived_and_deleted_only() -> None:
    project = make_project()
    first, second = make_prompt(project), make_prompt(project)
    repository.archive_project(project_id=project.id)
    writes = (
        lambda: repository.update_project(project_id=project.id, name="x"),
        lambda: repository.add_prompt(project_id=project.id, content="x"),
        lambda: repository.update_prompt(prompt_id=first.id, content="x"),
        lambda: repository.delete_prompt(prompt_id=first.id),
        lambda: repository.reorder_prompts(project_id=project.id, prompt_ids=[second.id, first.id]),
        lambda: repository.restore_version(prompt_id=first.id, version=1),
    )
    for write in writes:
        with pytest.raises(Forbidden, match=r"^Cannot modify an archived project$"):
            write()
    assert len(repository.get_project(project_id=project.id).prompts) == 2
    repository.list_versions(prompt_id=first.id)
    repository.list_runs(prompt_id=first.id)
    with pytest.raises(Invalid, match=r"^Project is already archived$"):
        repository.archive_project(project_id=project.id)
    assert repository.unarchive_project(project_id=project.id).status == "active"
    with pytest.raises(Invalid, match=r"^Project is already active$"):
        repository.unarchive_project(project_id=project.id)
    repository.archive_project(project_id=project.id)
    assert repository.delete_project(project_id=project.id) == 0


def test_missing_and_deleted_projects_are_not_found() -> None:
    deleted = make_project(status="deleted")
    for key in (deleted.id, "nope", ""):
        for call in (
            lambda key=key: repository.get_project(project_id=key),
            lambda key=key: repository.update_project(project_id=key),
            lambda key=key: repository.delete_project(project_id=key),
            lambda key=key: repository.archive_project(project_id=key),
            lambda key=key: repository.unarchive_project(project_id=key),
            lambda key=key: repository.add_prompt(project_id=key, content="x"),
            lambda key=key: repository.reorder_prompts(project_id=key, prompt_ids=["x"]),
        ):
            with pytest.raises(NotFound, match=r"^Project not found$"):
                call()
    assert repository.get_project(project_id=deleted.id, deleted=True).status == "deleted"


def test_deleting_a_project_takes_prompts_versions_and_runs_with_it() -> None:
    project, other = make_project(name="goes"), make_project(name="stays")
    prompt, kept_prompt = make_prompt(project, "text"), make_prompt(other, "text")
    linked = make_run(prompt, project="some other name")
    make_run(project="goes", raw_prompt="text")
    make_run(project="goes", raw_prompt="another text")
    kept = [
        make_run(project="stays", raw_prompt="text"),
        make_run(kept_prompt, project="goes"),
        make_run(project=None, raw_prompt="text"),
    ]
    make_version(prompt, 1)
    kept_version = make_version(kept_prompt, 1, optimization_id=linked.id)

    assert repository.delete_project(project_id=project.id) == 3

    assert set(Optimization.objects.values_list("id", flat=True)) == {run.id for run in kept}
    assert list(Prompt.objects.values_list("id", flat=True)) == [kept_prompt.id]
    (version,) = PromptVersion.objects.all()
    assert (version.id, version.optimization_id) == (kept_version.id, None)
    assert Project.objects.get(id=project.id).status == "deleted"
    with pytest.raises(NotFound):
        repository.delete_project(project_id=project.id)


def test_a_deletion_takes_the_same_queries_however_much_goes() -> None:
    counts = []
    ContentType.objects.get_for_model(Project)  # kept by Django from the first entry in the change log on
    for size in (1, 20):
        project = make_project()
        for _ in range(size):
            prompt = make_prompt(project)
            make_version(prompt, 1)
            make_run(prompt)
        with CaptureQueriesContext(connection) as queries:
            assert repository.delete_project(project_id=project.id) == size
        counts.append(len(queries))
    # Three are a plugin's, which notes the event; thirteen look for rows of the registry's and the comments' tables.
    assert counts[0] == counts[1] <= 53  # one asks for labels, and one for fetches


def test_a_context_is_read_by_name() -> None:
    make_project(name="both", description="own", context_profile='{"language": "Go", "description": "profile"}')
    make_project(name="own only", description="own", context_profile=None)
    make_project(name="filled", description="own", context_profile='{"language": "Go"}')
    make_project(name="bare")
    make_project(name="gone", description="own", status="deleted")
    make_project(name="broken", context_profile="[1]")
    assert repository.get_context(name="both") == {"language": "Go", "description": "profile"}
    assert repository.get_context(name=" own only ") == {"description": "own"}
    assert repository.get_context(name="filled") == {"language": "Go", "description": "own"}
    for name in ("bare", "gone", "broken", "nope", ""):
        assert repository.get_context(name=name) is None


@only_sqlite
def test_legacy_values_stay_byte_for_byte_until_somebody_edits_them() -> None:
    project = make_project(name=" legacy name ", context_profile="{'not': json}")
    prompt = make_prompt(project)
    store("projects", "created_at", project.id, "sometime in 2023")
    store("projects", "updated_at", project.id, "2024-01-01T10:00:00+02:00")
    store("prompts", "created_at", prompt.id, "last spring")
    store("prompts", "updated_at", prompt.id, "")

    detail = repository.get_project(project_id=project.id)
    assert (detail.created_at, detail.context_profile) == (None, None)
    assert detail.updated_at == dt.datetime(2024, 1, 1, 8, tzinfo=dt.UTC)
    assert (detail.prompts[0].created_at, detail.prompts[0].updated_at) == (None, None)

    repository.update_project(project_id=project.id, description="new")
    repository.update_prompt(prompt_id=prompt.id, content="new text")
    repository.archive_project(project_id=project.id)
    assert stored("projects", "created_at", project.id) == "sometime in 2023"
    assert stored("projects", "name", project.id) == " legacy name "
    assert stored("projects", "context_profile", project.id) == "{'not': json}"
    assert stored("prompts", "created_at", prompt.id) == "last spring"
    assert len(stored("projects", "updated_at", project.id)) == len("2024-01-01 10:00:00.000000")


@only_sqlite
def test_a_time_that_cant_be_read_hinders_no_conditional_update() -> None:
    project = make_project()
    store("projects", "updated_at", project.id, "whenever")
    repository.update_project(project_id=project.id, unmodified_since=LONG_AGO)


def test_a_stored_context_shows_as_it_is() -> None:
    project = make_project(context_profile=json.dumps({"language": "Go", "legacy": [1, {"a": None}]}))
    assert repository.get_project(project_id=project.id).context_profile == {
        "language": "Go",
        "legacy": [1, {"a": None}],
    }
