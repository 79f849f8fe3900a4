"""The dashboard's panel about time: bars drawn by the server, small ones for each strategy or model, and a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from optimizations.dashboard import percent, query_of, runs_link, shown_mean
from optimizations.models import RunStatus
from optimizations.scores import GREATEST
from optimizations.stats.rollups.days import By, DayTally
from optimizations.stats.trend import Step, Trend, read_trend
from promptadmin.backoffice.dashboard import Dashboard
from promptadmin.templatetags.humanize_numbers import grouped, short

#: Shown where there is no number.
NONE = "–"  # noqa: RUF001 - as everywhere on these pages
#: Strategies or models that stand apart; those with fewer runs are counted together.
MOST_SERIES = 6
BY_CHOICES: dict[str, By] = {"strategy": "strategy", "model": "model"}


@dataclass(frozen=True)
class Measure:
    """What a chart shows of each step of time: a number, how it is written, which runs it leads to."""

    title: str
    value: Callable[[DayTally], float | None]
    written: Callable[[float | None], str]
    filters: dict[str, str]
    highest: float | None = None
    scale: str = ""
    part: Callable[[DayTally], float] | None = None
    part_title: str = ""


def _mean(tally: DayTally) -> float | None:
    return shown_mean(tally.score / tally.scored) if tally.scored else None


def _improved(tally: DayTally) -> float | None:
    return percent(tally.improved / tally.validated) if tally.validated else None


def _failed(tally: DayTally) -> float | None:
    return percent(tally.failed / tally.runs) if tally.runs else None


def _tokens(tally: DayTally) -> float:
    return tally.input_tokens + tally.output_tokens


def _count(value: float | None) -> str:
    return NONE if value is None else grouped(round(value))


def _decimal(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f} %"


def _short(value: float | None) -> str:
    return NONE if value is None else short(round(value))


COMPLETED = {"status": str(RunStatus.COMPLETED)}
RUNS = Measure("Runs", lambda tally: tally.runs, _count, {}, part=lambda tally: tally.failed, part_title="failed")
MEAN = Measure("Mean score", _mean, _decimal, COMPLETED, highest=GREATEST, scale=f"of {GREATEST}")
#: In this order, beside each other. Cost is to stand here once prices are known.
MEASURES = (
    RUNS,
    MEAN,
    Measure("Improvement rate", _improved, _share, COMPLETED, highest=100, scale="of 100 %"),
    Measure("Tokens", _tokens, _short, COMPLETED),
)


def by_choices() -> list[str]:
    """What the trend can be told apart by."""
    return list(BY_CHOICES)


def trend(dashboard: Dashboard) -> dict[str, Any] | None:
    """Runs, scores, improvements and tokens over time; the same by strategy or model where that is asked for."""
    by = BY_CHOICES.get(dashboard.choices["by"])
    found = read_trend(query_of(dashboard), by or "strategy")
    if found is None:
        return None
    return {
        "unit": found.unit,
        "left_out": found.earlier_left_out,
        "charts": [_chart(dashboard, found.steps, measure) for measure in MEASURES],
        "rows": [_row(dashboard, step) for step in reversed(found.steps)],
        "by": by,
        "series": _series(dashboard, found, by) if by else [],
        "first": found.steps[0].first,
        "last": found.steps[-1].end - dt.timedelta(days=1),
    }


def _link(dashboard: Dashboard, step: Step, **filters: str) -> str:
    since, until = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (step.first, step.end))
    return runs_link(dashboard, since=since, until=until, **filters)


def _chart(
    dashboard: Dashboard,
    steps: Sequence[Step],
    measure: Measure,
    tallies: Sequence[DayTally] = (),
    **filters: str,
) -> dict[str, Any]:
    """The bars of a measure, as high as their share of the highest, in percent."""
    tallies = tallies or [step.total for step in steps]
    values = [measure.value(tally) for tally in tallies]
    highest = measure.highest or max((value for value in values if value is not None), default=0) or 1
    bars = []
    for place, (step, tally, value) in enumerate(zip(steps, tallies, values, strict=True)):
        part = measure.part(tally) if measure.part else 0
        told = f"{step.first}: {measure.written(value)}"
        bars.append({
            "x": place,
            "height": f"{min(100.0, max(0.0, (value or 0) / highest * 100)):.2f}",
            "part": f"{min(100.0, part / highest * 100):.2f}" if part else "",
            "told": f"{told}, {grouped(round(part))} {measure.part_title}" if measure.part else told,
            "link": _link(dashboard, step, **measure.filters, **filters) if value is not None else "",
        })  # fmt: skip
    return {
        "title": measure.title,
        "bars": bars,
        "width": len(bars),
        "highest": _scale(measure, values, highest),
    }


def _scale(measure: Measure, values: Sequence[float | None], highest: float) -> str:
    """How high the bars reach, in words; where there is no bar, that there is none."""
    if measure.scale:
        return measure.scale if any(value is not None for value in values) else "none"
    return f"up to {measure.written(highest)}" if any(values) else "none"


def _row(dashboard: Dashboard, step: Step) -> dict[str, Any]:
    total = step.total
    return {
        "step": step,
        "link": _link(dashboard, step),
        "failed_link": _link(dashboard, step, status=str(RunStatus.ERROR)),
        "completed_link": _link(dashboard, step, **COMPLETED),
        "improved_link": _link(dashboard, step, **COMPLETED, improvement="yes"),
        **_numbers(total),
    }


def _numbers(tally: DayTally) -> dict[str, str]:
    return {
        "runs": _count(tally.runs),
        "failed": _count(tally.failed),
        "failed_share": _share(_failed(tally)),
        "mean": _decimal(_mean(tally)),
        "improved": _share(_improved(tally)),
        "tokens": _short(_tokens(tally)),
    }


def _series(dashboard: Dashboard, found: Trend, by: By) -> list[dict[str, Any]]:
    """A line of small bars for each of the names with most runs, and one for all others together."""
    ranked = sorted(found.names, key=lambda name: (-found.names[name].runs, name or ""))
    shown = [name for name in ranked if name][:MOST_SERIES]
    rows: list[dict[str, Any]] = []
    for name in shown:
        tallies = [step.parts.get(name) or DayTally() for step in found.steps]
        filters: dict[str, str] = {by: str(name)}
        rows.append({
            "name": name,
            "link": _whole_link(dashboard, found, **filters),
            "charts": [_chart(dashboard, found.steps, measure, tallies, **filters) for measure in (RUNS, MEAN)],
            **_numbers(found.names[name]),
        })  # fmt: skip
    others, left = DayTally(), [name for name in ranked if name not in shown]
    for other in left:
        others.add(found.names[other])
    if others.runs:
        rows.append({"name": "", "others": len(left), **_numbers(others)})
    return rows


def _whole_link(dashboard: Dashboard, found: Trend, **filters: str) -> str:
    return _link(dashboard, Step(found.steps[0].first, found.steps[-1].end), **filters)
