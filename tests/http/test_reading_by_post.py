"""Pages of the back-office that only read although they are asked for by POST: they have the deadline of reading."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from optimizations.repository import OptimizationRepository
from projects.repository import ProjectRepository
from promptadmin.db.deadlines import deadline, reading_deadline, seconds_left
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import make_staff

pytestmark = pytest.mark.django_db

Left = list[float | None]


@pytest.fixture
def client(settings: Settings) -> Client:
    settings.READ_TIMEOUT = 7
    browser = Client()
    browser.force_login(make_staff(is_superuser=True))
    return browser


def watched(monkeypatch: pytest.MonkeyPatch, owner: type[Any], name: str) -> Left:
    """How long the deadline of each call of a method was away."""
    left: Left = []
    method = getattr(owner, name)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        left.append(seconds_left())
        return method(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, call)
    return left


def within_seven_seconds(left: Left) -> bool:
    return bool(left) and all(seconds is not None and 0 < seconds <= 7 for seconds in left)


def test_asking_before_an_action_on_runs_reads_so_and_the_action_writes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(title="x")
    found = watched(monkeypatch, OptimizationRepository, "browse_runs")
    asked = watched(monkeypatch, OptimizationRepository, "summaries")
    written = watched(monkeypatch, OptimizationRepository, "delete_runs")
    data = {"action": "delete_runs", "_selected_action": run.pk}
    page = client.post("/admin/optimizations/optimization/", data)
    assert page.status_code == 200
    assert within_seven_seconds(found)
    assert within_seven_seconds(asked)
    client.post("/admin/optimizations/optimization/", {**data, "confirmed": "yes"})
    assert written == [None]


def test_asking_before_an_action_on_projects_does_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(name="P")
    prompt = make_prompt(project)
    asked = watched(monkeypatch, ProjectRepository, "project_contents")
    data = {"action": "delete_selected_projects", "_selected_action": project.pk}
    assert client.post("/admin/projects/project/", data).status_code == 200
    assert within_seven_seconds(asked)
    counted = watched(monkeypatch, ProjectRepository, "prompt_contents")
    client.post(f"/admin/projects/prompt/{prompt.pk}/delete/", {"confirmed": "something else"})
    assert within_seven_seconds(counted[:1])
    assert counted[1:] == [None]


def test_a_deadline_that_there_is_stays(settings: Settings) -> None:
    settings.READ_TIMEOUT = 7
    with deadline(1), reading_deadline():
        assert (seconds_left() or 9) <= 1
    assert seconds_left() is None
