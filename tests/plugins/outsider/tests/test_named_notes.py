"""Named notes at every door, by promptadmin's fixtures; on SQLite, or on the database that DATABASE_URL names."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from named_notes.models import Note
from pytest_django import Settings

from projects.repository import ProjectRepository
from promptadmin.plugins import write_session

Make = Callable[..., Any]
pytestmark = pytest.mark.django_db
LIST = "/admin/projects/prompt/"


@pytest.fixture
def prompt(make_prompt: Make) -> Any:
    """A prompt with a note that keeps it, and one that doesn't."""
    made = make_prompt("Answer politely.")
    Note.objects.create(prompt_id=made.id, name="why", text="Customers like it.", mark="keep")
    Note.objects.create(prompt_id=made.id, name="when", mark="draft")
    return made


def test_what_it_declares_is_sound() -> None:
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", "named_notes", check=True, dry_run=True)


def test_the_api_keeps_reads_and_takes_notes(make_api: Make, make_prompt: Make) -> None:
    api, address = make_api("read", "write"), f"/api/named_notes/{make_prompt().id}"
    made = api.post(address, {"name": "why", "mark": "keep"}, "application/json")
    assert (made.status_code, made.json()) == (201, {"name": "why", "text": "", "mark": "keep"})
    assert api.post(address, {"name": "why"}, "application/json").status_code == 409
    assert api.post(address, {"name": "x", "mark": "red"}, "application/json").json() == {
        "detail": "There is no mark 'red': use one of keep, draft."
    }
    read = api.get(f"{address}/why")
    assert api.get(f"{address}/why", headers={"If-None-Match": read["ETag"]}).status_code == 304
    assert api.delete(f"{address}/why", headers={"If-Match": '"other"'}).status_code == 412
    assert api.delete(f"{address}/why", headers={"If-Match": read["ETag"]}).status_code == 200
    assert api.get(address).json() == []


def test_its_operations_have_permissions_of_their_own(make_staff: Make, prompt: Any) -> None:
    address, project = f"/api/named_notes/{prompt.id}", f"/api/projects/{prompt.project_id}"
    reader = make_staff("named_notes.view_note")
    assert [reader.get(path).status_code for path in (address, project)] == [200, 403]
    other = make_staff("projects.view_project", "projects.view_prompt", "projects.view_promptversion")
    assert [other.get(path).status_code for path in (address, project)] == [403, 200]


def test_a_setting_holds_everywhere(settings: Settings, make_api: Make, make_prompt: Make) -> None:
    settings.NAMED_NOTES_LONGEST = 3
    address = f"/api/named_notes/{make_prompt().id}"
    refused = make_api("write").post(address, {"name": "why", "text": "long"}, "application/json")
    assert (refused.status_code, refused.json()) == (400, {"detail": "A note may have 3 characters: shorten it."})


def test_a_kept_prompt_is_kept_at_every_door(
    make_api: Make, admin_client: Client, prompt: Any, transactional_db: None, call_tool: Make
) -> None:
    words = f"The note 'why' keeps prompt {prompt.id}: take the note away first."
    api = make_api("read", "write")
    for address in (f"/api/projects/{prompt.project_id}/prompts/{prompt.id}", f"/api/projects/{prompt.project_id}"):
        refused = api.delete(address)
        assert (refused.status_code, refused.json()) == (409, {"detail": words})
    asked = admin_client.get(f"{LIST}{prompt.id}/delete/")
    assert "Notes" in asked.content.decode()
    confirmed = {"confirmed": asked.context["question"].confirmed}
    told = admin_client.post(f"{LIST}{prompt.id}/delete/", confirmed, follow=True).content.decode()
    assert f"The note &#x27;why&#x27; keeps prompt {prompt.id}" in told
    with pytest.raises(Exception, match="keeps prompt"):
        call_tool("retire_prompt", prompt_id=prompt.id)
    with pytest.raises(Exception, match="keeps prompt"), write_session():
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
    assert ProjectRepository().get_prompt(prompt_id=prompt.id).content == "Answer politely."


