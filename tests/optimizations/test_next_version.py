"""A run's optimised prompt becomes the next version of its prompt, with a link to the run and a reason."""

from __future__ import annotations

import pytest

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.models import Project, Prompt, PromptVersion
from promptadmin.conf.limits import PROMPT_LENGTH
from promptadmin.errors import Forbidden, Invalid, PreconditionFailed
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db


def address(run: Optimization) -> str:
    return f"/admin/optimizations/optimization/{run.pk}/next_version/"


def test_the_prompt_gets_the_text_with_a_link_to_the_run() -> None:
    prompt = make_prompt(make_project(), "one")
    run = make_run(prompt, optimized_prompt="two")
    client = signed_in("editor")
    assert address(run) in client.get(f"/admin/optimizations/optimization/{run.pk}/change/").content.decode()
    shown = client.get(address(run)).content.decode()
    assert "becomes version 2" in shown
    assert "<ins>two</ins>" in shown
    answer = client.post(address(run), {"read_version": 1, "reason": "it scored better"}, follow=True)
    assert "is version 2 now" in answer.content.decode()
    assert Prompt.objects.values_list("content", "version").get() == ("two", 2)
    assert PromptVersion.objects.values_list("version", "content", "optimization_id").get() == (1, "one", run.pk)
    entry = LogEntry.objects.order_by("timestamp").last()
    assert entry is not None
    assert (entry.note, entry.changes["run"], entry.by) == ("it scored better", [None, run.pk], "user editor")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"optimized_prompt": None}, "no optimised prompt"),
        ({"optimized_prompt": " \n"}, "no optimised prompt"),
        ({"optimized_prompt": "one"}, "has this text already, as version 1"),
        ({"optimized_prompt": "x" * (PROMPT_LENGTH + 1)}, "may have 100,000 characters"),
        ({"optimized_prompt": "two", "prompt_id": None}, "linked to no prompt"),
    ],
)
def test_what_can_be_no_version_is_refused(values: dict[str, str | None], problem: str) -> None:
    prompt = make_prompt(make_project(), "one")
    run = make_run(prompt, **values)
    with pytest.raises(Invalid, match=problem):
        OptimizationRepository().make_next_version(run.pk)
    client = signed_in("editor")
    for answer in (client.get(address(run), follow=True), client.post(address(run), {"read_version": 1}, follow=True)):
        assert problem in answer.content.decode()
    assert not PromptVersion.objects.exists()


def test_an_archived_project_and_an_edit_meanwhile_are_refused() -> None:
    prompt = make_prompt(make_project(), "one", version=3)
    run = make_run(prompt, optimized_prompt="two")
    with pytest.raises(PreconditionFailed):
        OptimizationRepository().make_next_version(run.pk, expected_versions={2})
    client = signed_in("editor")
    assert "look once more" in client.post(address(run), {"read_version": 2}, follow=True).content.decode()
    Project.objects.update(status="archived")
    with pytest.raises(Forbidden):
        OptimizationRepository().make_next_version(run.pk)
    assert "archived project" in client.post(address(run), {"read_version": 3}, follow=True).content.decode()
    assert Prompt.objects.get().version == 3


def test_a_viewer_may_not() -> None:
    run = make_run(make_prompt(make_project()), optimized_prompt="two")
    client = signed_in("viewer")
    assert client.get(address(run)).status_code == client.post(address(run), {"read_version": 1}).status_code == 403
    assert address(run) not in client.get(f"/admin/optimizations/optimization/{run.pk}/change/").content.decode()
