"""Start-up steps 4 and 5: projects and prompts for runs that know theirs by name and text only.

Both work through a few projects at a time, each few in one transaction, so that they can be interrupted anywhere.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from projects.models import ProjectStatus
from projects.namesakes import is_first_of_name
from promptadmin.conf.counted import counted
from promptadmin.db.chunks import in_chunks
from promptadmin.db.features import has_row_numbers, row_place, takes_any_value
from promptadmin.db.fields import new_id, stored_moment
from promptadmin.db.schema import column_names
from promptadmin.db.sessions import write_session
from promptadmin.db.text_digest import digest_sql
from promptadmin.plugins.steps import StepContext, StepResult

#: Keys are random: the pages of their index that one transaction changes are nearly those of the next one.
PROJECTS_A_TRANSACTION = 25
#: The projects that step 4 has just made, with a prompt for each of their texts.
SEEDED = "projects.seeded"
SEEDED_DESCRIPTION = "Migrated from optimization history"

# Each distinct project text, by jumping through the index from one to the next, instead of reading it from end to end.
NAMES_WITHOUT_PROJECT = """
    WITH RECURSIVE names(name) AS (
        SELECT MIN(project) FROM optimizations WHERE project > ''
        UNION ALL
        SELECT (SELECT MIN(project) FROM optimizations WHERE project > names.name) FROM names
        WHERE names.name IS NOT NULL
    )
    SELECT name FROM names
    WHERE name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM projects WHERE projects.name = names.name)
"""
# MIN(created_at) goes from column to column, so that the legacy stamp is copied as it is, unless it is none: '' or 0.
INSERT_PROJECT = """
    INSERT INTO projects (id, name, description, status, created_at, updated_at{columns})
    SELECT %s, %s, %s, %s, COALESCE({first}, %s), %s{values} FROM optimizations WHERE project = %s
"""
# The texts of a project, each by one run that has it, in the order of their first use. They are told apart by digests,
# and none is sorted or kept, because SQLite may do both in memory: a project may have a million.
MAKE_TEXTS = "CREATE TEMPORARY TABLE new_texts (place INTEGER PRIMARY KEY, run {run_type})"
CLEAR_TEXTS, DROP_TEXTS = "DELETE FROM new_texts", "DROP TABLE IF EXISTS new_texts"
FIND_TEXTS = """
    INSERT INTO new_texts SELECT ROW_NUMBER() OVER (ORDER BY first_at, first_id), run FROM (
        SELECT MIN({row}) AS run, MIN(created_at) AS first_at, MIN(id) AS first_id FROM optimizations
        WHERE project = %s AND raw_prompt <> '' {condition} GROUP BY {digest_of_run}
    ) AS found
"""
WITHOUT_PROMPT = (
    "AND prompt_id IS NULL AND {digest_of_run} NOT IN (SELECT {digest_of_prompt} FROM prompts WHERE project_id = %s)"
)
LAST_PLACE = "SELECT COALESCE(MAX(order_index), -1) FROM prompts WHERE project_id = %s"
INSERT_PROMPTS = """
    INSERT INTO prompts (id, content, version, project_id, order_index, created_at, updated_at)
    SELECT CAST(gen_random_uuid() AS TEXT), o.raw_prompt, 1, %s, %s + n.place, %s, %s
    FROM new_texts n CROSS JOIN optimizations o WHERE o.{row} = n.run ORDER BY n.place
"""
PROJECTS_WITH_UNLINKED_RUNS = """
    SELECT p.id, p.name FROM projects p
    WHERE p.status <> %s AND p.name <> '' AND EXISTS
        (SELECT 1 FROM optimizations o WHERE o.project = p.name AND o.prompt_id IS NULL) AND {is_first}
"""


def seed_projects(context: StepContext) -> StepResult:
    """Step 4: a project, with its prompts in the order of their first use, for each project text that has none."""
    connection = context.connection
    with connection.cursor() as cursor:
        cursor.execute(NAMES_WITHOUT_PROJECT)
        names = [name for (name,) in cursor.fetchall()]
    has_folders = "depth" in column_names(connection, "projects")
    insert_project = INSERT_PROJECT.format(
        first="NULLIF(NULLIF(MIN(created_at), ''), 0)" if takes_any_value(connection) else "MIN(created_at)",
        columns=", depth" if has_folders else "",
        values=", 0" if has_folders else "",
    )
    prompts = 0
    maker = _PromptMaker(connection)
    seeded = context.found.setdefault(SEEDED, set())
    for few in in_chunks(context.progress(names, label="legacy projects"), PROJECTS_A_TRANSACTION):
        with write_session(connection.alias), connection.cursor() as cursor:
            for name in few:
                project_id, now = new_id(), stored_moment(timezone.now(), connection)
                made = [project_id, name, SEEDED_DESCRIPTION, ProjectStatus.ACTIVE, now, now]
                cursor.execute(insert_project, [*made, name])
                prompts += maker.make(project_id, name, now)
                seeded.add(project_id)
    maker.close()
    message = f"made {counted(len(names), 'project')} with {counted(prompts, 'prompt')}" if names else "nothing to do"
    return StepResult(len(names) + prompts, message)


def backfill_prompts(context: StepContext) -> StepResult:
    """Step 5: a prompt for each text of unlinked runs that their project, unless deleted, doesn't have."""
    connection = context.connection
    with connection.cursor() as cursor:
        statement = PROJECTS_WITH_UNLINKED_RUNS.format(is_first=is_first_of_name(connection, "p"))
        cursor.execute(statement, [ProjectStatus.DELETED])
        projects = cursor.fetchall()
    seeded = context.found.get(SEEDED, set())
    projects = [project for project in projects if project[0] not in seeded]
    made = 0
    maker = _PromptMaker(connection)
    for few in in_chunks(context.progress(projects, label="missing prompts"), PROJECTS_A_TRANSACTION):
        with write_session(connection.alias):
            for project_id, name in few:
                now = stored_moment(timezone.now(), connection)
                made += maker.make(project_id, name, now, only_missing=True)
    maker.close()
    return StepResult(made, f"made {counted(made, 'prompt')}" if made else "nothing to do")


class _PromptMaker:
    """Makes prompts of the texts of a project's runs, within a write session."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        self.words = {
            "row": row_place(connection, "id"),
            "run_type": "INTEGER" if has_row_numbers(connection) else "TEXT",
            "digest_of_run": digest_sql(connection, "raw_prompt"),
            "digest_of_prompt": digest_sql(connection, "content"),
        }
        with connection.cursor() as cursor:
            cursor.execute(DROP_TEXTS)
            cursor.execute(MAKE_TEXTS.format(**self.words))

    def make(self, project_id: str, name: str, now: Any, *, only_missing: bool = False) -> int:
        """A prompt for each text; with `only_missing` for those of unlinked runs that the project doesn't have."""
        condition = WITHOUT_PROMPT.format(**self.words) if only_missing else ""
        with self.connection.cursor() as cursor:
            cursor.execute(
                FIND_TEXTS.format(condition=condition, **self.words), [name, project_id] if only_missing else [name]
            )
            cursor.execute(LAST_PLACE, [project_id])
            [(last,)] = cursor.fetchall()
            cursor.execute(INSERT_PROMPTS.format(**self.words), [project_id, last, now, now])
            made = int(cursor.rowcount)
            cursor.execute(CLEAR_TEXTS)
            return made

    def close(self) -> None:
        """Drop the table, which a connection would keep."""
        with self.connection.cursor() as cursor:
            cursor.execute(DROP_TEXTS)
