"""Any value in any column, as another program may write it: every door still answers, and shows the other rows.

PROMPTADMIN_ANY_VALUES says how many drawn examples there are beside those that are written down.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError

from optimizations.contrib.mcp.server import build_server
from optimizations.models import Optimization
from projects.models import Project, Prompt, PromptVersion
from promptadmin.http.keys import row_page
from promptadmin.ops.doctor.examining import examine
from promptadmin.ops.startup.sequence import run_steps, startup_steps
from promptadmin.ops.upkeep import finish, upkeep_jobs
from tests.support.rounds import ANY_VALUES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300 + 60 * ANY_VALUES)]

MODELS: dict[str, Any] = {
    "projects": Project,
    "prompts": Prompt,
    "prompt_versions": PromptVersion,
    "optimizations": Optimization,
}
COLUMNS = {table: [field.column for field in model._meta.concrete_fields] for table, model in MODELS.items()}
CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns]
STAMP = "2026-03-20 09:30:00.000000"
PROJECT, PROMPT, RUN = (str(uuid.UUID(int=number)) for number in (1, 2, 3))


class Stored(NamedTuple):
    """A value as SQLite keeps it; `text` says that bytes are stored as a text, valid or not."""

    value: Any
    text: bool = False


class Cell(NamedTuple):
    """A value in a column; the row's other columns hold what they should."""

    table: str
    column: str
    stored: Stored


HALF = r'["ok", "\ud83d"]'
HALF_OBJECT = r'{"language": "\ud83d", "conventions": ["\udc00"]}'
BIG = '{"language": "py", "n": 123456789012345678901234567890}'
DEEP = '{"language": ' + "[" * 300 + "]" * 300 + "}"
DEEPER = "[" * 100_000
VALUES = [
    *(None, 0, 1, -1, 2**31, 2**63 - 1, -(2**63), 0.5, 1e300, -1e300, float("inf"), float("-inf")),
    *(b"", b"abc", b"\xff\xfe\x00", b'["a"]', b'{"language": "py"}', b"2026-03-20 09:30:00"),
    *("", " ", "0", "yes", "many", "1e999", "nan", "NaN", "Infinity", "1" * 30, "1" * 5000, "x" * 20_000),
    *("a\0b", "two\nlines\r\n", "\x85\u2028\x07", "'\"<b>&{{ x }}", "all", "..", "a/b", "_", "éé", "😀"),
    *(HALF, HALF_OBJECT, BIG, DEEP, DEEPER, f"[{DEEP}]", "[123456789012345678901234567890, null, [], {}]"),
    *("[NaN, Infinity]", '{"language": NaN}', "null", "true", '"text"', "{}", "[]", "[[1]]"),
    *('{"conventions": {"a": 1}, "patterns": 5}', "0000-01-01 00:00:00", "0001-01-01 00:00:00"),
    *("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "10000-01-01 00:00:00"),
    *("1700000000", "2026-02-30 00:00:00", "2026-03-20", "12:00"),
    *("active", "deleted", "archived", "completed", "running", "error", "odd"),
]
NOT_UTF8 = [b"\xff\xfe", b'["\xff"]', b"ok \xed\xa0\xbd", b"\xf0\x9f"]

drawn = st.one_of(
    st.builds(Stored, st.sampled_from(VALUES)),
    st.builds(Stored, st.sampled_from(NOT_UTF8) | st.binary(max_size=20), st.just(True)),
    st.builds(
        Stored,
        st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False)
        | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        | st.binary(max_size=20),
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ).map(lambda value: Stored(json.dumps(value))),
)
cell = st.builds(lambda place, stored: Cell(place[0], place[1], stored), st.sampled_from(CELLS), drawn)
cells = st.lists(cell, max_size=14)


def cells_with(value: Any, **columns: str) -> list[Cell]:
    """A row with the value in it for each of the columns, by their tables."""
    stored = value if isinstance(value, Stored) else Stored(value)
    return [Cell(table, column, stored) for table, names in columns.items() for column in names.split()]


