"""Bugs of SQLite's releases that damage files or give wrong answers in what this product does, and who has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Release = tuple[int, ...]


@dataclass(frozen=True)
class Bug:
    """One bug: what it does, the releases from `since` on that have it before `fixed`, and where SQLite says so.

    `backports` are branches that got the fix too: their first two numbers, and the third of the first mended release.
    """

    name: str
    effect: str
    since: Release
    fixed: Release
    source: str
    backports: Mapping[Release, int] = field(default_factory=dict)

    def is_in(self, release: Release) -> bool:
        if not self.since <= release < self.fixed:
            return False
        return release[:2] not in self.backports or release[2] < self.backports[release[:2]]


#: None that needs what this product doesn't do: other journals, JSONB, virtual tables from files made to do harm.
KNOWN_BUGS = (
    Bug(
        name="WAL-reset bug",
        effect="in rare cases a checkpoint that meets a writer damages the file",
        since=(3, 7, 0),
        fixed=(3, 51, 3),
        backports={(3, 44): 6, (3, 50): 7},
        source="https://sqlite.org/wal.html#walresetbug",
    ),
    Bug(
        name="savepoint bug",
        effect="a savepoint that is rolled back, while PRAGMA temp_store is MEMORY as ours is, may damage the file",
        since=(3, 35, 0),
        fixed=(3, 37, 2),
        source="https://sqlite.org/releaselog/3_37_2.html",
    ),
    Bug(
        name="Bloom filter bugs",
        effect="some joins leave rows out, or never end",
        since=(3, 38, 0),
        fixed=(3, 38, 4),
        source="https://sqlite.org/releaselog/3_38_4.html",  # which lists what 3.38.1 to 3.38.3 mended, too
    ),
)


def bugs_of(release: Release) -> list[Bug]:
    return [bug for bug in KNOWN_BUGS if bug.is_in(release)]


def advice(bug: Bug) -> str:
    """What to do about a bug, and where SQLite says so."""
    others = ", ".join(f"{branch[0]}.{branch[1]}.{first}" for branch, first in bug.backports.items())
    releases = f"{'.'.join(map(str, bug.fixed))} or later" + (f" (also {others})" if others else "")
    return (
        f"Use SQLite {releases}: install pysqlite3 as requirements.txt says, or where it has no wheel, a Python linked "
        f"with such a release. Make backups often until then. See {bug.source}."
    )
