"""Hypothesis strategies for PromptForge's files: any age, any state, any content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.support import legacy_files, plain_rules
from tests.support.legacy_files import (
    LATER_OPTIMIZATION_COLUMNS,
    LATER_PROJECT_COLUMNS,
    OPTIMIZATION_COLUMNS,
    OPTIMIZATION_KEYS,
    PROJECT_COLUMNS,
    PROJECT_NAME_UNIQUE,
    PROMPT_COLUMNS,
    PROMPT_KEYS,
    VERSION_COLUMNS,
    VERSION_KEYS,
    Row,
    make_project,
    make_prompt,
    make_run,
    make_version,
)

Item = TypeVar("Item")

# Drawn from small pools, so that texts and names meet each other.
DECOMPOSED = "e\N{COMBINING ACUTE ACCENT}"
NAME_FAMILIES = [
    ["alpha", "Alpha", " alpha", "alpha "],
    ["  ", "\t", " "],
    ["é", DECOMPOSED, "e"],
    ["a\0b", "a", "a\0"],
]
OTHER_NAMES = ["ΑΛΦΑ ✓", "o'b", '"%s"', "日本"]
TEXT_FAMILIES = [["one", "One", " one", "one\n"], ["", " ", "\t"], ["é", DECOMPOSED, "e"], ["nul\0x", "nul", "nul\0"]]
OTHER_TEXTS = ["two\t2", "日本語 🎉", "%_\\", "none"]
SHORT_TEXT = st.text(min_size=1, max_size=4)
REPR_SIZE = 8000  # hypothesis prints an example that fails, and warns where that is long
LARGE_TEXT = "🎉 x" * 250_000
STATUSES = ["completed", "running", "running", "error", "pending", "cancelled", "odd", ""]
PROJECT_STATUSES = ["active", "deleted", "archived", "odd"]
STRATEGIES = [None, *plain_rules.ALIASES, "few-shot-scaffolding", "Few-Shot", "few-shot ", "co-star", ""]
NOT_JSON: list[Any] = [
    None,
    "null",
    "[]",
    '["a", 1]',
    "not JSON",
    "{",
    '{"a": ',
    "[1,",
    "NaN",
    "\0",
    "",
    b"\xff\x00",
    '"text"',
]
NUMBERS = [None, 0, 1, -1, 0.5, 1.5, 99, 1e300, 2**62, "many", "", b"\x01"]
ANY_TEXT = [None, "", "text", "a\0b", "\N{ZERO WIDTH SPACE}", b"\xff\xfe", "x" * 300]
VALUES: dict[str, list[Any]] = {
    "TEXT": ANY_TEXT,
    "FLOAT": NUMBERS,
    "INTEGER": NUMBERS,
    "BOOLEAN": [None, 0, 1, 2, "true", "f", b"\0"],
}
JSON_COLUMNS = {"weaknesses", "strengths", "changes_made", "tags", "secondary_frameworks", "codebase_context_snapshot"}
#: What the rules look at; drawn with care, never wild.
DECIDING = {"id", "created_at", "raw_prompt", "status", "project", "prompt_id", "framework_applied", "strategy"}


def _text(form: str) -> Callable[[dt.datetime], str]:
    return lambda moment: moment.strftime(form)


def _offset(hours: int, separator: str) -> Callable[[dt.datetime], str]:
    return lambda moment: moment.astimezone(dt.timezone(dt.timedelta(hours=hours))).isoformat(separator)


#: How the time of a run can be written.
FORMS: dict[str, Callable[[dt.datetime], Any]] = {
    "as PromptForge": _text("%Y-%m-%d %H:%M:%S.%f"),
    "seconds": _text("%Y-%m-%d %H:%M:%S"),
    "T": _text("%Y-%m-%dT%H:%M:%S"),
    "T and Z": _text("%Y-%m-%dT%H:%M:%SZ"),
    "offset": _text("%Y-%m-%d %H:%M:%S.%f+00:00"),
    "east": _offset(9, " "),
    "west": _offset(-8, "T"),
    "minutes": _text("%Y-%m-%dT%H:%M"),
    "words": lambda moment: "the day before yesterday",
    "no such day": _text("%Y-02-31 %H:%M:%S"),
    "no such hour": _text("%Y-%m-%d 25:61:00"),
    "mail": _text("%a, %d %b %Y %H:%M:%S GMT"),
    "NUL": lambda moment: f"{moment:%Y-%m-%d %H:%M}\0{moment:%S}",
    "empty": lambda moment: "",
    "epoch": lambda moment: int(moment.timestamp()),
    "epoch with fraction": lambda moment: int(moment.timestamp()) + 0.5,
}
#: Minutes ago, away from the half hour by more than a run of this test takes.
AGES = [-600, 1, 20, 40, 300, 1000, 60 * 24 * 400]

EXTRA_COLUMNS = {
    "reviewer": "TEXT",
    "conciseness_score": "FLOAT",
    'odd "name"': "BLOB",
    "order": "INTEGER DEFAULT 7",
    "stamped": "TEXT NOT NULL DEFAULT 'then'",
}
AUDIT_TRIGGER = (
    "CREATE TRIGGER legacy_audit AFTER DELETE ON optimizations "
    "BEGIN INSERT INTO audit_raw VALUES (datetime('now'), old.id); END"
)
EXTRA_TABLES = {
    "scratch_notes": ["CREATE TABLE scratch_notes (id INTEGER PRIMARY KEY, body TEXT)"],
    "audit_raw": ["CREATE TABLE audit_raw (at TEXT, what TEXT)", AUDIT_TRIGGER],
    "pairs": ["CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID"],
    "favourites": ["CREATE TABLE favourites (run TEXT REFERENCES optimizations (id), note TEXT)"],
}
EXTRA_INDEXES = {
    "by_lower_title": "CREATE INDEX by_lower_title ON optimizations (lower(title))",
    "only_errors": "CREATE INDEX only_errors ON optimizations (created_at DESC) WHERE status = 'error'",
    "one_id": "CREATE UNIQUE INDEX one_id ON optimizations (id, created_at)",
    "Mixed Case": 'CREATE INDEX "Mixed Case" ON optimizations (model_used COLLATE NOCASE, project)',
    # One of our names over another column: it stays as it is.
    "ix_optimizations_overall_score": "CREATE INDEX ix_optimizations_overall_score ON optimizations (model_used)",
}
EXTRA_VIEW = "CREATE VIEW recent AS SELECT id, raw_prompt FROM optimizations ORDER BY created_at DESC LIMIT 10"


@dataclass(repr=False)
class LegacyFile:
    """Statements and rows, ready to be written to a file; `orphans` is how many links of them lead nowhere."""

    statements: list[str]
    tables: dict[str, list[Row]]
    extra_rows: dict[str, list[Row]] = field(default_factory=dict)
    wal: bool = False
    orphans: int = 0
    large: bool = False

    def __repr__(self) -> str:
        return f"LegacyFile({self.statements}, {self.tables})"[:REPR_SIZE]

    def write(self, path: Path) -> None:
        """Make the file; one that is `large` has a run with a text of a megabyte."""
        if self.large:
            self.tables["optimizations"].append(make_run(raw_prompt=LARGE_TEXT, project=" large"))
        legacy_files.make_file(path, self.statements, {**self.tables, **self.extra_rows}, wal=self.wal)


def subset(items: Sequence[Item]) -> st.SearchStrategy[list[Item]]:
    """Some of the items, in their order."""
    return st.lists(st.sampled_from(range(len(items))), unique=True).map(
        lambda places: [items[i] for i in sorted(places)]
    )


def pool(families: list[list[str]], others: list[str]) -> st.SearchStrategy[list[str]]:
    """A few texts, some of them alike, in any order."""
    rest = st.lists(st.one_of(st.sampled_from(others), SHORT_TEXT), max_size=3)
    mixed = st.builds(lambda family, more: [*dict.fromkeys(family + more)], st.sampled_from(families), rest)
    return mixed.flatmap(st.permutations)


def moments(now: dt.datetime) -> st.SearchStrategy[Any]:
    """A time in any form."""
    ages = st.sampled_from(AGES)
    return st.builds(lambda age, form: FORMS[form](now - dt.timedelta(minutes=age)), ages, st.sampled_from(list(FORMS)))


def wild_values(columns: Mapping[str, str]) -> st.SearchStrategy[Row]:
    """A few columns with values that nobody expects there."""
    pairs = [
        (column, value)
        for column, kind in columns.items()
        if column not in DECIDING and kind in VALUES
        for value in (NOT_JSON if column in JSON_COLUMNS else VALUES[kind])
    ]
    return st.lists(st.sampled_from(pairs), max_size=6).map(dict) if pairs else st.just({})


def optimization_columns(has_prompts: bool) -> st.SearchStrategy[dict[str, str]]:
    """The first release's columns but for a few, then some later and some foreign ones in any order."""
    nullable = [name for name, kind in OPTIMIZATION_COLUMNS.items() if "NOT NULL" not in kind and name != "project"]
    later = [name for name in LATER_OPTIMIZATION_COLUMNS if has_prompts or name != "prompt_id"]

    def build(missing: list[str], added: list[str]) -> dict[str, str]:
        first = {name: kind for name, kind in OPTIMIZATION_COLUMNS.items() if name not in missing}
        kinds = LATER_OPTIMIZATION_COLUMNS | EXTRA_COLUMNS
        return first | {name: kinds[name] for name in added}

    none: list[str] = []
    added = st.one_of(
        st.just(none),
        st.just(later),
        st.lists(st.sampled_from([*later, *EXTRA_COLUMNS]), unique=True),
        st.permutations([*later, *EXTRA_COLUMNS]),
    )
    return st.builds(build, st.lists(st.sampled_from(nullable), unique=True, max_size=3), added)


