"""What is done with a prompt's text in a request is bounded, whatever the text's form and length."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from projects import prompt_checks
from projects.contrib.lint import secrets
from projects.texts import matching, side_by_side
from projects.texts.diffs import diff_texts
from projects.texts.matching import Matcher
from projects.texts.side_by_side import compare_lines
from tests.projects.making import make_project, make_prompt

AWS_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
LENGTH = 100_000
HOSTILE = {
    "short lines": "7\n" * (LENGTH // 2),
    "different lines": "".join(f"line {number}\n" for number in range(LENGTH // 10)),
    "one line": "x" * LENGTH,
    "blanks": " " * LENGTH,
    "braces": "{" * LENGTH,
    "beginnings of tokens": "eyJ" * (LENGTH // 3),
}
lines = st.lists(st.sampled_from("abcdefgh"), max_size=25)


@pytest.mark.parametrize("form", HOSTILE)
def test_secrets_are_searched_for_in_so_many_characters(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def watched(line: str) -> set[tuple[str, str]]:
        looked_at.append(line)
        return set()

    monkeypatch.setattr(secrets, "_secrets", watched)
    prompt = prompt_checks.CheckedPrompt(id="p", project_id="j", text=HOSTILE[form], using="default")
    found = list(secrets.find_secrets(prompt))
    assert len(looked_at) <= secrets.MOST_LINES
    assert sum(map(len, looked_at)) <= secrets.MOST_CHARACTERS
    whole = form == "short lines"  # the same line again and again
    assert [item.message[:12] for item in found] == ([] if whole else ["From here on"])


def test_a_secret_is_found_in_a_long_line_and_told_each_time() -> None:
    text = f"{'words and ' * 150}{AWS_KEY} {'more ' * 300}\nkey {AWS_KEY}\n"
    prompt = prompt_checks.CheckedPrompt(id="p", project_id="j", text=text, using="default")
    assert [text[item.start : item.end] for item in secrets.find_secrets(prompt)] == [AWS_KEY, AWS_KEY]


@pytest.mark.django_db
def test_findings_of_long_texts_are_bounded_and_say_so(admin_client: Client) -> None:
    prompt = make_prompt(make_project(), "TODO as JSON\n" * 30_000 + AWS_KEY)
    address = f"/api/projects/{prompt.project_id}/prompts/{prompt.id}/findings"
    items = admin_client.get(address).json()["items"]
    of_todo = [item for item in items if item["check"] == "unfilled_placeholders"]
    assert len(of_todo) == prompt_checks.MOST_FINDINGS + 2
    assert "There are more than these 100 findings." in [item["message"] for item in of_todo]
    assert of_todo[-1]["message"] == "Only the first 100,000 characters of the text were checked."
    assert [item["line"] for item in of_todo if "TODO" in item["message"]] == list(range(1, 101))
    assert any("390,020" in item["message"] for item in items)
    assert admin_client.get(f"/admin/projects/prompt/{prompt.id}/change/").status_code == 200


@given(lines, lines, st.integers(0, 60))
def test_a_comparison_is_right_however_little_is_compared(old: list[str], new: list[str], most: int) -> None:
    rebuilt: list[str] = []
    for tag, old_start, old_end, new_start, new_end in Matcher(old, new, most_pairs=most).get_opcodes():
        assert (tag == "equal") == (old[old_start:old_end] == new[new_start:new_end])
        rebuilt += new[new_start:new_end]
    assert rebuilt == new
    assert Matcher(old, old, most_pairs=most).ratio() == 1.0


@given(lines, lines)
def test_a_unified_diff_is_as_difflib_writes_it(old: list[str], new: list[str]) -> None:
    found = diff_texts("\n".join(old), "\n".join(new), old_name="a", new_name="b").diff
    # A text of no line and one of an empty line are the same text.
    assert found == "\n".join(difflib.unified_diff(old or [""], new or [""], "a", "b", lineterm=""))


@pytest.mark.parametrize("form", HOSTILE)
def test_difflib_compares_so_many_pairs(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs: list[int] = []

    class Counted(difflib.SequenceMatcher[str]):
        def find_longest_match(self, alo: Any = 0, ahi: Any = None, blo: Any = 0, bhi: Any = None) -> Any:
            if ahi is not None and bhi is not None:
                pairs.append((ahi - alo) * (bhi - blo))
            return super().find_longest_match(alo, ahi, blo, bhi)

    monkeypatch.setattr(difflib, "SequenceMatcher", Counted)
    text = HOSTILE[form]
    other = text[::-1].replace("7", "8").replace("1", "2") + "?"
    assert diff_texts(text, other, old_name="a", new_name="b").lines_added >= 1
    assert list(compare_lines(text, other))
    assert max(pairs, default=0) <= matching.MOST_PAIRS


def test_words_of_long_lines_are_marked_while_pairs_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    [row] = compare_lines("one " * 300 + "two", "one " * 300 + "three")
    assert row.new is not None
    assert [piece.text for piece in row.new.pieces if piece.changed] == ["three"]
    monkeypatch.setattr(side_by_side, "MOST_PAIRS", 0)
    [row] = compare_lines("one two", "one three")
    assert row.new is not None
    assert [piece.text for piece in row.new.pieces] == ["one three"]
