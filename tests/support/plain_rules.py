"""The start-up rules in plain Python, row by row: slow and obvious, to hold the real ones against.

Written from the contract alone (sections 8 and 11.7), not from the code. A table is a list of rows, a row a dict of
what the file stores. Where the contract leaves a choice, such as which of two equal prompts a run is linked to, the
outcome says what is common to all choices.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

ALIASES = {
    "few-shot": "few-shot-scaffolding",
    "role-based": "persona-assignment",
    "constraint-focused": "constraint-injection",
    "structured-enhancement": "role-task-format",
}
STALE_AFTER = dt.timedelta(minutes=30)
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:(Z)|([+-])(\d\d):(\d\d))?)?", re.ASCII
)


@dataclass(frozen=True)
class NewProject:
    """A project that start-up makes: its creation time is the very value that a run has; None for that of the start."""

    name: str
    description: str
    status: str
    created_at: Any


@dataclass(frozen=True)
class Link:
    """A run's new link: to any prompt of this project, named as it is in both, with this content."""

    project: str
    content: str


@dataclass
class Outcome:
    """What a start-up ends with."""

    new_projects: list[NewProject]
    #: project name → contents of new prompts, in any order
    new_prompts: dict[str, list[str]]
    #: every run, changed where rules change it; `prompt_id` is a `Link` where it is new
    runs: list[Row]
    versions: list[Row]


def moment(stored: Any) -> dt.datetime | None:
    """The moment in UTC that a stored value means; None if it means none."""
    if not isinstance(stored, str):
        return None
    match = MOMENT.fullmatch(stored.strip())
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
    try:
        naive = dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    naive += dt.timedelta(microseconds=int((fraction or "").ljust(6, "0")))
    if sign:
        offset = dt.timedelta(hours=int(hours), minutes=int(minutes))
        naive = naive - offset if sign == "+" else naive + offset
    return naive.replace(tzinfo=dt.UTC)


def start_up(tables: dict[str, list[Row]], now: dt.datetime) -> Outcome:
    """All rules, in order, on copies of the rows."""
    runs = [dict(row) for row in tables.get("optimizations", [])]
    versions = [dict(row) for row in tables.get("prompt_versions", [])]
    projects = tables.get("projects", [])
    prompts = tables.get("prompts", [])
    clear_orphans(runs, "prompt_id", prompts)
    clear_orphans(versions, "optimization_id", runs)
    rename_strategies(runs)
    status = {row["name"]: row["status"] for row in projects}
    texts: dict[str, list[str]] = {name: [] for name in status}
    names = {row["id"]: row["name"] for row in projects}
    for row in prompts:
        texts[names[row["project_id"]]].append(row["content"])
    new_projects, new_prompts = seed_projects(runs, status, texts)
    backfill_prompts(runs, status, texts, new_prompts)
    link_prompts(runs, texts)
    end_stale_runs(runs, now)
    return Outcome(new_projects, new_prompts, runs, versions)


def clear_orphans(rows: list[Row], column: str, targets: list[Row]) -> None:
    """Before the rules: a link to a row that isn't there becomes NULL."""
    keys = {target["id"] for target in targets}
    for row in rows:
        if row.get(column) not in keys:
            row[column] = None


def rename_strategies(runs: list[Row]) -> None:
    """Rule 3: in both columns, where an alias is the whole text."""
    for run in runs:
        for column in ("framework_applied", "strategy"):
            if run.get(column) in ALIASES:
                run[column] = ALIASES[run[column]]


def seed_projects(
    runs: list[Row], status: dict[str, str], texts: dict[str, list[str]]
) -> tuple[list[NewProject], dict[str, list[str]]]:
    """Rule 4: each project text that no project of any status has as its name, untrimmed, becomes one."""
    made: list[NewProject] = []
    prompts: dict[str, list[str]] = {}
    for run in runs:
        name = run.get("project")
        if name is None or name == "" or name in status:
            continue
        members = [other for other in runs if other.get("project") == name]
        first = min((other["created_at"] for other in members), key=sqlite_order)
        made.append(NewProject(name, "Migrated from optimization history", "active", first or None))
        status[name] = "active"
        distinct = dict.fromkeys(other["raw_prompt"] for other in members if other["raw_prompt"] != "")
        prompts[name] = list(distinct)
        texts[name] = list(distinct)
    return made, prompts


def backfill_prompts(
    runs: list[Row], status: dict[str, str], texts: dict[str, list[str]], new_prompts: dict[str, list[str]]
) -> None:
    """Rule 5: unlinked runs of a project that isn't deleted give it the texts that it lacks."""
    for run in runs:
        name = run.get("project")
        if run.get("prompt_id") is not None or name is None or name not in status or status[name] == "deleted":
            continue
        if run["raw_prompt"] != "" and run["raw_prompt"] not in texts[name]:
            texts[name].append(run["raw_prompt"])
            new_prompts.setdefault(name, []).append(run["raw_prompt"])


def link_prompts(runs: list[Row], texts: dict[str, list[str]]) -> None:
    """Rule 6: an unlinked run is linked to a prompt of its project, of any status, with exactly its text."""
    for run in runs:
        name = run.get("project")
        if run.get("prompt_id") is None and name and run["raw_prompt"] in texts.get(name, []):
            run["prompt_id"] = Link(name, run["raw_prompt"])


def end_stale_runs(runs: list[Row], now: dt.datetime) -> None:
    """Rule 7: running since a moment more than half an hour ago. What means no moment stays."""
    for run in runs:
        began = moment(run["created_at"])
        if run["status"] == "running" and began is not None and began < now - STALE_AFTER:
            run["status"] = "error"
            run["error_message"] = "Server interrupted"


def sqlite_order(value: Any) -> tuple[int, Any]:
    """SQLite's order of values: NULL, numbers, texts by their UTF-8 bytes, BLOBs."""
    if value is None:
        return 0, 0
    if isinstance(value, int | float):
        return 1, value
    if isinstance(value, str):
        return 2, value.encode()
    return 3, value
