"""When each start-up step, upkeep job and backup ran and what it did, for the operators' page.

Kept in a file of the data directory, not in the database: a start with nothing to do leaves the database as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

STEPS, JOBS = "startup_steps.json", "upkeep_jobs.json"
#: Runs of one start-up step, or backups, that are kept.
EARLIER_RUNS = 20


@dataclass(frozen=True)
class StepRun:
    """A run of a step: when (UTC), how many seconds it took, how many things it changed, what it said."""

    ran_at: dt.datetime
    seconds: float
    changed: int
    message: str
    warnings: list[str]


def remember(
    connection: BaseDatabaseWrapper, runs: Iterable[tuple[str, StepRun]], *, kept_in: str = STEPS, keep: int = 1
) -> None:
    """Keep these runs, by the steps' names, and of each step as many in all.

    One that began at the same moment as the last one is the same, and replaces it. A file that can't be written is
    logged: the steps have done their work.
    """
    path = Path(settings.DATA_DIR) / kept_in
    everything, database = _read(path), _database(connection)
    known = _runs(everything, database)
    for name, run in runs:
        written = {**asdict(run), "ran_at": run.ran_at.isoformat()}
        earlier = [each for each in _as_list(known.get(name)) if each.get("ran_at") != written["ran_at"]]
        known[name] = [written, *earlier][:keep]
    everything[database] = known
    scratch = path.with_name(f"{kept_in}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(everything, file, indent=1)
        scratch.replace(path)
    except OSError as error:
        logger.warning("%s can't be written (%s): the operators' page won't know of this run.", path, error.strerror)


def kept_runs(connection: BaseDatabaseWrapper, *, kept_in: str = STEPS) -> dict[str, list[StepRun]]:
    """The kept runs of each step, or job, on this database, by their names, the last one first."""
    found: dict[str, list[StepRun]] = {}
    for name, runs in _runs(_read(Path(settings.DATA_DIR) / kept_in), _database(connection)).items():
        for run in _as_list(runs):
            with contextlib.suppress(KeyError, TypeError, ValueError):  # written by another release
                read = StepRun(**{**run, "ran_at": dt.datetime.fromisoformat(run["ran_at"])})
                found.setdefault(name, []).append(read)
    return found


def last_runs(connection: BaseDatabaseWrapper, *, kept_in: str = STEPS) -> dict[str, StepRun]:
    """The last run of each step, or job, on this database, by their names."""
    return {name: runs[0] for name, runs in kept_runs(connection, kept_in=kept_in).items()}


def _as_list(runs: Any) -> list[dict[str, Any]]:
    """The runs of a step; earlier releases kept one, without a list."""
    return [run for run in (runs if isinstance(runs, list) else [runs]) if isinstance(run, dict)]


def _runs(everything: dict[str, Any], database: str) -> dict[str, Any]:
    found = everything.get(database)
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _database(connection: BaseDatabaseWrapper) -> str:
    """Which database of those that have this data directory."""
    config = connection.settings_dict
    return " ".join(str(config[name]) for name in ("ENGINE", "HOST", "PORT", "NAME") if config[name])
