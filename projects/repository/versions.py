"""Versions: the earlier texts of prompts, the differences between them, and going back to one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db.models.functions import Length, Substr

from projects.models import Prompt, PromptVersion
from projects.records import HistoryEntry, Page, PromptRecord, RunRecord, VersionRecord
from projects.repository.prompts import Prompts, expect_version
from projects.repository.rows import moment
from projects.texts.diffs import TextDiff, diff_texts
from promptadmin.db.legacy_values import read_text
from promptadmin.errors import NotFound

#: As many characters of a text stand in a history.
BEGINNING = 200
NEWEST_VERSION = ("-version", "-created_at", "-id")


class Versions(Prompts):
    """The part that keeps versions. Where `project_id` may be None, any project's prompt will do."""

    def list_versions(
        self, *, prompt_id: str, project_id: str | None = None, limit: int = 20, offset: int = 0
    ) -> Page[VersionRecord]:
        """The superseded texts of a prompt, newest version first. Raises NotFound."""
        row = self.readable_prompt(prompt_id, project_id)
        rows = self.versions.filter(prompt_id=row.id)
        page = rows.order_by(*NEWEST_VERSION)[offset : offset + limit]
        return Page([_superseded(version) for version in page], rows.count())

    def list_history(self, *, prompt_id: str, limit: int = 20, offset: int = 0) -> Page[HistoryEntry]:
        """All versions of a prompt, the current one first. Raises NotFound.

        A stored version tells when and how it was superseded, which is when and how the next one came.
        """
        row = self.readable_prompt(prompt_id)
        columns = ("id", "version", Substr("content", 1, BEGINNING), Length("content"), "created_at", "optimization_id")
        rows = self.versions.filter(prompt_id=row.id).order_by(*NEWEST_VERSION).values_list(*columns)
        # One more than the page at its end, for what it tells of the version before it.
        stored = list(rows[max(0, offset - 1) : offset + limit])
        if offset == 0:
            stored = [(None, row.version, row.content[:BEGINNING], len(row.content), None, None), *stored]
        origins = [(moment(at), run) for *_, at, run in stored[1:]] + [(moment(row.created_at), None)]
        entries = [
            HistoryEntry(key, version, read_text(beginning) or "", characters or 0, since, run, current=key is None)
            for (key, version, beginning, characters, *_), (since, run) in zip(stored, origins, strict=False)
        ]
        return Page(entries[:limit], rows.count() + 1)

    def version_entry(self, *, prompt_id: str, version: int) -> HistoryEntry:
        """A version as a prompt's history has it. Raises NotFound."""
        row = self.readable_prompt(prompt_id)
        found = self._version(row, version)
        before = self.versions.filter(prompt_id=row.id, version__lt=version).order_by(*NEWEST_VERSION)
        since, run = before.values_list("created_at", "optimization_id").first() or (row.created_at, None)
        text = found.content
        return HistoryEntry(found.id, version, text[:BEGINNING], len(text), moment(since), run, current=found.current)

    def get_version(self, *, prompt_id: str, version: int, project_id: str | None = None) -> VersionRecord:
        """One version of a prompt; its current text is one too. Raises NotFound."""
        return self._version(self.readable_prompt(prompt_id, project_id), version)

    def versions_of_runs(self, *, prompt_id: str, runs: Sequence[RunRecord]) -> dict[str, int]:
        """The version of a prompt that each of its runs began with, by the run's id, where one has its text.

        Of several with the same text, it is the one that was current when the run was made. Raises NotFound.
        """
        row = self.readable_prompt(prompt_id)
        texts = self.runs.texts([run.id for run in runs])
        stored = self.versions.filter(prompt_id=row.id, content__in=set(texts.values())).order_by("version")
        known: defaultdict[str, list[tuple[int, dt.datetime | None]]] = defaultdict(list)
        for content, version, replaced in stored.values_list("content", "version", "created_at"):
            known[content].append((version, moment(replaced)))
        known[row.content].append((row.version, None))
        return {run.id: _version_at(run.created_at, known[texts[run.id]]) for run in runs if texts.get(run.id) in known}

    def diff_versions(self, *, prompt_id: str, old: int, new: int, project_id: str | None = None) -> TextDiff:
        """How version `new` of a prompt differs from version `old`. Raises NotFound."""
        row = self.readable_prompt(prompt_id, project_id)
        before, after = self._version(row, old), self._version(row, new)
        return diff_texts(before.content, after.content, old_name=f"version {old}", new_name=f"version {new}")

    def restore_version(
        self,
        *,
        prompt_id: str,
        version: int,
        project_id: str | None = None,
        expected_versions: Collection[int] | None = None,
        reason: str = "",
    ) -> PromptRecord:
        """Make an earlier text the current one, as a new version; where they are equal, only `updated_at` moves.

        The change log calls it a restore, and keeps the `reason`.
        Raises PreconditionFailed if the version is not one of those expected; NotFound, Forbidden.
        """
        _, row = self.prompt_to_change(prompt_id, project_id)
        expect_version(row, expected_versions)
        return self.replace_content(row, self._version(row, version).content, restored=version, reason=reason)

    def _version(self, row: Prompt, version: int) -> VersionRecord:
        if version == row.version:
            return VersionRecord(None, row.id, version, row.content, None, None, current=True)
        superseded = self.versions.filter(prompt_id=row.id, version=version).order_by(*NEWEST_VERSION).first()
        if superseded is None:
            raise NotFound("Version not found")
        return _superseded(superseded)


def _version_at(made: dt.datetime | None, versions: Sequence[tuple[int, dt.datetime | None]]) -> int:
    """Of versions, each with the time when it was replaced, the one of this moment; else the newest."""
    for version, replaced in versions:
        if made is not None and (replaced is None or replaced >= made):
            return version
    return versions[-1][0]


def _superseded(row: PromptVersion) -> VersionRecord:
    return VersionRecord(
        id=row.id or "",
        prompt_id=row.prompt_id,
        version=row.version,
        content=row.content,
        created_at=moment(row.created_at),
        optimization_id=row.optimization_id,
    )
