"""What plugins may declare about prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from promptadmin.plugins.declarations import enabled_plugins

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
class PromptBox:
    """A box on a prompt's page in the back-office, below its text.

    `function` is the dotted path of a callable that takes the request and the `projects.models.Prompt`, and returns
    what `template` shows, as a mapping; it runs in a read session, and None means that there is nothing to show. What
    `line_template` makes of the same stands at the top of the page, behind the version, and what `version_template`
    makes of it and a `version` beside each number in the table of versions. `permission`, as in
    "registry.view_label", is what somebody needs to see the box; an empty one lets all see it who see the prompt.
    `version_function` is the path of a callable that takes the request, the prompt and the number of an earlier
    version, for a box on the page of that version; an empty one means that there is none.
    """

    name: str
    title: str
    function: str
    template: str
    line_template: str = ""
    version_template: str = ""
    permission: str = ""
    version_function: str = ""


@dataclass(frozen=True)
class DeclaredVariables:
    """What a plugin knows of the variables of a prompt: how its text marks them, and values to begin a preview with.

    `template_format` is "mustache" for `{{name}}`, "f-string" for `{name}`, anything else for no variables.
    """

    template_format: str
    defaults: Mapping[str, str] = field(default_factory=dict)


class PromptDeclarations:
    """A mixin of a plugin's `PluginConfig`, with the types of what it may declare about prompts."""

    prompt_checks: ClassVar[Sequence[PromptCheck]] = ()
    prompt_boxes: ClassVar[Sequence[PromptBox]] = ()
    #: Dotted path of a callable that takes a user and ids of prompts, and returns id → what the prompt is called, of
    #: those that have a name and that this user may see it of.
    prompt_names: ClassVar[str | None] = None
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


def declared_prompt_checks() -> Iterator[tuple[str, PromptCheck]]:
    """The checks that the enabled plugins declare, each with its plugin's label."""
    for plugin in enabled_plugins():
        for check in getattr(plugin, "prompt_checks", ()):
            yield plugin.label, check


def expect_deletable(prompts: QuerySet[Prompt], *, force: bool) -> None:
    """Ask every guard that the enabled plugins declare. Raises the DomainError of the first that refuses."""
    for plugin in enabled_plugins():
        for path in getattr(plugin, "deletion_guards", ()):
            import_string(path)(prompts, force)


def expect_restorable(deletion: Deletion, using: str) -> None:
    """Ask the guards of what comes back in the same way."""
    for plugin in enabled_plugins():
        for path in getattr(plugin, "restoration_guards", ()):
            import_string(path)(deletion, using)


def declared_prompt_boxes() -> Iterator[tuple[str, PromptBox]]:
    """The boxes that the enabled plugins declare, each with its plugin's label."""
    for plugin in enabled_plugins():
        for box in getattr(plugin, "prompt_boxes", ()):
            yield plugin.label, box
