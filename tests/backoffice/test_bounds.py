"""Pages cost the same number of queries however many rows there are; how long these take is measured in bench/."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.contrib.registry.models import PromptFetch
from projects.models import Prompt
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.projects.making import make_prompt, make_run
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db
RUNS, PROMPTS = "/admin/optimizations/optimization/", "/admin/projects/prompt/"


def fill(prompt: Prompt, first: int, last: int) -> None:
    """More of everything that a page shows."""
    now = timezone.now()
    for number in range(first, last):
        make_run(
            prompt,
            raw_prompt=f"ticket {number}",
            status="error" if number % 2 else "completed",
            error_message=f"Timed out after {'x' * number}",
            created_at=now - dt.timedelta(days=number),
        )
        make_named(f"folder{number}/ticket{number}", f"ticket {number}")
        make_prompt(prompt.project, f"ticket {number}")  # type: ignore[arg-type]  # it has one
        do("save", name="watched", text=f"text {number}")
        move("watched", "production", number + 1)
        PromptFetch.objects.create(
            prompt_id=prompt.pk,
            label="production",
            version=number + 1,
            token=f"token {number}",
            day=(now - dt.timedelta(days=number % 20)).date(),
            count=1,
            last_at=now,
        )


def test_no_page_asks_more_because_there_is_more() -> None:
    prompt = make_named("watched", "text")
    failed = make_run(prompt, status="error", error_message="Timed out after 3 s")
    client = signed_in("editor")
    pages = (
        f"{RUNS}?q=ticket",
        f"{RUNS}?columns=task,model_name&status=error",
        f"{RUNS}{failed.pk}/change/",
        f"{PROMPTS}?q=ticket",
        f"{PROMPTS}?o=-5",
        f"{PROMPTS}?folder=folder1/",
        f"{PROMPTS}{prompt.pk}/change/",
        f"{PROMPTS}{prompt.pk}/compare/?old=1&new=2",
        f"/admin/projects/project/{prompt.project_id}/change/",
        "/admin/projects/project/?o=-4",
    )

    def asked() -> dict[str, int]:
        counts = {}
        for page in pages:
            with CaptureQueriesContext(connection) as found:
                assert client.get(page).status_code == 200, page
            counts[page] = sum(query["sql"].startswith(("SELECT", "WITH")) for query in found)
        return counts

    fill(prompt, 1, 15)
    asked()  # the first time asks for what is remembered for good
    few = asked()
    fill(prompt, 15, 45)
    assert asked() == few
    assert max(few.values()) < 60, few
