from __future__ import annotations

import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Project, Prompt
from projects.repository import ProjectInfo, ProjectRepository, matching
from projects.repository.matching import CANDIDATES, find_prompt
from projects.texts.keys import FOLDED, KEY, fold_blanks, half_folded, keys
from promptadmin.errors import Invalid, NotFound
from tests.projects.making import make_project, make_prompt

pytestmark = pytest.mark.django_db

MANY = 10_000
repository = ProjectRepository()


def test_a_project_is_found_by_its_trimmed_name_or_made() -> None:
    found = make_project(name="found")
    assert repository.ensure_project_by_name(" found\n") == ProjectInfo(found.id, "active")
    made = repository.ensure_project_by_name("  made ")
    assert made is not None
    row = Project.objects.get(id=made.id)
    assert (row.name, row.status, row.description, row.context_profile) == ("made", "active", None, None)
    assert repository.ensure_project_by_name("made") == made
    assert Project.objects.count() == 2


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_blank_name_is_no_project(name: str) -> None:
    assert repository.ensure_project_by_name(name) is None
    assert not Project.objects.exists()


def test_a_deleted_project_comes_back_and_an_archived_one_stays_so() -> None:
    deleted = make_project(name="deleted", status="deleted", description="kept")
    archived = make_project(name="archived", status="archived")
    assert repository.ensure_project_by_name("deleted") == ProjectInfo(deleted.id, "active")
    assert repository.ensure_project_by_name("archived") == ProjectInfo(archived.id, "archived")
    row = Project.objects.get(id=deleted.id)
    assert (row.status, row.description) == ("active", "kept")
    assert row.updated_at > deleted.updated_at


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("the same text", "the same text"),
        ("two\nlines", "two lines"),
        ("a\ttab", "a tab"),
        ("  around it \n", "around it"),
        ("two  blanks", "two blanks"),
        ("asked with more", "asked   with\n\n\tmore "),
        ("three   blanks", "three blanks"),
        ("no\u00a0break", "no break"),
        ("carriage\r\nreturn", "carriage return"),
        ("ünï\n日本", "ünï 日本"),
        ("100%_\\", "100%_\\"),
    ],
)
def test_a_prompt_is_found_whatever_its_blanks(stored: str, asked: str) -> None:
    project = make_project()
    make_prompt(project, "another")
    prompt = make_prompt(project, stored)
    assert repository.ensure_prompt_in_project(project.id, asked) == prompt.id
    assert Prompt.objects.count() == 2


def test_the_exact_text_wins_over_similar_ones_and_the_first_over_its_twins() -> None:
    project = make_project()
    make_prompt(project, "one  text", order_index=0)
    make_prompt(project, "one\ntext", order_index=1)
    exact = make_prompt(project, "one text", order_index=2)
    make_prompt(project, "one text", order_index=3)
    assert repository.ensure_prompt_in_project(project.id, "one text") == exact.id
    similar = repository.ensure_prompt_in_project(project.id, "one\ttext")
    assert similar == Prompt.objects.get(order_index=0).id


def test_letters_and_other_projects_matter() -> None:
    project, other = make_project(), make_project()
    make_prompt(project, "Text")
    make_prompt(other, "text")
    made = repository.ensure_prompt_in_project(project.id, "text")
    assert Prompt.objects.get(id=made).project_id == project.id
    assert Prompt.objects.count() == 3


def test_a_new_prompt_keeps_its_blanks_and_goes_to_the_end() -> None:
    project = make_project()
    make_prompt(project, order_index=7)
    made = Prompt.objects.get(id=repository.ensure_prompt_in_project(project.id, "  new\n text "))
    assert (made.content, made.order_index, made.version) == ("  new\n text ", 8, 1)
    assert Project.objects.get(id=project.id).updated_at == made.created_at


def test_nothing_is_no_prompt() -> None:
    project = make_project()
    for project_id, content in (("", "text"), (project.id, ""), (project.id, " \n")):
        assert repository.ensure_prompt_in_project(project_id, content) is None
    assert not Prompt.objects.exists()
    with pytest.raises(NotFound):
        repository.ensure_prompt_in_project("nope", "text")
    with pytest.raises(Invalid, match="NUL"):
        repository.ensure_prompt_in_project(project.id, "a\x00b")
    with pytest.raises(Invalid, match="NUL"):
        repository.ensure_project_by_name("a\x00b")


@pytest.mark.parametrize("status", ["archived", "deleted"])
def test_a_project_that_takes_no_prompts_gives_those_it_has(status: str) -> None:
    project = make_project(status=status)
    prompt = make_prompt(project, "there")
    assert repository.ensure_prompt_in_project(project.id, "there") == prompt.id
    assert repository.ensure_prompt_in_project(project.id, "not there") is None
    assert Prompt.objects.count() == 1


