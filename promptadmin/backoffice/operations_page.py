"""The page for operators: the state of the installation, and buttons for what is done most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST, require_safe

from promptadmin.audit import Change, record
from promptadmin.backoffice.operations_backups import backups_context, may_maintain
from promptadmin.db.sessions import write_session
from promptadmin.db.sqlite.connections import is_file
from promptadmin.db.sqlite.pragmas import read_pragmas
from promptadmin.models import Maintenance
from promptadmin.ops.backups.engines import source_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.doctor.examining import SEVERITIES, examine
from promptadmin.ops.startup.adoption import UnusableDatabaseError
from promptadmin.ops.startup.run_log import EARLIER_RUNS, JOBS, StepRun, kept_runs, last_runs
from promptadmin.ops.startup.sequence import pending_migrations, run_steps, startup_steps
from promptadmin.ops.upkeep import upkeep_jobs
from promptadmin.plugins.declarations import StartupStep, UpkeepJob

#: The doctor's checks that read no table, so that the page comes at once however large the file is.
QUICK_CHECKS = ("D001", "D002", "D003", "D101", "D102", "D103", "D105", "D201", "D301", "D302", "D401", "D402")
#: How the theme colours a finding.
LABELS = {"ok": "success", "warning": "warning", "error": "danger", "note": "info"}

may_see = permission_required("promptadmin.view_operations", raise_exception=True)


@dataclass(frozen=True)
class Step:
    """A start-up step, and its last run, if it ever ran under this release."""

    step: StartupStep
    last: StepRun | None


@dataclass
class Start:
    """The steps that ran together: when the last of them ended, their seconds, and what each did that did something."""

    ran_at: dt.datetime
    seconds: float = 0
    steps: int = 0
    did: list[tuple[str, StepRun]] = field(default_factory=list)


@dataclass(frozen=True)
class Job:
    """An upkeep job, and the last of its pieces that did something."""

    job: UpkeepJob
    last: StepRun | None


@may_see
@require_safe
def operations_view(request: HttpRequest) -> HttpResponse:
    connection = connections[DEFAULT_DB_ALIAS]
    results = examine(connection, only=QUICK_CHECKS)
    context = {
        **admin.site.each_context(request),
        "title": "Operations",
        "findings": [
            {
                "title": result.check.title,
                "message": message,
                "severity": (severity := SEVERITIES[message.level]),
                "label": LABELS.get(severity, ""),
            }
            for result in results
            for message in result.shown
        ],
        "steps": _steps(),
        "starts": _starts(),
        "jobs": _jobs(),
        "database": _database(),
        "pending": [f"{item.app_label}.{item.name}" for item in pending_migrations(connection)],
        **backups_context(request.user),
        "may_maintain": request.user.has_perm("promptadmin.run_maintenance"),
    }
    return TemplateResponse(request, "promptadmin/operations.html", context)


@may_maintain
@require_POST
def run_step_view(request: HttpRequest) -> HttpResponse:
    """Run one of the start-up steps that have a button."""
    name = request.POST.get("step", "")
    if name not in {step.name for step in startup_steps() if step.button}:
        messages.error(request, "There is no such button: go back and use one of the page.")
        return redirect("admin:operations")
    try:
        report = run_steps([name])[0]
    except UnusableDatabaseError as error:
        messages.error(request, str(error))
        return redirect("admin:operations")
    result = report.result
    with write_session():
        change = Change(
            model=Maintenance,
            key=name,
            title=report.title,
            before={},
            after={"changed": result.changed},
            note=result.message,
        )
        record(change, using=DEFAULT_DB_ALIAS)
    messages.success(request, f"{report.title.capitalize()}: {result.message}.")
    for warning in result.warnings:
        messages.warning(request, warning)
    return redirect("admin:operations")


def _steps() -> list[Step]:
    runs = last_runs(connections[DEFAULT_DB_ALIAS])
    return [Step(step, runs.get(step.name)) for step in startup_steps()]


def _starts() -> list[Start]:
    """The earlier starts, and steps that ran alone, the last one first."""
    titles, starts = {step.name: step.title for step in startup_steps()}, dict[dt.datetime, Start]()
    for name, runs in kept_runs(connections[DEFAULT_DB_ALIAS]).items():
        for run in runs:
            start = starts.setdefault(run.ran_at, Start(run.ran_at))
            start.seconds += run.seconds
            start.steps += 1
            if run.changed or run.warnings:
                start.did.append((titles.get(name, name), run))
    return sorted(starts.values(), key=lambda start: start.ran_at, reverse=True)[:EARLIER_RUNS]


def _jobs() -> list[Job]:
    runs = last_runs(connections[DEFAULT_DB_ALIAS], kept_in=JOBS)
    return [Job(owned.job, runs.get(owned.job.name)) for owned in upkeep_jobs()]


def _database() -> dict[str, Any]:
    """Where the database is, how large it is, and the PRAGMAs of this connection."""
    connection = connections[DEFAULT_DB_ALIAS]
    source = source_of(connection)
    facts: dict[str, Any] = {"name": source.name}
    try:
        facts["size"] = source.size()
    except BackupError as error:
        facts["no_backup"] = str(error)
    facts["pragmas"] = read_pragmas(connection)
    if is_file(connection):
        path = Path(str(connection.settings_dict["NAME"]))
        log = path.with_name(path.name + "-wal")
        facts |= {"name": path, "size": path.stat().st_size, "log": log.stat().st_size if log.exists() else 0}
    return facts
