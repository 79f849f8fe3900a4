"""Find-or-create: for those who know a project by its name only, and a prompt by its text."""

from __future__ import annotations

from typing import Any

from django.db import connections

from projects.models import Project, ProjectStatus
from projects.namesakes import id_of_name
from projects.reach import expect_writable
from projects.records import ProjectInfo
from projects.repository.deleting import PROJECT
from projects.repository.projects import Projects
from projects.repository.rows import PROJECT_MISSING, storable
from projects.texts.forms import composed, is_blank
from projects.texts.keys import FOLDED, KEY, fold_blanks, keys
from promptadmin.db.raw import fetch_all
from promptadmin.deletions.work import expect_settled
from promptadmin.errors import NotFound

#: As many prompts are read to be compared in Python.
CANDIDATES = 100
#: Of these, so many that they have this many characters together: more would keep other writers waiting.
MOST_COMPARED = 1_000_000
#: What `str.split` takes for a blank.
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
LONGEST_END = 64
FOUND = (
    f"SELECT id FROM prompts WHERE project_id = %s AND {KEY.format('content')} IN (%s, %s) "
    f"AND (content = %s OR {FOLDED.format('content')} = %s) "
    "ORDER BY content = %s DESC, order_index, id LIMIT 1"
)
#: The first CANDIDATES, with those that stand at the place of the last of them.
AMONG_FIRST = (
    "SELECT id, content FROM prompts WHERE project_id = %s AND order_index <= COALESCE("
    "(SELECT order_index FROM prompts WHERE project_id = %s ORDER BY order_index "
    f"LIMIT 1 OFFSET {CANDIDATES - 1}), 9223372036854775807) "
    "AND {ends} ORDER BY order_index, id"
)


class Matching(Projects):
    """The part that finds or creates."""

    def ensure_project_by_name(self, name: str) -> ProjectInfo | None:
        """The project with this name, without the blanks around it; None for a blank name.

        Of several in different folders it is the one that `projects.namesakes` says. A deleted one becomes active
        again, an archived one stays so, a missing one is made, outside of all folders. Raises Forbidden for one that
        whoever acts doesn't reach, whether it is there or not.
        """
        name = storable(name, "Project name").strip()
        if is_blank(name):
            return None
        statement = f"SELECT id, status FROM projects WHERE id = {id_of_name('%s')}{self.locking()}"
        for key, status in fetch_all(connections[self.using], statement, [name]):
            expect_writable(Project, [key], self.using)
            if status != ProjectStatus.DELETED:
                return ProjectInfo(key, status)
            break
        row = self.lock(self.projects_named(name)).first()
        if row is None:
            row, _ = self.insert_project(name=composed(name))
        expect_writable(Project, [row.id], self.using)
        if row.status == ProjectStatus.DELETED:
            expect_settled(self.using, PROJECT, row.id)
            self._update(row, status=ProjectStatus.ACTIVE)
        return ProjectInfo(row.id, row.status)

    def ensure_prompt_in_project(self, project_id: str, content: str) -> str | None:
        """The id of the project's prompt with this text, whatever its blanks; without one, a new prompt with it.

        None for an empty project id or a blank text, and where an archived or deleted project, which takes no new
        prompts, doesn't have it. Raises NotFound if there is no such project.
        """
        if not project_id:
            return None
        statement = f"SELECT id, status FROM projects WHERE id = %s{self.locking()}"
        for key, status in fetch_all(connections[self.using], statement, [project_id]):
            if not self.reaches_project(key):
                break
            return self.ensure_prompt_in(ProjectInfo(key, status), content)
        raise NotFound(PROJECT_MISSING)

    def ensure_prompt_in(self, project: ProjectInfo, content: str) -> str | None:
        """The same in a project that `ensure_project_by_name` has found, and locked, in this session."""
        if is_blank(storable(content, "Prompt content")):
            return None
        found = find_prompt(self.using, project.id, content)
        if found is None and project.status not in (ProjectStatus.ARCHIVED, ProjectStatus.DELETED):
            return str(self.append_prompt(project.id, content).id)
        return found


def find_prompt(using: str, project_id: str, content: str) -> str | None:
    """The id of the first of a project's prompts that has this text: exactly, or else but for its blanks.

    The database compares the usual blanks for all prompts, Python every kind for the first CANDIDATES, unless these are
    very long. It is given only what begins and ends with the same word. As text, because each recorded run asks: Django
    takes longer to build the statements than the database to answer them.
    """
    folded, connection = fold_blanks(content), connections[using]
    for (key,) in fetch_all(connection, FOUND, [project_id, *keys(content), content, folded, content]):
        return str(key)
    ends, values = _has_ends_of(folded)
    candidates = fetch_all(connection, AMONG_FIRST.format(ends=ends), [project_id, project_id, *values])
    compared = 0
    for key, text in candidates:
        if not isinstance(text, str):
            continue
        if fold_blanks(text) == folded:
            return str(key)
        compared += len(text)
        if compared >= MOST_COMPARED:
            break
    return None


def _has_ends_of(folded: str) -> tuple[str, list[Any]]:
    """A condition that texts fulfil which begin and end with the same word, and its parameters."""
    head, tail = folded.split(" ", 1)[0][:LONGEST_END], folded.rsplit(" ", 1)[-1][-LONGEST_END:]
    return (
        "SUBSTR(LTRIM(content, %s), 1, %s) = %s "
        "AND SUBSTR(RTRIM(content, %s), LENGTH(RTRIM(content, %s)) + 1 - %s) = %s",
        [BLANKS, len(head), head, BLANKS, BLANKS, len(tail), tail],
    )
