"""What `manage.py doctor` looks at in projects, prompts and versions."""

from __future__ import annotations

from collections.abc import Iterator

from promptadmin.ops.doctor.limits import limited
from promptadmin.ops.doctor.registry import Examination, Finding, Severity, check, counted

DUPLICATES = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE {link} IS NOT NULL GROUP BY {link}, {column} "
    "HAVING COUNT(*) > 1) AS duplicates"
)
LATE_VERSIONS = """
    SELECT COUNT(*) FROM prompt_versions v JOIN prompts p ON p.id = v.prompt_id WHERE v.version >= p.version
"""


@check("P001")
def check_order(examination: Examination) -> Iterator[Finding]:
    """The order of prompts.

    Two prompts of a project at one place come in an order that nobody chose. PromptForge made such places when two
    people added a prompt at the same time. Nothing is lost.
    """
    count = _count(examination, DUPLICATES.format(table="prompts", link="project_id", column="order_index"))
    if count:
        yield Finding(
            Severity.WARNING,
            counted(
                count, "place in projects with more than one prompt", "places in projects with more than one prompt"
            ),
            "Order the prompts of these projects anew, in the back-office or with the API's reorder.",
        )
    else:
        yield Finding(Severity.OK, "each prompt has a place of its own")


@check("P002")
def check_versions(examination: Examination) -> Iterator[Finding]:
    """The numbers of versions.

    Each has one of its own, below that of the current text. Two versions with one number can't be told apart by it,
    and comparing them takes one of the two. PromptForge made them when two people saved at the same time. Both texts
    are there.
    """
    count = _count(examination, DUPLICATES.format(table="prompt_versions", link="prompt_id", column="version"))
    late = _count(examination, LATE_VERSIONS)
    if count:
        yield Finding(
            Severity.WARNING,
            counted(
                count, "version number that is used more than once", "version numbers that are used more than once"
            ),
            "Versions never change: read both in the prompt's history, and save the right text once more.",
        )
    if late:
        yield Finding(
            Severity.WARNING,
            counted(late, "earlier version", "earlier versions") + " with a number that isn't below the current text's",
            "Save these prompts once more: the current text gets the next number.",
        )
    if not count and not late:
        yield Finding(Severity.OK, "each version has one of its own, below the current text's")


def _count(examination: Examination, sql: str) -> int:
    with limited(examination), examination.connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])
