"""Files of PromptForge's last release, new and upgraded, whole and half-made: kept, shown, and written by both."""

from __future__ import annotations

import contextlib
import json
import random
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from optimizations.contrib.mcp import project_tools, resources
from projects.files.lines import read_prompts
from projects.files.tables import PromptTable
from projects.models import Prompt
from projects.repository import ProjectRepository
from promptadmin.db.sessions import write_session
from promptadmin.exchange.lines import Imported, ImportRefused
from promptadmin.http.responses import to_json
from promptadmin.ops.startup.sequence import run_startup
from tests.conftest import Command, OpenDatabase, OpenFile
from tests.ops.adoption.test_random_files import schema_stays
from tests.ops.test_postgresql_move import assert_same
from tests.support import file_contents
from tests.support.django_databases import as_default, postgresql_config
from tests.support.last_release_files import KINDS, make_last_release
from tests.support.made_once import MadeOnce
from tests.support.processes import Scratch
from tests.support.rounds import KILLS, STAGES
from tests.support.sent_sql import rebuilds, sent_sql
from tests.support.services import needs_postgresql, postgresql_database

#: How many of the half-made files of each kind are adopted; all of them where it is larger.
CHANGED_BY_RULES = {"prompt_id", "status", "error_message"}
API, OTHER_API = "/api", "/api/apps/promptforge"


