"""Importing projects, prompts and versions: all rows or none, and the same rows again change nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError
from django.db.models import Max, Model, QuerySet
from django.utils import timezone

from projects.contexts import normalize_context
from projects.declarations import NewText, expect_welcome
from projects.events import project_made, prompt_changed
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.reach import expect_writable
from projects.repository.changes import project_change, prompt_change
from projects.repository.named_projects import named_projects, named_prompts
from projects.repository.projects import NAME_TAKEN, known_fields
from projects.repository.rows import PROJECT_ARCHIVED, Rows, moment
from projects.texts.forms import composed, spellings
from promptadmin.audit import record
from promptadmin.db import json_text
from promptadmin.errors import Conflict, DomainError, Invalid
from promptadmin.exchange.lines import Imported, ImportRefused, Line, LineError

CONFLICT = "A row with this id and other content exists"
NO_PROMPT = "There is no prompt with this id: import the prompts first"
PROMPT_NEEDED = "A new version needs its prompt: give prompt_id, or project and prompt"
KEYS_A_QUERY = 500
Values = dict[str, Any]
Found = Callable[[QuerySet[Any], str, Iterable[Any]], dict[Any, Any]]


class Importing(Rows):
    """The part that imports. Columns that a line doesn't name, or names as null, get the defaults of a new row."""

    def import_projects(self, lines: Sequence[Line]) -> Imported:
        """Store the projects that aren't there yet. Raises ImportRefused, also for a name that another project has."""
        errors: list[LineError] = []
        new = self._new(self.projects, lines, _says_project, errors)
        asked = (form for line in new for form in spellings(line.values["name"]))
        outside = self.projects.filter(parent__isnull=True)
        names: dict[str, str] = {composed(row.name): row.id for row in _by(outside, "name", asked).values()}
        for line in new:
            if names.setdefault(composed(line.values["name"]), line.values["id"]) != line.values["id"]:
                errors.append(LineError("conflict", NAME_TAKEN, line.number, "name", line.values["id"]))
            try:
                known_fields(line.values.get("context_profile"))
            except Invalid as error:
                errors.append(LineError("value_error", str(error), line.number, "context_profile", line.values["id"]))
        _refuse(errors)
        rows = [Project(**_project_columns(line.values)) for line in new]
        _insert(self.projects, rows)
        expect_writable(Project, [row.id for row in rows], self.using)
        made = [
            {"name": row.name, "description": row.description, "context_profile": row.context_profile} for row in rows
        ]
        record(*(project_change(row, after=after) for row, after in zip(rows, made, strict=True)), using=self.using)
        for row in rows:
            project_made(row, self.using)
        return Imported(len(lines), len(new), len(lines) - len(new))

    def import_prompts(self, lines: Sequence[Line]) -> Imported:
        """Store the prompts that aren't there yet, without an `order_index` at the end of their projects.

        A line names its project by `project_id`, or by its name in `project`. Raises ImportRefused, also where the
        project isn't there, or is archived or deleted and takes no new prompts.
        """
        errors: list[LineError] = []
        lines = named_projects(self, lines, errors)
        keys = sorted({line.values["project_id"] for line in lines if line.values.get("project_id")})
        projects = _by(self.lock(self.projects.order_by("id")), "id", keys)
        new = self._new(self.prompts, lines, _says, errors)
        for line in new:
            project = projects.get(line.values.get("project_id"))
            if line.values.get("project_id") is None:
                message = "A new prompt needs a project: name one"
                errors.append(LineError("value_error", message, line.number, "project_id", line.values["id"]))
            elif project is None or project.status == ProjectStatus.DELETED:
                message = "There is no project with this id: import the projects first"
                errors.append(LineError("value_error", message, line.number, "project_id", line.values["id"]))
            elif project.status == ProjectStatus.ARCHIVED:
                errors.append(LineError("value_error", PROJECT_ARCHIVED, line.number, "project_id", line.values["id"]))
            else:
                errors += self._unwelcome(line, project.id)
        _refuse(errors)
        used = sorted({line.values["project_id"] for line in new})
        last: dict[str, int] = {}
        for chunk in _chunks(used):
            counted = self.prompts.filter(project_id__in=chunk).values_list("project_id").annotate(Max("order_index"))
            last.update(counted.order_by())
        rows = [_prompt(line.values, last) for line in new]
        _insert(self.prompts, rows)
        expect_writable(Prompt, [row.id for row in rows], self.using)
        for chunk in _chunks(used):
            self.projects.filter(id__in=chunk).update(updated_at=timezone.now())
        record(*(prompt_change(row, after={"content": row.content}) for row in rows), using=self.using)
        for row in rows:
            prompt_changed("prompt_created", row, self.using)
        return Imported(len(lines), len(new), len(lines) - len(new))

    def import_versions(self, lines: Sequence[Line]) -> Imported:
        """Store the superseded texts that aren't there yet.

        Raises ImportRefused, also where the prompt or the run isn't there, where the prompt has another text of this
        version, and for a version that isn't older than the prompt's current one.
        """
        errors: list[LineError] = []
        lines = named_prompts(self, lines, errors)
        keys = sorted({line.values["prompt_id"] for line in lines if line.values.get("prompt_id")})
        prompts = _by(self.lock(self.prompts.order_by("id")), "id", keys)
        new = self._new(self.versions, lines, _says, errors)
        runs = self.runs.existing(v.values["optimization_id"] for v in new if _of_run(v))
        taken = {
            (row.prompt_id, row.version): row.id
            for chunk in _chunks(keys)
            for row in self.versions.filter(prompt_id__in=chunk).defer("content")
        }
        used = {prompt.project_id for prompt in prompts.values() if prompt.project_id is not None}
        projects = _by(self.projects.only("id", "status"), "id", used)
        for line in new:
            problem = _problem_of_version(line.values, prompts, projects, runs, taken)
            if problem:
                field, message = problem
                errors.append(LineError("value_error", message, line.number, field, line.values["id"]))
            else:
                taken.setdefault((line.values["prompt_id"], line.values["version"]), line.values["id"])
        _refuse(errors)
        now = timezone.now()
        rows = [PromptVersion(**{**line.values, "created_at": line.values.get("created_at") or now}) for line in new]
        _insert(self.versions, rows)
        expect_writable(PromptVersion, [row.id for row in rows], self.using)
        return Imported(len(lines), len(new), len(lines) - len(new))

    def _unwelcome(self, line: Line, project_id: str) -> list[LineError]:
        """What a plugin's guard says against the text of a line."""
        try:
            expect_welcome([NewText(line.values["content"], project_id, None, self.using)])
        except DomainError as refused:
            return [LineError("conflict", str(refused), line.number, "content", line.values["id"])]
        return []

    def _new(
        self,
        rows: QuerySet[Any],
        lines: Sequence[Line],
        says: Callable[[Mapping[str, Any], Values], bool],
        errors: list[LineError],
    ) -> list[Line]:
        """The lines whose row isn't there, each id once; adds an error for each that contradicts what is there."""
        stored = {key: _stored(row) for key, row in _by(rows, "id", (line.values["id"] for line in lines)).items()}
        new: dict[str, Line] = {}
        for line in lines:
            key = line.values["id"]
            earlier = stored.get(key) or (new[key].values if key in new else None)
            if earlier is None:
                new[key] = line
            elif not says(earlier, line.values):
                errors.append(LineError("conflict", CONFLICT, line.number, "id", key))
        return list(new.values())


