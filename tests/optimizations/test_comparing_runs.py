"""Two to four runs beside each other: from the list, from a prompt's page, by an address that names them."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from optimizations.models import Optimization
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/optimizations/optimization/"


def compared(client: Client, *run_ids: str) -> str:
    answer = client.get(f"{LIST}compare/", {"run": run_ids}, follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def row_of(shown: str, label: str) -> list[str]:
    """The cells of a row of the facts."""
    [row] = re.findall(rf'<tr><th scope="row">{label}</th>(.*?)</tr>', shown, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in row.split("</td>")[:-1]]


def test_facts_stand_beside_each_other_and_the_best_is_named() -> None:
    one = make_run(
        title="first",
        optimized_prompt="Be kind.\nBe brief.",
        overall_score=0.71,
        duration_ms=22_500,
        strategy="co-star",
        model_used="model-a",
        input_tokens=1200,
        output_tokens=80,
    )
    two = make_run(
        title="second",
        optimized_prompt="Be kind.\nBe exact.",
        overall_score=0.86,
        duration_ms=900,
        strategy="step-by-step",
        model_used="model-b",
        input_tokens=1500,
    )
    shown = compared(signed_in("viewer"), one.pk, two.pk)
    assert row_of(shown, "Overall") == ["7.1", "8.6 best"]
    assert row_of(shown, "Time") == ["22.5 s", "900 ms best"]
    assert row_of(shown, "Strategy") == ["co-star", "step-by-step"]
    assert row_of(shown, "Model") == ["model-a", "model-b"]
    assert row_of(shown, "Tokens read") == ["1,200", "1,500"]
    assert row_of(shown, "Tokens written") == ["80", "-"]
    assert "Clarity" not in shown
    assert "Be <del>brief</del>." in shown
    assert "Be <ins>exact</ins>." in shown
    assert "They are all the same." in shown  # the original prompts
    assert f'href="{LIST}compare/?run={two.pk}&run={one.pk}">compare with this one' in shown


def test_four_runs_differ_from_the_first_one() -> None:
    runs = [make_run(optimized_prompt=text) for text in ("a", "b", "c", None)]
    shown = compared(signed_in("viewer"), *(run.pk for run in runs))
    assert [f"Run {number} beside run 1" in shown for number in (2, 3, 4)] == [True] * 3
    assert "There is no such text to compare with." in shown
    texts = [make_run(optimized_prompt="long " * 10_000 + end) for end in "xy"]
    assert "too long to mark" in compared(signed_in("editor"), *(run.pk for run in texts))


def test_too_few_too_many_and_missing_runs_lead_back_to_the_list() -> None:
    runs = [make_run() for _ in range(5)]
    client = signed_in("viewer")
    for some in ([], runs[:1], runs, [runs[0], runs[0]]):
        assert "Choose 2 to 4 runs to compare." in compared(client, *(run.pk for run in some))
    assert "No longer there: 1." in compared(client, runs[0].pk, "gone")


def test_the_list_and_the_page_of_a_prompt_lead_there() -> None:
    prompt = make_prompt(make_project())
    runs = [make_run(prompt) for _ in range(5)]
    client = signed_in("viewer")

    def chosen(some: list[Optimization], **more: str) -> str:
        data = {"action": "compare", "_selected_action": [run.pk for run in some], "index": "0", **more}
        return html.unescape(client.post(LIST, data, follow=True).content.decode())

    assert "Run 2 beside run 1" in chosen(runs[:2]) or "They are all the same" in chosen(runs[:2])
    for answer in (chosen(runs[:1]), chosen(runs), chosen(runs[:2], select_across="1")):
        assert "Choose 2 to 4 runs to compare." in answer
    shown = client.get(f"/admin/projects/prompt/{prompt.id}/change/").content.decode()
    assert f'action="{LIST}compare/"' in shown
    assert all(f'name="run" value="{run.pk}"' in shown for run in runs)


def test_who_may_see_no_runs_compares_none() -> None:
    runs = [make_run() for _ in range(2)]
    assert signed_in().get(f"{LIST}compare/", {"run": [run.pk for run in runs]}).status_code == 403
