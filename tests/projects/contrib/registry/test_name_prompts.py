"""`manage.py name_prompts`: a plan that is shown before it is applied, and changes nothing else."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from projects.contrib.registry.models import PromptName
from projects.contrib.registry.proposals import part_of
from projects.repository import ProjectRepository
from tests.projects.contrib.registry.naming import make_named
from tests.projects.making import make_project, make_prompt

pytestmark = pytest.mark.django_db

LEGACY = ("projects", "prompts", "prompt_versions", "optimizations")


def legacy_rows() -> list[Any]:
    found = []
    with connection.cursor() as cursor:
        for table in LEGACY:
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")
            found += cursor.fetchall()
    return found


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("name_prompts", *arguments, stdout=out)
    return out.getvalue()


def names() -> list[str]:
    return sorted(PromptName.objects.values_list("name", flat=True))


def test_the_plan_is_shown_then_applied() -> None:
    make_named("help-desk/summarise-this")
    project = make_project(name="Help Desk")
    make_prompt(project, "Summarise this!")
    make_prompt(project, "Événements — you are a very\nkind helper of all")
    make_prompt(project, "ответь кратко")
    archived = make_project(name="Old")
    make_prompt(archived, "left alone")
    ProjectRepository().archive_project(project_id=archived.id)
    before = legacy_rows()
    shown = run("--plan")
    assert shown.splitlines() == [
        "help-desk/summarise-this-2  ←  Summarise this!",
        "help-desk/evenements-you-are-a  ←  Événements — you are a very kind helper of all",
        "help-desk/prompt  ←  ответь кратко",
        "3 prompts would get a name: --apply gives it.",
    ]
    assert names() == ["help-desk/summarise-this"]
    assert run("--apply").splitlines()[:-1] == shown.splitlines()[:-1]
    assert names() == [
        *("help-desk/evenements-you-are-a", "help-desk/prompt", "help-desk/summarise-this"),
        "help-desk/summarise-this-2",
    ]
    assert legacy_rows() == before
    assert run("--plan") == run("--apply") == "No prompt needs a name: there is nothing to do.\n"


def test_one_of_the_two_has_to_be_said() -> None:
    with pytest.raises(CommandError, match="--plan --apply"):
        run()


@pytest.mark.parametrize(
    ("text", "part"),
    [("Ünïcode Text", "unicode-text"), ("--", "prompt"), ("Versions", "versions-prompt"), ("x" * 99, "x" * 60)],
)
def test_parts_of_names(text: str, part: str) -> None:
    assert part_of(text) == part
