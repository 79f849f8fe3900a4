"""What a deletion of runs takes, and how it comes back."""

from __future__ import annotations

import json

from django.db.backends.base.base import BaseDatabaseWrapper

from optimizations.models import Optimization
from projects.repository.deleting import told
from promptadmin.audit import Change, record
from promptadmin.db.chunks import in_chunks
from promptadmin.db.engine import has_row_numbers
from promptadmin.db.raw import fetch_all
from promptadmin.deletions.kinds import KINDS, Kind, Part
from promptadmin.models import Deletion
from promptadmin.plugins.events import send

RUNS, ALL_RUNS = "runs", "all runs"
KEYS_A_PART = 500


def _run_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    return [
        Part(Optimization, f"id IN ({', '.join(['%s'] * len(keys))})", keys, "runs")
        for keys in in_chunks(json.loads(deletion.parts), KEYS_A_PART)
    ]


def last_run(connection: BaseDatabaseWrapper) -> str:
    """What a deletion of all runs notes, where it may take a while: the number of the last row."""
    if not has_row_numbers(connection):
        return ""
    return str(fetch_all(connection, "SELECT MAX(rowid) FROM optimizations", [])[0][0])


def _all_run_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    """Up to the last row of that moment: runs recorded since then stay."""
    if has_row_numbers(connection):
        return [Part(Optimization, "rowid <= %s", [int(deletion.parts)], "runs")]
    return [Part(Optimization, "TRUE", [], "runs")]


def _runs_are_back(deletion: Deletion, using: str) -> None:
    record(Change(model=Optimization, key="*", title=deletion.title, after={}, note=told(deletion)), using=using)
    send("optimizations_imported", subject="", using=using, count=deletion.runs)


KINDS[RUNS] = Kind(_run_parts, _runs_are_back, "optimizations.delete_optimization")
KINDS[ALL_RUNS] = Kind(_all_run_parts, _runs_are_back, "optimizations.delete_optimization")