@st.composite
def legacy_files_of_any_age(draw: st.DrawFn, now: dt.datetime) -> LegacyFile:
    """A file of the first release, the last one, between them, or long after."""
    depth = draw(st.sampled_from([3, 3, 2, 1, 0]))  # how many of the three later tables there are
    names = draw(pool(NAME_FAMILIES, OTHER_NAMES))
    texts = draw(pool(TEXT_FAMILIES, OTHER_TEXTS))
    columns = draw(optimization_columns(has_prompts=depth >= 2))
    tables: dict[str, list[Row]] = {}
    statements: list[str] = []
    if depth >= 1:
        statements.append(_add_projects(draw, now, tables, names))
    if depth >= 2:
        statements.append(_add_prompts(draw, now, tables, texts))
    keys = draw(subset(OPTIMIZATION_KEYS)) if "prompt_id" in columns else []
    statements.append(legacy_files.create_table("optimizations", columns, keys))
    tables["optimizations"] = _runs(draw, now, tables, columns, names, texts)
    if depth >= 3:
        statements.append(_add_versions(draw, now, tables))
    extra_tables = draw(subset(list(EXTRA_TABLES)))
    statements += [statement for name in extra_tables for statement in EXTRA_TABLES[name]]
    statements += draw(indexes(tables, columns))
    if draw(st.booleans()):
        statements.append(EXTRA_VIEW)
    links = [("optimizations", "prompt_id"), ("prompt_versions", "optimization_id")]
    orphans = sum(row.get(column) == "gone" for table, column in links for row in tables.get(table, []))
    large = draw(st.sampled_from([False, False, False, True]))
    return LegacyFile(statements, tables, _extra_rows(extra_tables, tables), draw(st.booleans()), orphans, large)


