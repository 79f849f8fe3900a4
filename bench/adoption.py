"""How long adopting a PromptForge file takes, and how that grows: `python -m bench.adoption --runs 50000 1000000`.

See README.md in this directory for what is measured and how.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from tqdm import tqdm

from bench.adoption_report import Result, Round, as_json, print_report
from bench.legacy_schema import AGES, Age
from bench.make_legacy import SEED, whole_number
from bench.process import ROOT, Measured, ProcessError, run_python

#: Part of the file's name: one that an older maker made is not taken for this one's.
MAKER = 1
FILES_AT_ONCE = 5  # of the legacy file's size: it, the copy, the backup, growth and log, or the yardstick's copy


@dataclass(frozen=True)
class Workplace:
    """Where files are: `directory` keeps the legacy ones, `scratch` goes at the end."""

    directory: Path
    scratch: Path


def default_directory() -> Path:
    """PROMPTADMIN_BENCH_DIR, or bench/.data."""
    return Path(os.environ.get("PROMPTADMIN_BENCH_DIR") or ROOT / "bench" / ".data").absolute()


def measure_round(source: Path, runs: int, scratch: Path) -> Round:
    """Adopt a copy of the file, start once more, and time the yardstick on the same file."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        place = Path(name)
        copy = place / "adopted.db"
        shutil.copyfile(source, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())  # or the disk would still be busy with the copy while the adoption is timed
        environment = _environment(copy, place / "data")
        adoption = run_python(["manage.py", "startup", "--json"], environment=environment)
        restart = run_python(["manage.py", "startup", "--json"], environment=environment)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        yardstick = run_python(["-m", "bench.yardstick", str(source), str(Path(name) / "copy.db")])
    report: dict[str, Any] = json.loads(adoption.output)
    return Round(
        runs=runs,
        seconds=adoption.seconds,
        cpu_seconds=adoption.cpu_seconds,
        peak_mib=adoption.peak_mib,
        restart_seconds=restart.seconds,
        restart_changed=_changed(restart),
        startup_seconds=report["seconds"],
        steps={step["step"]: step["seconds"] for step in report["steps"]},
        changed={step["step"]: step["changed"] for step in report["steps"]},
        yardstick=json.loads(yardstick.output),
        yardstick_cpu_seconds=yardstick.cpu_seconds,
    )


def legacy_file(place: Workplace, *, runs: int, projects: int, age: Age) -> Path:
    """The file of this size; made unless it is there. Raises ProcessError."""
    path = place.directory / f"legacy-{MAKER}-{age}-{runs}-{projects}.db"
    if not path.exists():
        # In a process of its own: the memory that this one has taken would count in those that it measures.
        arguments = ["--runs", str(runs), "--projects", str(projects), "--age", age, "--seed", str(SEED)]
        run_python(["-m", "bench.make_legacy", str(path), *arguments])
    return path


def _changed(restart: Measured) -> list[str]:
    """The steps that found something to do although everything was done; there should be none."""
    return [step["step"] for step in json.loads(restart.output)["steps"] if step["changed"]]


def _environment(database: Path, data: Path) -> Mapping[str, str]:
    """Of this process, but with promptadmin's variables for this database and no others of them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROMPTADMIN_")}
    return kept | {"DATABASE_URL": f"sqlite:///{quote(str(database))}", "PROMPTADMIN_DATA_DIR": str(data)}


def _check_room(parser: argparse.ArgumentParser, directory: Path, runs: int) -> None:
    needed = FILES_AT_ONCE * runs * 3_500 // 2**20  # a run takes about 3.2 KB
    free = shutil.disk_usage(directory).free // 2**20
    if free < needed:
        parser.error(f"{directory} has {free} MiB free; {runs} runs need about {needed} MiB: name another --dir")


def _options(arguments: list[str] | None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="python -m bench.adoption", description="Measures the adoption of a file.")
    parser.add_argument(
        "--runs", type=whole_number, nargs="+", default=[50_000, 1_000_000], help="sizes (default: 50000 1000000)"
    )
    parser.add_argument("--age", choices=AGES, default="early", help="the file's age (default: early)")
    parser.add_argument("--projects", type=whole_number, default=200, help="project names (default: 200)")
    parser.add_argument("--repeat", type=whole_number, default=3, help="rounds a size; the median counts (default: 3)")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="also write every figure to this file")
    parser.add_argument(
        "--dir",
        type=Path,
        default=default_directory(),
        help="where legacy files are kept for the next time (default: PROMPTADMIN_BENCH_DIR, or bench/.data)",
    )
    options = parser.parse_args(arguments)
    if options.json and not options.json.parent.is_dir():
        parser.error(f"there is no directory {options.json.parent}")
    try:
        options.dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"{options.dir} can't be made: {error}")
    options.runs = sorted(set(options.runs))
    _check_room(parser, options.dir, options.runs[-1])
    return parser, options


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser, options = _options(arguments)
    signal.signal(signal.SIGTERM, _stop)
    results: list[Result] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="scratch-", dir=options.dir) as scratch,
            tqdm(total=len(options.runs) * options.repeat, unit="round", disable=None, leave=False) as bar,
        ):
            place = Workplace(options.dir.absolute(), Path(scratch).absolute())
            for runs in options.runs:
                bar.set_description(f"{runs} runs: the file")
                source = legacy_file(place, runs=runs, projects=options.projects, age=options.age)
                bar.set_description(f"{runs} runs")
                result = Result(runs, source.stat().st_size, [])
                results.append(result)
                for _ in range(options.repeat):
                    result.rounds.append(measure_round(source, runs, place.scratch))
                    bar.update()
                    if options.json:
                        options.json.write_text(json.dumps(as_json(options.age, options.projects, results), indent=2))
    except (ProcessError, OSError) as error:
        print_report([result for result in results if result.rounds])
        parser.exit(1, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        print_report([result for result in results if result.rounds])
        parser.exit(130, "interrupted; complete legacy files are kept, run it again to go on\n")
    print_report(results)


if __name__ == "__main__":
    main()
