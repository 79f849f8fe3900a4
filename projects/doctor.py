"""What `promptadmin doctor` looks at in projects, prompts and versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core import checks
from django.db.models import Count, F, QuerySet
from django.utils.translation import ngettext

from projects.models import Prompt, PromptVersion


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_order(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """P001: The order of prompts.

    Two prompts of a project at one place come in an order that nobody chose. PromptForge made such places when two
    people added a prompt at the same time. Nothing is lost.
    """
    for alias in databases or ():
        prompts = Prompt.objects.using(alias).exclude(project=None)
        count = _shared(prompts, "project", "order_index")
        if count:
            places = "%d place in projects with more than one prompt", "%d places in projects with more than one prompt"
            yield checks.Warning(
                ngettext(*places, count) % count,
                hint="Order the prompts of these projects anew, in the back-office or with the API's reorder.",
                id="P001",
            )
        else:
            yield checks.Debug("each prompt has a place of its own", id="P001")


@checks.register("doctor", checks.Tags.database, deploy=True)
def check_versions(databases: Sequence[str] | None = None, **kwargs: Any) -> Iterator[checks.CheckMessage]:
    """P002: The numbers of versions.

    Each has one of its own, below that of the current text. Two versions with one number can't be told apart by it,
    and comparing them takes one of the two. PromptForge made them when two people saved at the same time. Both texts
    are there.
    """
    for alias in databases or ():
        versions = PromptVersion.objects.using(alias).exclude(prompt=None)
        count = _shared(versions, "prompt", "version")
        late = versions.filter(version__gte=F("prompt__version")).count()
        if count:
            numbers = "%d version number that is used more than once", "%d version numbers that are used more than once"
            yield checks.Warning(
                ngettext(*numbers, count) % count,
                hint="Versions never change: read both in the prompt's history, and save the right text once more.",
                id="P002",
            )
        if late:
            yield checks.Warning(
                ngettext("%d earlier version", "%d earlier versions", late) % late
                + " with a number that isn't below the current text's",
                hint="Save these prompts once more: the current text gets the next number.",
                id="P002",
            )
        if not count and not late:
            yield checks.Debug("each version has one of its own, below the current text's", id="P002")


def _shared(rows: QuerySet[Any], *names: str) -> int:
    """How many values of these columns, which should be each row's own, more than one row has."""
    return int(rows.values(*names).annotate(rows=Count("pk")).filter(rows__gt=1).count())
