"""The load benchmark from its command line, on tiny files; what it finds is not looked at, only that it finds all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.chart import chart
from bench.compare import compare
from bench.figures import Figure
from tests.support.processes import REPOSITORY
from tests.support.services import needs_postgresql, needs_wrk, postgresql_url

SECONDS = 400


def run(directory: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "--dir", str(directory), "--json", str(directory / "out.json"), *options],
        cwd=REPOSITORY,
        env=dict(os.environ) | variables,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@needs_wrk
def test_a_tiny_run_finds_every_figure(tmp_path: Path) -> None:
    """Makes and adopts a file, loads the servers, records runs and counts what was acknowledged; fetches by name."""
    parts = ("--only", "record,fetch", "--rows", "200", "--names", "20", "--rounds", "1", "--seconds", "1")
    done = run(tmp_path, *parts)
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    figures = {figure["name"]: figure for figure in results["figures"]}
    assert set(figures) >= {"recording runs", "a prompt by name and label"}
    assert all(figure["value"] > 0 for figure in figures.values())
    assert all(figures[name]["of_bare"] > 0 for name in ("recording runs", "a prompt by name and label"))
    assert results["machine"]["cores"] >= 1
    assert "| recording runs |" in done.stdout
    assert not list(tmp_path.glob("scratch-*"))
    assert [line for line in compare(results, results) if "recording runs" in line]


@needs_wrk
def test_each_row_of_a_large_file_stands_beside_its_yardstick(tmp_path: Path) -> None:
    """Lists, searches and statistics: the yardstick found the same rows, or the benchmark would have failed."""
    done = run(tmp_path, "--only", "large", "--large", "400", "--times", "1")
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    assert len(results["figures"]) > 25
    for figure in results["figures"]:
        assert figure["of_in_process"] > 0, figure["name"]
        assert figure["of_bare"] is not None or figure["name"].startswith("statistics"), figure["name"]


@needs_postgresql
@needs_wrk
def test_a_move_is_killed_resumed_and_compared(tmp_path: Path) -> None:
    """Beside a plain COPY of the same rows; without a server's address, it says what it needs."""
    absent = run(tmp_path, "--only", "move", PROMPTADMIN_BENCH_POSTGRESQL="")
    assert absent.returncode == 2
    assert "--postgresql" in absent.stderr
    done = run(tmp_path, "--only", "move", "--large", "1000", "--postgresql", postgresql_url())
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    (figure,) = results["figures"]
    assert 0 < figure["details"]["runs_at_kill"] < 1000
    assert figure["details"]["answers_compared"] > 10
    assert figure["of_in_process"] > 0
    assert "postgresql" not in results["options"]


@pytest.mark.skipif(not os.environ.get("PROMPTADMIN_ALL_SAMPLES"), reason="`make proof` runs it: it starts ten servers")
@needs_postgresql
@needs_wrk
def test_metrics_engines_and_other_products_clients_are_measured(tmp_path: Path) -> None:
    small = ("--names", "20", "--rows", "200", "--rounds", "1", "--seconds", "1")
    done = run(tmp_path, "--only", "metrics,doors,engines", *small, "--postgresql", postgresql_url())
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out.json").read_text())["figures"]
    expected = {
        "Langfuse",
        "MLflow",
        "Phoenix",
        "LiteLLM",
        "OFREP",
        "recording runs, SQLite",
        "recording runs, PostgreSQL",
    }
    assert {figure["name"] for figure in figures} >= expected
    assert all(figure["value"] > 0 for figure in figures)


def test_without_the_load_generator_the_error_says_what_to_install(tmp_path: Path) -> None:
    """It fails at once, before any file is made."""
    done = run(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install wrk" in done.stderr
    assert not list(tmp_path.glob("*.db"))


def test_ratios_are_of_the_same_round() -> None:
    """A round in which the machine was busy for both counts as much as any other."""
    figure = Figure("g", "n", "requests/s", [100, 10, 50], bare=[200, 20, 100], target=60, share=0.5)
    assert (figure.value, figure.of_bare, figure.is_kept) == (50, 0.5, False)
    assert Figure("g", "n", "ms", [5, 9, 7], more_is_better=False, target=7).is_kept


def test_a_comparison_has_growth_too() -> None:
    """Of what both have measured, by the sizes that both have."""
    common: dict[str, Any] = {"machine": {}, "figures": []}
    old = common | {"growth": [{"name": "a", "medians": {"10": 1.0, "1000": 2.0}}, {"name": "gone", "medians": {}}]}
    new = common | {"growth": [{"name": "a", "medians": {"10": 1.0, "500": 9.0, "1000": 3.0}}]}
    lines = list(compare(old, new))
    assert lines[-1] == "| a | 10 to 1,000 | 2 | 3 | 1.50 | 2.00 | 3.00 | worse |"
    assert not [line for line in lines if "gone" in line]
    assert not [line for line in compare(common, common) if "growth" in line]  # results of a run without that part


def test_the_chart_has_a_row_for_each_request() -> None:
    """With its name, a dot for each size, and how much it grew."""
    svg = chart([{"name": "a < b", "medians": {"10": 1.0, "1000": 1.2}}, {"name": "c", "medians": {"10": 3.0}}])
    assert "a &lt; b" in svg
    assert svg.count("<circle") == 2 + 2 + 1
    assert "1.20 x" in svg