def some_stages() -> list[Any]:
    found: list[Any] = []
    for kind, statements in KINDS.items():
        step = max(1, len(statements) // STAGES)
        found += [pytest.param(kind, stage, id=f"{kind}-{stage}") for stage in range(1, len(statements) + 1, step)]
    return found


def adopt(open_file: OpenFile, path: Path) -> list[str]:
    with open_file(path) as connection, sent_sql(connection) as statements:
        run_startup(using=connection.alias)
    return statements


def nothing_is_lost(legacy: Path, adopted: Path) -> None:
    """Every row of every table is there with its bytes; runs but for what the start-up's rules set."""
    schema_stays(legacy, adopted)
    for table in file_contents.table_names(legacy):
        names = file_contents.columns(legacy, table)
        if table == "optimizations":
            names = [name for name in names if name not in CHANGED_BY_RULES]
        before, after = (file_contents.rows(path, table, names) for path in (legacy, adopted))
        assert [row for row in before if row not in after] == [], table
        if table not in ("projects", "prompts"):
            assert before == after, table
    assert file_contents.problems(adopted) == []


AdoptedRelease = Callable[[str], bytes]


@pytest.fixture(scope="session")
def adopted_release(open_file: OpenFile, made_once: MadeOnce) -> AdoptedRelease:
    """The bytes of a file of some kind after its first start-up."""

    def make(kind: str, path: Path) -> None:
        adopt(open_file, make_last_release(path, kind))

    return lambda kind: made_once(f"last-release-{kind}.db", partial(make, kind))


@pytest.mark.parametrize(("kind", "stage"), some_stages())
def test_a_file_at_any_stage_is_adopted_whole(open_file: OpenFile, tmp_path: Path, kind: str, stage: int) -> None:
    path = make_last_release(tmp_path / "promptforge.db", kind, stage)
    legacy = tmp_path / "legacy.db"
    legacy.write_bytes(path.read_bytes())
    assert rebuilds(adopt(open_file, path)) == []
    nothing_is_lost(legacy, path)
    adopted = file_contents.dump(path)
    adopt(open_file, path)
    assert file_contents.dump(path) == adopted


@pytest.mark.parametrize("kind", KINDS)
def test_names_mean_the_first_project_that_has_them(adopted_release: AdoptedRelease, tmp_path: Path, kind: str) -> None:
    """Of two projects in folders the older; runs by its name get prompts there, and no other project does."""
    path = tmp_path / "promptforge.db"
    path.write_bytes(adopted_release(kind))
    with contextlib.closing(sqlite3.connect(path)) as raw:
        links = dict(
            raw.execute("SELECT o.id, p.project_id FROM optimizations o LEFT JOIN prompts p ON p.id = prompt_id")
        )
        made = dict(raw.execute("SELECT content, project_id FROM prompts WHERE id NOT LIKE 'p-%'"))
        [gamma] = raw.execute("SELECT id, parent_id, depth FROM projects WHERE name = 'gamma'")
        status = raw.execute("SELECT status FROM optimizations WHERE id = 'o-deep'").fetchone()
    assert links == {
        "o-a": "notes-a", "o-none": None, "o-by-name": "notes-b", "o-new-text": "notes-b", "o-new-project": gamma[0],
        "o-unfiled": None, "o-deep": "deep",
    }  # fmt: skip
    assert made == {"a text of no prompt": "notes-b", "five": gamma[0]}
    assert gamma[1:] == (None, 0)
    assert status == ("error",)


@pytest.mark.parametrize("stamp", ["", 0])
def test_a_project_of_runs_without_a_time_is_dated_now(open_file: OpenFile, tmp_path: Path, stamp: Any) -> None:
    path = make_last_release(tmp_path / "promptforge.db", "fresh")
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("UPDATE optimizations SET created_at = ? WHERE id = 'o-new-project'", [stamp])
        raw.commit()
    adopt(open_file, path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        [times] = raw.execute("SELECT created_at, updated_at FROM projects WHERE name = 'gamma'")
    assert times[0] == times[1] > "2026"


# ---------------------------------------------------------------- shown and written


@pytest.fixture(params=KINDS)
def adopted(
    request: pytest.FixtureRequest, adopted_release: AdoptedRelease, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """An adopted file as the default database."""
    path = tmp_path / "promptforge.db"
    path.write_bytes(adopted_release(request.param))
    with django_db_blocker.unblock(), override_settings(API_AUTH=False), as_default(path):
        yield path


@pytest.fixture
def staff(adopted: Path) -> Client:
    user = User.objects.create_superuser("root")
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    answer = client.generic(method, path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code < 300, (method, path, answer.content)
    return answer.json()


def test_every_page_shows_folders_and_prompts_in_none(staff: Client) -> None:
    def page(name: str, *keys: str, **query: str) -> str:
        answer = staff.get(reverse(f"admin:{name}", args=keys), query)
        assert answer.status_code == 200, name
        return answer.content.decode()

    projects = page("projects_project_changelist")
    for path in ("alpha / notes", "beta / notes", "alpha / notes / deep"):
        assert f">{path}</bdi>" in projects
    assert "alpha / notes / deep" in page("projects_project_change", "deep")
    prompts = page("projects_prompt_changelist")
    assert len(re.findall(r"no project", prompts)) >= 2
    assert "beta / notes" in prompts
    alone = page("projects_prompt_changelist", in_project="no")
    assert "unfiled text" in alone
    assert "three" not in alone
    for key, where in (("p-none", "No project"), ("p-deep", "alpha / notes / deep")):
        assert where in page("projects_prompt_change", key)
    page("projects_prompt_compare", "p-none", old="1", new="2")
    page("projects_prompt_restore", "p-none", "1")
    page("projects_prompt_delete", "p-none")
    page("projects_promptversion_changelist")
    page("projects_prompt_history", "p-none")
    page("optimizations_optimization_changelist")
    page("optimizations_optimization_change", "o-none")
    page("index")
    choices = staff.get(
        reverse("admin:autocomplete"),
        {"app_label": "projects", "model_name": "prompt", "field_name": "project", "term": "notes"},
    ).json()["results"]
    assert {item["text"] for item in choices} == {"alpha / notes", "beta / notes"}


def test_the_back_office_writes(staff: Client) -> None:
    change = reverse("admin:projects_prompt_change", args=["p-none"])
    assert staff.post(change, {"content": "edited", "read_version": "2"}).status_code == 302
    assert staff.get(f"{API}/projects/none/prompts/p-none").json()["version"] == 3
    added = staff.post(reverse("admin:projects_prompt_add"), {"project": "deep", "content": "new"})
    assert added.status_code == 302
    assert staff.post(reverse("admin:projects_project_add"), {"name": "made here"}).status_code == 302
    rename = reverse("admin:projects_project_change", args=["deep"])
    assert staff.post(rename, {"name": "deeper", "description": "", "read_state": ""}).status_code in (200, 302)


@pytest.mark.parametrize("base", [API, OTHER_API])
def test_the_api_reads_and_writes(staff: Client, base: str) -> None:
    listed = {item["id"]: item for item in send(staff, "GET", f"{base}/projects?per_page=100")["items"]}
    assert (listed["deep"]["name"], listed["deep"]["path"]) == ("deep", "alpha / notes / deep")
    assert (listed["deep"]["parent_id"], listed["alpha"]["parent_id"]) == ("notes-a", None)
    assert send(staff, "GET", f"{base}/projects/notes-b")["path"] == "beta / notes"
    # Runs by the name alone are the first one's.
    counts = {key: send(staff, "GET", f"{base}/history?project_id={key}")["total"] for key in ("notes-a", "notes-b")}
    assert counts == {"notes-a": 1, "notes-b": 2}
    total = send(staff, "GET", f"{base}/history")
    assert total["total"] == len(total["items"]) == 7
    # Prompts in no project.
    unfiled = send(staff, "GET", f"{base}/projects/none/prompts")
    assert [item["id"] for item in unfiled["items"]] == ["p-none", "p-none-2"]
    prompt = f"{base}/projects/none/prompts/p-none"
    read = send(staff, "GET", prompt)
    assert (read["project_id"], read["forge_count"]) == (None, 1)
    assert staff.get(f"{base}/projects/alpha/prompts/p-none").status_code == 404
    for part in ("versions", "forges", "findings", "versions/1/diff/2"):
        send(staff, "GET", f"{prompt}/{part}")
    assert send(staff, "PUT", prompt, {"content": "edited"}, if_match='"2"')["version"] == 3
    assert send(staff, "POST", f"{prompt}/versions/2/restore")["version"] == 4
    assert send(staff, "DELETE", prompt)["deleted_optimizations"] == 1
    found = send(staff, "GET", f"{base}/search?q=unfiled&kind=prompt")["items"]
    assert [(item["id"], item["project"]) for item in found] == [("p-none-2", None)]
    # Writing projects.
    made = send(staff, "POST", f"{base}/projects", {"name": "notes"})  # outside of folders there is none yet
    assert (made["path"], made["parent_id"]) == ("notes", None)
    assert staff.post(f"{base}/projects", {"name": "notes"}, content_type="application/json").status_code == 409
    assert staff.put(f"{base}/projects/notes-a", {"name": "notes"}, content_type="application/json").status_code == 200
    send(staff, "PUT", f"{base}/projects/deep", {"name": "notes"})  # in a folder of its own
    added = send(staff, "POST", f"{base}/projects/deep/prompts", {"content": "another"})
    send(staff, "PUT", f"{base}/projects/deep/prompts/{added['id']}", {"content": "changed"})
    run = send(staff, "POST", f"{base}/optimizations", {"raw_prompt": "x", "project": "notes", "status": "completed"})
    assert run["project_id"] == made["id"]
    assert send(staff, "DELETE", f"{base}/projects/notes-b")["deleted_optimizations"] == 2
    send(staff, "POST", f"{base}/projects/notes-a/archive")
    send(staff, "GET", f"{base}/history/stats")


def test_other_addresses_of_the_api_stay_out_of_its_document(staff: Client) -> None:
    assert not [path for path in staff.get(f"{API}/openapi.json").json()["paths"] if "apps" in path]


def test_promptforge_still_reads_and_writes_the_file(adopted: Path) -> None:
    """What it sends for a new folder, project, prompt and run; an own constraint of the file still holds."""
    with contextlib.closing(sqlite3.connect(adopted)) as raw:
        raw.execute("PRAGMA foreign_keys=ON")
        project = (
            "INSERT INTO projects (id, name, status, parent_id, depth, created_at, updated_at) "
            "VALUES (?, 'theirs', 'active', 'deep', 3, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000')"
        )
        raw.execute(project, ["n1"])
        with pytest.raises(sqlite3.IntegrityError):
            raw.execute(project, ["n2"])
        raw.execute("INSERT INTO prompts VALUES ('n3', 'x', 1, NULL, 0, '2026', '2026')")
        raw.commit()
    row = ProjectRepository().get_project(project_id="n1")
    assert row.path == "alpha / notes / deep / theirs"
    assert ProjectRepository().get_prompt(prompt_id="n3").created_at is None
    made = ProjectRepository().create_project(name="ours")
    with contextlib.closing(sqlite3.connect(adopted)) as raw:
        assert raw.execute("SELECT depth, parent_id FROM projects WHERE id = ?", [made.id]).fetchone() == (0, None)


def test_a_project_in_itself_has_a_path(adopted: Path) -> None:
    with contextlib.closing(sqlite3.connect(adopted)) as raw:
        raw.execute("UPDATE projects SET parent_id = 'deep' WHERE id = 'alpha'")
        raw.commit()
    assert ProjectRepository().get_project(project_id="deep").path == "alpha / notes / deep"


def test_agents_find_and_edit_prompts_in_no_project(adopted: Path) -> None:
    listed = {prompt.name: prompt.description for prompt in resources.list_prompts("").prompts}
    assert listed["p-none"] == "no project, version 2"
    assert listed["p-deep"] == "deep, version 1"
    assert resources.get_prompt("p-none", {}).messages[0].content.text == "unfiled text"  # type: ignore[union-attr]
    assert project_tools.update_prompt(prompt_id="p-none", content="edited")["version"] == 3
    paths = {item["path"] for item in project_tools.list_projects(limit=100)["items"]}
    assert {"alpha / notes", "beta / notes"} < paths
    assert project_tools.create_project(name="notes")["path"] == "notes"


def test_an_export_goes_back_in_without_a_change(staff: Client, adopted: Path) -> None:
    """Also of prompts in no project; new ones need one."""
    repository = ProjectRepository()
    table = PromptTable()
    records = [table.record(values) for values in table.values(Prompt.objects.all())]
    lines = [(number, to_json(record)) for number, record in enumerate(records, 1)]
    read, errors = read_prompts(lines)
    assert errors == []
    assert repository.import_prompts(read) == Imported(len(lines), 0, len(lines))
    stray, _ = read_prompts([(1, {"id": "new", "project_id": None, "content": "x"})])
    with pytest.raises(ImportRefused) as refused:
        repository.import_prompts(stray)
    assert "needs a project" in str(refused.value.errors[0].msg)
    exported = staff.post(reverse("admin:projects_prompt_export"), {"format": "0"})
    assert exported.status_code == 200
    exported.close()


def test_the_doctor_finds_no_error_and_a_backup_restores_everything(
    scratch: Scratch, command: Command, adopted_release: AdoptedRelease
) -> None:
    scratch.database.write_bytes(adopted_release("fresh"))
    doctor = scratch.manage("doctor", "--full", "--json")
    problems = [found for found in json.loads(doctor.stdout)["findings"] if found["severity"] == "error"]
    assert problems == []
    backup = command("backupdb")
    assert backup.returncode == 0, backup.stderr
    before = file_contents.dump(scratch.database)
    restored = command("restoredb", str(scratch.data_dir / "backups"))
    assert restored.returncode == 0, restored.stderr
    assert command("startup").returncode == 0
    assert file_contents.dump(scratch.database) == before


@needs_postgresql
def test_a_move_to_postgresql_keeps_folders_and_prompts_in_none(
    scratch: Scratch, command: Command, adopted_release: AdoptedRelease, open_database: OpenDatabase
) -> None:
    scratch.database.write_bytes(adopted_release("fresh"))
    with postgresql_database() as url:
        moved = command("move_to", url)
        assert moved.returncode == 0, moved.stderr
        assert assert_same(scratch.database, url) == 0
        with open_database(postgresql_config(url)) as connection:
            repository = ProjectRepository(connection.alias)
            assert repository.get_project(project_id="deep").path == "alpha / notes / deep"
            assert [row.id for row in repository.list_prompts(project_id="none").items] == ["p-none", "p-none-2"]
            with write_session(connection.alias):
                assert repository.create_project(name="notes").path == "notes"
                repository.update_prompt(prompt_id="p-none", content="edited")
                info = repository.ensure_project_by_name("notes")
            assert info is not None
            assert repository.name_of_runs(info.id) == "notes"
            assert repository.name_of_runs("notes-b") is None


def test_killed_at_any_moment(scratch: Scratch, command: Command) -> None:
    """Each start goes on where the last one died; nothing is lost, and the outcome is that of one start."""
    moments = random.Random("last release")
    legacy = make_last_release(scratch.directory / "legacy.db", "fresh")
    scratch.database.write_bytes(legacy.read_bytes())
    for _ in range(KILLS):
        process = scratch.start("startup")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=moments.uniform(0.3, 2.0))
        process.kill()
        process.communicate()
    last = command("startup")
    assert (last.returncode, last.stderr) == (0, "")
    nothing_is_lost(legacy, scratch.database)
    adopted = file_contents.dump(scratch.database)
    assert len(adopted["projects"]) == 6
    assert command("startup").returncode == 0
    assert file_contents.dump(scratch.database) == adopted
