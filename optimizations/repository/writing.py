"""The part of the repository that writes runs, one at a time or a hundred."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.utils import timezone

from optimizations.columns import COLUMNS, LABELS, Record, read_row, stored_values
from optimizations.events import run_changed, runs_changed
from optimizations.models import Optimization, RunStatus
from optimizations.repository.deleting import ALL_RUNS, RUNS, last_run
from optimizations.repository.reading import RUN_MISSING, Reading
from projects.models import ProjectStatus, Prompt
from projects.reach import expect_everything, expect_writable
from projects.repository import ProjectRepository
from promptadmin.audit import LONGEST, Change, record
from promptadmin.conf.counted import counted
from promptadmin.db.fields import new_id, stored_moment
from promptadmin.db.legacy_values import read_text
from promptadmin.db.raw import fetch_all
from promptadmin.deletions.work import begin
from promptadmin.errors import Conflict, Forbidden, Invalid, NotFound
from promptadmin.models import Deletion

FINISHED = (RunStatus.COMPLETED, RunStatus.ERROR, RunStatus.CANCELLED)
PROMPT_UNKNOWN = "prompt_id does not reference a valid prompt"
#: What the change log tells of a deleted run, besides its text.
SHOWN_OF_DELETED = ("title", "project", "status", "strategy", "overall_score", "created_at")
ID_TAKEN = "An optimization with this id already exists"


class Writing(Reading):
    """Single runs: record, change, label, cancel, delete. What is given is written, and no other column of the row."""

    def record_run(self, values: Mapping[str, Any]) -> Record:
        """Store a run that anyone executed: values by the names of COLUMNS, of which `raw_prompt` is needed.

        `project` finds or makes the project of this name, the text of the run finds or makes the prompt in it, unless
        `prompt_id` names one or the project is archived. Raises Invalid for an unknown `prompt_id`, Conflict for an
        `id` that is taken.
        """
        given = {name: value for name, value in values.items() if value is not None}
        given = {"id": new_id(), "created_at": timezone.now(), "status": RunStatus.COMPLETED, **given}
        if values.get("id") is not None and self.runs.filter(id=given["id"]).exists():
            raise Conflict(ID_TAKEN)
        projects = ProjectRepository(self.using)
        project = projects.ensure_project_by_name(given.get("project", ""))
        linked = False
        if "prompt_id" in given:
            self._expect_prompt(given["prompt_id"])
        elif project and project.status != ProjectStatus.ARCHIVED:
            given["prompt_id"] = projects.ensure_prompt_in(project, given["raw_prompt"])
            linked = given["prompt_id"] is not None
        stored = self._insert_run(given)
        expect_writable(Optimization, [given["id"]], self.using, must_name="a run")
        run_changed("optimization_created", given, self.using)
        if given["status"] in FINISHED:
            run_changed("optimization_finished", given, self.using)
        if not linked or project is None:
            return self.get_run(given["id"])
        # What reading it would say, without reading it.
        record = read_row(COLUMNS, [stored.get(column) for column in COLUMNS])
        return record | {"project_id": project.id, "project_status": str(project.status)}

    def _insert_run(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """Store a run; answers what its columns hold then. Raises Conflict for an id that is taken.

        As text, because Django takes longer to build the statement than the database to run it.
        """
        connection = connections[self.using]
        stored = stored_values(run)
        stored["created_at"] = stored_moment(run["created_at"], connection)
        stored["status"] = str(run["status"])
        columns, marks = ", ".join(stored), ", ".join(["%s"] * len(stored))
        insert = f"INSERT INTO optimizations ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING RETURNING id"
        if not fetch_all(connection, insert, list(stored.values())):  # another writer took the id in this moment
            raise Conflict(ID_TAKEN)
        return stored

    def change_run(self, run_id: str, changes: Mapping[str, Any]) -> Record:
        """Complete or correct a run. A value that the run has already is no change.

        Raises NotFound; Conflict for a finished run, which may change LABELS only; what `tag_run` raises of a project.
        """
        link = self._link_of_new_project(run_id, changes)
        if changes.get("prompt_id") is not None:
            self._expect_prompt(changes["prompt_id"])
        current = self._locked(run_id)
        changed = {name: value for name, value in changes.items() if value != current[name]}
        frozen = [name for name in changed if name not in LABELS]
        if frozen and current["status"] in FINISHED:
            raise Conflict(
                f"Cannot change {', '.join(frozen)} of an optimization in '{current['status']}' status: "
                f"only {', '.join(LABELS)}"
            )
        self._update(current, changed if "prompt_id" in changes else link | changed)
        return self.get_run(run_id)

    def tag_run(
        self,
        run_id: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        project: str | None = None,
        title: str | None = None,
    ) -> Record:
        """Remove and then add tags; set project and title, or clear them with an empty text. None leaves them.

        A run that gets another project is linked to its prompt there, which is found or made; without a project it is
        linked to none. Answers id, tags, project, project_id and title, and whether anything was `updated`.
        Raises NotFound; Forbidden for an archived project.
        """
        labels = {"project": project, "title": title}
        changes: dict[str, Any] = {name: text or None for name, text in labels.items() if text is not None}
        link = self._link_of_new_project(run_id, changes)
        current = self._locked(run_id)
        tags = [tag for tag in current["tags"] or [] if tag not in remove]
        changes["tags"] = tags + [tag for tag in dict.fromkeys(add) if tag not in tags]
        if not changes["tags"] and not current["tags"]:
            del changes["tags"]  # nothing to remove: NULL, or what isn't a list, stays as it is
        changed = {name: value for name, value in changes.items() if value != current[name]}
        self._update(current, link | changed)
        run = self.get_run(run_id)
        labelled = {name: run[name] for name in ("id", "project", "project_id", "title")}
        return {**labelled, "tags": run["tags"] or [], "updated": bool(changed)}

    def cancel_run(self, run_id: str) -> None:
        """End a run that is running. Raises NotFound, Conflict for any other."""
        if self.runs.filter(id=run_id, status=RunStatus.RUNNING).update(status=RunStatus.CANCELLED):
            expect_writable(Optimization, [run_id], self.using)
            run = self.get_run(run_id)
            before, after = {"status": RunStatus.RUNNING.value}, {"status": RunStatus.CANCELLED.value}
            record(run_change(run, before=before, after=after), using=self.using)
            run_changed("optimization_finished", run, self.using)
            return
        status = self.runs.filter(id=run_id).values_list("status", flat=True).first()
        if status is None:
            raise NotFound(RUN_MISSING)
        raise Conflict(f"Cannot cancel optimization in '{read_text(status)}' status")

    def delete_run(self, run_id: str) -> None:
        """Delete a run; prompt versions that it led to stay. Raises NotFound."""
        if not self.delete_runs([run_id])[0]:
            raise NotFound(RUN_MISSING)

    def delete_runs(self, run_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Delete these runs. Answers the ids of those deleted and of those not found, each once, in the given order."""
        asked = list(dict.fromkeys(run_ids))
        rows = self.runs.filter(id__in=asked)
        found = dict(rows.select_for_update().order_by("id").values_list("id", "prompt_id"))
        expect_writable(Optimization, found, self.using)
        changes = self._deletions(rows)
        if found:
            title = changes[0].title if len(found) == 1 else counted(len(found), "run")
            begin(Deletion(kind=RUNS, parts=json.dumps(list(found)), title=title), self.using)
        record(*changes, using=self.using)
        for run_id, prompt_id in found.items():
            run_changed("optimization_deleted", {"id": run_id, "prompt_id": prompt_id}, self.using)
        return [key for key in asked if key in found], [key for key in asked if key not in found]

    def delete_all_runs(self) -> int:
        """Delete every run; projects, prompts and versions stay. Answers how many."""
        expect_everything()
        deleted = self.runs.count()
        if deleted:
            begin(
                Deletion(
                    kind=ALL_RUNS, parts=last_run(connections[self.using]), title=f"all {counted(deleted, 'run')}"
                ),
                self.using,
            )
        note = f"all {counted(deleted, 'run')}"
        record(Change(model=Optimization, key="*", title="every run", before={}, note=note), using=self.using)
        runs_changed("optimizations_cleared", deleted, self.using)
        return deleted

    def _expect_prompt(self, prompt_id: str) -> None:
        """Raises Invalid unless there is such a prompt; it then stays until the session ends."""
        rows = Prompt.objects.using(self.using).filter(id=prompt_id).exclude(project__status=ProjectStatus.DELETED)
        rows = rows.select_for_update(no_key=True, of=("self",))
        if not rows.values_list("id").first():
            raise Invalid(PROMPT_UNKNOWN)

    def _link_of_new_project(self, run_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The prompt that a run is linked to in its new project; empty where the project stays as it is.

        Comes before the run is locked: projects, prompts and runs are always locked in this order.
        """
        current = self.get_run(run_id)
        if changes.get("project", current["project"]) == current["project"]:
            return {}
        projects = ProjectRepository(self.using)
        project = projects.ensure_project_by_name(changes["project"] or "")
        if project is None:
            return {"prompt_id": None}
        if project.status == ProjectStatus.ARCHIVED:
            raise Forbidden(f"Cannot assign to archived project: {changes['project']}")
        if current["prompt_id"] and current["project_id"] == project.id:
            return {}
        return {"prompt_id": projects.ensure_prompt_in_project(project.id, current["raw_prompt"])}

    def _locked(self, run_id: str) -> Record:
        """A run that nobody else changes until the session ends. Raises NotFound."""
        values = self.runs.filter(id=run_id).select_for_update(no_key=True).values_list(*COLUMNS).first()
        if values is None:
            raise NotFound(RUN_MISSING)
        expect_writable(Optimization, [run_id], self.using)
        return read_row(COLUMNS, values)

    def _update(self, current: Record, changes: Mapping[str, Any]) -> None:
        if changes:
            self.runs.filter(id=current["id"]).update(**stored_values(changes))
            expect_writable(Optimization, [current["id"]], self.using, must_name="a run")
            before = {name: current[name] for name in changes}
            record(run_change(current, before=before, after=changes), using=self.using)
            is_end = current["status"] not in FINISHED and changes.get("status") in FINISHED
            run_changed(
                "optimization_finished" if is_end else "optimization_updated", current | dict(changes), self.using
            )

    def _deletions(self, rows: QuerySet[Optimization]) -> list[Change]:
        """The entries of runs that are about to be deleted; of their texts, no more is read than the log keeps."""
        shown = rows.annotate(start=Left("raw_prompt", LONGEST)).values_list("id", *SHOWN_OF_DELETED, "start")
        changes = []
        for key, *values, start in shown:
            columns = dict(zip((*SHOWN_OF_DELETED, "raw_prompt"), (*values, start), strict=True))
            run = {"id": key, "title": columns["title"], "raw_prompt": start}
            changes.append(
                run_change(run, before={name: value for name, value in columns.items() if value is not None})
            )
        return changes


def run_change(
    run: Mapping[str, Any], *, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None = None
) -> Change:
    """A run's entry in the change log."""
    title = run["title"] or run["raw_prompt"] or ""
    return Change(model=Optimization, key=run["id"], title=title, before=before, after=after)