def test_rare_blanks_are_looked_for_in_the_first_prompts_only() -> None:
    project = make_project()
    Prompt.objects.bulk_create(
        Prompt(project_id=project.id, content=f"rare\u00a0blanks {at}", order_index=at) for at in range(CANDIDATES + 1)
    )
    last_candidate = Prompt.objects.get(order_index=CANDIDATES - 1)
    assert repository.ensure_prompt_in_project(project.id, f"rare blanks {CANDIDATES - 1}") == last_candidate.id
    beyond = repository.ensure_prompt_in_project(project.id, f"rare blanks {CANDIDATES}")
    assert Prompt.objects.get(id=beyond).content == f"rare blanks {CANDIDATES}"


def test_of_very_long_texts_few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would have to be compared to the end, while other writers wait."""
    project = make_project()
    texts = ["word " * 100 + f"{at}\u00a0" + "word " * 100 for at in range(5)]
    for at, text in enumerate(texts):
        make_prompt(project, text, order_index=at)
    monkeypatch.setattr(matching, "MOST_COMPARED", 2_500)
    asked = [find_prompt("default", project.id, text.replace("\u00a0", "\u2003")) for text in texts]
    assert [key is not None for key in asked] == [True, True, True, False, False]


def test_among_ten_thousand_prompts_few_rows_are_read() -> None:
    """However large the project, the searches give one row each, and Python compares a hundred texts."""
    project, other = make_project(), make_project()
    Prompt.objects.bulk_create(
        Prompt(project_id=project.id, content=f"Prompt {at}\nof many", order_index=at) for at in range(MANY)
    )
    Prompt.objects.bulk_create(Prompt(project_id=other.id, content=f"x {at}", order_index=at) for at in range(500))
    last = Prompt.objects.get(project_id=project.id, order_index=MANY - 1)
    for text, searches in ((last.content, 1), (f"Prompt {MANY - 1} of many", 1), ("new\u00a0text", 2)):
        with CaptureQueriesContext(connection) as queries:
            found = repository.ensure_prompt_in_project(project.id, text)
        assert (found == last.id) == (searches < 2)
        statements = [query["sql"] for query in queries]
        reads = [sql for sql in statements if sql.startswith("SELECT") and "FROM prompts" in sql and "MAX(" not in sql]
        bounds = [re.findall(r"(?:LIMIT|OFFSET) (\d+)", sql)[-1] for sql in reads]
        assert bounds == ["1", str(CANDIDATES - 1)][:searches]
        assert len(statements) <= searches + 10  # six of them: is there a webhook, or a person, to be told?
        if connection.vendor == "sqlite":
            uses = [
                "ix_prompts_text (project_id=? AND <expr>=?)",
                "ix_prompts_order_index (project_id=? AND order_index<?)",
            ]
            for sql, use in zip(reads, uses, strict=False):
                plan = explain(sql)
                assert f"SEARCH prompts USING INDEX {use}" in plan
                assert "SCAN prompts" not in plan


def explain(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"))
        return " | ".join(str(row[-1]) for row in cursor.fetchall())


WORDS = st.sampled_from(["a", "b", "ab", " ", "  ", "\n", "\t", "\r", "\u00a0", "\x1f"])
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map("".join).filter(str.strip)


@given(stored=st.lists(TEXTS, max_size=5), asked=TEXTS)
def test_any_blanks_are_compared_by_the_rule(stored: list[str], asked: str) -> None:
    """Exactly, or else as SQL folds the usual blanks, or else as Python folds all; the first one of a rule counts."""
    with transaction.atomic():
        project = make_project()
        rows = [make_prompt(project, text, order_index=at) for at, text in enumerate(stored)]
        folded = " ".join(asked.split())
        rules = (
            lambda text: text == asked,
            lambda text: text.replace("\n", " ").replace("\t", " ").replace("  ", " ").strip(" ") == folded,
            lambda text: " ".join(text.split()) == folded,
        )
        expected = next((row.id for rule in rules for row in rows if rule(row.content)), None)
        assert find_prompt("default", project.id, asked) == expected
        transaction.set_rollback(True)


LONG_TEXTS = st.lists(st.one_of(WORDS, st.sampled_from(["word " * 7, " " * 45, "x" * 39])), max_size=12).map("".join)


@given(text=LONG_TEXTS)
def test_a_key_is_the_same_in_python_and_in_the_database(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {KEY.format('%s')}, {KEY.format('%s')}, {FOLDED.format('%s')}", [text, fold_blanks(text), text]
        )
        assert cursor.fetchone() == (*keys(text), half_folded(text))
