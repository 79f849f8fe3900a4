"""The figures of an adoption benchmark, for people and for programs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.machine import describe_machine


@dataclass(frozen=True)
class Round:
    """One adoption. Times in seconds: of whole processes, of the start-up sequence in it, of its steps by name.

    CPU seconds are those of the process and of the system for it, whatever else the machine was doing.
    """

    runs: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    restart_seconds: float
    restart_changed: list[str]
    startup_seconds: float
    steps: dict[str, float]
    changed: dict[str, int]
    yardstick: dict[str, float]
    yardstick_cpu_seconds: float

    @property
    def parts(self) -> dict[str, float]:
        """Where the seconds went, in order; they add up to `seconds`."""
        before = self.startup_seconds - sum(self.steps.values())
        return {
            "process": self.seconds - self.startup_seconds,
            "checks, backup": before,
            **self.steps,
        }


@dataclass(frozen=True)
class Result:
    """All rounds of one size; `file_bytes` is the legacy file's size."""

    runs: int
    file_bytes: int
    rounds: list[Round]

    def median(self, value: Callable[[Round], float]) -> float:
        """The median of a value over the rounds."""
        return statistics.median(value(each) for each in self.rounds)

    @property
    def microseconds_a_row(self) -> float:
        """Median wall time of the whole process over the number of runs."""
        return self.median(lambda each: each.seconds) / self.runs * 1e6

    @property
    def over_yardstick(self) -> float:
        """Median of adoption over yardstick, wall time of the same round each."""
        return self.median(lambda each: each.seconds / sum(each.yardstick.values()))

    @property
    def cpu_over_yardstick(self) -> float:
        """Median of adoption over yardstick, CPU time of the same round each."""
        return self.median(lambda each: each.cpu_seconds / each.yardstick_cpu_seconds)


def as_json(age: str, projects: int, results: Sequence[Result]) -> dict[str, Any]:
    """Everything that was measured, and on what."""
    return {
        "benchmark": "adoption",
        "machine": describe_machine(),
        "age": age,
        "projects": projects,
        "sizes": [
            {
                **asdict(result),
                "seconds": result.median(lambda each: each.seconds),
                "microseconds_a_row": result.microseconds_a_row,
                "over_yardstick": result.over_yardstick,
                "cpu_over_yardstick": result.cpu_over_yardstick,
            }
            for result in results
            if result.rounds
        ],
    }


def print_report(results: Sequence[Result]) -> None:
    """Print the tables; nothing for no results."""
    if not results:
        return
    smallest = results[0].microseconds_a_row
    rows = [
        ["runs", "MiB", "seconds", "range", "µs/row", "ratio", "cpu s", "peak MiB", "restart s", "/ yardstick", "cpu /"]
    ]
    for result in results:
        times = [each.seconds for each in result.rounds]
        rows.append(
            [
                f"{result.runs}",
                f"{result.file_bytes / 2**20:.0f}",
                f"{result.median(lambda each: each.seconds):.2f}",
                f"{min(times):.2f} to {max(times):.2f}",
                f"{result.microseconds_a_row:.1f}",
                f"{result.microseconds_a_row / smallest:.2f}",
                f"{result.median(lambda each: each.cpu_seconds):.2f}",
                f"{max(each.peak_mib for each in result.rounds):.0f}",
                f"{result.median(lambda each: each.restart_seconds):.2f}",
                f"{result.over_yardstick:.2f}",
                f"{result.cpu_over_yardstick:.2f}",
            ]
        )
    print("\nAdoption (`startup` as a process of its own; medians)")
    _print_table(rows)
    print("\nSeconds a step, and of the yardstick")
    _print_table(_step_rows(results))
    for result in results:
        changed = sorted({name for each in result.rounds for name in each.restart_changed})
        if changed:
            print(f"\n{result.runs} runs: the second start found more to do: {', '.join(changed)}")


def _step_rows(results: Sequence[Result]) -> list[list[str]]:
    rows = [["", *(f"{result.runs}" for result in results)]]
    for name in results[0].rounds[0].parts:
        rows.append([name, *(f"{result.median(lambda each: each.parts.get(name, 0)):.2f}" for result in results)])  # noqa: B023  # called at once
    for name in results[0].rounds[0].yardstick:
        medians = (f"{result.median(lambda each: each.yardstick[name]):.2f}" for result in results)  # noqa: B023  # called at once
        rows.append([f"yardstick: {name}", *medians])
    return rows


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join([row[0].ljust(widths[0]) if not rows[0][0] else first, *others]))
