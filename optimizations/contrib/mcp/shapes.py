"""The forms of answers that PromptForge's agents know: pages, summaries, projects, scores from 1 to 10."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from optimizations.columns import SCORES
from optimizations.contrib.mcp.answers import Item
from optimizations.scores import GREATEST, LEAST, shown_score
from projects.contexts import Profile
from projects.records import HistoryEntry, ProjectDetail, ProjectSummary, PromptRecord

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


def address(*path: str) -> str:
    """The address of a resource."""
    return f"promptforge://{'/'.join(quote(part, safe='') for part in path)}"


def run(record: Mapping[str, Any]) -> Item:
    """A run as a whole."""
    scores = {name: shown_score(record[name]) for name in SHOWN_SCORES if name in record}
    return Item({**_timed(record), **scores}, address("optimizations", str(record["id"])))


def run_summary(record: Mapping[str, Any]) -> Item:
    """A run in a list: of its text, the beginning."""
    shown = run(record)
    text = shown.pop("raw_prompt") or ""
    shown["raw_prompt_preview"] = text[:PREVIEW] + "..." if len(text) > PREVIEW else text
    return shown


def project(found: ProjectSummary | ProjectDetail, **more: Any) -> Item:
    """A project without its prompts."""
    has_context = found.has_context if isinstance(found, ProjectSummary) else bool(found.context_profile)
    shown = {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        "status": str(found.status),
        "has_context": has_context,
        "created_at": _text(found.created_at),
        "updated_at": _text(found.updated_at),
        "path": found.path,
    }
    return Item({**shown, **more}, address("projects", found.id, "context"))


def project_with_context(found: ProjectDetail, **more: Any) -> Item:
    """A project and its context profile."""
    context: Profile | None = found.context_profile
    return project(found, context_profile=context, **more)


def prompt(found: PromptRecord, **more: Any) -> Item:
    """A prompt's text, as one of its versions has it."""
    names = ("id", "content", "version", "order_index", "project_id", "created_at", "updated_at")
    shown = _timed({name: getattr(found, name) for name in names})
    return Item({**shown, **more}, address("prompts", found.id, "versions", str(found.version)))


def history_entry(found: HistoryEntry) -> dict[str, Any]:
    """A version in a prompt's history, with the beginning of its text."""
    return {
        "version": found.version,
        "beginning": found.beginning,
        "characters": found.characters,
        "since": _text(found.since),
        "optimization_id": found.optimization_id,
        "current": found.current,
    }


def statistics(found: Mapping[str, Any]) -> dict[str, Any]:
    """Statistics with every score from 1 to 10, to two digits; shares, spreads and confidences stay from 0 to 1."""
    shown = {name: _precise(value) if _is_average(name) else _scored(value) for name, value in found.items()}
    by_strategy = found.get("score_by_strategy")
    if by_strategy:
        shown["score_by_strategy"] = {name: _precise(value) for name, value in by_strategy.items()}
    return shown


def _precise(score: float | None) -> float | None:
    """A score of several runs: as a whole number, 0.49 and 0.52 would be the same."""
    return None if score is None else round(max(LEAST, min(GREATEST, score * 10)), 2)


def _is_average(name: str) -> bool:
    return name.startswith("average_") and name.endswith("_score")


def _scored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _precise(inner) if name in SCORE_STATISTICS and not isinstance(inner, Mapping) else _scored(inner)
            for name, inner in value.items()
        }
    return value


def _timed(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, dt.datetime) else value for name, value in record.items()}


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
