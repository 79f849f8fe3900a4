"""The pages of runs: what they ask the database, what they let through, and that no text does harm."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client

from optimizations.lists import windows
from optimizations.models import Optimization
from projects.models import Project, Prompt
from tests.support.sent_sql import sent_sql

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/optimizations/optimization/"
SCRIPT = "<script>alert(1)</script>"
TEXTS = {
    "script": SCRIPT,
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "right to left": "\u202eabc \u05e9\u05dc\u05d5\u05dd",
    "controls": "bell \x07 escape \x1b[31m",
    "template": "{{ 7|add:1 }} {% now %}",
    "long": "word " * 200_000,
}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def user_with(client: Client) -> Callable[..., Client]:
    def signed_in(*codenames: str) -> Client:
        user = User.objects.create_user("somebody", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="optimizations", codename__in=codenames)
        )
        client.force_login(user)
        return client

    return signed_in


def make_run(**kwargs: object) -> Optimization:
    row = Optimization(**{"raw_prompt": "prompt", "status": "completed", **kwargs})
    row.save(force_insert=True)
    return row


def page_of(row: Optimization) -> str:
    return f"{LIST}{row.pk}/change/"


def act(client: Client, action: str, *runs: Optimization, **given: str) -> str:
    data = {"action": action, "_selected_action": [run.pk for run in runs], **given}
    return client.post(LIST, data, follow=True).content.decode()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_text_does_harm_on_any_page(admin: Client, text: str) -> None:
    short = text[:150]
    row = make_run(
        raw_prompt=text,
        optimized_prompt=text + "!",
        title=short,
        project=short,
        strategy=short,
        framework_applied=short,
        model_used=short,
        error_message=text,
        status="error",
        verdict=text,
        strategy_reasoning=text,
        optimization_notes=text,
        strengths=f'["{short}"]',
        weaknesses="{broken " + short,
        tags="[broken " + short,
        codebase_context_snapshot="{not json " + short,
    )
    pages = [
        admin.get(LIST).content.decode(),
        admin.get(LIST, {"q": short[:20], "tag": short[:20], "project": short, "strategy": short}).content.decode(),
        admin.get(page_of(row)).content.decode(),
        admin.get(f"{LIST}{row.pk}/delete/").content.decode(),
        act(admin, "tag", row),
        act(admin, "tag", row, confirmed="yes", add=short[:60]),
    ]
    for page in pages:
        assert SCRIPT not in page
        assert "<img src=x" not in page
        assert len(page) < 3_000_000
    assert "{not json" in pages[2]
    assert "{broken" in pages[2]


@pytest.mark.parametrize("stored", ["null", "3", '"text"', '{"a": 1}', "[1, null]", "", '["\\ud800"]'])
def test_json_of_any_shape_is_shown(admin: Client, stored: str) -> None:
    row = make_run(**dict.fromkeys(("tags", "strengths", "secondary_frameworks", "codebase_context_snapshot"), stored))
    assert admin.get(LIST).status_code == 200
    assert admin.get(page_of(row)).status_code == 200


def test_a_page_shows_the_run(admin: Client) -> None:
    Project(id="P", name="Support").save()
    Prompt(id="p", content="text", project_id="P").save()
    row = make_run(
        raw_prompt="Answer the customer.\nBe nice.",
        optimized_prompt="Answer the angry customer.\nBe nice.",
        overall_score=0.75,
        clarity_score=0.2,
        strategy="risen",
        strategy_reasoning="Because steps matter.",
        duration_ms=2300,
        input_tokens=10,
        tags='["draft"]',
        project="Support",
        prompt_id="p",
        codebase_context_snapshot='{"language": "Python"}',
    )
    page = admin.get(page_of(row)).content.decode()
    for text in (
        "<ins>angry ",
        "Because steps matter.",
        "7.5 of 10",
        "2.3 s",
        "10 read",
        "draft",
        "&quot;Python&quot;",
    ):
        assert text in page, text
    assert "/admin/projects/prompt/p/change/" in page
    assert "/admin/projects/project/P/change/" in page
    listed = admin.get(LIST).content.decode()
    assert re.search(r"run-score-number\">7.5<", listed)


def test_filters_are_those_of_the_repository(admin: Client) -> None:
    """Each parameter of the list, by what it leaves."""
    Project(id="P", name="Support").save()
    Prompt(id="p", content="text", project_id="P").save()
    common = {"created_at": dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)}
    make_run(title="plain one", **common)
    make_run(
        title="marked one",
        status="error",
        project="Support",
        framework_applied="risen",
        task_type="coding",
        overall_score=0.85,
        tags='["\\u00fcber"]',
        prompt_id="p",
        optimized_prompt="needle",
        created_at=dt.datetime(2026, 3, 21, 23, 59, tzinfo=dt.UTC),
    )
    for query in (
        "q=NEEDLE",
        "status=error",
        "project=Support",
        "project_id=P",
        "prompt__id__exact=p",
        "strategy=risen",
        "task_type=coding",
        "score_from=8",
        "score_to=8.5&score_from=1",
        "score_to=8.5&score_from=8.5",
        "created_from=2026-03-21",
        "created_from=2026-03-21&created_to=2026-03-21",
        "since=2026-03-21T00:00:00%2B00:00",
        "tag=%C3%9CBER",
        "has_prompt=yes",
    ):
        page = admin.get(f"{LIST}?{query}").content.decode()
        assert "marked one" in page, query
        assert "plain one" not in page, query
    for query in ("score_from=9", "created_to=2026-03-20", "tag=ber", "has_prompt=no", "status=completed"):
        assert "marked one" not in admin.get(f"{LIST}?{query}").content.decode(), query
    for query in ("score_from=many", "created_from=yesterday", "created_to=9999-12-31", "p=x", "p=-3", "o=99.a"):
        assert admin.get(f"{LIST}?{query}").status_code == 200, query
    assert "is no score" in admin.get(f"{LIST}?score_from=many").content.decode()
    assert admin.get(f"{LIST}?raw_prompt__startswith=x").status_code == 302


def test_every_page_of_the_list_asks_little(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 12 queries whatever the filter or page, and none for each row."""
    monkeypatch.setattr(windows, "WINDOW", 20)
    for number in range(60):
        make_run(title=f"run {number}", tags='["t"]', status="error" if number % 2 else "completed", overall_score=0.5)
    queries = ["", "status=error", "tag=t", "tag=nope&strategy=risen&status=error", "score_from=5", "o=3", "o=-3"]
    for query in (*queries, "p=999999999", "project=nope&has_prompt=no"):
        with sent_sql(connection) as statements:
            assert admin.get(f"{LIST}?{query}").status_code == 200
        assert len(statements) <= 12, (query, statements)
    page = admin.get(f"{LIST}?tag=t").content.decode()
    assert "were looked at" in page
    follow = re.search(r'href="(\?[^"]*until[^"]*)"', page)
    assert follow
    assert "run 39" in admin.get(LIST + follow[1].replace("&amp;", "&")).content.decode()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
