"""Writers of one run at the same time: none of them is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from optimizations.models import Optimization
from optimizations.repository import OptimizationRepository
from projects.models import Project, Prompt
from promptadmin.db.sessions import write_session
from promptadmin.errors import Conflict
from promptadmin.exchange.lines import Line
from tests.projects.making import make_run

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 6


def together(work: Callable[[int], Any]) -> list[Any]:
    """Each writer's answer, or what it raised; all begin at once, each with a connection of its own."""

    def one(number: int) -> Any:
        try:
            with write_session():
                return work(number)
        except Conflict as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(one, range(WRITERS)))


def test_no_tag_is_lost() -> None:
    run = make_run(tags='["first"]')
    together(lambda number: OptimizationRepository().tag_run(run.id, add=[f"tag {number}"]))
    tags = OptimizationRepository().get_run(run.id)["tags"]
    assert tags[0] == "first"
    assert set(tags) == {"first", *(f"tag {number}" for number in range(WRITERS))}


def test_a_run_ends_once() -> None:
    run = make_run(status="running")
    answers = together(
        lambda number: OptimizationRepository().change_run(run.id, {"status": "error", "verdict": f"{number}"})
    )
    assert len([answer for answer in answers if not isinstance(answer, Conflict)]) == 1


def test_recording_the_same_project_and_text_makes_one_of_each() -> None:
    answers = together(lambda number: OptimizationRepository().record_run({"raw_prompt": "text", "project": "P"}))
    assert len({answer["prompt_id"] for answer in answers}) == 1
    assert (Project.objects.count(), Prompt.objects.count(), Optimization.objects.count()) == (1, 1, WRITERS)


def test_one_of_many_gets_an_id() -> None:
    answers = together(lambda number: OptimizationRepository().record_run({"id": "mine", "raw_prompt": f"{number}"}))
    assert len([answer for answer in answers if isinstance(answer, Conflict)]) == WRITERS - 1


def test_imports_of_the_same_lines_make_each_run_once() -> None:
    lines = [Line(n, {"id": f"{n}", "raw_prompt": f"{n % 7}", "project": f"P{n % 3}"}) for n in range(1, 60)]
    answers = together(lambda number: OptimizationRepository().import_runs(lines[number:]))
    done = [answer for answer in answers if not isinstance(answer, Conflict)]
    assert done
    assert sum(answer.imported for answer in done) == Optimization.objects.count()
    assert Project.objects.count() == 3
    assert Prompt.objects.count() == 21
