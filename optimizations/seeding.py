"""Start-up steps 4 and 5: projects and prompts for runs that know theirs by name and text only.

Both work through a few projects at a time, each few in one transaction, so that they can be interrupted anywhere.
"""

from __future__ import annotations

from django.utils import timezone

from projects.models import ProjectStatus
from projects.namesakes import is_first_of_name
from promptadmin.db.chunks import in_chunks
from promptadmin.db.engine import takes_any_value
from promptadmin.db.fields import new_id, stored_moment
from promptadmin.db.schema import column_names
from promptadmin.db.sessions import write_session
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
    seeded = context.found.setdefault(SEEDED, set())
    for few in in_chunks(context.progress(names, label="legacy projects"), PROJECTS_A_TRANSACTION):
        with write_session(connection.alias), connection.cursor() as cursor:
            for name in few:
                project_id, now = new_id(), stored_moment(timezone.now(), connection)
                made = [project_id, name, SEEDED_DESCRIPTION, ProjectStatus.ACTIVE, now, now]
                cursor.execute(insert_project, [*made, name])
                cursor.execute(INSERT_ALL_PROMPTS, [project_id, project_id, now, now, name])
                prompts += cursor.rowcount
                seeded.add(project_id)
    message = f"made {len(names)} projects with {prompts} prompts" if names else "nothing to do"
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
    for few in in_chunks(context.progress(projects, label="missing prompts"), PROJECTS_A_TRANSACTION):
        with write_session(connection.alias), connection.cursor() as cursor:
            for project_id, name in few:
                now = stored_moment(timezone.now(), connection)
                cursor.execute(INSERT_MISSING_PROMPTS, [project_id, project_id, now, now, name, project_id])
                made += cursor.rowcount
    return StepResult(made, f"made {made} prompts" if made else "nothing to do")
