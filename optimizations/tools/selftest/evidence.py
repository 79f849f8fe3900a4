"""What the database holds after a crash, read with SQLite alone, and what follows for each write."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from optimizations.tools.selftest.writers import LINES, Write

MARK = re.compile(r"mark-\d{8}")
DELETED = 2  # the change log's action


class Evidence:
    """All that the writers may have left, read in one moment; `problems` is what is wrong with the file as a whole.

    `doomed` names runs, by id and by mark, of which somebody has asked that they be deleted: they may be gone.
    """

    def __init__(self, path: Path, doomed: AbstractSet[str] = frozenset()) -> None:
        self.doomed = doomed
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as raw:
            raw.execute("BEGIN")
            self.problems = [str(row[0]) for row in raw.execute("PRAGMA integrity_check(5)") if row[0] != "ok"]
            self.problems += [f"broken link in {row[0]}" for row in raw.execute("PRAGMA foreign_key_check")]
            self.projects = dict(raw.execute("SELECT name, id FROM projects"))
            prompts = raw.execute("SELECT id, project_id, version, content FROM prompts").fetchall()
            versions = raw.execute("SELECT prompt_id, version, content FROM prompt_versions").fetchall()
            runs = raw.execute("SELECT id, project, prompt_id, raw_prompt, tags FROM optimizations").fetchall()
            log = raw.execute("SELECT object_pk, action, changes FROM promptadmin_logentry").fetchall()
        self.run_ids = {run for run, *_ in runs}
        self.tags = {(run, tag) for run, *_, tags in runs for tag in json.loads(tags or "[]")}
        self.runs = {text: (project, prompt) for _, project, prompt, text, _ in runs}
        self.imported = Counter(project for _, project, *_ in runs)
        self.prompt_projects = {prompt: project for prompt, project, *_ in prompts}
        # A text that was edited since is among the versions.
        self.contents = {(prompt, text) for prompt, _, _, text in prompts} | {
            (prompt, text) for prompt, _, text in versions
        }
        self.texts = {text for _, text in self.contents}
        self.logged = {(key, mark) for key, _, changes in log for mark in MARK.findall(changes or "")}
        self.logged_deletions = {key for key, action, _ in log if action == DELETED}
        earlier: dict[str, list[int]] = {}
        for prompt, number, _ in versions:
            earlier.setdefault(prompt, []).append(number)
        self.problems += [
            f"prompt {prompt} is at version {current}, with the earlier ones {sorted(earlier.get(prompt, []))}"
            for prompt, _, current, _ in prompts
            if sorted(earlier.get(prompt, [])) != list(range(1, current))
        ]

    def parts(self, write: Write) -> list[bool]:
        """Which parts of a write are there: all or none, unless it is half-written."""
        judge: Callable[[Write], list[bool]] = getattr(self, f"_{write.kind}")
        return judge(write)

    def _record(self, write: Write) -> list[bool]:
        """The run with its project and prompt, linked."""
        text, name = f"text {write.mark}", f"project {write.mark}"
        if write.mark in self.doomed:
            return [text in self.texts, name in self.projects]
        project, prompt = self.runs.get(text, (None, None))
        linked = project == name and name in self.projects and self.prompt_projects.get(prompt) == self.projects[name]
        return [text in self.texts, name in self.projects, linked and (prompt, text) in self.contents]

    def _tag(self, write: Write) -> list[bool]:
        """The tag, and its entry in the change log."""
        logged = (write.subject, write.mark) in self.logged
        return [logged] if write.subject in self.doomed else [logged, (write.subject, write.mark) in self.tags]

    def _edit(self, write: Write) -> list[bool]:
        """The text, now or as an earlier version, and its entry in the change log."""
        return [
            (write.subject, f"text {write.mark}") in self.contents,
            (write.subject, write.mark) in self.logged,
        ]

    def _import(self, write: Write) -> list[bool]:
        """Each of its runs, and their project."""
        count = self.imported[write.mark]
        return [write.mark in self.projects, *(number < count for number in range(LINES))]

    def _delete(self, write: Write) -> list[bool]:
        """The run is gone, and the change log says who deleted it."""
        return [write.subject not in self.run_ids, write.subject in self.logged_deletions]