def test_a_forbidden_text_is_refused_at_every_door(
    settings: Settings,
    make_api: Make,
    admin_client: Client,
    make_prompt: Make,
    transactional_db: None,
    call_tool: Make,
) -> None:
    prompt = make_prompt("Answer.")
    settings.NAMED_NOTES_FORBIDDEN = "swear"
    api, text = make_api("read", "write"), "Please swear."
    prompts = f"/api/projects/{prompt.project_id}/prompts"
    project = ProjectRepository().get_project(project_id=prompt.project_id).name
    line = {"id": "a-run", "raw_prompt": text, "project": project, "status": "completed"}
    for refused in (
        api.post(prompts, {"content": text}, "application/json"),
        api.put(f"{prompts}/{prompt.id}", {"content": text}, "application/json"),
        api.post("/api/optimizations", {"raw_prompt": text, "project": project}, "application/json"),
        api.post("/api/optimizations/import", f"{json.dumps(line)}\n", "application/x-ndjson"),
    ):
        assert (refused.status_code, refused.json()) == (409, {"detail": "No prompt may say 'swear': take it out."})
    page = f"{LIST}{prompt.id}/change/"
    edited = admin_client.post(page, {"content": text, "reason": "", "read_version": "1"}).content.decode()
    assert "No prompt may say &#x27;swear&#x27;" in edited
    with pytest.raises(Exception, match="No prompt may say"):
        call_tool("update_prompt", prompt_id=prompt.id, content=text)
    kept = ProjectRepository().list_prompts(project_id=prompt.project_id)
    assert [(item.content, item.version) for item in kept.items] == [("Answer.", 1)]


def test_pages_show_notes(admin_client: Client, prompt: Any, make_run: Make) -> None:
    run = make_run(prompt_id=prompt.id)
    page = admin_client.get(f"{LIST}{prompt.id}/change/").content.decode()
    assert "why: Customers like it. (keep)" in page
    assert " · 2 notes" in page
    assert "when, why" in admin_client.get(LIST).content.decode()
    assert "why: Customers" in admin_client.get(f"/admin/projects/project/{prompt.project_id}/change/").content.decode()
    assert "2 notes" in admin_client.get("/admin/projects/project/").content.decode()
    runs = "/admin/optimizations/optimization/"
    assert "why: Customers" in admin_client.get(f"{runs}{run['id']}/change/").content.decode()
    assert "when, why" in admin_client.get(runs).content.decode()
    assert "why: Customers" in admin_client.get("/admin/named_notes/map/").content.decode()
    assert '"/admin/named_notes/map/"' in admin_client.get("/admin/").content.decode()


def test_who_may_not_see_notes_sees_none(make_staff: Make, prompt: Any) -> None:
    staff = make_staff("projects.view_prompt", "projects.view_project")
    assert "when, why" not in staff.get(LIST).content.decode()
    assert staff.get("/admin/named_notes/map/").status_code == 403
    assert "Mark as kept" not in staff.get(LIST).content.decode()
    refused = staff.post(LIST, {"action": "plugin_keep", "_selected_action": prompt.id, "index": "0"})
    assert Note.objects.filter(name="kept").count() == 0, refused.content


def test_lists_are_filtered_by_marks(admin_client: Client, prompt: Any, make_prompt: Make, make_run: Make) -> None:
    other = make_prompt("Never.")
    run, another = make_run("first", prompt_id=prompt.id), make_run("second", prompt_id=other.id)
    found = admin_client.get(f"{LIST}?note_mark=keep").content.decode()
    assert ("Answer politely." in found, "Never." in found) == (True, False)
    assert "Answer politely." in admin_client.get(f"{LIST}?note_mark=unknown").content.decode()
    runs = admin_client.get("/admin/optimizations/optimization/?note_mark=draft").content.decode()
    assert (run["id"] in runs, another["id"] in runs) == (True, False)


