"""Every page that a filtered list leads to leads back to the list with its filters."""

from __future__ import annotations

import html
import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from projects.repository import project_state
from promptadmin.models import ApiToken
from tests.projects.making import NO_MEMBERS, make_project, make_prompt, make_run, make_version

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_every_page_of_a_row_leads_back_to_the_filtered_list(admin: Client) -> None:
    project = make_project(name="one")
    prompt = make_prompt(project, "one text", version=2)
    version, run = make_version(prompt, 1, "one earlier"), make_run(prompt, project="one")
    group, token = Group.objects.create(name="one"), ApiToken.objects.create(name="one", prefix="12345678")
    lists = {
        "/admin/projects/project/": ("q=one", [f"{project.pk}/{page}/" for page in ("change", "delete", "archive")]),
        "/admin/projects/prompt/": (
            "q=one",
            [f"{prompt.pk}/{page}/" for page in ("change", "delete", "restore/1", "history")],
        ),
        "/admin/projects/promptversion/": ("q=one", [f"{version.pk}/change/"]),
        "/admin/optimizations/optimization/": ("project=one", [f"{run.pk}/change/", f"{run.pk}/history/"]),
        "/admin/auth/group/": ("q=one", [f"{group.pk}/change/", f"{group.pk}/delete/"]),
        "/admin/promptadmin/apitoken/": ("o=1", [f"{token.pk}/change/"]),
    }
    for address, (filters, pages) in lists.items():
        for page in pages:
            shown = html.unescape(admin.get(f"{address}{page}?_changelist_filters={filters}").content.decode())
            assert f'href="{address}?{filters}"' in shown, page


def test_the_way_back_after_a_deed_is_the_filtered_list(admin: Client) -> None:
    project = make_project(name="one")
    address, kept = f"/admin/projects/project/{project.pk}/", "?_changelist_filters=q%3Done"
    saved = admin.post(
        f"{address}change/{kept}", {"name": "one more", "read_state": project_state(project), **NO_MEMBERS}
    )
    assert saved["Location"] == "/admin/projects/project/?q=one"
    for page in ("archive", "restore"):
        asked = admin.get(f"{address}{page}/{kept}").content.decode()
        [token] = re.findall(r'name="confirmed" value="([^"]*)"', asked)
        assert admin.post(f"{address}{page}/{kept}", {"confirmed": token})["Location"] == f"{address}change/{kept}"
    asked = admin.get(f"{address}delete/{kept}").content.decode()
    [token] = re.findall(r'name="confirmed" value="([^"]*)"', asked)
    deleted = admin.post(f"{address}delete/{kept}", {"confirmed": html.unescape(token), "typed": "one more"})
    assert deleted["Location"] == "/admin/projects/project/?q=one"


def test_a_runs_page_and_its_actions_keep_the_filters(admin: Client) -> None:
    run = make_run(None, project="one")
    runs = "/admin/optimizations/optimization/"
    listed = admin.get(f"{runs}?project=one").content.decode()
    [page] = set(re.findall(rf'href="({runs}{run.pk}/change/[^"]*)"', listed))
    shown = admin.get(html.unescape(page)).content.decode()
    assert f'action="{runs}?project=one"' in shown
    fields = {"action": "tag", "_selected_action": run.pk, "confirmed": "yes", "add": "new", "back": "run"}
    assert admin.post(f"{runs}?project=one", fields)["Location"] == html.unescape(page)
