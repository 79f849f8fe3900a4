"""Start-up steps 3, 6 and 7: strategy names, links to prompts, stale runs.

A legacy program may still write to the file between two starts, so they run at each start, set-based, and find what is
left to do through indexes.
"""

from __future__ import annotations

import datetime as dt

from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from optimizations.models import RunStatus
from optimizations.strategies import all_aliases
from projects.namesakes import is_first_of_name
from promptadmin.conf.counted import counted
from promptadmin.db.features import has_row_numbers, row_place
from promptadmin.db.legacy_values import read_moment
from promptadmin.db.schema import index_columns
from promptadmin.db.sessions import write_session
from promptadmin.db.text_digest import digest_sql
from promptadmin.plugins.steps import StepContext, StepResult

STALE_AFTER_MINUTES = 30
STALE_MESSAGE = "Server interrupted"
ROWS_A_BATCH = 1000
LINKS_A_BATCH = 5_000  # so that no other writer waits long

# A run is linked to the first prompt of its project that has its text. Texts are compared by digests of 128 bits: what
# is looked up is then small, and both tables are read once, in the order of the file. Temporary tables may be kept in
# memory, as pysqlite3's are: they have no index beside them, and take 110 and 45 MB for a million texts and links.
HAS_UNLINKED_RUNS = """
    SELECT 1 FROM projects p WHERE p.name <> '' AND EXISTS
        (SELECT 1 FROM optimizations o WHERE o.project = p.name AND o.prompt_id IS NULL)
"""
DROP_TEXTS, DROP_LINKS = "DROP TABLE IF EXISTS known_texts", "DROP TABLE IF EXISTS found_links"
MAKE_TEXTS = """
    CREATE TEMPORARY TABLE known_texts (
        project TEXT, digest TEXT, place INTEGER, prompt_id TEXT, PRIMARY KEY (project, digest, place, prompt_id)
    ) {clustered}
"""
DIGEST_PROMPTS = """
    INSERT INTO known_texts SELECT p.name, {prompt_digest}, q.order_index, q.id
    FROM prompts q JOIN projects p ON p.id = q.project_id WHERE p.name <> '' AND {is_first}
"""
MAKE_LINKS = "CREATE TEMPORARY TABLE found_links (run {place_type} PRIMARY KEY, prompt_id TEXT)"
FIND_LINKS = """
    INSERT INTO found_links SELECT o.{row}, (
        SELECT t.prompt_id FROM known_texts t WHERE t.project = o.project AND t.digest = {run_digest}
        ORDER BY t.place, t.prompt_id LIMIT 1
    ) FROM optimizations o WHERE o.prompt_id IS NULL AND o.project IS NOT NULL
"""
DROP_OTHERS = "DELETE FROM found_links WHERE prompt_id IS NULL"
BATCHES = """
    SELECT MIN(run), MAX(run) FROM (
        SELECT run, (ROW_NUMBER() OVER (ORDER BY run) - 1) / %s AS batch FROM found_links
    ) AS numbered GROUP BY batch ORDER BY batch
"""
# A prompt that another program has deleted since it was found is linked to nothing.
SET_LINKS = """
    UPDATE optimizations SET prompt_id = l.prompt_id FROM found_links AS l
    WHERE l.run BETWEEN %s AND %s AND optimizations.{row} = l.run AND optimizations.prompt_id IS NULL
        AND EXISTS (SELECT 1 FROM prompts q WHERE q.id = l.prompt_id)
"""


LINK_INDEX = "ix_optimizations_prompt_id"
MAKE_LINK_INDEX = f"CREATE INDEX IF NOT EXISTS {LINK_INDEX} ON optimizations (prompt_id)"


