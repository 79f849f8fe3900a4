"""The page of what was deleted lately, and the command that does the same."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client

from optimizations.models import Optimization
from projects.models import Prompt
from projects.repository import ProjectRepository
from promptadmin.models import DeletedRows, Deletion
from tests.projects.making import make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db

PAGE = "/admin/promptadmin/deletion/"


def signed_in(role: str = "") -> Client:
    browser = Client()
    if role:
        user = User.objects.create_user(role, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    else:
        user = User.objects.create_superuser("admin")
    browser.force_login(user)
    return browser


def delete_prompt() -> Deletion:
    prompt = make_prompt(make_project(), "the <b>text</b>")
    make_version(prompt, 1)
    make_run(prompt)
    ProjectRepository().delete_prompt(prompt_id=prompt.id)
    return Deletion.objects.get()


def test_the_page_lists_what_was_deleted_and_restores_it() -> None:
    client, deletion = signed_in(), delete_prompt()
    shown = client.get(PAGE).content.decode()
    assert "the &lt;b&gt;text&lt;/b&gt;" in shown
    assert "1 prompt, 1 earlier version, 1 run" in shown
    assert PAGE in client.get("/admin/").content.decode()
    asked = client.get(f"{PAGE}{deletion.pk}/restore/").content.decode()
    assert "Comes back as it was" in asked
    answer = client.post(f"{PAGE}{deletion.pk}/restore/")
    assert "Restored “the &lt;b&gt;text&lt;/b&gt;”" in client.get(answer["Location"]).content.decode()
    assert Prompt.objects.get().content == "the <b>text</b>"
    again = client.post(f"{PAGE}{deletion.pk}/restore/")
    assert "restored already" in client.get(again["Location"]).content.decode()
    assert client.get(f"{PAGE}{deletion.pk}/change/").status_code == 302


def test_a_refusal_is_told() -> None:
    client, deletion = signed_in(), delete_prompt()
    ProjectRepository().delete_project(project_id=deletion.parts)
    answer = client.post(f"{PAGE}{deletion.pk}/restore/")
    assert "restore the project first" in client.get(answer["Location"]).content.decode()


def test_who_may_delete_may_restore_and_superusers_forget() -> None:
    deletion = delete_prompt()
    viewer, editor = signed_in("viewer"), signed_in("editor")
    for verb in ("restore", "purge"):
        assert viewer.post(f"{PAGE}{deletion.pk}/{verb}/").status_code == 403
    assert viewer.get(PAGE).status_code == 403
    assert editor.post(f"{PAGE}{deletion.pk}/purge/").status_code == 403
    assert editor.get(f"{PAGE}{deletion.pk}/restore/").status_code == 200
    client = signed_in()
    assert "nobody can restore it" in client.get(f"{PAGE}{deletion.pk}/purge/").content.decode()
    client.post(f"{PAGE}{deletion.pk}/purge/")
    assert not Deletion.objects.exists()
    assert not DeletedRows.objects.exists()


def test_the_command_lists_and_restores() -> None:
    def run(*arguments: str) -> str:
        output = StringIO()
        call_command("restore_deleted", *arguments, stdout=output)
        return output.getvalue()

    assert "Nothing was deleted" in run()
    deletion = delete_prompt()
    assert f"{deletion.pk}  prompt “the <b>text</b>” with 1 prompt, 1 earlier version and 1 run;" in run()
    [row] = json.loads(run("--json"))
    assert (row["number"], row["runs"], row["state"]) == (deletion.pk, 1, "deleted")
    assert "Restored prompt" in run(str(deletion.pk))
    assert Optimization.objects.exists()
    with pytest.raises(CommandError, match="restored already"):
        run(str(deletion.pk))
