"""The work of 0010_seed_projects and 0011_backfill_prompts, frozen: a later change of the start-up steps isn't theirs.

Both work through a few projects at a time, each few in one transaction, so that they can be interrupted anywhere.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from promptadmin.db.chunks import in_chunks
from promptadmin.db.fields import new_id, stored_moment
from promptadmin.db.schema import column_names
from promptadmin.db.sessions import write_session

#: Keys are random: the pages of their index that one transaction changes are nearly those of the next one.
PROJECTS_A_TRANSACTION = 25
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
FIRST_STAMP = {"sqlite": "NULLIF(NULLIF(MIN(created_at), ''), 0)", "postgresql": "MIN(created_at)"}
INSERT_PROMPTS = """
    INSERT INTO prompts (id, content, version, project_id, order_index, created_at, updated_at)
    SELECT CAST(gen_random_uuid() AS TEXT), raw_prompt, 1, %s,
           (SELECT COALESCE(MAX(order_index), -1) FROM prompts WHERE project_id = %s)
               + ROW_NUMBER() OVER (ORDER BY MIN(created_at), MIN(id)),
           %s, %s
    FROM optimizations
    WHERE project = %s AND raw_prompt <> '' {condition}
    GROUP BY raw_prompt
"""
INSERT_ALL_PROMPTS = INSERT_PROMPTS.format(condition="")
INSERT_MISSING_PROMPTS = INSERT_PROMPTS.format(
    condition="AND prompt_id IS NULL AND raw_prompt NOT IN (SELECT content FROM prompts WHERE project_id = %s)"
)
PROJECTS_WITH_UNLINKED_RUNS = """
    SELECT p.id, p.name FROM projects p
    WHERE p.status <> 'deleted' AND p.name <> '' AND EXISTS
        (SELECT 1 FROM optimizations o WHERE o.project = p.name AND o.prompt_id IS NULL)
        AND p.id = (
            SELECT id FROM projects WHERE name = p.name ORDER BY status = 'deleted', {folders}created_at, id LIMIT 1
        )
"""


def seed_projects(connection: BaseDatabaseWrapper) -> None:
    """A project, with its prompts in the order of their first use, for each project text that has none."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES_WITHOUT_PROJECT)
        names = [name for (name,) in cursor.fetchall()]
    has_folders = "depth" in column_names(connection, "projects")
    insert_project = INSERT_PROJECT.format(
        first=FIRST_STAMP[connection.vendor],
        columns=", depth" if has_folders else "",
        values=", 0" if has_folders else "",
    )
    for few in in_chunks(names, PROJECTS_A_TRANSACTION):
        with write_session(connection.alias), connection.cursor() as cursor:
            for name in few:
                project_id, now = new_id(), stored_moment(timezone.now(), connection)
                cursor.execute(insert_project, [project_id, name, SEEDED_DESCRIPTION, "active", now, now, name])
                cursor.execute(INSERT_ALL_PROMPTS, [project_id, project_id, now, now, name])


def backfill_prompts(connection: BaseDatabaseWrapper) -> None:
    """A prompt for each text of unlinked runs that their project, unless deleted, doesn't have."""
    folders = "parent_id IS NOT NULL, " if "parent_id" in column_names(connection, "projects") else ""
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS_WITH_UNLINKED_RUNS.format(folders=folders))
        projects = cursor.fetchall()
    for few in in_chunks(projects, PROJECTS_A_TRANSACTION):
        with write_session(connection.alias), connection.cursor() as cursor:
            for project_id, name in few:
                now = stored_moment(timezone.now(), connection)
                cursor.execute(INSERT_MISSING_PROMPTS, [project_id, project_id, now, now, name, project_id])
