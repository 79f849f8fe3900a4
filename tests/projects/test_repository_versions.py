from __future__ import annotations

import difflib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.models import Prompt, PromptVersion
from projects.repository import ProjectRepository
from projects.texts.diffs import diff_texts
from promptadmin.errors import NotFound
from tests.projects.making import make_project, make_prompt, make_version

repository = ProjectRepository()


def prompt_with_texts(*texts: str) -> str:
    """A prompt that had these texts, the last one now."""
    made = repository.add_prompt(project_id=make_project().id, content=texts[0])
    for text in texts[1:]:
        repository.update_prompt(prompt_id=made.id, content=text)
    return made.id


@pytest.mark.django_db
def test_versions_are_listed_newest_first_without_the_current_one() -> None:
    key = prompt_with_texts("one", "two", "three", "four")
    page = repository.list_versions(prompt_id=key)
    assert [(version.version, version.content) for version in page.items] == [(3, "three"), (2, "two"), (1, "one")]
    assert page.total == 3
    assert not any(version.current for version in page.items)
    second = repository.list_versions(prompt_id=key, limit=1, offset=1)
    assert ([version.version for version in second.items], second.total) == ([2], 3)


@pytest.mark.django_db
def test_each_version_can_be_read_the_current_one_too() -> None:
    key = prompt_with_texts("one", "two")
    first = repository.get_version(prompt_id=key, version=1)
    assert (first.content, first.current, first.prompt_id) == ("one", False, key)
    assert first.id == PromptVersion.objects.get().id
    second = repository.get_version(prompt_id=key, version=2)
    assert (second.content, second.current, second.id, second.created_at) == ("two", True, None, None)
    for version in (0, 3):
        with pytest.raises(NotFound, match=r"^Version not found$"):
            repository.get_version(prompt_id=key, version=version)


@pytest.mark.django_db
def test_an_earlier_text_comes_back_as_a_new_version() -> None:
    key = prompt_with_texts("one", "two", "three")
    restored = repository.restore_version(prompt_id=key, version=1)
    assert (restored.content, restored.version) == ("one", 4)
    texts = {version.version: version.content for version in repository.list_versions(prompt_id=key).items}
    assert texts == {1: "one", 2: "two", 3: "three"}
    assert repository.restore_version(prompt_id=key, version=4).version == 4
    with pytest.raises(NotFound, match=r"^Version not found$"):
        repository.restore_version(prompt_id=key, version=5)


@pytest.mark.django_db
def test_of_two_rows_with_one_version_the_later_made_counts() -> None:
    prompt = make_prompt(make_project(), "now", version=2)
    make_version(prompt, 1, "first")
    make_version(prompt, 1, "second")
    assert repository.get_version(prompt_id=prompt.id, version=1).content == "second"
    assert Prompt.objects.get().content == "now"


@pytest.mark.django_db
def test_two_versions_are_compared_in_either_direction() -> None:
    key = prompt_with_texts("a\nb\nc", "a\nB\nc\nd")
    there = repository.diff_versions(prompt_id=key, old=1, new=2)
    assert there.diff == "--- version 1\n+++ version 2\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d"
    assert (there.lines_added, there.lines_removed, there.lines_unchanged) == (2, 1, 2)
    back = repository.diff_versions(prompt_id=key, old=2, new=1)
    assert (back.lines_added, back.lines_removed, back.lines_unchanged) == (1, 2, 2)
    same = repository.diff_versions(prompt_id=key, old=2, new=2)
    assert (same.diff, same.similarity, same.lines_unchanged) == ("", 1.0, 4)


@pytest.mark.parametrize("sign", ["+", "-", "++ b", "-- a"])
def test_lines_that_look_like_a_diff_count_once(sign: str) -> None:
    found = diff_texts(f"{sign} x", f"{sign} y", old_name="a", new_name="b")
    assert (found.lines_added, found.lines_removed, found.lines_unchanged) == (1, 1, 0)


texts = st.text(alphabet="ab \n\r+-\u2028", max_size=30)


@given(old=texts, new=texts)
def test_a_diff_tells_both_texts(old: str, new: str) -> None:
    found = diff_texts(old, new, old_name="old", new_name="new")
    assert (found.diff == "") == (old == new)
    assert found.lines_unchanged + found.lines_removed == len(old.split("\n"))
    assert found.lines_unchanged + found.lines_added == len(new.split("\n"))
    assert 0 <= found.similarity <= 1
    assert applied(old, found.diff) == new


def applied(text: str, diff: str) -> str:
    """The text after a unified diff, whose lines end with line feeds only."""
    before, after, at = text.split("\n"), list[str](), 0
    for line in diff.split("\n")[2:]:
        hunk = re.match(r"@@ -(\d+)(?:,(\d+))? ", line)
        if hunk:
            start = int(hunk[1]) - (hunk[2] != "0")
            after += before[at:start]
            at = start
        elif line.startswith("+"):
            after.append(line[1:])
        else:
            assert before[at] == line[1:]
            after += [] if line.startswith("-") else [line[1:]]
            at += 1
    return "\n".join(after + before[at:])


def test_similarity_compares_words() -> None:
    old, new = "one two three four", "one two three five"
    expected = difflib.SequenceMatcher(None, old.split(), new.split()).ratio()
    assert diff_texts(old, new, old_name="a", new_name="b").similarity == expected
