"""`GET /api/search`: words in prompts, earlier texts and runs, on each engine."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from promptadmin.accounts.tokens import create_token
from promptadmin.db.lookups import fold
from promptadmin.search import ranking, snippets
from promptadmin.search.snippets import LENGTH, MOST_SPANS, PIECE, found_spans, snippet
from promptadmin.search.words import Field, read_query, score, words
from tests.optimizations.searched_files import index_everything
from tests.projects.making import make_project, make_prompt, make_run, make_version


@pytest.fixture
def client(db: None) -> Client:
    """A program with a token that may read."""
    return Client(headers={"Authorization": f"Bearer {create_token(name='searcher', scopes=['read'])[1]}"})


def search(client: Client, q: str, **params: Any) -> dict[str, Any]:
    answer = client.get("/api/search", {"q": q, **params})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> set[str]:
    return {item["id"] for item in found["items"]}


def test_the_three_kinds_are_found_and_described(client: Client) -> None:
    project = make_project(name="Kitchen")
    prompt = make_prompt(project, "Bake a lemon cake", version=2)
    version = make_version(prompt, 1, "Bake a lemon tart")
    run = make_run(prompt, raw_prompt="x", optimized_prompt="A <b>lemon</b> pie", title="Pies", project="Kitchen")
    found = {item["kind"]: item for item in search(client, "LEMON")["items"]}
    assert {kind: item["id"] for kind, item in found.items()} == {
        "prompt": prompt.id,
        "version": version.id,
        "run": run.id,
    }
    assert found["run"]["snippet"] == "A &lt;b&gt;<mark>lemon</mark>&lt;/b&gt; pie"
    assert (found["run"]["text"], found["run"]["highlights"]) == ("A <b>lemon</b> pie", [[5, 10]])
    for item in found.values():
        assert (item["project_id"], item["project"], item["prompt_id"]) == (project.id, "Kitchen", prompt.id)
    assert [found[kind]["version"] for kind in ("prompt", "version", "run")] == [2, 1, None]
    assert [found[kind]["status"] for kind in ("prompt", "version", "run")] == ["active", "active", "completed"]


def test_words_phrases_beginnings_and_whatever_else_a_query_holds(client: Client) -> None:
    one = make_run(raw_prompt="Write a short story, slowly", title="Straße")
    two = make_run(raw_prompt="A story that is short", tags='["na\\u00efve"]')
    cases = {
        "short story": {one.id, two.id},
        '"short story"': {one.id},
        "sto*": {one.id, two.id},
        "sto": set(),
        '"a short sto"*': {one.id},
        "STRASSE": {one.id},
        "naïve": {two.id},
        "story AND short": set(),
        "short-story": {one.id},
        "story/short": set(),
        'NEAR("story" short) OR -^:': set(),
        '"': set(),
        '"short': {one.id, two.id},
        "": set(),
    }
    assert {query: ids(search(client, query)) for query in cases} == cases


def test_filters_narrow_and_those_of_runs_leave_only_runs(client: Client) -> None:
    project = make_project(name="Kitchen")
    prompt = make_prompt(project, "lemon")
    run = make_run(prompt, raw_prompt="lemon", project="Kitchen", task_type="writing", framework_applied="risen")
    make_run(raw_prompt="lemon", project="kitchen", status="error")
    assert ids(search(client, "lemon", project="Kitchen")) == {prompt.id, run.id}
    assert ids(search(client, "lemon", kind="prompt")) == {prompt.id}
    assert ids(search(client, "lemon", kind="version,prompt")) == {prompt.id}
    for narrow in ({"status": "completed"}, {"task_type": "writing"}, {"strategy": "risen"}):
        assert ids(search(client, "lemon", **narrow)) == {run.id}
    assert client.get("/api/search", {"q": "lemon", "kind": "user"}).status_code == 422
    assert client.get("/api/search").status_code == 422
    assert Client().get("/api/search", {"q": "lemon"}).status_code == 401


def test_prompts_of_deleted_projects_are_not_found(client: Client) -> None:
    project = make_project(status="deleted")
    make_version(make_prompt(project, "lemon"), 1, "lemon")
    assert search(client, "lemon")["items"] == []


def test_the_best_come_first_a_page_at_a_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "MOST_RANKED", 5)
    make_run(raw_prompt="lemon " * 5)
    titled = make_run(raw_prompt="lemon", title="Lemon")
    for _ in range(3):
        make_run(raw_prompt=f"one lemon {'and more words ' * 50}")
    first = search(client, "lemon", limit=2)
    assert (first["total"], first["ranked_all"], first["has_more"]) == (5, True, True)
    rest = search(client, "lemon", limit=10, offset=2)
    assert (len(rest["items"]), rest["has_more"]) == (3, False)
    assert titled.id in ids(first)
    assert len(ids(first) | ids(rest)) == 5
    scores = [item["score"] for item in first["items"] + rest["items"]]
    assert scores == sorted(scores, reverse=True)
    newest = make_run(raw_prompt="lemon", created_at="2999-01-01T00:00:00Z")
    more = search(client, "lemon", limit=10)
    assert (more["total"], more["ranked_all"], len(more["items"])) == (None, False, 5)
    assert newest.id in ids(more)


@given(st.text(st.sampled_from("ab \"*'()-:^\\{}+,\t_é日ß&|!<>"), max_size=12))
@example('"a" NEAR b')
@pytest.mark.django_db
def test_no_query_is_an_error(query: str) -> None:
    """Nor does what it holds beside words mean anything to the engine."""
    from optimizations.repository import OptimizationRepository
    from promptadmin.db.sessions import read_session

    with read_session():
        assert OptimizationRepository().search(query).items == []


@given(st.text(st.sampled_from("abß ﬁİ.-ς<&"), max_size=300), st.text(st.sampled_from("abßfi "), max_size=4))
def test_a_snippet_shows_what_was_found_and_nothing_as_html(text: str, query: str) -> None:
    """A text that answers a query has a snippet with a part of it that answers, in the text's own letters."""
    terms = read_query(query)
    found = snippet(terms, [text])
    assert len(found.text) <= LENGTH + 2
    assert found.text.strip("…") in text
    assert html.unescape(re.sub("</?mark>", "", found.html)) == found.text
    assert bool(found.highlights) == any(list(term.spans(fold(text))) for term in terms)
    for start, end in found.highlights:
        assert 0 <= start < end <= len(found.text)
    plain = words(fold(text))
    expected = bool(terms) and all(len(term.words) == 1 and term.words[0] in plain for term in terms)
    assert (score(terms, [Field(fold(text), 1)]) is not None) == (expected or not terms)


