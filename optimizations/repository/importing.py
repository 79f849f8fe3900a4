"""The part of the repository that imports many runs: all or none, and the same lines again change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connections
from django.utils import timezone
from pydantic import TypeAdapter, ValidationError

from optimizations.columns import COLUMNS, JSON_COLUMNS, Record, read_row
from optimizations.events import runs_changed
from optimizations.models import Optimization, RunStatus
from optimizations.repository.bulk_get_or_create import VALUES_A_QUERY, BulkGetOrCreate
from optimizations.repository.writing import PROMPT_UNKNOWN, Writing
from projects.models import ProjectStatus
from projects.reach import expect_writable
from projects.texts.forms import is_blank
from promptadmin.db import json_text
from promptadmin.db.bulk_insert import insert_rows
from promptadmin.db.chunks import in_chunks
from promptadmin.db.fields import stored_moment
from promptadmin.errors import Conflict
from promptadmin.exchange.lines import Imported, ImportRefused, Line, LineError
from promptadmin.exchange.sentences import sentence
from promptadmin.http.keys import NewKey

CONFLICT = "A run with this id and other content exists"
#: Columns that get a value also where a line doesn't name them.
ALWAYS = ("created_at", "status", "prompt_id")
#: Columns that a line may name and that say where the run belongs, not what it is.
LINKS = ("prompt_id", "prompt_project")
NEW_KEY: TypeAdapter[str] = TypeAdapter(NewKey)


class Importing(Writing):
    """Imports runs that stand in lines."""

    def import_runs(self, lines: Sequence[Line]) -> Imported:
        """Store the runs that aren't there yet. Raises ImportRefused, and then stores none.

        A run that is there already must say what its line says, column by column; what the line doesn't name may be
        anything. `project` finds or makes the project. A line without `prompt_id` gets the prompt that has its text in
        the project, found or made unless the project is archived; with null it gets none. A prompt that isn't there is
        made, with its id and the text of the last line that names it, in the project `prompt_project`.
        """
        linking = BulkGetOrCreate(self.using)
        errors: list[LineError] = []
        named = (line.values.get("prompt_id") for line in lines)
        known = linking.known_prompts(key for key in named if key is not None)
        new = self._new_lines(lines, known, errors)
        errors += [
            LineError("value_error", problem, line.number, "prompt_id", line.values["id"])
            for line in new
            if line.values.get("prompt_id") is not None and line.values["prompt_id"] not in known
            if (problem := _problem_of_new_prompt(line))
        ]
        if errors:
            raise ImportRefused(sorted(errors, key=lambda error: error.line))
        links = self._links(linking, new, known)
        self._insert([line.values for line in new], links)
        if new:
            runs_changed("optimizations_imported", len(new), self.using)
        return Imported(len(lines), len(new), len(lines) - len(new))

    def _new_lines(self, lines: Sequence[Line], known: set[str], errors: list[LineError]) -> list[Line]:
        """The lines whose run isn't there, each id once; adds an error for each that contradicts what is there."""
        stored = self._stored(line.values["id"] for line in lines)
        new: dict[str, Line] = {}
        for line in lines:
            key = line.values["id"]
            earlier = stored.get(key) or (new[key].values if key in new else None)
            if earlier is None:
                new[key] = line
            elif not _says(earlier, line.values, known):
                errors.append(LineError("conflict", CONFLICT, line.number, "id", key))
        return list(new.values())

    def _stored(self, run_ids: Iterable[str]) -> dict[str, Record]:
        """The runs with these ids that are there."""
        found: dict[str, Record] = {}
        for chunk in in_chunks(dict.fromkeys(run_ids), VALUES_A_QUERY):
            for values in self.runs.filter(id__in=chunk).values_list(*COLUMNS):
                record = read_row(COLUMNS, values)
                found[record["id"]] = record
        return found

    def _links(self, linking: BulkGetOrCreate, lines: Sequence[Line], known: set[str]) -> dict[str, str | None]:
        """The prompt of each run, by the run's id."""
        projects = linking.ensure_projects(
            name for line in lines for name in (_trimmed(line, "project"), _trimmed(line, "prompt_project")) if name
        )
        made: dict[str, dict[str, str]] = {}
        texts: dict[str, list[str]] = {}
        for line in lines:
            prompt_id, place = line.values.get("prompt_id"), _trimmed(line, "prompt_project")
            if prompt_id is not None and prompt_id not in known and projects[place].status != ProjectStatus.ARCHIVED:
                made.setdefault(place, {})[prompt_id] = line.values["raw_prompt"]
            elif "prompt_id" not in line.values and _trimmed(line, "project"):
                texts.setdefault(_trimmed(line, "project"), []).append(line.values["raw_prompt"])
        linkable = set(known)
        new: dict[str, dict[str, str]] = {}
        for name, prompts in made.items():
            new[projects[name].id] = {key: text for key, text in prompts.items() if key not in linkable}
            linkable.update(prompts)
        linking.append_prompts(new)
        by_text = linking.ensure_prompts(
            {projects[name]: some for name, some in texts.items() if projects[name].status != ProjectStatus.ARCHIVED}
        )
        links: dict[str, str | None] = {}
        for line in lines:
            run = line.values
            given = run.get("prompt_id")
            if "prompt_id" in run:
                links[run["id"]] = given if given in linkable else None
            else:
                name = _trimmed(line, "project")
                links[run["id"]] = by_text.get(projects[name], {}).get(run["raw_prompt"]) if name else None
        return links

    def _insert(self, runs: Iterable[Record], links: Mapping[str, str | None]) -> None:
        """Insert rows without building a model for each, those of a project and of a prompt one after the other.

        Many indexes are of these, and then change in one place after the other: SQLite takes two thirds of the time.
        Raises Conflict where, on PostgreSQL, another writer has since made a run or deleted a prompt.
        """
        connection = connections[self.using]
        ordered = sorted(runs, key=lambda run: (run.get("project") or "", links[run["id"]] or "", run["id"]))
        named: set[str] = set(ALWAYS).union(*ordered)
        columns = [column for column in COLUMNS if column in named]
        try:
            insert_rows(connection, Optimization._meta.db_table, columns, _rows(columns, ordered, links, connection))
        except IntegrityError as error:
            raise Conflict("Another request changed the same runs or their prompts: try again") from error
        expect_writable(Optimization, [run["id"] for run in ordered], self.using, must_name="a run")


