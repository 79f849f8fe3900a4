"""Charts as the theme draws them with Chart.js: their data and options, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from projects.records import RunRecord


@dataclass(frozen=True, slots=True)
class Chart:
    """What the theme's component takes."""

    data: str
    options: str


def score_chart(runs: Sequence[RunRecord]) -> Chart | None:
    """The scores of runs, out of ten, from the oldest to the newest; None where fewer than two have one."""
    scored = [run for run in reversed(runs) if run.overall_score is not None and run.created_at is not None]
    if len(scored) < 2:
        return None
    dataset = {
        "label": "Score",
        "data": [round((run.overall_score or 0) * 10, 1) for run in scored],
        "borderColor": "var(--color-primary-500)",
        "backgroundColor": "var(--color-primary-500)",
        "pointRadius": 3,
        "tension": 0,
    }
    options = {
        "animation": False,
        "responsive": True,
        "maintainAspectRatio": False,
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"grid": {"display": False}, "ticks": {"maxTicksLimit": 6, "maxRotation": 0, "autoSkipPadding": 24}},
            "y": {"min": 0, "max": 10, "ticks": {"stepSize": 2}, "grid": {"tickWidth": 0}},
        },
    }
    labels = [f"{run.created_at:%Y-%m-%d}" for run in scored]
    return Chart(json.dumps({"labels": labels, "datasets": [dataset]}), json.dumps(options))
