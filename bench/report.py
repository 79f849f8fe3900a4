"""The table of a run of the benchmark, and its results as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.figures import Figure
from bench.growth import Growth
from bench.machine import describe_machine

FLAT = 1.5

#: Options that say where files and servers are, which is nobody else's business.
PLACES = ("json", "dir", "postgresql")


def as_json(figures: Sequence[Figure], growth: Sequence[Growth], options: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that was measured, on what, and how."""
    return {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "options": {name: value for name, value in options.items() if name not in PLACES},
        "figures": [figure.as_json() for figure in figures],
        "growth": [
            {"name": each.name, "medians": {str(runs): value for runs, value in each.medians.items()}}
            for each in growth
        ],
    }


def table(figures: Sequence[Figure], growth: Sequence[Growth]) -> Iterator[str]:
    """The lines of a Markdown table for each group of figures."""
    for group in dict.fromkeys(figure.group for figure in figures):
        yield f"\n**{group}**\n"
        yield "| work | median | range | unit | target | in process | bare view | / first page | kept | |"
        yield "|---|---|---|---|---|---|---|---|---|---|"
        for figure in figures:
            if figure.group == group:
                yield _row(figure)
    if growth:
        sizes = sorted({runs for each in growth for runs in each.medians})
        yield "\n**Milliseconds a request as runs grow**\n"
        yield f"| work | {' | '.join(f'{runs:,}' for runs in sizes)} | largest / smallest | flat |"
        yield f"|---|{'---|' * (len(sizes) + 2)}"
        for each in growth:
            medians = " | ".join(f"{each.medians[runs]:.2f}" if runs in each.medians else "" for runs in sizes)
            yield f"| {each.name} | {medians} | {each.ratio:.2f} | {'yes' if each.ratio <= FLAT else 'no'} |"


def _row(figure: Figure) -> str:
    sign = "≥" if figure.more_is_better else "≤"
    wanted = [f"{sign} {figure.target:,g}"] if figure.target is not None else []
    if figure.share is not None:
        wanted.append(f"≥ {figure.share:.0%} of {'first page' if figure.first_page else 'bare'}")
    cells = [
        figure.name,
        _number(figure.value),
        f"{_number(min(figure.rounds))} to {_number(max(figure.rounds))}",
        figure.unit,
        ", ".join(wanted),
        _share(figure.in_process, figure.of_in_process, figure.more_is_better),
        _share(figure.bare, figure.of_bare, figure.more_is_better),
        "" if figure.of_first_page is None else f"{figure.of_first_page:.0%}",
        {True: "yes", False: "no", None: ""}[figure.is_kept],
        figure.note,
    ]
    return f"| {' | '.join(cells)} |"


def _share(rounds: Sequence[float], ratio: float | None, more_is_better: bool) -> str:
    """The yardstick's median, and our share of it or, of what should be little, how many times as much ours is."""
    if ratio is None:
        return ""
    compared = f"{ratio:.0%}" if more_is_better else f"{_number(ratio)} times"
    return f"{_number(sorted(rounds)[len(rounds) // 2])} ({compared})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