@pytest.mark.parametrize("sort", ["", "&o=3", "&o=-3", "&o=7"])
def test_no_page_of_the_list_scans_a_table(admin: Client, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    """Whatever the filter, SQLite finds its rows by an index."""
    monkeypatch.setattr(windows, "WINDOW", 5)
    Project(id="P", name="Support").save()
    Prompt(id="p", content="text", project_id="P").save()
    for number in range(12):
        make_run(status="error", project="Support", strategy="risen", task_type="coding", overall_score=number / 12)
    asked: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    for query in (
        "p=2",
        "status=error",
        "project=Support",
        "project_id=P",
        "prompt__id__exact=p",
        "strategy=risen",
        "task_type=coding",
        "score_from=3&score_to=8",
        "created_from=2020-01-01",
        "tag=t",
        "has_prompt=yes",
        "has_prompt=no",
        "q=text",
        "q=text&status=error&strategy=risen&tag=t",
        "_facets=True",
    ):
        asked.clear()
        with connection.execute_wrapper(keep):
            assert admin.get(f"{LIST}?{query}{sort}").status_code == 200, query
        for sql, params in [statement for statement in asked if "optimizations" in statement[0]]:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                plan = [row[3] for row in cursor.fetchall()]
            assert not [step for step in plan if re.match("SCAN (optimizations|o|U0)$", step)], (query, sql, plan)


def test_pages_follow_each_other_beyond_what_is_within_reach(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Following `next` shows every run, once, though a list of numbered pages ends at the window."""
    from optimizations.admin.runs import OptimizationAdmin

    monkeypatch.setattr(windows, "WINDOW", 10)
    monkeypatch.setattr(OptimizationAdmin, "list_per_page", 5)
    start = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    for number in range(32):
        make_run(title=f"run {number}.", created_at=start + dt.timedelta(hours=number))
    seen, address = [], LIST
    for _ in range(20):
        page = admin.get(address).content.decode()
        seen += re.findall(r"run (\d+)\.<", page)
        following = re.search(r'href="(\?[^"]*)" rel="next"', page)
        if not following:
            break
        address = LIST + following[1].replace("&amp;", "&")
    assert list(dict.fromkeys(seen)) == [str(number) for number in reversed(range(32))]


def test_actions_ask_first_and_then_write(admin: Client) -> None:
    first, second = make_run(title="first"), make_run(title="second", status="running", tags='["old"]')
    assert "Tags of <strong>2 runs" in act(admin, "tag", first, second)
    assert "Name at least one tag" in act(admin, "tag", first, second, confirmed="yes", add=" , ")
    assert "at most 50 characters" in act(admin, "tag", first, confirmed="yes", add="x" * 51)
    assert "Changed 2 runs" in act(admin, "tag", first, second, confirmed="yes", add="new, \u00fc", remove="old")
    assert Optimization.objects.get(pk=second.pk).tags == '["new", "\u00fc"]'

    assert "Changed 1 run." in act(admin, "move", first, confirmed="yes", project="Support")
    assert Prompt.objects.get(pk=Optimization.objects.get(pk=first.pk).prompt_id).content == "prompt"
    Project.objects.update(status="archived")
    assert "archived project: Support" in act(admin, "move", second, confirmed="yes", project="Support")

    assert "1 of 2 runs" in act(admin, "mark_stale", first, second)
    assert "Marked 1 run" in act(admin, "mark_stale", first, second, confirmed="yes")
    assert Optimization.objects.get(pk=second.pk).error_message == "Server interrupted"

    assert "2 runs will be deleted" in act(admin, "delete_runs", first, second)
    assert Optimization.objects.count() == 2
    assert "Deleted 2 runs" in act(admin, "delete_runs", first, second, confirmed="yes")
    assert not Optimization.objects.exists()


def test_an_action_is_for_the_ticked_runs_only(admin: Client) -> None:
    ticked, other = make_run(), make_run()
    act(admin, "delete_runs", ticked, confirmed="yes")
    assert list(Optimization.objects.values_list("pk", flat=True)) == [other.pk]


def test_all_that_pass_are_meant_only_once_they_were_asked_about(admin: Client) -> None:
    """Though a request says that it is confirmed."""
    ticked, _ = make_run(), make_run()
    said = act(admin, "delete_runs", ticked, confirmed="yes", select_across="1")
    assert "look at the numbers once more" in said
    assert "2 runs will be deleted" in said
    assert Optimization.objects.count() == 2


@pytest.mark.parametrize("tag", ["a, b", " ", "plain"])
def test_a_tag_of_any_text_can_be_removed(admin: Client, tag: str) -> None:
    row = make_run(tags=json.dumps([tag, "kept"]))
    page = act(admin, "tag", row)
    assert f'name="remove" value="{tag}"' in page
    assert "Changed 1 run." in act(admin, "tag", row, confirmed="yes", remove=tag)
    assert Optimization.objects.get().tags == '["kept"]'


@pytest.mark.parametrize(
    ("typed", "tags"),
    [
        ('"a, b", plain', ["a, b", "plain"]),
        ('plain ,"say ""yes"", please"', ["plain", 'say "yes", please']),
        ('5" nails, , "x"', ['5" nails', "x"]),
    ],
)
def test_a_tag_with_a_comma_can_be_added(admin: Client, typed: str, tags: list[str]) -> None:
    row = make_run()
    assert "Changed 1 run." in act(admin, "tag", row, confirmed="yes", add=typed)
    assert json.loads(Optimization.objects.get().tags or "") == tags
    assert "Changed 1 run." in act(admin, "tag", row, confirmed="yes", remove_others=typed)
    assert json.loads(Optimization.objects.get().tags or "") == []


@pytest.mark.parametrize("typed", ['"a, b', '"a" b, c'])
def test_quotation_marks_that_fit_nothing_are_told_and_what_was_typed_stays(admin: Client, typed: str) -> None:
    row = make_run(tags='["kept"]')
    page = html.unescape(act(admin, "tag", row, confirmed="yes", add=typed))
    assert "The quotation marks don't fit together" in page
    assert f'name="add" value="{typed}"' in page
    assert Optimization.objects.get().tags == '["kept"]'


@pytest.mark.parametrize("score", ["nan", "inf", "-inf", "1e400", "-1e400"])
def test_a_score_that_is_no_number_is_told(admin: Client, score: str) -> None:
    make_run(overall_score=0.5)
    page = admin.get(LIST, {"score_from": score, "score_to": score})
    assert page.status_code == 200
    assert "is no score" in page.content.decode()


def test_what_may_not_be_done_cannot_be_done_by_address(user_with: Callable[..., Client]) -> None:
    row = make_run(title="kept")
    client = user_with("view_optimization")
    page = client.get(page_of(row)).content.decode()
    assert "kept" in page
    assert "delete_runs" not in page
    assert client.get(f"{LIST}{row.pk}/delete/").status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    for action in ("tag", "move", "mark_stale", "delete_runs"):
        act(client, action, row, confirmed="yes", add="x", project="x")
    row.refresh_from_db()
    assert (row.tags, row.project) == (None, None)
    assert client.post(page_of(row), {"raw_prompt": "changed"}).status_code in (200, 403, 405)
    row.refresh_from_db()
    assert row.raw_prompt == "prompt"


def test_without_permission_nothing_is_seen(user_with: Callable[..., Client]) -> None:
    row = make_run()
    client = user_with()
    for address in (LIST, page_of(row), f"{LIST}{row.pk}/delete/"):
        assert client.get(address).status_code == 403


def test_writes_need_a_token_against_forgery() -> None:
    row = make_run()
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("root"))
    data = {"action": "delete_runs", "_selected_action": [row.pk], "confirmed": "yes"}
    assert client.post(LIST, data).status_code == 403
    assert Optimization.objects.exists()


def test_a_run_that_is_not_there(admin: Client) -> None:
    assert admin.get(f"{LIST}nope/change/").status_code == 302
    assert "aren't there any more" in admin.get(f"{LIST}nope/delete/").content.decode().replace("&#x27;", "'")
