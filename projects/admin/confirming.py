"""The page that says what an action will do, before it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from projects.records import Contents
from projects.templatetags.prompt_texts import visible

#: The field of the tick with which also what is in use is deleted.
FORCE = "force"


@dataclass(frozen=True)
class Question:
    """What the page says: which rows, what becomes of them, what goes with them, and where "Cancel" leads.

    `along` is what plugins say goes along, in words, with how many of it.

    `confirmed` comes back as the field of that name once the user has confirmed, and `hidden` with it. `to_type` is
    what the user has to type besides; `typed` is what they have typed, where that was something else. With `may_force`
    the page has a tick, the field FORCE, for what is in use; `is_forced` says whether it is set.
    """

    title: str
    names: Sequence[str]
    consequence: str
    button: str
    back: str
    confirmed: str = "yes"
    contents: Contents | None = None
    along: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    is_danger: bool = False
    may_force: bool = False
    is_forced: bool = False
    to_type: str = ""
    typed: str | None = None
    hidden: Sequence[tuple[str, str]] = field(default_factory=tuple)


def ask(request: HttpRequest, model_admin: ModelAdmin, question: Question) -> TemplateResponse:
    """The page; its form posts to the address of this request."""
    context = {**model_admin.admin_site.each_context(request), "title": question.title, "opts": model_admin.opts}
    return TemplateResponse(request, "projects/confirm.html", {**context, "question": question})


def is_typed(request: HttpRequest, wanted: str) -> bool:
    """Whether the form brought back what had to be typed, as it is or as the page shows it; blanks don't count."""
    typed = " ".join(request.POST.get("typed", "").split())
    return typed in {" ".join(text.split()) for text in (wanted, visible(wanted))}