@pytest.mark.parametrize("query", ["中", "a b c d e f 中 é ß", "ss*", "end"])
@pytest.mark.parametrize("unit", ["中文", "ß", "e\u0301", "a ", "\u1112\u1161\u11ab", "word ß "])
def test_a_snippet_of_a_long_text_is_bounded(unit: str, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And shows what stands at the end alone."""
    text = unit * (100_000 // len(unit)) + " end"
    terms, folds = read_query(query), list[str]()
    monkeypatch.setattr(snippets, "fold", lambda part: folds.append(part) or fold(part))  # type: ignore[func-returns-value]
    found = snippet(terms, [text])
    assert len(found_spans(terms, fold(text))) <= len(terms) * MOST_SPANS
    assert len(folds) <= 3 * (100_000 // PIECE + PIECE + 6 * LENGTH)
    assert bool(found.highlights) == any(list(term.spans(fold(text))) for term in terms)
    if query == "end":
        [(start, end)] = found.highlights
        assert found.text[start:end] == "end"


@pytest.mark.parametrize("text", ["la a a", "a al a a", "a a", "a, a", "a la a-a"])
def test_words_in_order_are_found_behind_longer_ones_that_end_or_begin_alike(text: str) -> None:
    """A place that isn't one must hide none that begins within it."""
    [term] = read_query('"a a"')
    assert [fold(text)[start:end] for start, end in term.spans(fold(text))] in (["A A"], ["A, A"], ["A-A"])


def test_what_is_indexed_is_told(client: Client) -> None:
    make_run(raw_prompt="lemon")
    indexed = search(client, "lemon")["indexed"]
    assert set(indexed) == {"done", "total"}
    assert 0 <= indexed["done"] <= indexed["total"]
    assert connection.vendor == "postgresql" or indexed["total"] >= 1


SCRIPTS = {
    "请用中文总结以下文章": ["中文", "文", "总结 文章", "中*", '"用中文"'],
    "これは日本語のプロンプトです": ["日本語", "プロンプト", "語"],
    "กรุณาสรุปข้อความนี้": ["สรุป", "ข้อความ"],
    "한국어로 대답하세요. 요약은 세 문장으로.": ["요약", "한국어", "대답", unicodedata.normalize("NFD", "요약")],
    "请用JSON格式回答": ["JSON", "json格式", "js*"],
    "日本語で答えて GPT-4o用": ["gpt-4o", "4o"],
    unicodedata.normalize("NFD", "Un café crème"): ["CAFÉ", "crème", unicodedata.normalize("NFD", "Café")],
    "Über naïve Bayes": [unicodedata.normalize("NFD", "über"), "NAÏVE"],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_indexed", [False, True])
def test_scripts_without_blanks_and_both_forms_of_accents_are_found_and_marked(is_indexed: bool) -> None:
    client = Client(headers={"Authorization": f"Bearer {create_token(name='searcher', scopes=['read'])[1]}"})
    keys = {text: make_run(raw_prompt=text).id for text in SCRIPTS}
    if is_indexed:
        index_everything("default")
    for text, queries in SCRIPTS.items():
        for query in queries:
            found = search(client, query)["items"]
            assert keys[text] in {item["id"] for item in found}, query
            [item] = [item for item in found if item["id"] == keys[text]]
            marked = [item["text"][start:end] for start, end in item["highlights"]]
            assert fold(marked[0]).startswith(fold(re.split(r'[*" ]', query.strip('"'))[0])), (query, marked)
            part = query.strip('*"')
            listed = client.get("/api/history", {"search": part.split()[0]}).json()["items"]
            assert keys[text] in {row["id"] for row in listed}, query
    for query in ("文中", "日語", "สป", "JSO", "cafe"):
        assert search(client, query)["items"] == [], query
