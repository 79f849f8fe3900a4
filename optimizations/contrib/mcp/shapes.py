"""The forms of answers that PromptForge's agents know: pages, summaries, projects, scores from 1 to 10."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from optimizations.columns import SCORES
from optimizations.scores import shown_score
from projects.contexts import Profile
from projects.records import ProjectDetail, ProjectSummary, PromptRecord

PREVIEW = 100
#: How sure somebody was of a strategy isn't a score.
SHOWN_SCORES = tuple(name for name in SCORES if name != "strategy_confidence")
SCORE_STATISTICS = ("avg_score", "min", "max", "avg")


def page(items: Sequence[Mapping[str, Any]], total: int, offset: int, **more: Any) -> dict[str, Any]:
    """Some of a list, and where the rest begins."""
    after = offset + len(items)
    has_more = bool(items) and after < total
    return {
        "items": list(items),
        "total": total,
        "count": len(items),
        "offset": offset,
        "has_more": has_more,
        "next_offset": after if has_more else None,
        **more,
    }


def run(record: Mapping[str, Any]) -> dict[str, Any]:
    """A run as a whole."""
    return {**_timed(record), **{name: shown_score(record[name]) for name in SHOWN_SCORES if name in record}}


def run_summary(record: Mapping[str, Any]) -> dict[str, Any]:
    """A run in a list: of its text, the beginning."""
    shown = run(record)
    text = shown.pop("raw_prompt") or ""
    shown["raw_prompt_preview"] = text[:PREVIEW] + "..." if len(text) > PREVIEW else text
    return shown


def project(found: ProjectSummary | ProjectDetail) -> dict[str, Any]:
    """A project without its prompts."""
    has_context = found.has_context if isinstance(found, ProjectSummary) else bool(found.context_profile)
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "status": str(found.status),
        "has_context": has_context,
        "created_at": _text(found.created_at),
        "updated_at": _text(found.updated_at),
        "path": found.path,
    }


def project_with_context(found: ProjectDetail) -> dict[str, Any]:
    """A project and its context profile."""
    context: Profile | None = found.context_profile
    return {**project(found), "context_profile": context}


def prompt(found: PromptRecord) -> dict[str, Any]:
    """A prompt's current text."""
    names = ("id", "content", "version", "order_index", "project_id", "created_at", "updated_at")
    return _timed({name: getattr(found, name) for name in names})


def statistics(found: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics with every score from 1 to 10; shares, spreads and confidences stay from 0 to 1."""
    shown = {name: shown_score(value) if _is_average(name) else _scored(value) for name, value in found.items()}
    by_strategy = found.get("score_by_strategy")
    if by_strategy:
        shown["score_by_strategy"] = {name: shown_score(value) for name, value in by_strategy.items()}
    return shown


def _is_average(name: str) -> bool:
    return name.startswith("average_") and name.endswith("_score")


def _scored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: shown_score(inner) if name in SCORE_STATISTICS and not isinstance(inner, Mapping) else _scored(inner)
            for name, inner in value.items()
        }
    return value


def _timed(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, dt.datetime) else value for name, value in record.items()}


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