def normalize_strategies(context: StepContext) -> StepResult:
    """Step 3: replace each legacy strategy name by its canonical one, where it is the whole text."""
    renamed = all_aliases()
    cases = " ".join("WHEN %s THEN %s" for _ in renamed)
    pairs = [name for pair in renamed.items() for name in pair]
    known = ", ".join("%s" for _ in renamed)
    aliases = list(renamed)
    columns = ("framework_applied", "strategy")
    assignments = ", ".join(f"{column} = CASE {column} {cases} ELSE {column} END" for column in columns)
    # Two indexes tell: of the strategy that counts, and of the runs that have a name in each column.
    condition = (
        f"COALESCE(strategy, framework_applied) IN ({known}) "
        f"OR strategy IS NOT NULL AND framework_applied IS NOT NULL AND framework_applied IN ({known})"
    )
    with write_session(context.connection.alias), context.connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE optimizations SET {assignments} WHERE {condition}", (pairs + pairs) + (aliases + aliases)
        )
        changed = cursor.rowcount
    return StepResult(changed, f"renamed the strategy of {counted(changed, 'run')}" if changed else "nothing to do")


def link_prompts(context: StepContext) -> StepResult:
    """Step 6: link each run without a prompt to the first prompt of its project that has exactly its text.

    The links are found first and then made in the order of the file (on SQLite, by the number of the row): each page is
    written once.
    """
    connection = context.connection
    words = {
        "row": row_place(connection, "id"),
        "place_type": "INTEGER" if has_row_numbers(connection) else "TEXT",
        "clustered": "WITHOUT ROWID" if has_row_numbers(connection) else "",
        "prompt_digest": digest_sql(connection, "q.content"),
        "run_digest": digest_sql(connection, "o.raw_prompt"),
        "is_first": is_first_of_name(connection, "p"),
    }
    with connection.cursor() as cursor:
        cursor.execute(HAS_UNLINKED_RUNS)
        if cursor.fetchone() is None:
            cursor.execute(MAKE_LINK_INDEX)  # where a process was killed after it had dropped it
            return StepResult(0, "nothing to do")
        finding = (DROP_TEXTS, DROP_LINKS, MAKE_TEXTS, DIGEST_PROMPTS, MAKE_LINKS, FIND_LINKS, DROP_TEXTS, DROP_OTHERS)
        for statement in context.progress(finding, label="texts"):
            cursor.execute(statement.format(**words))
        cursor.execute(BATCHES, [LINKS_A_BATCH])
        batches = cursor.fetchall()
        if len(batches) > 1 and not context.dry_run:
            _drop_link_index(connection)
        linked = 0
        # SET_LINKS itself looks for each prompt. Where SQLite does, it also keeps a copy of each page that it changes,
        # to undo that statement alone, and the step takes a third longer.
        with connection.constraint_checks_disabled():
            for first, last in context.progress(batches, label="prompt links"):
                with write_session(connection.alias):
                    cursor.execute(SET_LINKS.format(**words), [first, last])
                    linked += cursor.rowcount
        for statement in (DROP_LINKS, MAKE_LINK_INDEX):
            cursor.execute(statement)
    its = "its prompt" if linked == 1 else "their prompts"
    return StepResult(linked, f"linked {counted(linked, 'run')} to {its}" if linked else "nothing to do")


def _drop_link_index(connection: BaseDatabaseWrapper) -> None:
    """Drop SQLite's index of the links, which is made anew when all are there.

    Prompts' keys are random: each batch would change pages all over it. An index of this name on other columns stays.
    """
    if has_row_numbers(connection) and index_columns(connection, "optimizations").get(LINK_INDEX) == ["prompt_id"]:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX {LINK_INDEX}")


def cleanup_stale(context: StepContext) -> StepResult:
    """Step 7: runs that have been `running` for longer than `minutes` become errors.

    Moments are compared, not texts. A run whose time can't be read stays as it is, with a warning.
    """
    minutes = float(context.options.get("minutes", STALE_AFTER_MINUTES))
    limit = timezone.now() - dt.timedelta(minutes=minutes)
    stale: list[str] = []
    unreadable: list[str] = []
    with write_session(context.connection.alias), context.connection.cursor() as cursor:
        cursor.execute("SELECT id, created_at FROM optimizations WHERE status = %s", [RunStatus.RUNNING])
        for key, stored in cursor:
            moment = read_moment(stored)
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
    ended = "an error" if len(stale) == 1 else "errors"
    message = f"{counted(len(stale), 'run')} became {ended}" if stale else "nothing to do"
    warnings = [f"Run {key} is running since a time that can't be read: it stays as it is." for key in unreadable]
    return StepResult(len(stale), message, warnings)
