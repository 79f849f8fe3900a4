"""Counts in sentences have the noun's number: one run, two runs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client

from promptadmin.accounts import tokens
from promptadmin.conf.counted import counted
from promptadmin.models import ApiToken
from tests.projects.making import make_project, make_prompt


def test_one_is_singular_and_thousands_are_apart() -> None:
    assert [counted(number, "run") for number in (0, 1, 2, 1200)] == ["0 runs", "1 run", "2 runs", "1,200 runs"]
    assert counted(2, "delivery", "deliveries") == "2 deliveries"


@pytest.mark.parametrize(
    ("template", "context", "one", "several"),
    [
        ("projects/counts.html", "counts", "about 1 token", "about 2 tokens"),
        ("promptadmin/fault.html", "fault", "in 1 second.", "in 2 seconds."),
        (
            "optimizations/panels/failures_by_strategy.html",
            "left_out",
            "1 more strategy is not",
            "2 more strategies are",
        ),
    ],
)
def test_pages_count_in_words(template: str, context: str, one: str, several: str) -> None:
    for number, expected in ((1, one), (2, several)):
        values = dict.fromkeys(("characters", "words", "tokens", "retry_after"), number)
        page = render_to_string(template, {context: number if context == "left_out" else values})
        shown = " ".join("".join(part.split(">")[-1] for part in page.split("<")).split())
        assert expected in shown


@pytest.mark.django_db
def test_the_back_office_and_commands_count_so(capsys: pytest.CaptureFixture[str]) -> None:
    tokens.create_token(name="a", scopes=["read"])
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    chosen = {"action": "revoke", "_selected_action": ApiToken.objects.get().pk}
    page = browser.post("/admin/promptadmin/apitoken/", chosen, follow=True)
    assert [str(message) for message in page.context["messages"]] == ["Revoked 1 token."]
    make_prompt(make_project(), "Answer.")
    call_command("name_prompts", "--plan")
    assert "1 prompt would get a name" in capsys.readouterr().out