NULLS = cells_with(
    None,
    projects="id name status created_at",
    prompts="id content version project_id order_index",
    prompt_versions="id version content prompt_id",
    optimizations="id raw_prompt status",
)
BLOBS = cells_with(
    b"\xff\xfe\x00",
    projects="id name description status context_profile",
    prompts="content version project_id",
    prompt_versions="version content optimization_id",
    optimizations="id project tags prompt_id status",
)
JSON = [
    *(cell for value in (BIG, HALF_OBJECT, DEEP) for cell in cells_with(value, projects="context_profile")),
    *cells_with(HALF, optimizations="tags weaknesses"),
    *cells_with(DEEPER, optimizations="strengths changes_made"),
    *cells_with(f"[{DEEP}]", optimizations="secondary_frameworks tags"),
    *cells_with(BIG, optimizations="codebase_context_snapshot tags"),
    *cells_with(Stored(b'["\xff"]', text=True), optimizations="tags", projects="context_profile"),
]
NUMBERS = [
    *cells_with(float("-inf"), prompts="version", prompt_versions="version", optimizations="overall_score duration_ms"),
    *cells_with("Infinity", prompts="order_index", optimizations="clarity_score input_tokens is_improvement"),
    *cells_with(-1, prompts="version", prompt_versions="version"),
    *cells_with(2**63 - 1, prompts="order_index", prompt_versions="version", optimizations="output_tokens"),
    *cells_with("10000-01-01 00:00:00", projects="created_at", optimizations="created_at"),
    *cells_with("0001-01-01T00:00:00+14:00", projects="updated_at", prompts="updated_at"),
]
TEXTS = [
    *cells_with("", projects="id name status", prompts="id content", prompt_versions="id", optimizations="id status"),
    *cells_with("a\0b", projects="name", prompts="id", optimizations="id project"),
    *cells_with("\x85\u2028\x07", projects="name", optimizations="strategy"),
    *cells_with(Stored(b"ok \xed\xa0\xbd", text=True), projects="id name", prompts="content", optimizations="title id"),
]
#: Each in a row of its own; fewer rows than a page of the API takes.
ALL = [*NULLS, *BLOBS, *JSON, *NUMBERS, *TEXTS]


@contextlib.contextmanager
def raw_connection() -> Iterator[sqlite3.Connection]:
    """Another program: it enforces no foreign keys."""
    with contextlib.closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as raw:
        yield raw