def test_actions_change_what_is_ticked_or_the_row_whose_page_it_is(
    admin_client: Client, make_prompt: Make, make_run: Make
) -> None:
    one, two = make_prompt("one"), make_prompt("two")
    ticked = {"_selected_action": [one.id, two.id], "index": "0"}
    told = admin_client.post(LIST, {"action": "plugin_keep", **ticked}, follow=True).content.decode()
    assert "Mark as kept: 2 changed." in told
    asked = admin_client.post(LIST, {"action": "plugin_forget", **ticked})
    assert "Shall they go?" in asked.content.decode()
    assert Note.objects.count() == 2
    sure = {"action": "plugin_forget", "confirmed": asked.context["state"], **ticked}
    assert "Take all notes away: 2 changed." in admin_client.post(LIST, sure, follow=True).content.decode()
    on_page = {"action": "plugin_keep", "_selected_action": one.id, "index": "0", "back": "row"}
    answer = admin_client.post(LIST, on_page)
    assert answer["Location"] == f"{LIST}{one.id}/change/"
    projects = {"action": "plugin_keep_all", "_selected_action": two.project_id, "index": "0"}
    admin_client.post("/admin/projects/project/", projects)
    run = make_run(prompt_id=make_prompt("three").id)
    runs = {"action": "plugin_keep_runs", "_selected_action": run["id"], "index": "0"}
    admin_client.post("/admin/optimizations/optimization/", runs)
    assert sorted(Note.objects.values_list("prompt__content", flat=True)) == ["one", "three", "two"]


def test_the_api_answers_its_fields(make_api: Make, prompt: Any, make_prompt: Make, make_run: Make) -> None:
    api = make_api("read")
    other = make_prompt(project_id=prompt.project_id)
    prompts = f"/api/projects/{prompt.project_id}/prompts"
    told = {"named_notes": {"names": ["when", "why"]}}
    assert api.get(f"{prompts}/{prompt.id}").json()["extensions"] == told
    assert "extensions" not in api.get(f"{prompts}/{other.id}").json()
    assert [item.get("extensions") for item in api.get(prompts).json()["items"]] == [told, None]
    run = make_run(prompt_id=prompt.id)
    assert api.get(f"/api/optimize/{run['id']}").json()["extensions"] == told
    assert api.get("/api/health").json()["plugins"] == {"named_notes": {"kept": 1}}


def test_agents_keep_and_read_notes(make_prompt: Make, transactional_db: None, call_tool: Make) -> None:
    prompt = make_prompt()
    assert call_tool("add_note", prompt_id=prompt.id, name="why", mark="keep")["name"] == "why"
    assert call_tool("list_notes", prompt_id=prompt.id) == {"names": ["why"]}
    with pytest.raises(Exception, match="colour"):
        call_tool("add_note", prompt_id=prompt.id, name="x", colour="red")


def test_notes_come_back_with_their_prompt(prompt: Any, make_api: Make) -> None:
    Note.objects.filter(mark="keep").delete()
    with write_session():
        ProjectRepository().delete_prompt(prompt_id=prompt.id)
    assert Note.objects.count() == 0
    listed = StringIO()
    call_command("restore_deleted", json=True, stdout=listed)
    (deletion,) = json.loads(listed.getvalue())
    call_command("restore_deleted", str(deletion["number"]))
    assert [note.name for note in Note.objects.all()] == ["when"]


def test_saved_notes_are_in_the_change_log(admin_client: Client, prompt: Any) -> None:
    note = Note.objects.get(name="why")
    form = {"prompt": prompt.id, "name": "why", "text": "New.", "mark": ""}
    assert admin_client.post(f"/admin/named_notes/note/{note.pk}/change/", form).status_code == 302
    history = admin_client.get(f"/admin/named_notes/note/{note.pk}/history/").content.decode()
    assert "New." in history
