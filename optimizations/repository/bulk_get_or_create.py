"""Projects and prompts of many runs at once, by the rules of `ProjectRepository`'s find-or-create."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db import connections
from django.utils import timezone

from projects.declarations import NewText, expect_welcome
from projects.models import Project, ProjectStatus
from projects.namesakes import ORDER
from projects.reach import expect_writable, outside
from projects.records import ProjectInfo
from projects.repository import ProjectRepository
from projects.repository.matching import AMONG_FIRST
from projects.repository.prompts import PROMPT_FIELDS
from projects.texts.forms import composed, is_blank, spellings
from projects.texts.keys import KEY, fold_blanks, half_folded, keys
from promptadmin.context import current_actor
from promptadmin.db.bulk_insert import insert_rows
from promptadmin.db.chunks import in_chunks
from promptadmin.db.fields import new_id, stored_moment

VALUES_A_QUERY = 500
#: CROSS JOIN keeps SQLite to this order: ANALYZE says nothing of VALUES, and it would read all prompts for 500 keys.
WITH_KEYS = (
    "WITH asked (project, key) AS (VALUES {pairs}) SELECT p.project_id, p.id, p.content "
    f"FROM asked CROSS JOIN prompts p WHERE p.project_id = asked.project AND {KEY.format('p.content')} = asked.key "
    "ORDER BY p.order_index, p.id"
)
LAST = "SELECT id, (SELECT MAX(order_index) FROM prompts WHERE project_id = projects.id) FROM projects WHERE id IN ({})"


class BulkGetOrCreate:
    """Finds or makes in a handful of queries, inside a write session. Projects are locked in order of their names."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.repository = ProjectRepository(using)

    def ensure_projects(self, names: Iterable[str]) -> dict[str, ProjectInfo]:
        """The projects with these names, by name. Names come without blanks around them, and none is blank.

        Raises Forbidden for projects that whoever acts doesn't reach, whether they are there or not.
        """
        found: dict[str, ProjectInfo] = {}
        for chunk in in_chunks(sorted(set(names)), VALUES_A_QUERY // 3):
            wanted = {name: spellings(name) for name in chunk}
            rows = self.repository.projects.filter(name__in={form for forms in wanted.values() for form in forms})
            rows = rows.order_by("name")
            there = set(rows.values_list("name", flat=True))
            now = timezone.now()
            new = sorted({composed(name) for name, forms in wanted.items() if there.isdisjoint(forms)})
            made = [Project(name=name, created_at=now, updated_at=now) for name in new]
            self.repository.projects.bulk_create(made, ignore_conflicts=True)
            stored: dict[str, ProjectInfo] = {}
            locked = self.repository.lock(rows.order_by("name", *ORDER)).values_list("name", "id", "status")
            for name, key, status in locked:
                if name in stored:  # a namesake, in another folder
                    continue
                stored[name] = ProjectInfo(key, status)
                if status == ProjectStatus.DELETED:
                    stored[name] = self.repository.ensure_project_by_name(name) or stored[name]
            for name, forms in wanted.items():
                known = next((stored[form] for form in forms if form in stored), None)
                if known is None:  # somebody else's
                    raise outside(current_actor())
                found[name] = known
        expect_writable(Project, [project.id for project in found.values()], self.using)
        return found

    def ensure_prompts(self, texts: Mapping[ProjectInfo, Iterable[str]]) -> dict[ProjectInfo, dict[str, str]]:
        """The ids of the prompts with these texts in each project, by text; new prompts for those that it doesn't have.

        The projects come from `ensure_projects`. Blank texts have none; nor have an archived project's new ones.
        """
        wanted = {
            project: [text for text in dict.fromkeys(some) if not is_blank(text)] for project, some in texts.items()
        }
        asked = {(project.id, key) for project, some in wanted.items() for text in some for key in keys(text)}
        there = self._with_keys(asked)
        found: dict[ProjectInfo, dict[str, str]] = {}
        new: dict[str, dict[str, str]] = {}
        for project, some in wanted.items():
            exact: dict[str, str] = {}
            for key, text in there[project.id]:
                exact.setdefault(text, key)
            missing = {text: fold_blanks(text) for text in some if text not in exact}
            similar: dict[str, str] = {}
            for key, text in there[project.id] if missing else ():
                similar.setdefault(half_folded(text), key)
            unknown = set(missing.values()) - similar.keys()
            if unknown:
                similar = self._among_first(project.id, unknown) | similar
            if project.status != ProjectStatus.ARCHIVED:
                first: dict[str, str] = {}
                for text, folded in missing.items():
                    if folded not in similar:
                        first.setdefault(folded, text)
                ids = {folded: new_id() for folded in first}
                new[project.id] = {key: first[folded] for folded, key in ids.items()}
                similar |= ids
            by_blanks = {text: similar[folded] for text, folded in missing.items() if folded in similar}
            found[project] = {text: exact[text] for text in some if text in exact} | by_blanks
        self.append_prompts(new)
        return found

    def append_prompts(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        """New prompts at the ends of projects: by the project's id, texts by the prompts' ids.

        Raises what a plugin's guard refuses with.
        """
        expect_welcome(
            NewText(text, project, None, self.using) for project, some in texts.items() for text in some.values()
        )
        connection = connections[self.using]
        stamp = stored_moment(timezone.now(), connection)
        for projects in in_chunks((key for key in texts if texts[key]), VALUES_A_QUERY):
            places = ", ".join(["%s"] * len(projects))
            with connection.cursor() as cursor:
                cursor.execute(LAST.format(places), projects)
                first = {key: 0 if last is None else last + 1 for key, last in cursor.fetchall()}
                rows = [
                    (key, text, 1, project, first[project] + at, stamp, stamp)
                    for project in projects
                    for at, (key, text) in enumerate(texts[project].items())
                ]
                insert_rows(connection, "prompts", PROMPT_FIELDS, rows)
                cursor.execute(f"UPDATE projects SET updated_at = %s WHERE id IN ({places})", [stamp, *projects])

    def known_prompts(self, prompt_ids: Iterable[str]) -> set[str]:
        """Which of these prompts there are. They aren't locked: projects always come first."""
        known: set[str] = set()
        for chunk in in_chunks(dict.fromkeys(prompt_ids), VALUES_A_QUERY):
            known.update(self.repository.prompts.filter(id__in=chunk).values_list("id", flat=True))
        return known

    def _with_keys(self, asked: set[tuple[str, str]]) -> defaultdict[str, list[tuple[str, str]]]:
        """Ids and texts of prompts with these keys, by their project, in their order."""
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        with connections[self.using].cursor() as cursor:
            for chunk in in_chunks(sorted(asked), VALUES_A_QUERY):
                statement = WITH_KEYS.format(pairs=", ".join(["(%s, %s)"] * len(chunk)))
                cursor.execute(statement, [value for pair in chunk for value in pair])
                for project, key, text in cursor.fetchall():
                    if isinstance(text, str):  # other programs can store BLOBs
                        found[project].append((key, text))
        return found

    def _among_first(self, project_id: str, folded_texts: set[str]) -> dict[str, str]:
        """Of the project's first prompts those that differ from a folded text but for blanks of any kind, by it."""
        # To compare these words first takes a tenth of the time that folding each text would take.
        heads = {text.split(" ", 1)[0] for text in folded_texts}
        tails = {text.rsplit(" ", 1)[-1] for text in folded_texts}
        with connections[self.using].cursor() as cursor:
            cursor.execute(AMONG_FIRST.format(ends="1 = 1"), [project_id, project_id])
            rows = cursor.fetchall()
        found: dict[str, str] = {}
        for key, text in rows:
            words = text.split(None, 1) if isinstance(text, str) else []
            if words and words[0] in heads and words[-1].rsplit(None, 1)[-1] in tails:
                found.setdefault(fold_blanks(text), key)
        return found