def _rows(
    columns: Sequence[str], runs: Iterable[Record], links: Mapping[str, str | None], connection: Any
) -> Iterator[list[Any]]:
    """The values to store, in the order of the columns."""
    now = timezone.now()
    time, status, prompt = map(columns.index, ALWAYS)
    json_places = [place for place, column in enumerate(columns) if column in JSON_COLUMNS]
    for run in runs:
        row = list(map(run.get, columns))
        row[time] = stored_moment(row[time] or now, connection)
        row[status] = row[status] or RunStatus.COMPLETED.value
        row[prompt] = links[run["id"]]
        for place in json_places:
            if row[place] is not None:
                row[place] = json_text.write(row[place])
        yield row


def _problem_of_new_prompt(line: Line) -> str:
    """Why the prompt that a line names can't be made; an empty text where it can."""
    if not _trimmed(line, "prompt_project"):
        return PROMPT_UNKNOWN
    try:
        NEW_KEY.validate_python(line.values["prompt_id"])
    except ValidationError as error:
        return sentence({**error.errors()[0], "loc": ("prompt_id",)})
    return ""


def _trimmed(line: Line, column: str) -> str:
    """A name without the blanks around it; an empty one where it shows nothing."""
    name = (line.values.get(column) or "").strip()
    return "" if is_blank(name) else name


def _says(stored: Record, run: Record, known: set[str]) -> bool:
    """Whether a run says what a line says. A link to a prompt that isn't there can't be compared."""
    for name, value in run.items():
        if name in LINKS:
            if name == "prompt_id" and value in known and stored.get(name) != value:
                return False
        elif stored.get(name) != value and not (name == "created_at" and value is None):
            return False
    return True
