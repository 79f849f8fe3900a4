"""What plugins may declare about prompts and projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from promptadmin.plugins.declarations import declared
from promptadmin.plugins.isolation import isolate_plugin_errors
from promptadmin.plugins.page_parts import Action, Box, Column, Filter

if TYPE_CHECKING:
    from projects.models import Prompt
    from promptadmin.models import Deletion


@dataclass(frozen=True)
class PromptCheck:
    """A check on the text of a prompt, which can be switched off by its name.

    `function` is the dotted path of a callable that takes a `projects.prompt_checks.CheckedPrompt` and returns an
    iterable of `projects.prompt_checks.Finding`; it runs in a read session and must answer the same for the same
    prompt.
    """

    name: str
    title: str
    function: str


@dataclass(frozen=True)
class NewText:
    """A text that a prompt is about to get. A new prompt has no `prompt_id` yet; `using` is the database."""

    text: str
    project_id: str | None
    prompt_id: str | None
    using: str


@dataclass(frozen=True)
class DeclaredVariables:
    """What a plugin knows of the variables of a prompt: how its text marks them, and values to begin a preview with.

    `template_format` is "mustache" for `{{name}}`, "f-string" for `{name}`, anything else for no variables.
    """

    template_format: str
    defaults: Mapping[str, str] = field(default_factory=dict)


class PromptDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare about prompts and projects."""

    prompt_checks: ClassVar[Sequence[PromptCheck]] = ()
    prompt_boxes: ClassVar[Sequence[Box]] = ()
    prompt_columns: ClassVar[Sequence[Column]] = ()
    prompt_filters: ClassVar[Sequence[Filter]] = ()
    prompt_actions: ClassVar[Sequence[Action]] = ()
    #: Name → dotted path of a callable that takes ids of prompts and returns id → what JSON can hold.
    prompt_fields: ClassVar[Mapping[str, str]] = {}
    #: Dotted path of a callable that takes a user and ids of prompts, and returns id → what the prompt is called, of
    #: those that have a name and that this user may see it of.
    prompt_names: ClassVar[str | None] = None
    project_boxes: ClassVar[Sequence[Box]] = ()
    project_columns: ClassVar[Sequence[Column]] = ()
    project_actions: ClassVar[Sequence[Action]] = ()
    #: Dotted path of a callable that takes a prompt's id and a text of it, and returns the parts by which two texts are
    #: compared, as (title, text); None for a text that is one whole.
    text_parts: ClassVar[str | None] = None
    #: Dotted paths of list filters, as Django's admin knows them, that stand beside the list of prompts.
    prompt_list_filters: ClassVar[Sequence[str]] = ()
    #: Dotted path of a callable that takes a user and the id of a prompt, and returns its DeclaredVariables, or None.
    prompt_variables: ClassVar[str | None] = None
    #: Dotted paths of callables that take a QuerySet of the prompts that somebody wants to delete, and whether they
    #: have asked for it with force, in the transaction of the deletion, and raise a `promptadmin.errors.DomainError`
    #: that says why they may not.
    deletion_guards: ClassVar[Sequence[str]] = ()
    #: Dotted paths of callables that take a `promptadmin.models.Deletion` that somebody wants to undo, and a database's
    #: alias, in the transaction that restores it, and raise such an error.
    restoration_guards: ClassVar[Sequence[str]] = ()
    #: What goes along, in words → dotted path of a callable that takes such a QuerySet and returns how many of it go.
    deletion_counts: ClassVar[Mapping[str, str]] = {}
    #: Dotted paths of callables that take a `NewText` in the transaction that stores it, and refuse likewise.
    text_guards: ClassVar[Sequence[str]] = ()


def declared_prompt_checks() -> Iterator[tuple[str, PromptCheck]]:
    """The checks that the enabled plugins declare, each with its plugin's label."""
    return declared("prompt_checks")


def expect_deletable(prompts: QuerySet[Prompt], *, force: bool) -> None:
    """Ask every guard that the enabled plugins declare. Raises the DomainError of the first that refuses."""
    for _, path in declared("deletion_guards"):
        import_string(path)(prompts, force)


def expect_restorable(deletion: Deletion, using: str) -> None:
    """Ask the guards of what comes back in the same way."""
    for _, path in declared("restoration_guards"):
        import_string(path)(deletion, using)


def expect_welcome(texts: Iterable[NewText]) -> None:
    """Ask every guard of texts about each. Raises the DomainError of the first that refuses."""
    guards = [import_string(path) for _, path in declared("text_guards")]
    for text in texts if guards else ():
        for guard in guards:
            guard(text)


def count_what_goes_along(prompts: QuerySet[Prompt]) -> dict[str, int]:
    """What the enabled plugins say goes with these prompts, in words, and how many of it; nothing without any."""
    counts: dict[str, int] = {}
    for label, (words, path) in declared("deletion_counts"):
        with isolate_plugin_errors(label, f"the count of {words}", using=prompts.db):
            counts[words] = counts.get(words, 0) + import_string(path)(prompts)
    return {words: count for words, count in counts.items() if count}
