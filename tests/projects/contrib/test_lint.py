"""The plugin lint: what each check finds, where, and what it leaves alone."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils.module_loading import import_string

from projects.contrib.lint.apps import LintConfig
from projects.contrib.lint.wording import LONG_TEXT
from projects.prompt_checks import CheckedPrompt, Finding, enabled_checks
from projects.repository import ProjectRepository
from promptadmin.db.sessions import read_session
from tests.projects.making import make_project, make_prompt

CHECKS = {check.name: check.function for check in LintConfig.prompt_checks}
GOOD = "Summarise the ticket below in three sentences, as plain text.\n\nTicket: {ticket}"
AWS_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"


def findings(check: str, text: str) -> list[Finding]:
    return list(import_string(CHECKS[check])(CheckedPrompt(id="p", project_id="j", text=text, using="default")))


def marked(check: str, text: str) -> list[str]:
    return [text[found.start : found.end] for found in findings(check, text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to [insert name] about TODO.", ["[insert name]", "TODO"]),
        ("Use {} and {{ }} and ____ here", ["{}", "{{ }}", "____"]),
        ("Lorem ipsum dolor <your company>", ["Lorem ipsum", "<your company>"]),
        ("Answer {question} with {{ context }} and <b>bold</b>, todos, snake__case", []),
        ("Read a list like [1, 2] and the <name> tag", []),
    ],
)
def test_unfilled_placeholders(text: str, found: list[str]) -> None:
    assert marked("unfilled_placeholders", text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("At most 50 words. Write at least 100 words.", ["at least 100 words"]),
        ("Answer in three sentences. Use between 5 and 8 sentences.", ["between 5 and 8 sentences"]),
        ("Exactly 10 lines, no more than ten lines.", []),
        ("At least 100 words and at most 2 paragraphs.", []),
        ("Between 100 and 200 words; at most 1,000 words.", []),
        ("Each title has at most five words. Write at least 100 words.", []),
        ("Up to 20 short bullets, a minimum of 25 bullets.", ["a minimum of 25 bullets"]),
    ],
)
def test_contradictory_lengths(text: str, found: list[str]) -> None:
    assert marked("contradictory_lengths", text) == found


@pytest.mark.parametrize(
    ("text", "count"),
    [("Tell me about whales.", 1), (GOOD, 0), ("Answer with JSON only", 0), ("Return the name", 0), ("  ", 0)],
)
def test_missing_output_format(text: str, count: int) -> None:
    assert len(findings("missing_output_format", text)) == count


def test_secrets_are_found_where_they_stand_and_not_repeated() -> None:
    text = f"Use the API.\nkey: {AWS_KEY}\nthen answer."
    (found,) = findings("secrets", text)
    assert text[found.start : found.end] == AWS_KEY
    assert AWS_KEY not in found.message
    assert "AWS" in found.message
    assert findings("secrets", GOOD + " Ask for a password, a token and the key of 8663074e-3b65-438e-bb1f.") == []


def test_very_long_text() -> None:
    assert findings("very_long", "x" * LONG_TEXT) == []
    assert "6,001" in findings("very_long", "x" * (LONG_TEXT + 1))[0].message


@pytest.mark.django_db
def test_duplicates_are_those_of_the_same_project() -> None:
    project = make_project()
    first = make_prompt(project, "Summarise this.")
    second = make_prompt(project, "summarise\n this. ")
    make_prompt(make_project(), "Summarise this.")
    with read_session():
        found = ProjectRepository().findings(prompt_id=first.id)
    assert [item.check for item in found if second.id in item.message] == ["duplicates"]


@pytest.mark.django_db
def test_findings_are_deterministic_ordered_and_can_be_switched_off(admin_client: Client, settings) -> None:
    prompt = make_prompt(make_project(), f"Hello there.\nTODO\nkey {AWS_KEY}")
    address = f"/api/projects/{prompt.project_id}/prompts/{prompt.id}/findings"
    first = admin_client.get(address).json()
    assert first == admin_client.get(address).json()
    assert [(item["check"], item["line"], item["severity"]) for item in first["items"]] == [
        ("missing_output_format", None, "note"),
        ("unfilled_placeholders", 2, "warning"),
        ("secrets", 3, "error"),
    ]
    assert all(item["plugin"] == "lint" for item in first["items"])
    page = admin_client.get(f"/admin/projects/prompt/{prompt.id}/change/").content.decode()
    assert "Findings in this text" in page
    assert "looks like something left to fill in" in page

    settings.PROMPT_CHECKS_OFF = ["secrets", "missing_output_format"]
    assert [item["check"] for item in admin_client.get(address).json()["items"]] == ["unfilled_placeholders"]
    assert "secrets" not in {check.name for _, check in enabled_checks()}


@pytest.mark.django_db
def test_a_check_that_fails_is_logged_and_leaves_the_others(monkeypatch, admin_client: Client, caplog) -> None:
    def broken(prompt: CheckedPrompt) -> list[Finding]:
        raise ValueError("no")

    monkeypatch.setattr("projects.contrib.lint.secrets.find_secrets", broken)
    prompt = make_prompt(make_project(), "TODO: answer with JSON")
    answer = admin_client.get(f"/api/projects/{prompt.project_id}/prompts/{prompt.id}/findings")
    assert [item["check"] for item in answer.json()["items"]] == ["unfilled_placeholders"]
    assert "Plugin lint: the prompt check secrets failed" in caplog.text
