"""What the page of one run shows."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest

from optimizations.columns import ALL, Record
from optimizations.scores import out_of_ten
from projects.admin.lists import may_see_projects
from projects.models import Project, Prompt
from projects.texts.side_by_side import compare_lines
from promptadmin.http.keys import row_page

SCORES = ("overall", "clarity", "specificity", "structure", "faithfulness")
#: Texts longer than this together, in characters, are shown unmarked: comparing them takes too long.
LONGEST_COMPARED = 60_000
#: More lines than this stand in the page only as a part.
LONGEST_SHOWN = 200_000
ANALYSIS = (("strengths", "Strengths"), ("weaknesses", "Weaknesses"), ("changes_made", "Changes made"))
TOKENS = (
    ("input_tokens", "read"),
    ("output_tokens", "written"),
    ("cache_creation_input_tokens", "put into the cache"),
    ("cache_read_input_tokens", "read from the cache"),
)


def known_project(record: Record, request: HttpRequest) -> Record:
    """The run as this user may know it: without its project where projects aren't theirs to see.

    The run's own text stays: it is a column of the run.
    """
    if may_see_projects(request):
        return record
    return record | {"project_id": None, "project_status": None, "project_name": None}


def run_page(record: Record, unreadable: dict[str, str]) -> dict[str, Any]:
    """The context of the page: the record, what is stored where it can't be read, and what is made of both."""
    raw, optimized = record["raw_prompt"] or "", record["optimized_prompt"]
    scores = [
        {"name": name, "stored": stored, "shown": None if stored is None else out_of_ten(stored)}
        for name, stored in ((name, record[f"{name}_score"]) for name in SCORES)
    ]
    return {
        "run": record,
        "unreadable": unreadable,
        "is_compared": optimized is not None and len(raw) + len(optimized) <= LONGEST_COMPARED,
        "rows": _rows(raw, optimized),
        "is_same": raw == optimized,
        "raw": _clipped(raw),
        "optimized": None if optimized is None else _clipped(optimized),
        "scores": scores,
        "chart": _chart(scores),
        "facts": [(column.page_label, record[column.name]) for column in ALL if column.page_label],
        "tokens": [(label, record[name]) for name, label in TOKENS if record[name] is not None],
        "duration": duration(record["duration_ms"]),
        "analysis": [(label, record[name], unreadable.get(name)) for name, label in ANALYSIS],
        "snapshot": record["codebase_context_snapshot"]
        and json.dumps(record["codebase_context_snapshot"], indent=2, ensure_ascii=False),
        "prompt_address": _page(Prompt, record["prompt_id"]),
        "project_address": _page(Project, record["project_id"]),
    }


def _page(model: type[Project | Prompt], key: str | None) -> str:
    return "" if key is None else row_page(model, key)


def duration(milliseconds: int | None) -> str | None:
    """Milliseconds as people read them."""
    if milliseconds is None:
        return None
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds // 60_000} min {milliseconds % 60_000 // 1000} s"


def _rows(raw: str, optimized: str | None) -> list[Any]:
    if optimized is None or len(raw) + len(optimized) > LONGEST_COMPARED:
        return []
    return list(compare_lines(raw, optimized))


def _clipped(text: str) -> dict[str, Any]:
    """The text, or as much of it as a page can show."""
    return {"text": text[:LONGEST_SHOWN], "left": max(0, len(text) - LONGEST_SHOWN), "length": len(text)}


def _chart(scores: list[dict[str, Any]]) -> dict[str, str] | None:
    """The theme's bar chart of the scores that there are."""
    known = [score for score in scores if score["shown"] is not None]
    if not known:
        return None
    data = {
        "labels": [score["name"] for score in known],
        "datasets": [
            {
                "label": "score",
                "data": [score["shown"] for score in known],
                "backgroundColor": "var(--color-primary-600)",
                "displayYAxis": True,
                "borderRadius": 4,
                "maxBarThickness": 36,
            }
        ],
    }
    options = {
        "animation": False,
        "maintainAspectRatio": False,
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"grid": {"display": False}, "border": {"display": False}},
            "y": {"min": 0, "max": 10, "ticks": {"stepSize": 2}, "border": {"display": False}},
        },
    }
    return {"data": json.dumps(data), "options": json.dumps(options)}
