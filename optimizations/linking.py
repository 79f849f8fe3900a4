"""Projects and prompts of many runs at once, by the rules of `ProjectRepository`'s find-or-create."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Max
from django.utils import timezone

from projects.models import Project, ProjectStatus, Prompt
from projects.records import ProjectInfo
from projects.repository import ProjectRepository
from projects.repository.matching import CANDIDATES, FOLDED, fold_blanks
from projects.repository.prompts import POSITION
from promptadmin.chunks import in_chunks

VALUES_A_QUERY = 500


class Linking:
    """Finds or makes in a handful of queries, inside a write session. Projects are locked in order of their names."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.repository = ProjectRepository(using)

    def ensure_projects(self, names: Iterable[str]) -> dict[str, ProjectInfo]:
        """The projects with these names, by name. Names come without blanks around them, and none is blank."""
        found: dict[str, ProjectInfo] = {}
        for chunk in in_chunks(sorted(set(names)), VALUES_A_QUERY):
            rows = self.repository.projects.filter(name__in=chunk).order_by("name")
            there = set(rows.values_list("name", flat=True))
            now = timezone.now()
            new = [Project(name=name, created_at=now, updated_at=now) for name in chunk if name not in there]
            self.repository.projects.bulk_create(new, ignore_conflicts=True)
            for name, key, status in self.repository.lock(rows).values_list("name", "id", "status"):
                found[name] = ProjectInfo(key, status)
                if status == ProjectStatus.DELETED:
                    revived = self.repository.ensure_project_by_name(name)
                    found[name] = revived or found[name]
        return found

    def ensure_prompts(self, project: ProjectInfo, texts: Iterable[str]) -> dict[str, str]:
        """The ids of a project's prompts with these texts, by text; new prompts for those that it doesn't have.

        The project comes from `ensure_projects`. Blank texts have none; nor have an archived project's new ones.
        """
        wanted = [text for text in dict.fromkeys(texts) if text.strip()]
        found = self._exact(project.id, wanted)
        missing = [text for text in wanted if text not in found]
        if not missing:
            return found
        similar = self._similar(project.id, {fold_blanks(text) for text in missing})
        if project.status != ProjectStatus.ARCHIVED:
            new: dict[str, str] = {}
            for text in missing:
                if fold_blanks(text) not in similar:
                    new.setdefault(fold_blanks(text), text)
            similar |= {fold_blanks(row.content): row.id for row in self._append(project.id, list(new.values()))}
        return found | {text: similar[fold_blanks(text)] for text in missing if fold_blanks(text) in similar}

    def make_prompts(self, project: ProjectInfo, texts: Mapping[str, str]) -> None:
        """New prompts with given ids and texts at the end of a project."""
        self._append(project.id, list(texts.values()), list(texts))

    def known_prompts(self, prompt_ids: Iterable[str]) -> set[str]:
        """Which of these prompts there are. They aren't locked: projects always come first."""
        known: set[str] = set()
        for chunk in in_chunks(dict.fromkeys(prompt_ids), VALUES_A_QUERY):
            known.update(self.repository.prompts.filter(id__in=chunk).values_list("id", flat=True))
        return known

    def _exact(self, project_id: str, texts: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for chunk in in_chunks(texts, VALUES_A_QUERY):
            rows = self.repository.prompts.filter(project_id=project_id, content__in=chunk).order_by(*POSITION)
            for key, content in rows.values_list("id", "content"):
                found.setdefault(content, key)
        return found

    def _similar(self, project_id: str, folded_texts: set[str]) -> dict[str, str]:
        """Prompts that differ but for blanks, by their folded text."""
        ordered = self.repository.prompts.filter(project_id=project_id).order_by(*POSITION)
        found: dict[str, str] = {}
        for chunk in in_chunks(sorted(folded_texts), VALUES_A_QUERY):
            rows = ordered.annotate(folded=FOLDED).filter(folded__in=chunk)
            for key, folded in rows.values_list("id", "folded"):
                found.setdefault(folded, key)
        for key, content in ordered.values_list("id", "content")[:CANDIDATES]:
            found.setdefault(fold_blanks(content), key)
        return found

    def _append(self, project_id: str, texts: Sequence[str], ids: Sequence[str] | None = None) -> list[Prompt]:
        if not texts:
            return []
        last = self.repository.prompts.filter(project_id=project_id).aggregate(last=Max("order_index"))["last"]
        first = 0 if last is None else last + 1
        now = timezone.now()
        new = [
            Prompt(content=text, project_id=project_id, order_index=first + place, created_at=now, updated_at=now)
            for place, text in enumerate(texts)
        ]
        for row, key in zip(new, ids or [row.id for row in new], strict=True):
            row.id = key
        self.repository.prompts.bulk_create(new, batch_size=VALUES_A_QUERY)
        self.repository.projects.filter(id=project_id).update(updated_at=now)
        return new
