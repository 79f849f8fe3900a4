"""The chart of docs/performance.md, from a file of results: `python -m bench.chart RESULTS.json OUT.svg`."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, ROW, TOP, LEFT, RIGHT = 900, 22, 64, 230, 70
COLOURS = ("#8ecae6", "#219ebc", "#023047", "#fb8500")
TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#444"'


def chart(growth: Sequence[Mapping[str, object]]) -> str:
    """An SVG: a row for each request, a dot for each number of runs, on a logarithmic scale of milliseconds."""
    rows = [(str(each["name"]), _medians(each["medians"])) for each in growth]
    sizes = sorted({runs for _, medians in rows for runs in medians})
    values = [value for _, medians in rows for value in medians.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low) / max(1, high - low) * (WIDTH - LEFT - RIGHT)

    height = TOP + ROW * len(rows) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Milliseconds a request by number of runs">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="20" {TEXT}>Milliseconds a request (median) as runs grow; at the right, largest over '
        "smallest file</text>",
    ]
    for place, runs in enumerate(sizes):
        at = LEFT + place * 130
        parts.append(f'<circle cx="{at}" cy="38" r="5" fill="{COLOURS[place % 4]}"/>')
        parts.append(f'<text x="{at + 10}" y="42" {TEXT}>{runs:,} runs</text>')
    for power in range(low, high + 1):
        line = x(10.0**power)
        parts.append(f'<path d="M{line:.1f} {TOP - 8}V{height - 10}" stroke="#ddd"/>')
        parts.append(f'<text x="{line:.1f}" y="{TOP - 10}" text-anchor="middle" {TEXT}>{10.0**power:g} ms</text>')
    for place, (name, medians) in enumerate(rows):
        y = TOP + ROW * place + 10
        ends = x(min(medians.values())), x(max(medians.values()))
        ratio = max(medians.values()) / medians[min(medians)]
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" {TEXT}>{escape(name)}</text>')
        parts.append(f'<path d="M{ends[0]:.1f} {y}H{ends[1]:.1f}" stroke="#bbb" stroke-width="2"/>')
        for number, runs in enumerate(sizes):
            if runs in medians:
                parts.append(f'<circle cx="{x(medians[runs]):.1f}" cy="{y}" r="5" fill="{COLOURS[number % 4]}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 16}" y="{y + 4}" {TEXT}>{ratio:.2f} x</text>')
    return "\n".join([*parts, "</svg>", ""])


def _medians(value: object) -> dict[int, float]:
    if not isinstance(value, Mapping):
        raise TypeError("the results hold no medians: make them again with `python -m bench`")
    return {int(runs): float(median) for runs, median in value.items()}


def main() -> None:
    """The command line."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bench.chart RESULTS.json OUT.svg")
    growth = json.loads(Path(sys.argv[1]).read_text())["growth"]
    if not growth:
        sys.exit(f"{sys.argv[1]} has no growth: run `python -m bench` with `growth` among what it measures")
    Path(sys.argv[2]).write_text(chart(growth))


if __name__ == "__main__":
    main()
