"""Start-up steps 3, 6 and 7: strategy names, links to prompts, stale runs.

A legacy program may still write to the file between two starts, so they run at each start, set-based, and find what is
left to do through indexes.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from optimizations.models import RunStatus
from optimizations.strategies import all_aliases
from promptadmin.fields import parse_moment
from promptadmin.sessions import write_session
from promptadmin.startup import StepContext, StepResult

STALE_AFTER_MINUTES = 30
STALE_MESSAGE = "Server interrupted"
ROWS_A_BATCH = 1000
LINKS_A_BATCH = 5_000  # so that the pages they change stay within the page cache

PROJECTS_WITH_UNLINKED_RUNS = """
    SELECT p.id, p.name FROM projects p WHERE p.name <> '' AND EXISTS
        (SELECT 1 FROM optimizations o WHERE o.project = p.name AND o.prompt_id IS NULL)
"""
DROP_LINKS = "DROP TABLE IF EXISTS found_links"
MAKE_LINKS = "CREATE TEMPORARY TABLE found_links (run {type}, prompt_id TEXT)"
INDEX_LINKS = "CREATE INDEX found_links_run ON found_links (run, prompt_id)"
# CROSS JOIN is SQLite's word for "in this order", and GROUP BY makes it index the texts by itself: it would otherwise
# compare each run with each prompt of its project.
FIND_LINKS = """
    INSERT INTO found_links
    SELECT o.{row}, p.id FROM optimizations o CROSS JOIN (
        SELECT q.content, MIN(q.id) AS id FROM prompts q JOIN (
            SELECT content, MIN(order_index) AS place FROM prompts WHERE project_id = %s GROUP BY content
        ) AS first ON first.content = q.content AND first.place = q.order_index
        WHERE q.project_id = %s GROUP BY q.content
    ) AS p
    WHERE o.project = %s AND o.prompt_id IS NULL AND p.content = o.raw_prompt
"""
BATCHES = """
    SELECT MIN(run), MAX(run) FROM (
        SELECT run, (ROW_NUMBER() OVER (ORDER BY run) - 1) / %s AS batch FROM found_links
    ) AS numbered GROUP BY batch ORDER BY batch
"""
SET_LINKS = """
    UPDATE optimizations SET prompt_id = l.prompt_id FROM found_links AS l
    WHERE l.run BETWEEN %s AND %s AND optimizations.{row} = l.run AND optimizations.prompt_id IS NULL
"""


def normalize_strategies(context: StepContext) -> StepResult:
    """Step 3: replace each legacy strategy name by its canonical one, where it is the whole text."""
    renamed = all_aliases()
    cases = " ".join("WHEN %s THEN %s" for _ in renamed)
    pairs = [name for pair in renamed.items() for name in pair]
    known = ", ".join("%s" for _ in renamed)
    aliases = list(renamed)
    columns = ("framework_applied", "strategy")
    assignments = ", ".join(f"{column} = CASE {column} {cases} ELSE {column} END" for column in columns)
    condition = " OR ".join(f"{column} IN ({known})" for column in columns)
    with write_session(context.connection.alias), context.connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE optimizations SET {assignments} WHERE {condition}", (pairs + pairs) + (aliases + aliases)
        )
        changed = cursor.rowcount
    return StepResult(changed, f"renamed the strategy of {changed} runs" if changed else "nothing to do")


def link_prompts(context: StepContext) -> StepResult:
    """Step 6: link each run without a prompt to the first prompt of its project that has exactly its text.

    The links are found first, project by project, and then made in the order of the file (on SQLite, by the number of
    the row): each page is written once, not once for each project.
    """
    connection = context.connection
    row, row_type = ("rowid", "INTEGER") if connection.vendor == "sqlite" else ("id", "TEXT")
    with connection.cursor() as cursor:
        cursor.execute(PROJECTS_WITH_UNLINKED_RUNS)
        projects = cursor.fetchall()
        if not projects:
            return StepResult(0, "nothing to do")
        cursor.execute(DROP_LINKS)
        cursor.execute(MAKE_LINKS.format(type=row_type))
        for project_id, name in context.progress(projects, label="texts of runs"):
            cursor.execute(FIND_LINKS.format(row=row), [project_id, project_id, name])
        cursor.execute(INDEX_LINKS)
        cursor.execute(BATCHES, [LINKS_A_BATCH])
        linked = 0
        for first, last in context.progress(cursor.fetchall(), label="prompt links"):
            with write_session(connection.alias):
                cursor.execute(SET_LINKS.format(row=row), [first, last])
                linked += cursor.rowcount
        cursor.execute(DROP_LINKS)
    return StepResult(linked, f"linked {linked} runs to their prompts" if linked else "nothing to do")


def cleanup_stale(context: StepContext) -> StepResult:
    """Step 7: runs that have been `running` for longer than `minutes` become errors.

    Moments are compared, not texts. A run whose time can't be read stays as it is, with a warning.
    """
    minutes = float(context.options.get("minutes", STALE_AFTER_MINUTES))
    limit = timezone.now() - dt.timedelta(minutes=minutes)
    stale: list[str] = []
    unreadable: list[str] = []
    with write_session(context.connection.alias), context.connection.cursor() as cursor:
        # As text: sqlite3 would parse a bare DATETIME column itself, and fail or lose what it can't.
        cursor.execute("SELECT id, CAST(created_at AS TEXT) FROM optimizations WHERE status = %s", [RunStatus.RUNNING])
        for key, text in cursor:
            moment = parse_moment(text)
            if moment is None:
                unreadable.append(key)
            elif moment < limit:
                stale.append(key)
        for start in range(0, len(stale), ROWS_A_BATCH):
            keys = stale[start : start + ROWS_A_BATCH]
            cursor.execute(
                "UPDATE optimizations SET status = %s, error_message = %s "
                f"WHERE id IN ({', '.join('%s' for _ in keys)})",
                [RunStatus.ERROR, STALE_MESSAGE, *keys],
            )
    message = f"{len(stale)} runs became errors" if stale else "nothing to do"
    warnings = [f"Run {key} is running since a time that can't be read: it stays as it is." for key in unreadable]
    return StepResult(len(stale), message, warnings)
