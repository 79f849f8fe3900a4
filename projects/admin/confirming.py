"""The page that says what an action will do, before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest
from django.template.response import TemplateResponse

from projects.records import Contents
from promptadmin.repository_admin import RepositoryAdmin


@dataclass(frozen=True)
class Question:
    """What the page says: which rows, what becomes of them, what goes with them, and where "Cancel" leads.

    `confirmed` comes back as the field of that name once the user has confirmed, and `hidden` with it.
    """

    title: str
    names: Sequence[str]
    consequence: str
    button: str
    back: str
    confirmed: str = "yes"
    contents: Contents | None = None
    note: str = ""
    hidden: Sequence[tuple[str, str]] = field(default_factory=tuple)


def ask(request: HttpRequest, model_admin: RepositoryAdmin, question: Question) -> TemplateResponse:
    """The page; its form posts to the address of this request."""
    context = {**model_admin.admin_site.each_context(request), "title": question.title, "opts": model_admin.opts}
    return TemplateResponse(request, "projects/confirm.html", {**context, "question": question})
