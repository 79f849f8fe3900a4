"""The lists of prompts and projects: what was searched for is marked and stands best first, columns, sorts, folders."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import timezone

from projects.admin import sorting
from tests.projects.contrib.registry.naming import make_named
from tests.projects.making import make_project, make_prompt, make_run, make_version
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db
PROMPTS, PROJECTS = "/admin/projects/prompt/", "/admin/projects/project/"
RUNS = "/admin/optimizations/optimization/"


def rows(client: Client, address: str) -> list[str]:
    """What a reader reads of each row, with marks in brackets."""
    answer = client.get(address, follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    table = page[page.index('id="result_list"') :] if 'id="result_list"' in page else ""
    found = re.findall(r'<tr class="[^"]*data-row.*?</tr>|<tr[^>]*data-row.*?</tr>', table, re.S)
    marked = [row.replace("<mark>", "[").replace("</mark>", "]") for row in found]
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in marked]


def test_what_was_searched_for_is_marked_and_stands_best_first() -> None:
    project = make_project()
    make_prompt(project, "x " * 300 + "the refunded parcel")  # a part of a word: after those that have the word
    make_prompt(project, "Refund. " + "y " * 400)
    make_prompt(project, "refund refund refund")
    client = signed_in("viewer")
    found = rows(client, f"{PROMPTS}?q=refund")
    assert [re.findall(r"\[[^]]*\]", row) for row in found] == [["[refund]"] * 3, ["[Refund]"], ["[refund]"]]
    assert "the [refund]ed parcel" in found[2]
    by_time = rows(client, f"{PROMPTS}?q=refund&o=-6")
    assert sorted(by_time) == sorted(found)
    assert "[refund]ed" in rows(client, f"{PROMPTS}?q=fund")[0] or "re[fund]" in rows(client, f"{PROMPTS}?q=fund")[0]


def test_marked_text_is_escaped() -> None:
    make_prompt(make_project(), "<script>alert(1)</script> needle")
    page = signed_in("viewer").get(f"{PROMPTS}?q=needle").content.decode()
    assert "<mark>needle</mark>" in page
    assert "<script>alert(1)" not in page


def test_columns_stand_in_the_address() -> None:
    make_run(make_prompt(make_project()), error_message="No credit", status="error", model_used="model-a")
    client = signed_in("viewer")
    page = client.get(f"{RUNS}?columns=problem&columns=model_name&status=error", follow=True)
    assert page.redirect_chain[-1][0] == f"{RUNS}?columns=problem%2Cmodel_name&status=error"
    shown = page.content.decode()
    [row] = rows(client, f"{RUNS}?columns=problem,model_name&o=1")
    assert "No credit" in row
    assert "model-a" in row
    assert "column-created" not in shown
    assert '<input type="hidden" name="status" value="error">' in shown
    assert len(rows(client, f"{PROMPTS}?columns=created")) == 1
    assert "column-created" in client.get(f"{PROJECTS}?columns=created").content.decode()
    assert "column-changed" in client.get(f"{PROMPTS}?columns=nonsense").content.decode()


def test_every_shown_column_of_prompts_and_projects_sorts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to a number of rows, beyond which the page says so and keeps its usual order."""
    names = ("b", "a", "c")
    for number, name in enumerate(names):
        project = make_project(name=name)
        for place in range(number + 1):
            prompt = make_prompt(project, f"{name} {place}")
            for version in range(number):
                make_version(prompt, version + 1)
            for _ in range(number):
                make_run(prompt)
    client = signed_in("viewer")
    for column in range(1, 7):
        ascending, descending = (rows(client, f"{PROMPTS}?o={sign}{column}") for sign in ("", "-"))
        assert sorted(ascending) == sorted(descending)
        assert len(ascending) == 6, column
    assert [row.split()[0] for row in rows(client, f"{PROMPTS}?o=1")] == ["a", "a", "b", "c", "c", "c"]
    assert [row.split()[0] for row in rows(client, f"{PROMPTS}?o=-5")][:3] == ["c", "c", "c"]  # by runs
    assert [row.split()[0] for row in rows(client, f"{PROJECTS}?o=-3")] == ["c", "a", "b"]  # by prompts
    assert [row.split()[0] for row in rows(client, f"{PROJECTS}?o=4")] == ["b", "a", "c"]  # by runs
    for column in range(1, 6):
        assert len(rows(client, f"{PROJECTS}?o={column}")) == 3
    monkeypatch.setattr(sorting, "MOST_SORTED", 5)
    page = client.get(f"{PROMPTS}?o=-5").content.decode()
    assert "Only lists of up to 5 rows are sorted by this column" in page
    assert len(rows(client, f"{PROMPTS}?o=-5")) == 6


def test_folders_of_names_with_counts() -> None:
    for name in ("support/refund", "Support/mail/tone", "support/mail/short", "dev/review", "alone"):
        make_named(name, f"text of {name}")
    client = signed_in("viewer")
    page = client.get(PROMPTS).content.decode()
    start = page.index('class="pa-folders"')
    folders = " ".join(re.sub(r"<[^>]+>", " ", page[start : page.index("</nav>", start)]).split())
    assert "dev/ 1" in folders
    assert "support/ 3" in folders.lower()
    inside = client.get(f"{PROMPTS}?folder=support/").content.decode()
    assert len(rows(client, f"{PROMPTS}?folder=support/")) == 3
    assert "mail/" in inside
    assert len(rows(client, f"{PROMPTS}?folder=support/mail/")) == 2
    assert rows(client, f"{PROMPTS}?folder=nowhere/") == []
    assert rows(client, f"{PROMPTS}?folder=support/&q=refund")[0].startswith("support/refund")


def test_runs_are_marked_and_say_how_they_are_sorted() -> None:
    make_run(title="One", raw_prompt="Summarise the ticket.", created_at=timezone.now())
    client = signed_in("viewer")
    [row] = rows(client, f"{RUNS}?q=ticket")
    assert "[ticket]" in row


def test_names_stand_first_on_the_projects_page_and_in_the_search() -> None:
    prompt = make_named("support/refund", "Answer politely.")
    client = signed_in("viewer")
    page = client.get(f"{PROJECTS}{prompt.project_id}/change/").content.decode()
    assert page.index("support/refund") < page.index("Answer politely.")
    for asked in ("", "politely"):
        found = client.get(f"/admin/search/?s={asked}").content.decode()
        assert "support/refund" in found, asked