def _insert(table: QuerySet[Any], rows: list[Any]) -> None:
    """Store new rows. Raises Conflict where, on PostgreSQL, another writer has since taken an id or a name."""
    try:
        table.bulk_create(rows, batch_size=KEYS_A_QUERY)
    except IntegrityError as error:
        raise Conflict("Another request changed the same rows: try again") from error


def _refuse(errors: list[LineError]) -> None:
    if errors:
        raise ImportRefused(sorted(errors, key=lambda error: error.line))


def _chunks(keys: Iterable[Any]) -> Iterable[list[Any]]:
    known = list(dict.fromkeys(keys))
    return (known[start : start + KEYS_A_QUERY] for start in range(0, len(known), KEYS_A_QUERY))


def _by(rows: QuerySet[Any], column: str, keys: Iterable[Any]) -> dict[Any, Any]:
    """The rows whose column is one of the keys, by it."""
    found: dict[Any, Any] = {}
    for chunk in _chunks(keys):
        for row in rows.filter(**{f"{column}__in": chunk}):
            found[getattr(row, column)] = row
    return found


def _stored(row: Model) -> Values:
    """A row's columns as a line has them: what can't be read reads as null."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    for name in ("created_at", "updated_at"):
        if name in values:
            values[name] = moment(values[name])
    if "context_profile" in values:
        values["context_profile"] = json_text.read_object(values["context_profile"])
    return values


def _says(stored: Mapping[str, Any], values: Values) -> bool:
    """Whether a row says what a line says; null for a column that can't be null asks for its default."""
    return all(
        stored.get(name) == value or (value is None and name not in ("optimization_id", "project_id"))
        for name, value in values.items()
    )


