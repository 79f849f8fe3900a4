"""Names: giving, changing and finding them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import DEFAULT_DB_ALIAS, IntegrityError, transaction
from django.db.models import QuerySet

from projects.contrib.registry.chat import read_messages
from projects.contrib.registry.details import Content, write_details
from projects.contrib.registry.models import Format, Kind, Label, LabelEvent, PromptName, Redirect, VersionDetail
from projects.contrib.registry.names import checked_name, key_of
from projects.contrib.registry.records import Named
from projects.contrib.registry.repository.rules import expect_free_labels
from projects.models import Prompt
from projects.reach import expect_writable
from projects.repository import ProjectRepository
from promptadmin.audit import Change, record
from promptadmin.db import json_text
from promptadmin.errors import Conflict, Invalid, NotFound


class Names:
    """The part that keeps names; the base of all others.

    Whoever changes anything of a prompt locks it first as every door does, by `ProjectRepository.prompt_to_change`.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using
        self.prompts = ProjectRepository(using)

    @property
    def names(self) -> QuerySet[PromptName]:
        """All names."""
        return PromptName.objects.using(self.using)

    @property
    def redirects(self) -> QuerySet[Redirect]:
        """All names that prompts had."""
        return Redirect.objects.using(self.using)

    @property
    def labels(self) -> QuerySet[Label]:
        """Where all labels point."""
        return Label.objects.using(self.using)

    @property
    def events(self) -> QuerySet[LabelEvent]:
        """All moves of labels."""
        return LabelEvent.objects.using(self.using)

    def find(self, name: str) -> Named:
        """The prompt that has a name or, where none has, the last one that had. Raises NotFound."""
        key = key_of(name)
        row = self.names.filter(key=key).first() or self._redirected(key)
        if row is None:
            raise NotFound(f"Prompt not found: {name}")
        return self._named(row)

    def name_of(self, prompt_id: str) -> str | None:
        """The name of a prompt, if it has one."""
        return self.names.filter(prompt_id=prompt_id).values_list("name", flat=True).first()

    def give_name(
        self,
        *,
        prompt_id: str,
        name: str,
        kind: str | None = None,
        template_format: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> Named:
        """Give a prompt a name, or another one; the former one leads there until another prompt takes it.

        What isn't given stays as it is. Raises Invalid for what can be no name; Conflict where another prompt has it;
        NotFound, Forbidden.
        """
        checked_name(name)
        _expect_one_of("kind", kind, Kind.values)
        _expect_one_of("template_format", template_format, Format.values)
        _, prompt = self.prompts.prompt_to_change(prompt_id)
        row = self.names.filter(prompt_id=prompt.id).first()
        before = {"name": row.name, "kind": row.kind, "template_format": row.template_format} if row else None
        if row is None:
            row = PromptName(prompt_id=prompt.id, kind=Kind.TEXT)
        former = row.key
        if former != key_of(name):
            self._expect_free_name(row, key_of(name))
        expect_readable(kind or row.kind, prompt.content)
        row.name, row.key = name, key_of(name)
        row.kind, row.template_format = kind or row.kind, template_format or row.template_format
        if description is not None:
            row.description = description
        if tags is not None:
            row.tags = json_text.write([*dict.fromkeys(tags)])
        self._store(row)
        if former and former != row.key:
            Redirect(prompt_id=prompt.id, key=former).save(using=self.using, force_insert=True)
        expect_writable(Prompt, [prompt.id], self.using)
        Redirect._base_manager.using(self.using).filter(key=row.key).delete()
        if not VersionDetail.objects.using(self.using).filter(prompt_id=prompt.id, version=prompt.version).exists():
            content = Content(row.kind, prompt.content)
            write_details(prompt.id, prompt.version, content, author=None, reason=None, using=self.using)
        after = {"name": row.name, "kind": row.kind, "template_format": row.template_format}
        record(
            Change(model=PromptName, key=str(row.pk), title=name, before=before, after=after, note=prompt.id),
            using=self.using,
        )
        return self._named(row, prompt)

    def _expect_free_name(self, row: PromptName, key: str) -> None:
        """Raises Forbidden or Conflict where a rule guards a label of the prompt, or of the one that had the name.

        Programs ask by name and label: another name moves what they get, as moving the label would.
        """
        last = Redirect._base_manager.using(self.using).filter(key=key).order_by("-created_at", "-id").first()
        guarded = [row.prompt_id, *([last.prompt_id] if last else ())]
        expect_free_labels(Prompt._base_manager.using(self.using).filter(pk__in=guarded))

    def _store(self, row: PromptName) -> None:
        """Insert or update a name. Raises Conflict where another prompt has it."""
        taken = Conflict(f"Another prompt is called {row.name}: choose another name, or rename that one first")
        if self.names.filter(key=row.key).exclude(pk=row.pk).exists():
            raise taken
        try:
            with transaction.atomic(using=self.using):
                row.save(using=self.using)
        except IntegrityError as error:  # somebody took it in this moment
            raise taken from error

    def _redirected(self, key: str) -> PromptName | None:
        former = self.redirects.filter(key=key).order_by("-created_at", "-id").values_list("prompt_id", flat=True)
        found = {row.prompt_id: row for row in self.names.filter(prompt_id__in=list(former))}
        return next((found[prompt] for prompt in former if prompt in found), None)

    def _named(self, row: PromptName, prompt: Prompt | None = None) -> Named:
        prompt = prompt or self.prompts.readable_prompt(row.prompt_id)
        return Named(
            prompt.id,
            row.name,
            row.kind,
            row.template_format,
            row.description,
            json_text.read_list(row.tags) or [],
            prompt.project_id,
            prompt.version,
        )


def expect_readable(kind: str, text: str) -> None:
    """Raises Invalid for a text that a prompt of this kind can't have."""
    if kind == Kind.CHAT:
        read_messages(text)


def _expect_one_of(what: str, value: str | None, known: Sequence[str]) -> None:
    if value is not None and value not in known:
        raise Invalid(f"A prompt's {what} is one of {', '.join(known)}, and not {value!r}")
