"""What differs between two files of results: `python -m bench.compare OLD.json NEW.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: A difference that two runs on the same machine may have.
NOISE = 0.1


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The lines of Markdown tables: both medians, their change, the ratios to the bare view; and of growth."""
    if old["machine"] != new["machine"]:
        yield "The machines differ: compare ratios to the bare view, not medians.\n"
    yield "| group | work | unit | old | new | new / old | of bare, old | of bare, new | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    before = {(figure["group"], figure["name"]): figure for figure in old["figures"]}
    for figure in new["figures"]:
        was = before.get((figure["group"], figure["name"]))
        if was is None:
            continue
        change = figure["value"] / was["value"] if was["value"] else 1.0
        gain = change if figure["more_is_better"] else 1 / change if change else 1.0
        verdict = "better" if gain > 1 + NOISE else "worse" if gain < 1 - NOISE else ""
        cells = [figure["group"], figure["name"], figure["unit"], f"{was['value']:,.4g}", f"{figure['value']:,.4g}"]
        cells += [f"{change:.2f}", _percent(was["of_bare"]), _percent(figure["of_bare"]), verdict]
        yield f"| {' | '.join(cells)} |"
    yield from _compare_growth(old.get("growth", ()), new.get("growth", ()))


def _compare_growth(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of a table of what both have: largest over smallest file, and the milliseconds of the largest."""
    before = {each["name"]: _medians(each) for each in old}
    rows = [(each["name"], before[each["name"]], _medians(each)) for each in new if each["name"] in before]
    rows = [(name, was, now) for name, was, now in rows if was.keys() & now.keys()]
    if not rows:
        return
    yield "\n| growth | sizes | old, ms | new, ms | new / old | growth, old | growth, new | |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, was, now in rows:
        sizes = sorted(was.keys() & now.keys())
        least, most = sizes[0], sizes[-1]
        grown = [max(each[size] for size in sizes) / each[least] for each in (was, now)]
        change = now[most] / was[most]
        # That every size got slower says another thing than that the largest alone did: either is worse.
        factors = (change, grown[1] / grown[0])
        verdict = "worse" if max(factors) > 1 + NOISE else "better" if min(factors) < 1 - NOISE else ""
        cells = [name, f"{least:,} to {most:,}", f"{was[most]:.3g}", f"{now[most]:.3g}", f"{change:.2f}"]
        yield f"| {' | '.join([*cells, *(f'{each:.2f}' for each in grown), verdict])} |"


def _medians(growth: Mapping[str, Any]) -> dict[int, float]:
    return {int(runs): float(median) for runs, median in growth["medians"].items()}


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0%}"


def main() -> None:
    """The command line."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m bench.compare OLD.json NEW.json")
    old, new = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    print("\n".join(compare(old, new)))


if __name__ == "__main__":
    main()
