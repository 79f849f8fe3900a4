"""GET /api/optimizations/export."""

from __future__ import annotations

import datetime as dt
import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from optimizations.columns import COLUMNS
from optimizations.files import export
from optimizations.files.export import exported_lines
from optimizations.lists.filters import RunFilters
from optimizations.models import Optimization
from promptadmin.exchange.downloads import ROWS_A_CHUNK, Download
from tests.projects.making import make_project, make_prompt, make_run

# The export reads from a connection of its own, which sees what is committed only.
pytestmark = pytest.mark.django_db(transaction=True)

START = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)


@pytest.fixture
def api(settings: Settings) -> Client:
    settings.API_AUTH_TOKEN = "secret"
    return Client(headers={"Authorization": "Bearer secret"})


def exported(api: Client, **query: Any) -> list[Any]:
    answer: Any = api.get("/api/optimizations/export", query)
    assert answer.status_code == 200
    lines = b"".join(answer.streaming_content)
    assert lines == b"" or lines.endswith(b"\n")
    return [json.loads(line) for line in lines.splitlines()]


def open_connections() -> int:
    """How many connections of this engine the test database has, but for this one."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_a_line_has_every_column_and_the_name_of_the_prompts_project(api: Client) -> None:
    prompt = make_prompt(make_project(name="P"))
    run = make_run(prompt, created_at=START, tags='["ü", 1]', codebase_context_snapshot='{"a": [null]}')
    answer: Any = api.get("/api/optimizations/export")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert "attachment" in answer.headers["Content-Disposition"]
    answer.close()
    (line,) = exported(api)
    assert list(line) == [*COLUMNS, "prompt_project"]
    assert {name: value for name, value in line.items() if value is not None} == {
        "id": run.id,
        "created_at": "2026-03-20T00:00:00Z",
        "raw_prompt": "text",
        "tags": ["ü", "1"],
        "status": "completed",
        "prompt_id": prompt.id,
        "prompt_project": "P",
        "codebase_context_snapshot": {"a": [None]},
    }


def test_runs_come_oldest_first_in_as_many_chunks_as_it_takes(api: Client) -> None:
    count = 2 * ROWS_A_CHUNK + 1
    times = [START + dt.timedelta(minutes=(number * 7) % count) for number in range(count)]
    Optimization.objects.bulk_create(Optimization(raw_prompt="text", created_at=time) for time in times)
    lines = exported(api)
    assert [line["created_at"] for line in lines] == [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in sorted(times)]
    assert len(list(exported_lines(RunFilters()))) == 3
    Optimization.objects.all().delete()
    assert exported(api) == []


def test_every_filter_of_the_history_holds(api: Client) -> None:
    archived = make_project(name="A", status="archived")
    make_run(make_prompt(archived), title="archived")
    make_run(title="x", project="P", task_type="coding", status="error", tags='["\\u00fc"]')
    make_run(title="y")

    def titles(**query: str) -> set[str]:
        return {line["title"] for line in exported(api, **query)}

    assert titles(include_archived="false") == {"x", "y"}
    assert titles(project_id=archived.id) == {"archived"}
    assert titles(project="P", task_type="coding", status="error", search="Ü") == {"x"}
    assert titles(project="p") == set()
    assert api.get("/api/optimizations/export?include_archived=maybe").status_code == 422


def test_what_is_written_meanwhile_is_not_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another connection writes while the file is written."""
    Optimization.objects.bulk_create(Optimization(raw_prompt="text", status="completed") for _ in range(300))
    lines = exported_lines(RunFilters())
    first = next(lines)

    def write() -> None:
        Optimization.objects.update(status="error")
        make_run(raw_prompt="new")
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    writer.join()
    records = [json.loads(line) for chunk in (first, *lines) for line in chunk.splitlines()]
    assert len(records) == 300
    assert {record["status"] for record in records} == {"completed"}


def test_a_file_is_sent_with_its_length_and_removed_afterwards(api: Client) -> None:
    Optimization.objects.bulk_create(Optimization(raw_prompt="text") for _ in range(3 * ROWS_A_CHUNK))
    answer: Any = api.get("/api/optimizations/export")
    content = answer.getvalue()
    assert int(answer["Content-Length"]) == len(content)
    assert len(content.splitlines()) == 3 * ROWS_A_CHUNK
    download = Download([b"a", b"b"], name="a.txt", content_type="text/plain")
    file = download.file_to_stream
    assert file is not None
    assert not file.closed
    download.close()
    assert file.closed


def test_an_export_that_fails_midway_is_an_error(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the place that it had is free again."""
    Optimization.objects.bulk_create(Optimization(raw_prompt="text") for _ in range(2 * ROWS_A_CHUNK))
    api.raise_request_exception = False
    written = 0

    def fail_late(record: Any) -> bytes:
        nonlocal written
        written += 1
        if written > ROWS_A_CHUNK + 1:
            raise RuntimeError("a defect")
        return b"{}\n"

    with monkeypatch.context() as patch:
        patch.setattr(export, "write_line", fail_late)
        answer = api.get("/api/optimizations/export")
    assert answer.status_code == 500
    assert "request_id" in answer.json()
    assert len(exported(api)) == 2 * ROWS_A_CHUNK


def test_an_export_needs_the_scope_read(client: Client) -> None:
    assert client.get("/api/optimizations/export").status_code == 401
