"""Nobody reads the names of rows that they may not see, in whichever list, filter, form or panel they would stand."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.projects.making import make_project, make_prompt, make_run, make_version
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

NAME, TEXT = "Secret undertaking", "Confidential words"
RUNS = "/admin/optimizations/optimization/"
MOST_PAGES = 40


def with_permissions(*codenames: str) -> Client:
    user = User.objects.create_user("-".join(codenames)[:150], is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def pages_of(client: Client) -> dict[str, str]:
    """Every page that links lead this user to, by its address, from the dashboard on."""
    waiting, seen = ["/admin/", "/admin/dashboard/panels/"], {}
    while waiting:
        address = waiting.pop()
        answer = client.get(address, follow=True)
        seen[address] = b"".join(answer).decode(errors="replace")
        links = re.findall(r'href="(/admin/[^"#]*)', seen[address].replace("&amp;", "&"))
        waiting += [
            link for link in dict.fromkeys(links) if link not in seen and link not in waiting and len(seen) < 80
        ]
    return seen


def test_the_projects_of_the_dashboard_are_for_those_who_may_see_projects() -> None:
    make_project(name=NAME)
    assert NAME not in signed_in("").get("/admin/").content.decode()
    assert NAME not in with_permissions("view_optimization").get("/admin/").content.decode()
    assert NAME in with_permissions("view_project").get("/admin/").content.decode()


@pytest.mark.parametrize(
    "codenames",
    [
        ("view_prompt",),
        ("view_prompt", "change_prompt", "add_prompt", "delete_prompt"),
        ("view_optimization", "change_optimization", "delete_optimization"),
        ("view_promptversion",),
        ("view_prompt", "view_promptversion", "view_optimization"),
    ],
)
def test_no_page_names_projects_to_those_who_may_not_see_them(codenames: tuple[str, ...]) -> None:
    project = make_project(name=NAME, description=NAME)
    prompt = make_prompt(project, "a prompt")
    make_version(prompt, 1)
    run = make_run(prompt, title="A run")
    client = with_permissions(*codenames)
    pages = pages_of(client)
    if "change_optimization" in codenames:
        pages["move"] = client.post(RUNS, {"action": "move", "_selected_action": run.pk}).content.decode()
    assert len(pages) > 3
    assert not [address for address, page in pages.items() if NAME in page]
    autocomplete = {"app_label": "projects", "model_name": "prompt", "field_name": "project", "term": ""}
    assert client.get("/admin/autocomplete/", autocomplete).status_code == 403


def test_versions_name_no_prompt_to_those_who_may_not_see_prompts() -> None:
    version = make_version(make_prompt(make_project(), TEXT), 1, "an earlier text")
    for address in ("/admin/projects/promptversion/", f"/admin/projects/promptversion/{version.pk}/change/"):
        page = with_permissions("view_promptversion").get(address).content.decode()
        assert "an earlier text" in page
        assert TEXT not in page
        assert TEXT in signed_in("viewer").get(address).content.decode()
        User.objects.all().delete()


def test_a_run_is_of_a_project_by_its_name() -> None:
    """Also where the run has no text of its own for it, or one that is the project's no longer."""
    prompt = make_prompt(make_project(name=NAME))
    client = signed_in("viewer")
    for text in (None, "", "an earlier name"):
        run = make_run(prompt, project=text, title="A run")
        for address in (RUNS, f"{RUNS}{run.pk}/change/"):
            page = client.get(address).content.decode()
            assert f"<bdi>{NAME}</bdi></a>" in page
            assert "<bdi>project</bdi>" not in page
            assert "<bdi>an earlier name</bdi>" not in page
        run.delete()
    make_run(None, project=NAME)
    assert f"<bdi>{NAME}</bdi></a>" in client.get(RUNS).content.decode()
    make_run(None, project="of no project", title="Alone")
    assert ">of no project</bdi>" in client.get(RUNS).content.decode()


def test_the_api_says_of_a_run_what_it_said_before() -> None:
    """Its clients know `project` as the run's own text."""
    run = make_run(make_prompt(make_project(name=NAME)), project=None)
    client = signed_in("viewer")
    record = client.get(f"/api/optimize/{run.pk}").json()
    assert record["project"] is None
    assert "project_name" not in record
    assert "project_name" not in client.get("/api/history").json()["items"][0]
