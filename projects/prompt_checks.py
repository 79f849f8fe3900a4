"""Findings: what the checks of the enabled plugins say about a prompt's text."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from itertools import islice

from django.conf import settings
from django.db.models.functions import Substr
from django.utils.module_loading import import_string

from projects.declarations import PromptCheck, declared_prompt_checks
from projects.models import Prompt
from promptadmin.plugins.isolation import isolate_plugin_errors

#: So much of a text is given to the checks, in characters, and so many findings of each are told.
LONGEST_CHECKED, MOST_FINDINGS = 100_000, 100
#: With so many other prompts of its project a prompt is compared.
MOST_OTHERS = 1_000


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
    """The prompt that a check looks at: the beginning of its text, and the rest, which is empty but for long ones."""

    id: str
    project_id: str | None
    text: str
    using: str
    rest: str = ""

    @cached_property
    def others(self) -> list[tuple[str, str]]:
        """The ids and texts of the project's other prompts, in their order; read when first asked for, and once.

        Of the first MOST_OTHERS, and of each text so much as this one has, and some more.
        """
        rows = Prompt.objects.using(self.using).filter(project_id=self.project_id).exclude(id=self.id)
        beginning = Substr("content", 1, 2 * (len(self.text) + len(self.rest)) + 1_000)
        found = rows.order_by("order_index", "id").values_list("id", beginning)[:MOST_OTHERS]
        return [(key, text or "") for key, text in found]


def enabled_checks() -> Iterable[tuple[str, PromptCheck]]:
    """The checks that are made, each with its plugin: all but those that PROMPTADMIN_PROMPT_CHECKS_OFF names."""
    for plugin, check in declared_prompt_checks():
        if check.name not in settings.PROMPT_CHECKS_OFF:
            yield plugin, check


def find(prompt: CheckedPrompt) -> list[FoundBy]:
    """What all enabled checks say, by place in the text; a check that fails is logged, and says nothing.

    To be called within a read session.
    """
    whole = prompt.text + prompt.rest
    prompt = replace(prompt, text=whole[:LONGEST_CHECKED], rest=whole[LONGEST_CHECKED:])
    breaks = [match.start() for match in re.finditer("\n", prompt.text)]
    found: list[FoundBy] = []
    for plugin, check in enabled_checks():
        with isolate_plugin_errors(plugin, f"the prompt check {check.name}", using=prompt.using):
            function: Callable[[CheckedPrompt], Iterable[Finding]] = import_string(check.function)
            made = list(islice(function(prompt), MOST_FINDINGS + 1))
            if len(made) > MOST_FINDINGS:
                made[MOST_FINDINGS:] = [Finding(Severity.NOTE, f"There are more than these {MOST_FINDINGS} findings.")]
            found += [_found_by(plugin, check, finding, breaks) for finding in made]
            if prompt.rest:
                message = f"Only the first {LONGEST_CHECKED:,} characters of the text were checked."
                left_out = Finding(Severity.NOTE, message, LONGEST_CHECKED, len(whole))
                found.append(_found_by(plugin, check, left_out, breaks))
    return sorted(found, key=lambda item: (-1 if item.start is None else item.start, item.check))


def _found_by(plugin: str, check: PromptCheck, finding: Finding, breaks: list[int]) -> FoundBy:
    line = None if finding.start is None else bisect_left(breaks, finding.start) + 1
    return FoundBy(plugin, check.name, check.title, finding.severity, finding.message, finding.start, finding.end, line)