def indexes(tables: Mapping[str, Any], columns: Mapping[str, str]) -> st.SearchStrategy[list[str]]:
    """Some of PromptForge's indexes and some foreign ones, as far as their columns are there."""
    ours = [*legacy_files.create_indexes(legacy_files.FIRST_INDEXES)]
    ours += [sql for change in legacy_files.CHANGES for sql in change if sql.startswith("CREATE INDEX")]
    possible: list[str] = []
    for sql in [*EXTRA_INDEXES.values(), *ours]:
        table, _, rest = sql.partition(" ON ")[2].partition(" ")
        named = [name for name in ("prompt_id", "model_used", "title", "overall_score", "task_type") if name in rest]
        if table in tables and (table != "optimizations" or all(name in columns for name in named)):
            possible.append(sql)
    return subset(possible).map(lambda chosen: list({sql.partition(" ON ")[0]: sql for sql in chosen}.values()))


def _add_projects(draw: st.DrawFn, now: dt.datetime, tables: dict[str, list[Row]], names: list[str]) -> str:
    columns = PROJECT_COLUMNS | draw(st.sampled_from([{}, LATER_PROJECT_COLUMNS]))
    wild = wild_values({name: kind for name, kind in columns.items() if kind == "TEXT"})
    tables["projects"] = [
        make_project(
            name=name, status=draw(st.sampled_from(PROJECT_STATUSES)), created_at=draw(moments(now)), **draw(wild)
        )
        for name in names[: draw(st.integers(1, len(names)))]
    ]
    return legacy_files.create_table("projects", columns, [PROJECT_NAME_UNIQUE])