@pytest.fixture
def tables(transactional_db: None) -> Iterator[None]:
    """The tables; in SQLite's, NULL is allowed in every column, as other programs may have made them."""
    if connection.vendor != "sqlite":
        yield
        return
    with raw_connection() as raw:
        found = dict(raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    before = {table: found[table] for table in MODELS}
    declare({table: sql.replace(" NOT NULL", "") for table, sql in before.items()})
    yield
    with raw_connection() as raw:
        for table in reversed(MODELS):
            raw.execute(f"DELETE FROM {table}")
    declare(before)


def declare(statements: Mapping[str, str]) -> None:
    """Write other statements into the file's schema, which changes no row."""
    connections.close_all()
    with raw_connection() as raw:
        raw.execute("PRAGMA writable_schema=ON")
        for name, sql in statements.items():
            raw.execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", [sql, name])
        raw.execute("PRAGMA writable_schema=RESET")


def execute(sql: str, values: Sequence[Any] = ()) -> None:
    """One statement of another program; PostgreSQL refuses what its types don't allow."""
    if connection.vendor == "sqlite":
        with raw_connection() as raw:
            raw.execute(sql.replace("%s", "?"), list(values))
        return
    with contextlib.suppress(DatabaseError, ValueError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def store(found: Sequence[Cell]) -> None:
    """A good row of each table, and beside them one with each of the values."""
    for table in reversed(MODELS):
        execute(f"DELETE FROM {table}")
    insert("projects", id=PROJECT, name="Good")
    insert("prompts", id=PROMPT, project_id=PROJECT, content="good text", version=2)
    insert("optimizations", id=RUN, prompt_id=PROMPT, project="Good", title="good run", tags='["good"]')
    insert("prompt_versions", prompt_id=PROMPT, optimization_id=RUN, content="good earlier")
    for number, (table, column, stored) in enumerate(found, start=10):
        key, inner, wild = str(uuid.UUID(int=number)), f"of {number}", {column: stored}
        if table == "projects":
            insert(table, wild, id=key, name=f"wild {number}")
            insert("prompts", id=inner, project_id=key, content="inner")
            insert("optimizations", id=inner, project=f"wild {number}", prompt_id=inner)
        elif table == "prompts":
            insert(table, wild, id=key, project_id=PROJECT, content=f"wild {number}", version=2)
            insert("optimizations", id=inner, prompt_id=key, project="Good")
            insert("prompt_versions", prompt_id=key, content="wild earlier")
        elif table == "prompt_versions":
            insert(table, wild, id=key, prompt_id=PROMPT)
        else:
            insert(table, wild, id=key, prompt_id=PROMPT, project="Good", tags='["wild"]')


def insert(table: str, wild: Mapping[str, Stored] = MappingProxyType({}), **values: Any) -> None:
    """A row, unless another one has what must be its own."""
    defaults: dict[str, dict[str, Any]] = {
        "projects": {"status": "active", "updated_at": STAMP},
        "prompts": {"version": 1, "order_index": 0, "updated_at": STAMP},
        "prompt_versions": {"id": str(uuid.uuid4()), "content": "earlier", "version": 1},
        "optimizations": {
            "raw_prompt": "wild text",
            "status": "completed",
            "overall_score": 0.5,
            "strategy": "co-star",
        },
    }
    given = {"created_at": STAMP, **defaults[table], **values}
    row = {column: Stored(value) for column, value in given.items()} | dict(wild)
    marks = ", ".join("CAST(%s AS TEXT)" if stored.text else "%s" for stored in row.values())
    sql = f"INTO {table} ({', '.join(row)}) VALUES ({marks})"
    sql = f"INSERT OR IGNORE {sql}" if connection.vendor == "sqlite" else f"INSERT {sql} ON CONFLICT DO NOTHING"
    execute(sql, [stored.value for stored in row.values()])


def keys_of(table: str) -> list[str]:
    """The keys that a text can say, of the rows that hold a value."""
    if connection.vendor != "sqlite":
        return list(MODELS[table]._default_manager.values_list("pk", flat=True))
    with raw_connection() as raw:
        raw.text_factory = bytes
        found = [key for (key,) in raw.execute(f"SELECT id FROM {table} WHERE typeof(id) = 'text'")]
    return [text for key in found if not (text := key.decode(errors="replace")).startswith("of ")]


class Doors:
    """Asks at every door, and remembers what failed."""

    def __init__(self, client: Client, log: pytest.LogCaptureFixture) -> None:
        self.client, self.log = client, log
        self.problems: list[str] = []
        self.mcp = build_server()

    def get(self, address: str) -> str:
        return self._content(self.client.get(address), address)

    def post(self, address: str, **fields: Any) -> str:
        return self._content(self.client.post(address, fields), address)

    def _content(self, answer: Any, address: str) -> str:
        if answer.status_code >= 500:
            errors = [repr(record.exc_info[1]) for record in self.log.records if record.exc_info]
            self.log.clear()
            self.problems.append(f"{address} is {answer.status_code}: {errors[-1:]}"[:600])
            return ""
        try:
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        except Exception as error:
            self.problems.append(f"{address} breaks off: {error!r}"[:600])
            return ""
        return content.decode(errors="replace")

    def shows(self, what: str, address: str) -> None:
        """Whether the good row is there, which only another one's values could hide."""
        if what not in self.get(address):
            self.problems.append(f"{address} doesn't show {what}")

    def call(self, tool: str, **arguments: Any) -> None:
        try:
            asyncio.run(self.mcp.call_tool(tool, arguments))
        except UnexpectedToolError as error:
            self.problems.append(f"MCP {tool} {arguments}: {error.__cause__!r}"[:600])
        except ToolError:
            pass


def in_the_api(doors: Doors) -> None:
    """Lists, rows, searches, statistics and the export."""
    for query in ("sort=name", "sort=updated_at&order=asc", "status=active"):
        doors.shows(PROJECT, f"/api/projects?per_page=100&{query}")
    doors.shows(PROJECT, "/api/projects?search=good")
    for sort in ("created_at", "overall_score", "task_type", "complexity", "status", "duration_ms", "title", "project"):
        doors.shows(RUN, f"/api/history?per_page=100&sort={sort}")
        doors.get(f"/api/history?per_page=7&cursor=&order=asc&sort={sort}")
    for query in ("search=good", "project=Good", f"project_id={PROJECT}", "status=completed", "include_archived=false"):
        doors.shows(RUN, f"/api/history?per_page=100&{query}")
    doors.shows("good text", f"/api/projects/{PROJECT}")
    of_prompt = f"/api/projects/{PROJECT}/prompts/{PROMPT}"
    doors.shows("good text", of_prompt)
    doors.shows(RUN, f"{of_prompt}/forges?limit=100")
    doors.shows("good earlier", f"{of_prompt}/versions?limit=100")
    for address in ("/findings", "/versions/2", "/versions/1", "/versions/1/diff/2"):
        doors.get(of_prompt + address)
    doors.shows("co-star", "/api/history/stats")
    doors.shows("co-star", "/api/history/stats?project=Good")
    doors.shows("good", "/api/search?q=good")
    doors.get("/api/search?q=wild")
    doors.shows("true", "/api/optimize/check-duplicate?title=good+run")
    for key in keys_of("projects"):
        doors.get(f"/api/projects/{quote(key, safe='')}")
    for key in keys_of("prompts"):
        doors.get(f"/api/projects/{PROJECT}/prompts/{quote(key, safe='')}")
        doors.get(f"/api/projects/{PROJECT}/prompts/{quote(key, safe='')}/forges")
    for key in keys_of("optimizations"):
        doors.get(f"/api/optimize/{quote(key, safe='')}")
    lines = doors.get("/api/optimizations/export").rstrip("\n").split("\n")
    if len(lines) != Optimization.objects.count():
        doors.problems.append(f"the export has {len(lines)} of {Optimization.objects.count()} lines")


def in_the_back_office(doors: Doors) -> None:
    """Lists, the pages of all rows, exports in all formats, and the start page."""
    for table, model in MODELS.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for query in ("", "?o=1", "?o=-2.-1", "?q=wild", "?q=good"):
            doors.get(address + query)
        for number in range(4):
            doors.post(f"{address}export/", format=number)
        for key in keys_of(table):
            doors.get(row_page(model, key))
    for page in ("history", "archive", "delete"):
        doors.get(row_page(Project, PROJECT, page))
    filters = [
        {"status": "completed"}, {"project_id": PROJECT}, {"prompt__id__exact": PROMPT}, {"o": "overall_score"},
        {"everywhere": "1"}, {"strategy": "co-star"},
    ]  # fmt: skip
    for chosen in filters:
        doors.get(f"/admin/optimizations/optimization/?{urlencode(chosen)}")
    doors.get(row_page(Prompt, PROMPT, "compare") + "?old=1&new=2")
    doors.get(row_page(Prompt, PROMPT, "delete"))
    doors.get(f"/admin/projects/prompt/?project__id__exact={PROJECT}")
    for address in ("/admin/", "/admin/dashboard/panels/", "/admin/dashboard/panels/?period=all", "/admin/operations/"):
        doors.get(address)


def over_mcp(doors: Doors) -> None:
    """The tools that read."""
    doors.call("list_projects", limit=100)
    doors.call("list", limit=100)
    doors.call("get_by_project", project="Good", limit=100)
    doors.call("search", query="wild", limit=100)
    doors.call("stats")
    doors.call("get_project", project_id=PROJECT)
    for number in range(10, 10 + len(ALL)):
        doors.call("get", optimization_id=str(uuid.UUID(int=number)))
        doors.call("get_project", project_id=str(uuid.UUID(int=number)))


def beside_the_server(doors: Doors) -> None:
    """The doctor, the upkeep, and the steps of a start."""
    for result in examine(connection):
        doors.problems += [item.msg for item in result.messages if "couldn't be checked" in item.msg]
    steps, jobs = startup_steps(), [job for _, job in upkeep_jobs() if job.name != "scheduled_backup"]
    attempts: list[tuple[str, Callable[[], object]]] = [
        *((f"the step {step.name}", partial(run_steps, [step.name])) for step in steps),
        *((f"the job {job.name}", partial(finish, job, on_piece=lambda piece: None)) for job in jobs),
    ]
    for what, attempt in attempts:
        try:
            attempt()
        except Exception as error:
            doors.problems.append(f"{what}: {error!r}"[:600])


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    client.raise_request_exception = False
    return client


@settings(max_examples=ANY_VALUES)
@example(found=ALL)
@given(found=cells)
def test_every_door_answers(tables: None, admin: Client, caplog: pytest.LogCaptureFixture, found: list[Cell]) -> None:
    """And shows the rows that hold what they should."""
    doors = Doors(admin, caplog)
    store(found)
    in_the_api(doors)
    in_the_back_office(doors)
    over_mcp(doors)
    assert not doors.problems, "\n".join(doors.problems)


def test_what_works_beside_the_server_goes_on(tables: None, admin: Client, caplog: pytest.LogCaptureFixture) -> None:
    doors = Doors(admin, caplog)
    store(ALL)
    beside_the_server(doors)
    assert not doors.problems, "\n".join(doors.problems)


def test_a_bad_value_is_null_with_a_warning_and_the_others_are_there(
    tables: None, admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a profile that no answer can hold, and of a tag that is half a character."""
    store([*cells_with(HALF_OBJECT, projects="context_profile"), *cells_with(HALF, optimizations="tags")])
    answer = admin.get(f"/api/projects/{uuid.UUID(int=10)}").json()
    assert (answer["context_profile"], answer["prompts"][0]["content"]) == (None, "inner")
    assert f"projects {uuid.UUID(int=10)} context_profile does not hold" in caplog.text
    (good,) = admin.get(f"/api/projects/{PROJECT}").json()["prompts"]
    assert good["content"] == "good text"
    forges = admin.get(f"/api/projects/{PROJECT}/prompts/{PROMPT}/forges").json()["items"]
    assert {item["id"]: item["tags"] for item in forges} == {RUN: ["good"], str(uuid.UUID(int=11)): ["ok", "?"]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT context_profile FROM projects WHERE id = %s", [str(uuid.UUID(int=10))])
        assert cursor.fetchone() == (HALF_OBJECT,)
