"""The work of 0018_link_prompts, frozen: a later change of the start-up step isn't its own."""

from __future__ import annotations

import hashlib

from django.db.backends.base.base import BaseDatabaseWrapper

from promptadmin.db.schema import column_names
from promptadmin.db.sessions import write_session

LINKS_A_BATCH = 5_000  # so that no other writer waits long

# A run is linked to the first prompt of its project that has its text. Texts are compared by digests of 128 bits: what
# is sorted and looked up is then small, and both tables are read once, in the order of the file.
HAS_UNLINKED_RUNS = """
    SELECT 1 FROM projects p WHERE p.name <> '' AND EXISTS
        (SELECT 1 FROM optimizations o WHERE o.project = p.name AND o.prompt_id IS NULL)
"""
MAKE_TABLES = (
    "CREATE TEMPORARY TABLE known_texts (project TEXT, digest TEXT, place INTEGER, prompt_id TEXT)",
    "CREATE TEMPORARY TABLE found_links (run {row_type}, prompt_id TEXT)",
)
DROP_TABLES = ("DROP TABLE IF EXISTS known_texts", "DROP TABLE IF EXISTS found_links")
DIGEST_PROMPTS = """
    INSERT INTO known_texts SELECT p.name, {prompt_digest}, q.order_index, q.id
    FROM prompts q JOIN projects p ON p.id = q.project_id WHERE p.name <> '' AND {is_first}
"""
INDEX_TEXTS = "CREATE INDEX known_texts_first ON known_texts (project, digest, place, prompt_id)"
FIND_LINKS = """
    INSERT INTO found_links SELECT o.{row}, (
        SELECT t.prompt_id FROM known_texts t WHERE t.project = o.project AND t.digest = {run_digest}
        ORDER BY t.place, t.prompt_id LIMIT 1
    ) FROM optimizations o WHERE o.prompt_id IS NULL AND o.project IS NOT NULL
"""
DROP_OTHERS = "DELETE FROM found_links WHERE prompt_id IS NULL"
INDEX_LINKS = "CREATE INDEX found_links_run ON found_links (run, prompt_id)"
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


def link_prompts(connection: BaseDatabaseWrapper) -> None:
    """Link each run without a prompt to the first prompt of its project that has exactly its text.

    The links are found first and then made in the order of the file (on SQLite, by the number of the row): each page is
    written once.
    """
    folders = "parent_id IS NOT NULL, " if "parent_id" in column_names(connection, "projects") else ""
    is_first = (
        "p.id = (SELECT id FROM projects WHERE name = p.name "
        f"ORDER BY status = 'deleted', {folders}created_at, id LIMIT 1)"
    )
    words = _words(connection) | {"is_first": is_first}
    with connection.cursor() as cursor:
        cursor.execute(HAS_UNLINKED_RUNS)
        if cursor.fetchone() is None:
            return
        statements = (*DROP_TABLES, *MAKE_TABLES, DIGEST_PROMPTS, INDEX_TEXTS, FIND_LINKS, DROP_OTHERS, INDEX_LINKS)
        for statement in statements:
            cursor.execute(statement.format(**words))
        cursor.execute(BATCHES, [LINKS_A_BATCH])
        for first, last in cursor.fetchall():
            with write_session(connection.alias):
                cursor.execute(SET_LINKS.format(**words), [first, last])
        for statement in DROP_TABLES:
            cursor.execute(statement)


def _words(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """What the engines call the number of a row, and a digest of a text."""
    if connection.vendor != "sqlite":
        return {"row": "id", "row_type": "TEXT", "prompt_digest": "MD5(q.content)", "run_digest": "MD5(o.raw_prompt)"}
    connection.connection.create_function("text_digest", 2, _digest, deterministic=True)
    # As bytes, because a stored text may be no UTF-8; with its kind, because a text never equals a BLOB.
    digest = "text_digest(TYPEOF({0}), CAST({0} AS BLOB))"
    return {
        "row": "rowid",
        "row_type": "INTEGER",
        "prompt_digest": digest.format("q.content"),
        "run_digest": digest.format("o.raw_prompt"),
    }


def _digest(kind: str, value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16, person=kind.encode()).digest()