def _says_project(stored: Mapping[str, Any], values: Values) -> bool:
    """The same, where a context has only its known fields once it is stored."""
    context = values.get("context_profile")
    told = stored.get("context_profile")
    others = {name: value for name, value in values.items() if name not in ("context_profile", "description")}
    return (
        _says(stored, others)
        and values.get("description", stored.get("description")) == stored.get("description")
        and ("context_profile" not in values or told in (context, normalize_context(context)))
    )


def _project_columns(values: Values) -> Values:
    now = timezone.now()
    columns = {name: value for name, value in values.items() if value is not None}
    if "context_profile" in columns:
        columns["context_profile"] = json_text.write(normalize_context(columns["context_profile"]))
    return {"created_at": now, "updated_at": columns.get("created_at", now), **columns}


def _prompt(values: Values, last: dict[str, int]) -> Prompt:
    """A new row; one without a place comes after its project's last, which is kept in `last`."""
    now = timezone.now()
    columns = {name: value for name, value in values.items() if value is not None}
    project = columns["project_id"]
    place = columns.setdefault("order_index", last.get(project, -1) + 1)
    last[project] = max(place, last.get(project, -1))
    return Prompt(**{"version": 1, "created_at": now, "updated_at": columns.get("created_at", now), **columns})


def _of_run(line: Line) -> bool:
    return line.values.get("optimization_id") is not None


def _problem_of_version(
    values: Values,
    prompts: Mapping[str, Prompt],
    projects: Mapping[str, Project],
    runs: Collection[str],
    taken: Mapping[tuple[str, int], str],
) -> tuple[str, str] | None:
    """The column that stands in the way, and why."""
    prompt = prompts.get(values.get("prompt_id") or "")
    if prompt is None:
        return "prompt_id", NO_PROMPT if values.get("prompt_id") else PROMPT_NEEDED
    if prompt.project_id is not None and projects[prompt.project_id].status == ProjectStatus.ARCHIVED:
        return "prompt_id", PROJECT_ARCHIVED
    if values["version"] >= prompt.version:
        return "version", f"It must be older than the prompt's current version, which is {prompt.version}"
    if taken.get((values["prompt_id"], values["version"]), values["id"]) != values["id"]:
        return "version", "The prompt has another text of this version"
    if values.get("optimization_id") is not None and values["optimization_id"] not in runs:
        return "optimization_id", "There is no run with this id: import the runs first, or leave it empty"
    return None
