"""The table of what promptadmin bears: `python -m bench`, or parts of it: `python -m bench --only history,record`.

README.md in this directory says what is measured and how.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from bench import backups, engines, fetching, growth, large, loads, making, moving, pages, recording
from bench.adoption import default_directory
from bench.figures import Figure
from bench.files import Adopted, adopted
from bench.growth import Growth
from bench.make_legacy import whole_number
from bench.process import ROOT, ProcessError
from bench.report import as_json, table
from bench.wrk import LoadError, require

READS = ("history", "cursor", "far", "run", "project")
PARTS = (
    "make",
    *READS,
    "metrics",
    "record",
    "import",
    "backup",
    "large",
    "pages",
    "memory",
    "start",
    "growth",
    "fetch",
    "doors",
    "engines",
    "move",
)
ON_POSTGRESQL = ("engines", "move")
LOADED = 50_000
LARGE = 1_000_000
MADE = 1  # a million rows, once, are a long enough measurement
GROWTH = (10_000, 100_000, 1_000_000)


def say(text: str) -> None:
    """What is done now, for whoever waits."""
    print(f"[{dt.datetime.now(dt.UTC):%H:%M:%S}] {text}", file=sys.stderr, flush=True)


class Bench:
    """What is measured of which files; figures are there as soon as they are known."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.figures: list[Figure] = []
        self.growth: list[Growth] = []

    def run(self, scratch: Path) -> None:
        """Measure all that is asked for."""
        wanted, rounds, seconds = self.options.only, self.options.rounds, self.options.seconds
        if "make" in wanted:
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                self.add(making.measure(self.options.large, Path(place), rounds=MADE, say=say))
        kinds = [part for part in READS if part in wanted]
        if kinds:
            file = self.file(self.options.rows)
            self.add(loads.measure(file, rounds=rounds, seconds=seconds, only=kinds, say=say))
        if "metrics" in wanted:
            self.add(loads.measure_metrics(self.file(self.options.rows), rounds=rounds, seconds=seconds, say=say))
        for part in ("record", "import"):
            if part in wanted:
                with tempfile.TemporaryDirectory(dir=scratch) as place:
                    file = self.file(self.options.rows)
                    if part == "record":
                        found = recording.measure_recording(file, Path(place), rounds=rounds, seconds=seconds, say=say)
                    else:
                        found = recording.measure_import(file, Path(place), rounds=rounds, say=say)
                    self.add(found)
        if "backup" in wanted:
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                self.add(backups.measure(self.file(self.options.rows), Path(place), rounds=rounds, say=say))
        if "large" in wanted:
            self.add(large.measure_requests(self.file(self.options.large), times=self.options.times, say=say))
        if "pages" in wanted:
            self.add(pages.measure(self.file(self.options.large), times=self.options.times, say=say))
        if "memory" in wanted:
            self.add(large.measure_memory(self.file(self.options.large), say=say))
        if "start" in wanted:
            self.add(large.measure_start(self.file(self.options.large), rounds=rounds, say=say))
        if "growth" in wanted:
            self.growth = growth.measure([self.file(size) for size in self.options.growth], say=say)
            self.add([])
        for part, measure in (("fetch", fetching.measure_fetches), ("doors", fetching.measure_doors)):
            if part in wanted:
                options = {"names": self.options.names, "rounds": rounds, "seconds": seconds}
                with tempfile.TemporaryDirectory(dir=scratch) as place:
                    self.add(measure(self.options.dir, Path(place), say=say, **options))
        if "engines" in wanted:
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                file, url = self.file(self.options.rows), self.options.postgresql
                self.add(engines.measure(file, Path(place), url, rounds=rounds, seconds=seconds, say=say))
        if "move" in wanted:
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                self.add(moving.measure(self.file(self.options.large), Path(place), self.options.postgresql, say=say))

    def file(self, runs: int) -> Adopted:
        """The adopted file of this size."""
        return adopted(self.options.dir, runs, say)

    def add(self, figures: Sequence[Figure]) -> None:
        """Keep figures, also in the file of results: an interrupted run loses nothing that it has measured."""
        self.figures += figures
        options = {name: str(value) for name, value in vars(self.options).items()}
        self.options.json.write_text(json.dumps(as_json(self.figures, self.growth, options), indent=1) + "\n")


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(unknown)}: choose from {', '.join(PARTS)}")
    return parts


def _options(arguments: Sequence[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Fills the table of docs/performance.md.")
    parser.add_argument("--only", type=_parts, help=f"parts, with commas (default: all): {', '.join(PARTS)}")
    parser.add_argument("--rows", type=whole_number, default=LOADED, help="runs of the loaded file (default: 50000)")
    parser.add_argument("--large", type=whole_number, default=LARGE, help="runs of the large file (default: 1000000)")
    parser.add_argument(
        "--names", type=whole_number, default=fetching.NAMES, help="names of prompts to fetch (default: 100000)"
    )
    parser.add_argument(
        "--growth", type=whole_number, nargs="+", default=list(GROWTH), help="sizes (default: 10000 100000 1000000)"
    )
    parser.add_argument("--rounds", type=whole_number, default=5, help="rounds; the median counts (default: 5)")
    parser.add_argument("--seconds", type=whole_number, default=3, help="seconds of load in a round (default: 3)")
    parser.add_argument(
        "--times",
        type=whole_number,
        default=large.TIMES,
        help="how often at most a request to the large file is timed (default: 15)",
    )
    parser.add_argument(
        "--postgresql",
        metavar="URL",
        default=os.environ.get(moving.VARIABLE, ""),
        help=f"a server on which engines and move make databases of their own (default: {moving.VARIABLE})",
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="results (default: bench/results/DATE.json)")
    parser.add_argument(
        "--dir",
        type=Path,
        default=default_directory(),
        help="where files are kept for the next time (default: PROMPTADMIN_BENCH_DIR, or bench/.data)",
    )
    options = parser.parse_args(arguments)
    if options.only is None:
        options.only = [part for part in PARTS if part not in ON_POSTGRESQL or options.postgresql]
        if "move" not in options.only:
            say(f"without {' and '.join(ON_POSTGRESQL)}: {moving.MISSING}")
    elif {*ON_POSTGRESQL} & {*options.only} and not options.postgresql:
        parser.error(moving.MISSING)
    if options.json is None:
        options.json = ROOT / "bench" / "results" / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M%S}.json"
    try:
        options.dir.mkdir(parents=True, exist_ok=True)
        options.json.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"{error}")
    options.dir = options.dir.absolute()
    return parser, options


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser, options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)
    bench = Bench(options)
    status, message = 0, ""
    try:
        require()
        with tempfile.TemporaryDirectory(prefix="scratch-", dir=options.dir) as scratch:
            bench.run(Path(scratch))
    except (LoadError, ProcessError, OSError, sqlite3.Error) as error:
        status, message = 1, f"{parser.prog}: {error}\n"
    except KeyboardInterrupt:
        status, message = 130, "interrupted; complete files are kept, and so is what was measured\n"
    print("\n".join(table(bench.figures, bench.growth)))
    if bench.figures or bench.growth:
        say(f"results are in {options.json}")
    parser.exit(status, message)


if __name__ == "__main__":
    main()
