"""Findings: what the checks of the enabled plugins say about a prompt's text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.conf import settings
from django.utils.module_loading import import_string

from projects.models import Prompt
from promptadmin.containment import contained
from promptadmin.plugins import PromptCheck, enabled_plugins


class Severity(StrEnum):
    """How much a finding matters: `error` for what should not stay, `note` for what is worth a look."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """What a check says. `start` and `end` are places in the text, in characters; None where it is about all of it."""

    severity: Severity
    message: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class FoundBy:
    """A finding with the check that made it, and the line of the text, from 1, that it begins in."""

    plugin: str
    check: str
    title: str
    severity: Severity
    message: str
    start: int | None
    end: int | None
    line: int | None


@dataclass(frozen=True)
class CheckedPrompt:
    """The prompt that a check looks at."""

    id: str
    project_id: str | None
    text: str
    using: str

    @cached_property
    def others(self) -> list[tuple[str, str]]:
        """The ids and texts of the project's other prompts, in their order; read when first asked for, and once."""
        rows = Prompt.objects.using(self.using).filter(project_id=self.project_id).exclude(id=self.id)
        return list(rows.order_by("order_index", "id").values_list("id", "content"))


def enabled_checks() -> Iterable[tuple[str, PromptCheck]]:
    """The checks that are made, each with its plugin: all but those that PROMPTADMIN_PROMPT_CHECKS_OFF names."""
    for plugin in enabled_plugins():
        for check in plugin.prompt_checks:
            if check.name not in settings.PROMPT_CHECKS_OFF:
                yield plugin.label, check


def find(prompt: CheckedPrompt) -> list[FoundBy]:
    """What all enabled checks say, by place in the text; a check that fails is logged, and says nothing.

    To be called within a read session.
    """
    found: list[FoundBy] = []
    for plugin, check in enabled_checks():
        with contained(plugin, f"the prompt check {check.name}", using=prompt.using):
            function: Callable[[CheckedPrompt], Iterable[Finding]] = import_string(check.function)
            found += [_found_by(plugin, check, finding, prompt.text) for finding in function(prompt)]
    return sorted(found, key=lambda item: (-1 if item.start is None else item.start, item.check))


def _found_by(plugin: str, check: PromptCheck, finding: Finding, text: str) -> FoundBy:
    line = None if finding.start is None else text.count("\n", 0, finding.start) + 1
    return FoundBy(plugin, check.name, check.title, finding.severity, finding.message, finding.start, finding.end, line)