def _add_prompts(draw: st.DrawFn, now: dt.datetime, tables: dict[str, list[Row]], texts: list[str]) -> str:
    tables["prompts"] = [
        make_prompt(
            project_id=project["id"],
            content=content,
            order_index=draw(st.sampled_from([place, place, place + 10])),
            updated_at=draw(moments(now)),
        )
        for project in tables["projects"]
        for place, content in enumerate(draw(st.lists(st.sampled_from(texts), max_size=4)))
    ]
    return legacy_files.create_table("prompts", PROMPT_COLUMNS, draw(subset(PROMPT_KEYS)))


def _add_versions(draw: st.DrawFn, now: dt.datetime, tables: dict[str, list[Row]]) -> str:
    targets = st.sampled_from([None, "gone", *(row["id"] for row in tables["optimizations"])])
    tables["prompt_versions"] = [
        make_version(prompt_id=row["id"], version=number, optimization_id=draw(targets), created_at=draw(moments(now)))
        for row in tables["prompts"]
        for number in range(1, draw(st.integers(1, 3)))
    ]
    return legacy_files.create_table("prompt_versions", VERSION_COLUMNS, draw(subset(VERSION_KEYS)))


def _runs(
    draw: st.DrawFn,
    now: dt.datetime,
    tables: dict[str, list[Row]],
    columns: Mapping[str, str],
    names: list[str],
    texts: list[str],
) -> list[Row]:
    prompt_ids = [row["id"] for row in tables.get("prompts", [])]
    run = st.fixed_dictionaries(
        {
            "created_at": moments(now),
            "raw_prompt": st.sampled_from([*texts, *texts, ""]),
            "status": st.sampled_from(STATUSES),
            "project": st.sampled_from([*names, *names, None, ""]),
            "framework_applied": st.sampled_from(STRATEGIES),
            "strategy": st.sampled_from(STRATEGIES),
            "prompt_id": st.sampled_from(
                [None, None, None, *prompt_ids[:3], "gone"] if "prompts" in tables else [None]
            ),
        }
    )
    drawn = draw(
        st.lists(st.tuples(run, wild_values(columns)), min_size=draw(st.sampled_from([25, 25, 3, 0])), max_size=40)
    )
    return [{k: v for k, v in make_run(**(known | wild)).items() if k in columns} for known, wild in drawn]


def _extra_rows(extra_tables: list[str], tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {
        "scratch_notes": [{"id": 3, "body": "a\0note"}, {"id": 9, "body": b"\xff"}],
        "pairs": [{"a": "é", "b": "2"}],
        "favourites": [{"run": row["id"], "note": "good"} for row in tables["optimizations"][:1]],
    }
    return {name: rows for name, rows in found.items() if name in extra_tables}
