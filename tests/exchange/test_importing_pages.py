"""The pages that import and export: the four tables, in four formats, by the repositories' rules."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from optimizations.columns import COLUMNS
from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.exchange import resources, uploads
from promptadmin.exchange.formats import FORMATS

pytestmark = pytest.mark.django_db(transaction=True)

MODELS = (Project, Prompt, Optimization, PromptVersion)
NAMES = [kind.extension for kind in FORMATS]
MADE = dt.datetime(2026, 3, 20, 9, 30, 0, 123456, tzinfo=dt.UTC)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture(autouse=True)
def no_waiting_files(data_directory: Path) -> None:
    shutil.rmtree(data_directory / "uploads", ignore_errors=True)


@pytest.fixture
def rows(db: None) -> None:
    """One row of each table at least, with what is hard to write."""
    Project(id="P", name="=Support", description="", context_profile='{"language": "Python"}').save()
    Prompt(id="p", content="- a list\n<script>alert(1)</script>", project_id="P", version=2).save()
    Optimization(
        id="run",
        created_at=MADE,
        raw_prompt="@you, \u05e9\u05dc\u05d5\u05dd \x07",
        optimized_prompt="",
        status="completed",
        tags='["a", "b,c"]',
        overall_score=0.5,
        is_improvement=True,
        input_tokens=3,
        project="=Support",
        prompt_id="p",
        codebase_context_snapshot='{"a": [1]}',
    ).save()
    Optimization(id="empty", created_at=MADE + dt.timedelta(hours=1), raw_prompt="x", status="error").save()
    PromptVersion(id="v", prompt_id="p", version=1, content="earlier", optimization_id="run").save()


def page(model: Any, name: str) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/{name}"


def format_of(name: str) -> str:
    return str(NAMES.index(name))


def export(client: Client, model: Any, name: str = "jsonl", query: str = "", **data: Any) -> bytes:
    answer: Any = client.post(page(model, f"export/{query}"), {"format": format_of(name), **data})
    assert answer.status_code == 200
    assert answer.streaming, answer.content.decode()
    return b"".join(answer.streaming_content)


def preview(client: Client, model: Any, content: bytes, name: str = "jsonl") -> str:
    file = SimpleUploadedFile(f"rows.{name}", content)
    return client.post(page(model, "import/"), {"import_file": file, "format": format_of(name)}).content.decode()


def confirm(client: Client, model: Any, shown: str) -> str:
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', shown))
    return client.post(page(model, "process_import/"), hidden, follow=True).content.decode()


def line(**values: Any) -> bytes:
    return json.dumps(values).encode() + b"\n"


def stored() -> dict[str, list[Any]]:
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in MODELS}


@pytest.mark.parametrize("name", NAMES)
def test_all_four_tables_can_be_moved(admin: Client, rows: None, name: str) -> None:
    """Exported, importing changes nothing; deleted, importing brings everything back."""
    before = stored()
    files = {model: export(admin, model, name) for model in MODELS}
    for model, content in files.items():
        shown = preview(admin, model, content, name)
        assert "0 new" in shown, shown
        assert "there already, the same" in confirm(admin, model, shown)
    assert stored() == before

    for model in reversed(MODELS):
        model._default_manager.all().delete()
    for model, content in files.items():
        shown = preview(admin, model, content, name)
        assert "<script>alert" not in shown
        assert not model._default_manager.exists(), "a preview writes nothing"
        assert f"{len(before[model.__name__])} imported" in confirm(admin, model, shown)
    for rows_of in (before["Project"], after := stored()["Project"]):
        for row in rows_of:
            del row["updated_at"]  # importing prompts is a change of their project
    assert before["Project"] == after
    assert {**stored(), "Project": after} == before


def test_errors_are_told_by_row_and_nothing_is_written(admin: Client, rows: None) -> None:
    good, same = line(id="new", raw_prompt="fine"), line(id="empty", raw_prompt="x")
    bad = line(id="run", raw_prompt="another") + line(id="no text") + line(id="n", raw_prompt="a", nope=1) + b"{x\n"
    shown = preview(admin, Optimization, good + same + bad + line(id="m", raw_prompt="a", overall_score=7))
    assert "Nothing was imported" in shown
    assert "5 rows can" in shown
    for message in (
        "other content",
        "raw_prompt is needed in each row",
        "nope is no column of this table",
        "JSON decode error",
        "overall_score must not be greater than 1",
    ):
        assert message in shown, message
    assert "Import the 2 good rows" in shown
    assert "1 new, 1 there already" in preview(admin, Optimization, good + same)
    assert Optimization.objects.count() == 2

    csv = b"id,name,status\nQ,Other,nope\nP,renamed,active\nR,=Support,active\nS,,\n"
    shown = preview(admin, Project, csv, "csv")
    for message in ("status must be one of &#x27;active&#x27;, &#x27;archived&#x27;", "name must not be empty"):
        assert message in shown, message
    shown = preview(admin, Project, b"id,name\nP,renamed\nR,'=Support\n", "csv")
    for message in ("other content", "A project with this name already exists"):
        assert message in shown, message


def test_prompts_and_versions_need_what_they_refer_to(admin: Client, rows: None) -> None:
    Project(id="A", name="old", status="archived").save()
    Prompt(id="a", content="text", project_id="A", version=3).save()
    shown = preview(
        admin,
        Prompt,
        line(id="1", project_id="nope", content="a")
        + line(id="2", project_id="A", content="a")
        + line(id="3", project_id="P", content="  "),
    )
    assert "whitespace-only" in shown
    shown = preview(
        admin, Prompt, line(id="1", project_id="nope", content="a") + line(id="2", project_id="A", content="a")
    )
    for message in ("import the projects first", "Cannot modify an archived project"):
        assert message in shown, message
    shown = preview(
        admin,
        PromptVersion,
        line(id="1", prompt_id="nope", version=1, content="a")
        + line(id="2", prompt_id="p", version=2, content="a")
        + line(id="3", prompt_id="p", version=1, content="a")
        + line(id="4", prompt_id="a", version=1, content="a"),
    )
    for message in ("import the prompts first", "older than", "another text of this version", "archived project"):
        assert message in shown, message
    shown = preview(
        admin, Prompt, line(id="1", project_id="P", content="a") + line(id="2", project_id="P", content="b")
    )
    confirm(admin, Prompt, shown)
    assert list(Prompt.objects.filter(id__in="12").order_by("id").values_list("order_index", "version")) == [
        (1, 1),
        (2, 1),
    ]


def test_what_has_changed_since_the_preview_is_not_overwritten(admin: Client, rows: None) -> None:
    shown = preview(admin, Optimization, line(id="new", raw_prompt="mine"))
    Optimization(id="new", raw_prompt="another's", status="completed").save()
    assert "Nothing was imported" in confirm(admin, Optimization, shown)
    assert Optimization.objects.get(id="new").raw_prompt == "another's"


def test_a_preview_serves_once_and_no_other_file_can_be_named(admin: Client, rows: None, data_directory: Path) -> None:
    shown = preview(admin, Optimization, line(id="new", raw_prompt="mine"))
    (waiting,) = list((data_directory / "uploads").iterdir())
    assert (waiting.stat().st_mode & 0o777, waiting.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "1 imported" in confirm(admin, Optimization, shown)
    assert not waiting.exists()
    assert "sent twice, and done once" in confirm(admin, Optimization, shown)
    assert uploads.EXPIRED in confirm(
        admin, Optimization, re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1of another page", shown)
    )
    (data_directory / "secret").write_text(line(id="x", raw_prompt="secret").decode())
    for name in ("../secret", "secret", "/etc/passwd", ""):
        data = {"import_file_name": name, "original_file_name": "x", "format": format_of("jsonl"), "resource": "0"}
        admin.post(page(Optimization, "process_import/"), data)
    data |= {"import_file_name": "0" * 32, "format": "99"}
    assert admin.post(page(Optimization, "process_import/"), data).status_code == 200
    assert not Optimization.objects.filter(id="x").exists()


def test_files_nobody_confirms_are_removed(admin: Client, rows: None, data_directory: Path, monkeypatch: Any) -> None:
    preview(admin, Optimization, line(id="new", raw_prompt="mine"))
    monkeypatch.setattr(uploads, "UPLOAD_HOURS", -1)
    preview(admin, Optimization, line(id="new", raw_prompt="mine"))
    assert len(list((data_directory / "uploads").iterdir())) == 1


def test_unreadable_and_oversized_files_say_what_to_do(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no XLSX workbook" in preview(admin, Project, b"id,name", "xlsx")
    assert "UTF-8" in preview(admin, Project, b"id,name\n1,\xff", "csv")
    many = b"".join(line(id=str(number), raw_prompt="x") for number in range(10_001))
    assert "At most 10000 lines" in preview(admin, Optimization, many)
    monkeypatch.setattr("promptadmin.backoffice.exchange_pages.IMPORT_BYTES", 1000)
    assert "at most 0 MiB" in preview(admin, Project, b"x" * 2000, "csv")
    monkeypatch.setattr("promptadmin.exchange.uploads.IMPORT_BYTES", -(1 << 20))
    file = SimpleUploadedFile("rows.csv", b"x" * 2000)
    answer = admin.post(page(Project, "import/"), {"import_file": file, "format": "0"})
    assert answer.status_code == 413


def test_a_long_preview_is_cut(admin: Client, rows: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MOST_SHOWN", 3)
    shown = preview(admin, Optimization, b"".join(line(id=str(n), raw_prompt="x" * 1000) for n in range(9)))
    assert "9 new" in shown
    assert "first 3 rows" in shown
    assert "x" * 81 not in shown


def test_an_export_is_of_what_the_list_shows(admin: Client, rows: None) -> None:
    def ids(**how: Any) -> list[str]:
        return [json.loads(text)["id"] for text in export(admin, Optimization, **how).splitlines()]

    assert ids() == ["run", "empty"]
    assert ids(query="?status=error") == ["empty"]
    assert ids(query="?tag=a") == ["run"]
    assert ids(keys=["run"]) == ["run"]
    assert b"=Support" not in export(admin, Project, query="?q=nothing")
    selected = {"action": "export_selected", "_selected_action": ["run"]}
    chosen = admin.post(page(Optimization, ""), selected).content.decode()
    assert "1 selected row" in chosen
    assert 'name="keys" value="run"' in chosen
    Optimization.objects.filter(id="run").update(raw_prompt="x" * 40_000)
    answer = admin.post(page(Optimization, "export/"), {"format": format_of("xlsx")})
    assert "use CSV, JSON or JSON Lines" in answer.content.decode()


def test_permissions(client: Client, rows: None) -> None:
    """Seeing is exporting, adding is importing; neither comes with the other."""
    user = User.objects.create_user("somebody", is_staff=True)
    client.force_login(user)
    for codenames, can_export, can_import in (((), 403, 403), (("view",), 200, 403), (("view", "add"), 200, 200)):
        names = [f"{verb}_{model._meta.model_name}" for verb in codenames for model in MODELS]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        for model in MODELS:
            assert client.get(page(model, "export/")).status_code == can_export
            with closing(client.post(page(model, "export/"), {"format": "0"})) as answer:
                assert answer.status_code == can_export
            assert client.get(page(model, "import/")).status_code == can_import
            assert client.post(page(model, "process_import/"), {}).status_code == can_import


def test_stored_values_that_cannot_be_read_are_exported_as_null(admin: Client, rows: None) -> None:
    Project.objects.filter(id="P").update(context_profile="{broken")
    Optimization.objects.filter(id="run").update(tags="{broken", codebase_context_snapshot="[1]")
    assert json.loads(export(admin, Project))["context_profile"] is None
    run = json.loads(export(admin, Optimization, keys=["run"]))
    assert (run["tags"], run["codebase_context_snapshot"]) == (None, None)


def test_rows_without_an_id_get_one_and_are_the_same_the_next_time(admin: Client, rows: None) -> None:
    """Rows that say the same are two rows; an id that is given stays."""
    files = {
        Project: b"name\nA\nB\n",
        Prompt: b"id,project,content\n,=Support,one\n,=Support,one\nmine,=Support,two\n",
        Optimization: b"raw_prompt,title\none,\none,\ntwo,x\n",
        PromptVersion: b"id;prompt_id;version;content\n;p;1;earlier\n",
    }
    PromptVersion.objects.all().delete()
    for model, content in files.items():
        before = model._default_manager.count()
        named = content.count(b"mine")
        count = content.count(b"\n") - 1
        shown = preview(admin, model, content, "csv")
        assert f"{count} new" in shown
        verb = "gets" if count - named == 1 else "get"
        assert f"{count - named} of the new ones {verb} an id here" in shown
        assert f"{count} imported" in confirm(admin, model, shown)
        again = preview(admin, model, content, "csv")
        assert f"0 new, {count} there already" in again
        assert "get an id" not in again
        assert model._default_manager.count() == before + count
    assert set(Prompt.objects.filter(content__in=["one", "two"]).values_list("project_id", flat=True)) == {"P"}
    assert Prompt.objects.filter(id="mine").exists()
    assert "1 new" in preview(admin, Project, b'[{"name": "C"}]', "json")


def test_a_prompts_project_by_its_name(admin: Client, rows: None) -> None:
    Project(id="gone", name="Gone", status="deleted").save()
    Project(id="Q", name="Caf\u00e9").save()
    for text, says in (
        ("project,content\nnobody,a\n", "There is no project named nobody"),
        ("project,content\nGone,a\n", "There is no project named Gone"),
        ("project,project_id,content\nCaf\u00e9,P,a\n", "give one of the two"),
        ("content\na\n", "A prompt needs project_id, or"),
        ("project,content\n,a\n", "A new prompt needs a project"),
    ):
        assert says in preview(admin, Prompt, text.encode(), "csv").replace("&#x27;", "'"), text
    content = "project,project_id,content\nCafe\u0301,,a\nCaf\u00e9,Q,b\n,Q,c\n".encode()
    confirm(admin, Prompt, preview(admin, Prompt, content, "csv"))
    assert sorted(Prompt.objects.filter(project_id="Q").values_list("content", flat=True)) == ["a", "b", "c"]


def test_the_good_rows_alone(admin: Client, rows: None) -> None:
    """The page keeps its help and the format; the good rows are those without the wrong ones, as they were shown."""
    content = b"raw_prompt,overall_score\ngood,0.5\nbad,7\nworse,many\nfine,\n"
    shown = preview(admin, Optimization, content, "csv")
    for text in ("overall_score must not be greater than 1", "overall_score must be a number", "All 34 columns"):
        assert text.replace("34", str(len(COLUMNS) + 1)) in shown, text
    assert re.search(rf'<option value="{format_of("csv")}"\s+selected', shown)
    assert "Import the 2 good rows" in shown
    assert Optimization.objects.count() == 2
    assert "2 imported" in confirm(admin, Optimization, shown)
    assert sorted(Optimization.objects.values_list("raw_prompt", flat=True))[2:] == ["good", "x"]
    assert "1 new, 2 there already" in preview(
        admin, Optimization, content.replace(b"bad,7\nworse,many", b"new,1"), "csv"
    )

    refused = b"id,name\nQ,Same\nR,Same\nS,Other\nP,changed\n"
    shown = preview(admin, Project, refused, "csv")
    assert "Import the 2 good rows" in shown
    Project(id="new", name="Other").save()
    answer = confirm(admin, Project, shown)
    assert "Nothing was imported" in answer
    assert re.search(rf'<option value="{format_of("csv")}"\s+selected', answer)
    assert not Project.objects.filter(id="Q").exists()
    shown = preview(admin, Project, b"id,name\nQ,Same\nP,changed\n", "csv")
    Project.objects.filter(id="P").update(name="changed")
    assert "Other rows can be imported now" in confirm(admin, Project, shown)
    assert not Project.objects.filter(id="Q").exists()
    Project.objects.filter(id="P").update(name="=Support")
    assert "good row" not in preview(admin, Project, b"id,name\nP,changed\n", "csv")


def test_a_versions_prompt_by_its_project_and_its_text(admin: Client, rows: None) -> None:
    Prompt(id="q", content="Say  hello.", project_id="P", version=3).save()
    for text, says in (
        ("project,prompt,version,content\nnobody,Say hello.,1,a\n", "There is no project named nobody"),
        ("project,prompt,version,content\n'=Support,Say bye.,1,a\n", "has no prompt with this text"),
        ("project,prompt,version,content\n'=Support,,1,a\n", "fill in both, or neither"),
        ("project,prompt,prompt_id,version,content\n'=Support,Say hello.,p,1,a\n", "give one of the two"),
        ("version,content\n1,a\n", "A new version needs its prompt"),
    ):
        assert says in preview(admin, PromptVersion, text.encode(), "csv").replace("&#x27;", "'"), text
    content = b"Project,Prompt,Version,Content\n=Support,Say hello.,1.0,first\n=Support,Say hello.,2.0,second\n"
    confirm(admin, PromptVersion, preview(admin, PromptVersion, content, "csv"))
    assert list(PromptVersion.objects.filter(prompt_id="q").order_by("version").values_list("content", flat=True)) == [
        "first",
        "second",
    ]
    assert "0 new, 2 there already" in preview(admin, PromptVersion, content, "csv")


def test_a_project_in_a_folder_by_its_name(admin: Client, rows: None) -> None:
    Project(id="inner", name="Inner", parent_id="P", depth=1).save()
    confirm(admin, Prompt, preview(admin, Prompt, b"project,content\nInner,a\n", "csv"))
    assert Prompt.objects.get(project_id="inner").content == "a"


def test_what_was_assumed_is_told_in_the_preview(admin: Client, rows: None) -> None:
    shown = preview(admin, Project, "name\nCaf\u00e9\n".encode("cp1252"), "csv")
    assert "It was read as Windows-1252" in shown
    assert "Caf\u00e9" in shown
    assert "What was assumed" not in preview(admin, Project, b"name\nA\n", "csv")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("jsonl", b'{"raw_prompt": ' + b"1" * 5000 + b"}\n", "be read from its character"),
        ("json", b'[{"raw_prompt": ' + b"1" * 5000 + b"}]", "be read from its character"),
        ("jsonl", b'{"title": ' + b"[" * 1000 + b"]" * 1000 + b"}\n", "nested deeper"),
        ("jsonl", b'{"title": ' + b"[" * 2000 + b"]" * 2000 + b"}\n", "be read from its character"),
        ("csv", b"raw_prompt,nope\na,\n", "There is no column"),
        ("csv", b"Unnamed: 0\n1\n", "The first row must name"),
        ("csv", b"raw_prompt\n", "no rows"),
        ("json", b"[]", "no rows"),
        ("jsonl", b"\n", "no rows"),
        ("csv", b'raw_prompt\n"a', "a quote that is never closed"),
    ],
)
def test_messages_are_in_plain_english(admin: Client, name: str, content: bytes, says: str) -> None:
    shown = preview(admin, Optimization, content, name)
    assert says in shown
    for words in ("encountered", "Extra inputs", "Field required", "Input should", "sys.set_int", "Value error"):
        assert words not in shown
