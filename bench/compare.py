"""What differs between two files of results: `python -m bench.compare OLD.json NEW.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: A difference that two runs on the same machine may have.
NOISE = 0.1


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a Markdown table: both medians, the change, and the change of the ratio to the bare view."""
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
